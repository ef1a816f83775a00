/* What the kernel says of interfaces (rtnetlink(7), netdevice(7)). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ports.h"

int link_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int ask(const char *name, unsigned long request, struct ifreq *answer) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    strncpy(answer->ifr_name, name, IFNAMSIZ - 1);
    int failed = ioctl(fd, request, answer) ? -errno : 0;
    close(fd);
    return failed;
}

int link_index(const char *name, int *up) {
    struct ifreq flags = {0}, index = {0};
    if (ask(name, SIOCGIFINDEX, &index) || ask(name, SIOCGIFFLAGS, &flags)) return 0;
    *up = (flags.ifr_flags & IFF_UP) && (flags.ifr_flags & IFF_RUNNING);
    return index.ifr_ifindex;
}

int link_mtu(const char *name) {
    struct ifreq mtu = {0};
    return ask(name, SIOCGIFMTU, &mtu) ? 1500 : mtu.ifr_mtu;
}

static void read_link(const struct nlmsghdr *message, void (*changed)(struct device *, const char *, int, int),
                      struct device *d) {
    const struct ifinfomsg *info = NLMSG_DATA(message);
    int length = (int)message->nlmsg_len - (int)NLMSG_LENGTH(sizeof *info);
    int gone = message->nlmsg_type == RTM_DELLINK;
    int up = !gone && (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING);
    for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, length); a = RTA_NEXT(a, length))
        if (a->rta_type == IFLA_IFNAME) changed(d, RTA_DATA(a), gone ? 0 : info->ifi_index, up);
}

void link_read(int fd, void (*changed)(struct device *d, const char *name, int index, int up), struct device *d) {
    uint8_t bytes[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        int length = (int)got;
        for (const struct nlmsghdr *m = (void *)bytes; NLMSG_OK(m, (unsigned)length); m = NLMSG_NEXT(m, length))
            if (m->nlmsg_type == RTM_NEWLINK || m->nlmsg_type == RTM_DELLINK) read_link(m, changed, d);
    }
}
