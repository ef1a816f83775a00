#include "wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port.h"

static const char *parse(const char *text, struct wire *wire, struct impairment *how, uint64_t *seed)
{
    int64_t delay_us, jitter_us;
    int end = 0;
    int fields = sscanf(text,
                        "%15[^,],%15[^,],%" SCNd64 ",%" SCNd64 ",%" SCNu32 ",%" SCNu64 ",%" SCNu32 ",%" SCNu64 "%n",
                        wire->name[0], wire->name[1], &delay_us, &jitter_us, &how->loss_ppm, &how->rate_kbps,
                        &how->limit, seed, &end);
    if (fields != 8 || text[end])
        return "expected A,B,DELAY_US,JITTER_US,LOSS_PPM,RATE_KBPS,LIMIT,SEED";
    if (delay_us < 0 || jitter_us < 0 || delay_us > 60000000 || jitter_us > 60000000)
        return "delay and jitter are 0 to 60000000 µs";
    if (how->loss_ppm > 1000000)
        return "loss is 0 to 1000000 in a million";
    if (how->limit < 1 || how->limit > 1000000)
        return "the limit is 1 to 1000000 frames";
    how->delay_ns = delay_us * 1000;
    how->jitter_ns = jitter_us * 1000;
    return NULL;
}

const char *wires_add(struct wires *wires, const char *text)
{
    struct wire wire = {0};
    struct impairment how;
    uint64_t seed;
    const char *error = parse(text, &wire, &how, &seed);
    if (error)
        return error;
    for (int end = 0; end < 2; end++) {
        wire.fd[end] = port_open(wire.name[end]);
        if (wire.fd[end] < 0)
            return strerror(errno);
        if (!link_init(&wire.link[end], &how, 2 * seed + (uint64_t)end))
            return strerror(ENOMEM);
    }
    struct wire *grown = realloc(wires->wire, (wires->count + 1) * sizeof *grown);
    if (!grown)
        return strerror(ENOMEM);
    wires->wire = grown;
    wires->wire[wires->count++] = wire;
    return NULL;
}
