/* Splitting a frame that its sender left to the interface to split: TCP and UDP segmentation offload, and what receive offload
 * made one of many (segmentation-offloads.rst in the documentation of Linux). */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <linux/virtio_net.h>
#include <stdint.h>

enum { TAG = 4 }; /* bytes of a VLAN tag */

struct segments {
    const uint8_t *frame;
    uint32_t length;
    uint32_t network, transport, payload; /* where in the frame each begins */
    uint32_t size;                        /* bytes of payload in each segment; the last may have fewer */
    uint32_t taken;                       /* bytes of payload taken so far */
    uint16_t count;                       /* segments taken so far */
    uint8_t version, protocol;            /* of IP */
    uint8_t unchecked;                    /* UDP over IPv4 without a checksum */
};

/* Returns -1 for what cannot be split here: anything but TCP or UDP right above IPv4 or IPv6, with or without VLAN tags. */
int segments_begin(struct segments *s, const uint8_t *frame, uint32_t length, const struct virtio_net_hdr *v);
/* How many bytes the longest segment has. */
static inline uint32_t segments_longest(const struct segments *s) { return s->payload + s->size; }
/* Write the next segment, as a frame of its own; returns its length, 0 when there is no more. */
uint32_t segments_next(struct segments *s, uint8_t *to);

#endif
