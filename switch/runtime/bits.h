/* Big-endian bit fields of packets; `n` is always a constant, so that every call is a load or two. */
#ifndef BITS_H
#define BITS_H

#include <stdint.h>
#include <string.h>

typedef unsigned __int128 u128;
typedef __int128 i128;

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t be16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return __builtin_bswap16(v); }
INLINE uint64_t be32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
INLINE uint64_t be64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return __builtin_bswap64(v); }
INLINE void put16(uint8_t *p, uint64_t v) { uint16_t x = __builtin_bswap16((uint16_t)v); memcpy(p, &x, 2); }
INLINE void put32(uint8_t *p, uint64_t v) { uint32_t x = __builtin_bswap32((uint32_t)v); memcpy(p, &x, 4); }
INLINE void put64(uint8_t *p, uint64_t v) { uint64_t x = __builtin_bswap64(v); memcpy(p, &x, 8); }

INLINE uint64_t load_be(const uint8_t *p, unsigned n) {
    switch (n) {
    case 1: return p[0];
    case 2: return be16(p);
    case 3: return be16(p) << 8 | p[2];
    case 4: return be32(p);
    case 5: return be32(p) << 8 | p[4];
    case 6: return be32(p) << 16 | be16(p + 4);
    case 7: return be32(p) << 24 | be16(p + 4) << 8 | p[6];
    case 8: return be64(p);
    default: return 0;
    }
}

/* First byte lowest. */
INLINE uint64_t load_le(const uint8_t *p, unsigned n) { uint64_t v = 0; memcpy(&v, p, n); return v; }

INLINE void store_be(uint8_t *p, unsigned n, uint64_t v) {
    switch (n) {
    case 1: p[0] = (uint8_t)v; break;
    case 2: put16(p, v); break;
    case 3: put16(p, v >> 8), p[2] = (uint8_t)v; break;
    case 4: put32(p, v); break;
    case 5: put32(p, v >> 8), p[4] = (uint8_t)v; break;
    case 6: put32(p, v >> 16), put16(p + 4, v); break;
    case 7: put32(p, v >> 24), put16(p + 4, v >> 8), p[6] = (uint8_t)v; break;
    case 8: put64(p, v); break;
    default: break;
    }
}

/* Up to 17 bytes: an unaligned field of 128 bits spans 17; the topmost bits are the caller's to drop. */
INLINE u128 load_be_wide(const uint8_t *p, unsigned n) {
    u128 v = 0;
    for (; n >= 8; n -= 8, p += 8) v = v << 64 | load_be(p, 8);
    return n ? v << (8 * n) | load_be(p, n) : v;
}

INLINE void store_be_wide(uint8_t *p, unsigned n, u128 v) {
    store_be(p, n - 8, (uint64_t)(v >> 64));
    store_be(p + n - 8, 8, (uint64_t)v);
}

/* Any width at any bit: the general way, for wide fields and for hash inputs that are not byte-aligned. */
INLINE void store_bits(uint8_t *p, unsigned offset, unsigned width, uint64_t v) {
    while (width > 0) {
        unsigned room = 8 - offset % 8, take = width < room ? width : room;
        uint8_t bits = (uint8_t)(v >> (width - take)) & (uint8_t)((1u << take) - 1);
        unsigned shift = room - take;
        uint8_t mask = (uint8_t)(((1u << take) - 1) << shift);
        p[offset / 8] = (uint8_t)((p[offset / 8] & ~mask) | (bits << shift));
        offset += take;
        width -= take;
    }
}

INLINE uint64_t load_bits(const uint8_t *p, unsigned offset, unsigned width) {
    uint64_t v = 0;
    while (width > 0) {
        unsigned room = 8 - offset % 8, take = width < room ? width : room;
        v = v << take | ((p[offset / 8] >> (room - take)) & ((1u << take) - 1));
        offset += take;
        width -= take;
    }
    return v;
}

/* As store_bits, for byte-aligned offsets known only at run time. */
INLINE void store_bits128(uint8_t *p, unsigned offset, unsigned width, u128 v) {
    if (width > 64) {
        store_bits(p, offset, width - 64, (uint64_t)(v >> 64));
        store_bits(p, offset + width - 64, 64, (uint64_t)v);
    } else {
        store_bits(p, offset, width, (uint64_t)v);
    }
}

/* Whether two big-endian numbers of any length are equal. */
static inline int same_number(const uint8_t *a, uint32_t a_length, const uint8_t *b, uint32_t b_length) {
    while (a_length && !*a) a++, a_length--;
    while (b_length && !*b) b++, b_length--;
    return a_length == b_length && !memcmp(a, b, a_length);
}

#endif
