/* Hash algorithms of v1model, with BMv2's results (src/bm_sim/calculations.cpp of behavioral-model). */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>

#if defined __PCLMUL__ && defined __SSE4_1__ /* the latter for _mm_extract_epi32() */
#define CARRYLESS
#include <immintrin.h>
#endif

#include "bits.h"

extern uint32_t crc32_table[8][256]; /* CRC-32 (IEEE 802.3), reflected; [k] advances over k more zero bytes */
extern uint16_t crc16_table[256];    /* CRC-16/ARC, reflected */
extern uint16_t ccitt_table[256];    /* CRC-16/CCITT-FALSE */

/* Eight bytes, first byte lowest. */
INLINE uint32_t crc32_word(uint32_t crc, uint64_t v) {
    v ^= crc;
    return crc32_table[7][v & 255] ^ crc32_table[6][v >> 8 & 255] ^ crc32_table[5][v >> 16 & 255] ^
           crc32_table[4][v >> 24 & 255] ^ crc32_table[3][v >> 32 & 255] ^ crc32_table[2][v >> 40 & 255] ^
           crc32_table[1][v >> 48 & 255] ^ crc32_table[0][v >> 56];
}

/* The CRC of `n` words that follow each other, from a state of 0; words as in crc32_word(). All words but the last are carried over to it,
 * each by itself: times x^k mod P, `by[i]` for the i-th word; what the sum then has above the last word's 64 bits is carried over by
 * `by[n - 1]` (Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction, Intel 2009). So the words don't
 * wait for each other. */
INLINE uint32_t crc32_words(const uint64_t *w, const uint64_t *by, unsigned n) {
#ifdef CARRYLESS
    __m128i v = _mm_slli_si128(_mm_cvtsi64_si128((int64_t)w[n - 1]), 8);
    for (unsigned i = 0; i + 1 < n; i++)
        v = _mm_xor_si128(v, _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)w[i]), _mm_cvtsi64_si128((int64_t)by[i]), 0x00));
    if (n > 1) v = _mm_xor_si128(v, _mm_clmulepi64_si128(v, _mm_cvtsi64_si128((int64_t)by[n - 1]), 0x00));
    /* Barrett: times x^96 / P, then times P; both reflected and one place higher, which undoes that products come out one lower. */
    __m128i barrett = _mm_set_epi64x(0x1db710640, (int64_t)0xb4e5b025f7011641);
    __m128i quotient = _mm_clmulepi64_si128(v, barrett, 0x01);
    return (uint32_t)_mm_extract_epi32(_mm_clmulepi64_si128(quotient, barrett, 0x10), 2);
#else
    uint32_t crc = 0;
    (void)by;
    for (unsigned i = 0; i < n; i++) crc = crc32_word(crc, w[i]);
    return crc;
#endif
}

static inline uint64_t hash_crc32(const uint8_t *p, size_t n) {
    uint32_t crc = 0xffffffff;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        crc = crc32_word(crc, v);
    }
    while (n--) crc = crc >> 8 ^ crc32_table[0][(crc ^ *p++) & 255];
    return crc ^ 0xffffffff;
}

static inline uint64_t hash_crc16(const uint8_t *p, size_t n) {
    uint16_t crc = 0;
    while (n--) crc = (uint16_t)(crc >> 8) ^ crc16_table[(crc ^ *p++) & 255];
    return crc;
}

static inline uint64_t hash_crcCCITT(const uint8_t *p, size_t n) {
    uint16_t crc = 0xffff;
    while (n--) crc = (uint16_t)(crc << 8) ^ ccitt_table[(crc >> 8 ^ *p++) & 255];
    return crc;
}

/* One's complement sum of 16-bit words (RFC 1071) in 16 bits. */
INLINE uint16_t csum_fold(uint64_t s) {
    /* Added to itself with its halves exchanged, a number has in its upper half the sum of the two, carry included. */
    uint32_t t = (uint32_t)((s + (s << 32 | s >> 32)) >> 32);
    return (uint16_t)((t + (t << 16 | t >> 16)) >> 16);
}

/* The same sum in 64 bits, with one more term. */
INLINE uint64_t csum_add(uint64_t s, uint64_t term) {
    s += term;
    return s + (s < term);
}

/* Sum of bytes as big-endian words; `odd` when they start in the middle of a word. An odd last byte is padded with 0. */
static inline uint64_t csum_bytes(const uint8_t *p, size_t n, int odd) {
    uint64_t sum = 0;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        sum += (v & 0xffffffff) + (v >> 32);
    }
    if (n) {
        uint64_t v = 0;
        memcpy(&v, p, n);
        sum += (v & 0xffffffff) + (v >> 32);
    }
    uint16_t folded = csum_fold(sum);
    return odd ? folded : __builtin_bswap16(folded);
}

static inline uint64_t hash_csum16(const uint8_t *p, size_t n) { return (uint16_t)~csum_fold(csum_bytes(p, n, 0)); }

static inline uint64_t hash_cksum16(const uint8_t *p, size_t n) { return hash_csum16(p, n); }

static inline uint64_t hash_xor16(const uint8_t *p, size_t n) {
    uint64_t x = 0;
    for (; n >= 2; n -= 2, p += 2) x ^= load_be(p, 2);
    return n ? x ^ (uint64_t)*p << 8 : x;
}

static inline uint64_t hash_xor32(const uint8_t *p, size_t n) {
    uint64_t x = 0;
    for (; n >= 4; n -= 4, p += 4) x ^= load_be(p, 4);
    for (unsigned i = 0; i < n; i++) x ^= (uint64_t)p[i] << (24 - 8 * i);
    return x;
}

/* The first eight bytes as a number. */
static inline uint64_t hash_identity(const uint8_t *p, size_t n) {
    uint64_t x = 0;
    for (size_t i = 0; i < n && i < 8; i++) x = x << 8 | p[i];
    return x;
}

/* The custom CRCs with the parameters they have before anyone sets others. */
static inline uint64_t hash_crc32_custom(const uint8_t *p, size_t n) { return hash_crc32(p, n); }
static inline uint64_t hash_crc16_custom(const uint8_t *p, size_t n) { return hash_crc16(p, n); }

static inline uint64_t hash_crc8_custom(const uint8_t *p, size_t n) {
    uint8_t crc = 0;
    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++) crc = (uint8_t)(crc << 1) ^ (crc & 0x80 ? 0x07 : 0);
    }
    return crc;
}

static inline uint64_t hash_crc64_custom(const uint8_t *p, size_t n) {
    uint64_t crc = 0;
    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++) crc = crc >> 1 ^ (crc & 1 ? 0xd800000000000000ull : 0); /* 0x1b reflected */
    }
    return crc;
}

#endif
