/* Frames sent as XDP frames: several times as many a second as a packet socket sends, since no socket buffer is
 * allocated for them on the way. */

#ifndef BENCH_XDP_SOURCE_H
#define BENCH_XDP_SOURCE_H

#include "frames.h"

/* Loads a program that sends the frames, in random order, out of `interface`. Returns its file descriptor, or -1 with
 * errno where the kernel has no such thing (before 5.18) or doesn't permit it.
 *
 * The peer of a veth takes such frames only while it has generic receive offload on. */
int xdp_source_open(const char *interface, const struct frames *frames);

/* Sends `count` frames; fewer when a signal arrives. Returns how many, or -1 with errno. */
long xdp_source_send(int program, const struct frames *frames, unsigned count);

#endif
