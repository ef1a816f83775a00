/* Sends one frame again and again at a rate until SIGTERM, each copy numbered and stamped.
 *
 *   pace INTERFACE FRAME PER_SECOND SPREAD NUMBER_AT STAMP_AT CHECKSUM_AT
 *
 * FRAME is a file with the frame. The gaps between copies vary by up to SPREAD (0: steady, 1: from nothing to twice the
 * mean) of their mean, all lengths alike. Into each copy go its number (32 bits, from 0) at offset NUMBER_AT and the time of
 * sending (64 bits, ns of CLOCK_REALTIME) at STAMP_AT, both zero in the file and at even offsets; the
 * UDP checksum at CHECKSUM_AT is kept right. On its end it prints how many copies it sent. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "packet_socket.h"

enum { MAX_FRAME = 1514 };

struct fields {
    size_t number_at;
    size_t stamp_at;
    size_t checksum_at;
};

static size_t read_frame(const char *path, uint8_t *frame)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path);
    size_t length = fread(frame, 1, MAX_FRAME, file);
    fclose(file);
    return length;
}

/* The one's complement sum of `size` bytes (even) at `bytes`, added to `sum`. */
static uint32_t add_words(uint32_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i += 2)
        sum += (uint32_t)at[i] << 8 | at[i + 1];
    return sum;
}

/* Numbers and stamps `copy`; `checksum` is that of the frame with both fields zero (RFC 1624, equation 3). */
static void mark(uint8_t *copy, const struct fields *fields, uint32_t number, uint16_t checksum)
{
    uint32_t number_be = htobe32(number);
    uint64_t stamp_be = htobe64(realtime_ns());
    memcpy(copy + fields->number_at, &number_be, sizeof number_be);
    memcpy(copy + fields->stamp_at, &stamp_be, sizeof stamp_be);
    uint32_t sum = (uint16_t)~checksum;
    sum = add_words(sum, &number_be, sizeof number_be);
    sum = add_words(sum, &stamp_be, sizeof stamp_be);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    uint16_t updated = (uint16_t)~sum;
    uint16_t updated_be = htons(updated ? updated : 0xffff); /* zero would say: no checksum (RFC 768) */
    memcpy(copy + fields->checksum_at, &updated_be, sizeof updated_be);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: pace INTERFACE FRAME PER_SECOND SPREAD NUMBER_AT STAMP_AT CHECKSUM_AT\n");
        return 2;
    }
    uint8_t frame[MAX_FRAME];
    size_t length = read_frame(argv[2], frame);
    double per_second = strtod(argv[3], NULL), spread = strtod(argv[4], NULL);
    struct fields fields = {
        .number_at = strtoul(argv[5], NULL, 10),
        .stamp_at = strtoul(argv[6], NULL, 10),
        .checksum_at = strtoul(argv[7], NULL, 10),
    };
    if (fields.number_at + 4 > length || fields.stamp_at + 8 > length || fields.checksum_at + 2 > length) {
        fprintf(stderr, "%s: a frame of %zu bytes does not hold the fields\n", argv[2], length);
        return 2;
    }
    if (!(per_second > 0)) {
        fprintf(stderr, "%s: not a rate\n", argv[3]);
        return 2;
    }
    if (!(spread >= 0 && spread <= 1)) {
        fprintf(stderr, "%s: not a spread from 0 to 1\n", argv[4]);
        return 2;
    }
    double gap_ns = 1e9 / per_second;
    uint16_t checksum = (uint16_t)(frame[fields.checksum_at] << 8 | frame[fields.checksum_at + 1]);
    int fd = open_sender(argv[1]);
    catch_stop();
    prctl(PR_SET_TIMERSLACK, 1);

    uint64_t start = realtime_ns();
    double after_ns = 0;
    uint32_t number = 0;
    while (!stopped) {
        uint64_t due = start + (uint64_t)after_ns;
        struct timespec when = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        if (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &when, NULL) != 0)
            continue;
        mark(frame, &fields, number, checksum);
        if (send(fd, frame, length, 0) != (ssize_t)length)
            fail("send");
        number++;
        after_ns += gap_ns * (1 + spread * (2 * drand48() - 1));
    }
    printf("%" PRIu32 "\n", number);
    return 0;
}
