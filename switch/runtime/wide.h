/* Integers over 128 bits: little-endian limbs, two's complement, fixed size, passed by value.
 * WIDE(N) defines the type wN and its operations; results are modulo 2^(64 N). */
#ifndef WIDE_H
#define WIDE_H

#include "bits.h"

INLINE void limbs_from_i128(uint64_t *d, int n, i128 v) {
    for (int i = 0; i < n; i++) d[i] = i == 0 ? (uint64_t)v : i == 1 ? (uint64_t)(v >> 64) : (v < 0 ? ~0ull : 0);
}

INLINE void limbs_from_u128(uint64_t *d, int n, u128 v) {
    for (int i = 0; i < n; i++) d[i] = i == 0 ? (uint64_t)v : i == 1 ? (uint64_t)(v >> 64) : 0;
}

/* Sign-extends or truncates. */
INLINE void limbs_resize(uint64_t *d, int n, const uint64_t *s, int m) {
    for (int i = 0; i < n; i++) d[i] = i < m ? s[i] : ((int64_t)s[m - 1] < 0 ? ~0ull : 0);
}

/* As resize, of a number that is not negative whatever its top bit. */
INLINE void limbs_extend(uint64_t *d, int n, const uint64_t *s, int m) {
    for (int i = 0; i < n; i++) d[i] = i < m ? s[i] : 0;
}

INLINE void limbs_mask(uint64_t *d, int n, unsigned width) {
    for (int i = 0; i < n; i++) {
        if (width <= (unsigned)(64 * i)) d[i] = 0;
        else if (width < (unsigned)(64 * i + 64)) d[i] &= (1ull << (width - 64 * i)) - 1;
    }
}

INLINE void limbs_sign_extend(uint64_t *d, int n, unsigned width) {
    int negative = d[(width - 1) / 64] >> ((width - 1) % 64) & 1;
    for (int i = 0; i < n; i++) {
        uint64_t keep = width <= (unsigned)(64 * i) ? 0
                        : width >= (unsigned)(64 * i + 64) ? ~0ull : (1ull << (width - 64 * i)) - 1;
        d[i] = negative ? d[i] | ~keep : d[i] & keep;
    }
}

INLINE int limbs_compare(const uint64_t *a, const uint64_t *b, int n) {
    if ((int64_t)a[n - 1] != (int64_t)b[n - 1]) return (int64_t)a[n - 1] < (int64_t)b[n - 1] ? -1 : 1;
    for (int i = n - 1; i-- > 0;)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

INLINE void limbs_shift_left(uint64_t *d, const uint64_t *s, int n, uint64_t by) {
    int limbs = by / 64 > (uint64_t)n ? n : (int)(by / 64), bits = by % 64;
    for (int i = n - 1; i >= 0; i--) {
        uint64_t high = i - limbs >= 0 ? s[i - limbs] : 0, low = i - limbs - 1 >= 0 ? s[i - limbs - 1] : 0;
        d[i] = bits ? high << bits | low >> (64 - bits) : high;
    }
}

INLINE void limbs_shift_right(uint64_t *d, const uint64_t *s, int n, uint64_t by) {
    uint64_t fill = (int64_t)s[n - 1] < 0 ? ~0ull : 0;
    int limbs = by / 64 > (uint64_t)n ? n : (int)(by / 64), bits = by % 64;
    for (int i = 0; i < n; i++) {
        uint64_t low = i + limbs < n ? s[i + limbs] : fill, high = i + limbs + 1 < n ? s[i + limbs + 1] : fill;
        d[i] = bits ? low >> bits | high << (64 - bits) : low;
    }
}

INLINE void limbs_multiply(uint64_t *d, const uint64_t *a, const uint64_t *b, int n) {
    for (int i = 0; i < n; i++) d[i] = 0;
    for (int i = 0; i < n; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < n; j++) {
            u128 v = (u128)a[i] * b[j] + d[i + j] + carry;
            d[i + j] = (uint64_t)v;
            carry = (uint64_t)(v >> 64);
        }
    }
}

/* Of numbers that are not negative; a divisor of 0 gives quotient 0, remainder 0. */
INLINE void limbs_divide(uint64_t *quotient, uint64_t *remainder, const uint64_t *a, const uint64_t *b, int n) {
    int zero = 1;
    for (int i = 0; i < n; i++) quotient[i] = remainder[i] = 0, zero &= b[i] == 0;
    for (int bit = zero ? -1 : 64 * n - 1; bit >= 0; bit--) {
        for (int i = n - 1; i > 0; i--) remainder[i] = remainder[i] << 1 | remainder[i - 1] >> 63;
        remainder[0] = remainder[0] << 1 | (a[bit / 64] >> (bit % 64) & 1);
        if (limbs_compare(remainder, b, n) >= 0) {
            uint64_t borrow = 0;
            for (int i = 0; i < n; i++) {
                u128 v = (u128)remainder[i] - b[i] - borrow;
                remainder[i] = (uint64_t)v;
                borrow = (uint64_t)(v >> 64) & 1;
            }
            quotient[bit / 64] |= 1ull << (bit % 64);
        }
    }
}

