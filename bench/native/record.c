/* Records when the frames of a kind come in on an interface, until SIGTERM.
 *
 *   record INTERFACE FILE LENGTH MATCH_AT MATCH NUMBER_AT STAMP_AT
 *
 * Of that kind are frames of LENGTH bytes with the bytes MATCH (hexadecimal) at offset MATCH_AT. For each, FILE gets a
 * record of three 64-bit numbers in the machine's order: the frame's number, the time it was sent (both as
 * pace.c wrote them), and the time the kernel received it; times in ns of CLOCK_REALTIME. It prints "ready", and on its end how
 * many frames it recorded, and how many of any kind the socket had no room for. */

#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "packet_socket.h"

enum { MAX_FRAME = 1514, MAX_MATCH = 64, BUFFER_BYTES = 64 << 20 };

struct kind {
    size_t length;
    size_t match_at;
    uint8_t match[MAX_MATCH];
    size_t match_length;
};

static void read_hex(struct kind *kind, const char *text)
{
    size_t digits = strlen(text);
    unsigned byte;
    while (2 * kind->match_length < digits && kind->match_length < MAX_MATCH &&
           sscanf(text + 2 * kind->match_length, "%2x", &byte) == 1)
        kind->match[kind->match_length++] = (uint8_t)byte;
    if (2 * kind->match_length != digits || kind->match_at + kind->match_length > kind->length) {
        fprintf(stderr, "%s: no bytes within a frame of %zu\n", text, kind->length);
        exit(2);
    }
}

static bool is_of_kind(const struct kind *kind, const uint8_t *frame, ssize_t length)
{
    return length == (ssize_t)kind->length && !memcmp(frame + kind->match_at, kind->match, kind->match_length);
}

static uint64_t received_ns(struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec when;
            memcpy(&when, CMSG_DATA(part), sizeof when);
            return (uint64_t)when.tv_sec * 1000000000u + (uint64_t)when.tv_nsec;
        }
    }
    fprintf(stderr, "a frame without the kernel's time stamp\n");
    exit(1);
}

static void write_record(FILE *file, const uint8_t *frame, size_t number_at, size_t stamp_at, uint64_t received)
{
    uint32_t number;
    uint64_t stamp;
    memcpy(&number, frame + number_at, sizeof number);
    memcpy(&stamp, frame + stamp_at, sizeof stamp);
    uint64_t record[3] = {be32toh(number), be64toh(stamp), received};
    if (fwrite(record, sizeof record, 1, file) != 1)
        fail("write");
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: record INTERFACE FILE LENGTH MATCH_AT MATCH NUMBER_AT STAMP_AT\n");
        return 2;
    }
    struct kind kind = {.length = strtoul(argv[3], NULL, 10), .match_at = strtoul(argv[4], NULL, 10)};
    read_hex(&kind, argv[5]);
    size_t number_at = strtoul(argv[6], NULL, 10), stamp_at = strtoul(argv[7], NULL, 10);
    if (kind.length > MAX_FRAME || number_at + 4 > kind.length || stamp_at + 8 > kind.length) {
        fprintf(stderr, "a frame of %zu bytes does not hold the fields\n", kind.length);
        return 2;
    }
    int fd = open_receiver(argv[1], BUFFER_BYTES), on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
        fail("SO_TIMESTAMPNS");
    /* A signal may come just before the receive blocks. */
    struct timeval often = {.tv_usec = 100000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &often, sizeof often) < 0)
        fail("SO_RCVTIMEO");
    FILE *file = fopen(argv[2], "wb");
    if (!file)
        fail(argv[2]);
    catch_stop();
    puts("ready");
    fflush(stdout);

    uint64_t recorded = 0;
    while (!stopped) {
        uint8_t frame[MAX_FRAME];
        char control[CMSG_SPACE(sizeof(struct timespec))];
        struct iovec part = {frame, sizeof frame};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, MSG_TRUNC);
        if (length < 0 && errno != EINTR && errno != EAGAIN)
            fail("recvmsg");
        if (!is_of_kind(&kind, frame, length))
            continue;
        write_record(file, frame, number_at, stamp_at, received_ns(&message));
        recorded++;
    }
    if (fclose(file) != 0)
        fail(argv[2]);
    struct tpacket_stats counted;
    socklen_t size = sizeof counted;
    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &counted, &size) < 0)
        fail("PACKET_STATISTICS");
    printf("%" PRIu64 " %u\n", recorded, counted.tp_drops);
    return 0;
}
