/* Sends the frames of a file over and over, as fast as one core can, until SIGTERM.
 *
 *   blast INTERFACE FRAMES LENGTH                 FRAMES: frames of LENGTH bytes each, back to back
 *
 * They are sent as XDP frames where the kernel permits that, else through a packet socket. Prints which: "xdp" or
 * "socket". */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet_socket.h"
#include "xdp_source.h"

enum { BATCH = 64, XDP_RUN = 1 << 20 };

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
        parts[i] = (struct iovec){frame_at(frames, i), frames->length};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    return messages;
}

static void announce(const char *how)
{
    puts(how);
    fflush(stdout);
}

static void blast_socket(const char *interface, const struct frames *frames)
{
    struct mmsghdr *messages = make_messages(frames);
    int fd = open_sender(interface);
    announce("socket");
    size_t next = 0;
    while (!stopped) {
        int taken = sendmmsg(fd, messages + next, BATCH, 0);
        if (taken < 0 && !stopped)
            fail("sendmmsg");
        if (taken > 0)
            next = (next + (size_t)taken) % frames->count;
    }
}

static void blast_xdp(int program, const struct frames *frames)
{
    announce("xdp");
    while (!stopped)
        if (xdp_source_send(program, frames, XDP_RUN) < 0)
            fail("XDP test run");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: blast INTERFACE FRAMES LENGTH\n");
        return 2;
    }
    struct frames frames = map_frames(argv[2], strtoul(argv[3], NULL, 10));
    catch_stop();
    int program = xdp_source_open(argv[1], &frames);
    if (program >= 0)
        blast_xdp(program, &frames);
    else
        blast_socket(argv[1], &frames);
    return 0;
}