INLINE void limbs_load(uint64_t *d, int n, const uint8_t *p, unsigned offset, unsigned width) {
    for (int i = 0; i < n; i++) {
        unsigned done = 64 * (unsigned)i;
        unsigned take = width <= done ? 0 : width - done < 64 ? width - done : 64;
        d[i] = take ? load_bits(p, offset + width - done - take, take) : 0;
    }
}

INLINE void limbs_store(uint8_t *p, unsigned offset, unsigned width, const uint64_t *s, int n) {
    for (int i = 0; i < n; i++) {
        unsigned done = 64 * (unsigned)i;
        unsigned take = width <= done ? 0 : width - done < 64 ? width - done : 64;
        if (take) store_bits(p, offset + width - done - take, take, s[i]);
    }
}

#define WIDE(N)                                                                                               \
    typedef struct { uint64_t w[N]; } w##N;                                                                   \
    INLINE w##N w##N##_from_i128(i128 v) { w##N d; limbs_from_i128(d.w, N, v); return d; }                   \
    INLINE w##N w##N##_from_u128(u128 v) { w##N d; limbs_from_u128(d.w, N, v); return d; }                   \
    INLINE w##N w##N##_resize(const uint64_t *s, int m) { w##N d; limbs_resize(d.w, N, s, m); return d; }    \
    INLINE w##N w##N##_extend(const uint64_t *s, int m) { w##N d; limbs_extend(d.w, N, s, m); return d; }    \
    INLINE u128 w##N##_low(w##N a) { return (u128)a.w[1] << 64 | a.w[0]; }                                   \
    INLINE w##N w##N##_mask(w##N a, unsigned width) { limbs_mask(a.w, N, width); return a; }                 \
    INLINE w##N w##N##_sign(w##N a, unsigned width) { limbs_sign_extend(a.w, N, width); return a; }          \
    INLINE w##N w##N##_and(w##N a, w##N b) { for (int i = 0; i < N; i++) a.w[i] &= b.w[i]; return a; }       \
    INLINE w##N w##N##_or(w##N a, w##N b) { for (int i = 0; i < N; i++) a.w[i] |= b.w[i]; return a; }        \
    INLINE w##N w##N##_xor(w##N a, w##N b) { for (int i = 0; i < N; i++) a.w[i] ^= b.w[i]; return a; }       \
    INLINE w##N w##N##_not(w##N a) { for (int i = 0; i < N; i++) a.w[i] = ~a.w[i]; return a; }               \
    INLINE w##N w##N##_add(w##N a, w##N b) {                                                                  \
        uint64_t carry = 0;                                                                                   \
        for (int i = 0; i < N; i++) {                                                                         \
            u128 v = (u128)a.w[i] + b.w[i] + carry;                                                           \
            a.w[i] = (uint64_t)v, carry = (uint64_t)(v >> 64);                                                \
        }                                                                                                     \
        return a;                                                                                             \
    }                                                                                                         \
    INLINE w##N w##N##_sub(w##N a, w##N b) {                                                                  \
        uint64_t borrow = 0;                                                                                  \
        for (int i = 0; i < N; i++) {                                                                         \
            u128 v = (u128)a.w[i] - b.w[i] - borrow;                                                          \
            a.w[i] = (uint64_t)v, borrow = (uint64_t)(v >> 64) & 1;                                           \
        }                                                                                                     \
        return a;                                                                                             \
    }                                                                                                         \
    INLINE w##N w##N##_mul(w##N a, w##N b) { w##N d; limbs_multiply(d.w, a.w, b.w, N); return d; }           \
    INLINE w##N w##N##_shl(w##N a, uint64_t by) { w##N d; limbs_shift_left(d.w, a.w, N, by); return d; }     \
    INLINE w##N w##N##_shr(w##N a, uint64_t by) { w##N d; limbs_shift_right(d.w, a.w, N, by); return d; }    \
    INLINE w##N w##N##_div(w##N a, w##N b) { w##N q, r; limbs_divide(q.w, r.w, a.w, b.w, N); return q; }     \
    INLINE w##N w##N##_mod(w##N a, w##N b) { w##N q, r; limbs_divide(q.w, r.w, a.w, b.w, N); return r; }     \
    INLINE int w##N##_cmp(w##N a, w##N b) { return limbs_compare(a.w, b.w, N); }                             \
    INLINE w##N w##N##_load(const uint8_t *p, unsigned offset, unsigned width) {                              \
        w##N d;                                                                                               \
        limbs_load(d.w, N, p, offset, width);                                                                 \
        return d;                                                                                             \
    }

#endif
