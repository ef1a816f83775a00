#define _GNU_SOURCE
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

static const int receive_buffer_bytes = 4 << 20;

int port_open(const char *interface)
{
    unsigned index = if_nametoindex(interface);
    if (!index)
        return -1;
    /* Protocol 0: nothing is received before the socket is bound to its interface. */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)index,
    };
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

ssize_t port_receive(int fd, uint8_t *bytes, size_t size)
{
    ssize_t length = recv(fd, bytes, size, MSG_TRUNC);
    if (length < 0)
        return errno == EINTR ? 0 : -1;
    return (size_t)length <= size ? length : 0;
}

bool port_send(int fd, const uint8_t *bytes, size_t length)
{
    return send(fd, bytes, length, 0) == (ssize_t)length;
}
