/* Sends the frames of a file over and over, as fast as one core can, until SIGTERM.
 *
 *   blast INTERFACE FRAMES LENGTH                 FRAMES: frames of LENGTH bytes each, back to back
 *
 * On its end it prints the number of frames sent and the nanoseconds that took. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet_socket.h"

enum { BATCH = 64 };

struct frames {
    uint8_t *bytes;
    size_t count;
    size_t length;
};

static struct frames map_frames(const char *path, size_t length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        fail(path);
    size_t size = (size_t)status.st_size;
    if (length == 0 || size < BATCH * length || size % length != 0) {
        fprintf(stderr, "%s: not at least %d whole frames of %zu bytes\n", path, BATCH, length);
        exit(1);
    }
    uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED)
        fail(path);
    close(fd);
    return (struct frames){bytes, size / length, length};
}

/* One message a frame, and the first BATCH once more at the end, so that every batch is in one piece. */
static struct mmsghdr *make_messages(const struct frames *frames)
{
    size_t count = frames->count + BATCH;
    struct iovec *parts = calloc(count, sizeof *parts);
    struct mmsghdr *messages = calloc(count, sizeof *messages);
    if (!parts || !messages)
        fail("memory");
    for (size_t i = 0; i < count; i++) {
        parts[i].iov_base = frames->bytes + i % frames->count * frames->length;
        parts[i].iov_len = frames->length;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return messages;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: blast INTERFACE FRAMES LENGTH\n");
        return 2;
    }
    struct frames frames = map_frames(argv[2], strtoul(argv[3], NULL, 10));
    struct mmsghdr *messages = make_messages(&frames);
    int fd = open_sender(argv[1]);
    catch_stop();

    uint64_t start = realtime_ns(), sent = 0;
    while (!stopped) {
        int taken = sendmmsg(fd, &messages[sent % frames.count], BATCH, 0);
        if (taken < 0 && !stopped)
            fail("sendmmsg");
        sent += taken > 0 ? (uint64_t)taken : 0;
    }
    printf("%" PRIu64 " %" PRIu64 "\n", sent, realtime_ns() - start);
    return 0;
}
