/* One direction of an impaired link: what enters, when it leaves, and what is lost on the way.
 *
 * A frame that enters at t is lost with a given probability, otherwise waits for the frames before it to be
 * put on the wire at the link's rate, then takes delay ± jitter. Frames leave in the order in which they
 * entered: a frame never overtakes, it leaves with the one it caught up with. So a queue in order of arrival
 * is also in order of departure.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 9234 }; /* 9,216 bytes of payload and an Ethernet header with one tag */

struct impairment {
    int64_t delay_ns;
    int64_t jitter_ns;  /* departure is uniform in delay ± jitter */
    uint32_t loss_ppm;  /* lost frames in a million */
    uint64_t rate_kbps; /* 0: no limit */
    uint32_t limit;     /* frames on their way at one time; the next is dropped */
};

struct link_counters {
    uint64_t received, sent, lost, overflow, errors;
};

struct frame {
    int64_t leaves_ns;
    uint32_t length;
    uint8_t *bytes;
};

struct link {
    struct impairment impairment;
    struct link_counters counters;
    uint64_t random;        /* state of the generator, never 0 */
    int64_t wire_free_ns;   /* when the last frame will have been put on the wire */
    int64_t last_leaves_ns; /* when the last frame leaves */
    struct frame *ring;     /* impairment.limit entries */
    uint32_t head, used;
};

/* Prepare a link; false when there is no memory. The same seed loses the same frames. */
bool link_init(struct link *link, const struct impairment *impairment, uint64_t seed);

/* Take a frame that arrived at now_ns; it is copied. */
void link_enter(struct link *link, int64_t now_ns, const uint8_t *bytes, size_t length);

/* The next frame to leave, or NULL when the link is empty. */
const struct frame *link_next(const struct link *link);

/* Forget the frame that link_next returned. */
void link_pop(struct link *link);

#endif
