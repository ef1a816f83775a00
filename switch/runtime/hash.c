#include "hash.h"

uint32_t crc32_table[8][256];
uint16_t crc16_table[256];
uint16_t ccitt_table[256];

__attribute__((constructor)) static void fill_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c32 = i, c16 = i, ccitt = i << 8;
        for (int bit = 0; bit < 8; bit++) {
            c32 = c32 >> 1 ^ (c32 & 1 ? 0xedb88320u : 0);
            c16 = c16 >> 1 ^ (c16 & 1 ? 0xa001u : 0);
            ccitt = ccitt << 1 ^ (ccitt & 0x8000 ? 0x1021u : 0);
        }
        crc32_table[0][i] = c32;
        crc16_table[i] = (uint16_t)c16;
        ccitt_table[i] = (uint16_t)ccitt;
    }
    for (int k = 1; k < 8; k++)
        for (int i = 0; i < 256; i++)
            crc32_table[k][i] = crc32_table[k - 1][i] >> 8 ^ crc32_table[0][crc32_table[k - 1][i] & 255];
}
