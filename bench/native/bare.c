/* Forwards every frame from one interface to another, unchanged: what packet I/O alone costs.
 *
 *   bare INLET OUTLET
 *
 * What it asks of the kernel is what the embedded switch asks (switch/runtime/ring.c and send.c): a TPACKET_V2 receive
 * ring with virtio headers, and sendmmsg in batches of 64 from a bound socket that never waits. Prints "ready". */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "packet_socket.h"

enum { BATCH = 64, SLOT_BYTES = 2048, SLOTS = 2048, BLOCK_BYTES = 1 << 16, SEND_BUFFER = 1 << 22, LINE = 64 };

struct ring {
    int fd;
    uint8_t *slots;
    unsigned next;
};

static struct ring open_ring(const char *interface)
{
    int fd = open_receiver(interface, 1 << 23);
    int version = TPACKET_V2, on = 1;
    struct tpacket_req request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = SLOTS / (BLOCK_BYTES / SLOT_BYTES),
        .tp_frame_size = SLOT_BYTES,
        .tp_frame_nr = SLOTS,
    };
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        fail("receive ring");
    uint8_t *slots = mmap(NULL, (size_t)SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (slots == MAP_FAILED)
        fail("receive ring");
    return (struct ring){.fd = fd, .slots = slots};
}

static struct tpacket2_hdr *slot(const struct ring *ring, unsigned number)
{
    return (struct tpacket2_hdr *)(ring->slots + (size_t)(number % SLOTS) * SLOT_BYTES);
}

/* Sends messages; one that cannot go is left out. */
static void send_batch(int fd, struct mmsghdr *messages, unsigned count)
{
    for (unsigned sent = 0; sent < count;) {
        int taken = sendmmsg(fd, messages + sent, count - sent, MSG_DONTWAIT);
        if (taken > 0)
            sent += (unsigned)taken;
        else if (errno != EINTR)
            sent++;
    }
}

/* Points `messages` at the frames that wait, at most BATCH; returns how many. */
static unsigned receive_batch(const struct ring *ring, struct mmsghdr *messages, struct iovec *parts)
{
    unsigned count = 0;
    for (; count < BATCH; count++) {
        struct tpacket2_hdr *header = slot(ring, ring->next + count);
        if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        /* Frames come from the other core's cache; their ways overlap. */
        __builtin_prefetch((const uint8_t *)header + LINE);
        __builtin_prefetch((const uint8_t *)header + 2 * LINE);
        parts[count] = (struct iovec){(uint8_t *)header + header->tp_mac, header->tp_snaplen};
        messages[count] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[count], .msg_iovlen = 1}};
    }
    return count;
}

static void release_batch(struct ring *ring, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        __atomic_store_n(&slot(ring, ring->next + i)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->next += count;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bare INLET OUTLET\n");
        return 2;
    }
    struct ring ring = open_ring(argv[1]);
    int out = open_sender(argv[2]), buffer = SEND_BUFFER;
    if (setsockopt(out, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) < 0)
        fail("SO_SNDBUFFORCE");
    catch_stop();
    puts("ready");
    fflush(stdout);

    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    while (!stopped) {
        unsigned count = receive_batch(&ring, messages, parts);
        if (count == 0) {
            struct pollfd wait = {.fd = ring.fd, .events = POLLIN};
            poll(&wait, 1, -1);
            continue;
        }
        send_batch(out, messages, count);
        release_batch(&ring, count);
    }
    return 0;
}
