/* Read by cffi, so plain declarations only. */

struct choose;

enum { CHOOSE_DROP = 511 };

struct choose_instance {
    uint8_t destination_mac[6];
    uint8_t source_mac[6];
    uint16_t port;
    uint16_t weight;
};

struct choose_frame {
    uint8_t *data;
    uint32_t length;
};

/* `count` functions with the number of the group of each; group g has the instances g * per_group and on, at most 256.
 * NULL where there is no memory. */
struct choose *choose_new(const uint64_t *functions, const uint32_t *group_of, uint64_t count,
                          const struct choose_instance *instances, uint32_t groups, uint32_t per_group);
void choose_free(struct choose *choose);

/* Rewrites frames and says the port of each, or CHOOSE_DROP. */
void choose_run(const struct choose *choose, const struct choose_frame *frames, uint32_t count, uint16_t *ports);

/* The same `rounds` times for `count` frames of `length` bytes, back to back. Returns nanoseconds of this thread's
 * processor time per frame. */
double choose_bench(const struct choose *choose, uint8_t *data, uint32_t length, uint32_t count, uint32_t rounds);
