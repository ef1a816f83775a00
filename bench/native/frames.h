/* A file of Ethernet frames of one length, back to back. */

#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frames {
    uint8_t *bytes;
    size_t count;
    size_t length;
};

static inline uint8_t *frame_at(const struct frames *frames, size_t number)
{
    return frames->bytes + number % frames->count * frames->length;
}

#endif
