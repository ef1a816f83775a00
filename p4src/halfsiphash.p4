/* HalfSipHash-2-4 with a 64-bit key (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and the authors' reference
 * implementation), as the steps that a hash of some words is made of.
 *
 * One action a half round, with the state in metadata: written as one action, p4c's copy propagation multiplies the
 * expressions beyond what it can hold. */

#ifndef CFN_HALFSIPHASH
#define CFN_HALFSIPHASH

#include "headers.p4"
#include "metadata.p4"

/* To be used inside a control that has the state as `s`, so that all rounds of a hash share their actions. */
#define HALFSIPHASH_ACTIONS \
    bit<32> m = 0; \
    action half_a() { \
        s.v0 = s.v0 + s.v1; \
        s.v1 = s.v1[26:0] ++ s.v1[31:27]; \
        s.v1 = s.v1 ^ s.v0; \
        s.v0 = s.v0[15:0] ++ s.v0[31:16]; \
        s.v2 = s.v2 + s.v3; \
        s.v3 = s.v3[23:0] ++ s.v3[31:24]; \
        s.v3 = s.v3 ^ s.v2; \
    } \
    action half_b() { \
        s.v0 = s.v0 + s.v3; \
        s.v3 = s.v3[24:0] ++ s.v3[31:25]; \
        s.v3 = s.v3 ^ s.v0; \
        s.v2 = s.v2 + s.v1; \
        s.v1 = s.v1[18:0] ++ s.v1[31:19]; \
        s.v1 = s.v1 ^ s.v2; \
        s.v2 = s.v2[15:0] ++ s.v2[31:16]; \
    } \
    action start() { \
        s.v0 = s.k0; \
        s.v1 = s.k1; \
        s.v2 = s.k0 ^ 0x6c796765; \
        s.v3 = s.k1 ^ 0x74656462; \
    } \
    action absorb(bit<32> word) { \
        m = word; \
        s.v3 = s.v3 ^ word; \
    } \
    action absorbed() { \
        s.v0 = s.v0 ^ m; \
    }

#define HALFSIPHASH_2_ROUNDS half_a(); half_b(); half_a(); half_b();
#define HALFSIPHASH_WORD(word) absorb(word); HALFSIPHASH_2_ROUNDS absorbed();
#define HALFSIPHASH_4_ROUNDS HALFSIPHASH_2_ROUNDS HALFSIPHASH_2_ROUNDS

/* The tag of a cookie, over the 14 bytes that it binds together. */
control CookieTag(inout siphash_t s, in bit<32> instance_word, in func_id_t func_id, in bit<16> tenant, out bit<32> tag) {
    HALFSIPHASH_ACTIONS

    action finish() {
        s.v2 = s.v2 ^ 0xff;
    }

    action squeeze() {
        tag = s.v1 ^ s.v3;
    }

    apply {
        start();
        HALFSIPHASH_WORD(instance_word)
        HALFSIPHASH_WORD(func_id[63:32])
        HALFSIPHASH_WORD(func_id[31:0])
        HALFSIPHASH_WORD(8w14 ++ 8w0 ++ tenant)    /* the message's length, then its last two bytes */
        finish();
        HALFSIPHASH_4_ROUNDS
        squeeze();
    }
}

#endif
