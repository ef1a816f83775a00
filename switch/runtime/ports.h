/* Ports are network interfaces behind AF_PACKET: for each a TPACKET_V2 ring to receive and a socket to send. Others have no
 * interface: somebody else receives for them (device_port_receive) and takes what they send, as messages or in a file (rim.c). */
#ifndef PORTS_H
#define PORTS_H

#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "device.h"

enum { NAME = 16, LARGE = 1 << 17, SEGMENTS = 1 << 18 };

/* Room for one frame that is longer than a slot of a ring, and for the segments of one. */
struct large { uint8_t *frame, *segments; };

struct port {
    uint32_t number;
    int rim;              /* without an interface */
    char name[NAME];
    int index;            /* of the interface; 0 while there is none of this name */
    int fd, send_fd;      /* −1 while there is no interface */
    uint8_t *ring;
    uint32_t frame_size, frame_count, next, taken;
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH][2];
    uint32_t queued; /* messages that wait to be sent */
    struct port_stats stats;
    FILE *pcap_in, *pcap_out;
    FILE *file;           /* of a rim port that sends to a file */
};

struct ports {
    struct port *list[PORTS]; /* in order of adding */
    uint32_t count;
    struct port *by_number[PORTS];
    struct large large;
    int link_fd, wake_fd;
    pthread_t thread;
    int running;
    atomic_int stop;
    struct events frames; /* what rim ports send */
};

int port_new(struct port **made, uint32_t number, const char *pcap_in, const char *pcap_out);
void port_free(struct port *p);
/* Inside the gate. */
int port_insert(struct device *d, struct port *p);
void port_set_up(struct device *d, struct port *p, int up);
void ports_wake(struct ports *s);

/* rim.c */
void rim_send(struct device *d, struct port *p, const struct outgoing *o);

/* ring.c */
int ring_open(struct port *p);
void ring_close(struct port *p);
/* Add to the port's statistics what the ring had no room for. */
void ring_count_drops(struct port *p);
/* Run at most BATCH packets; they stay in the ring until ring_release(). */
uint32_t ring_receive(struct port *p, struct runner *r);
void ring_release(struct port *p);

/* send.c */
int sender_open(struct port *p);
void sender_close(struct port *p);

/* link.c */
int link_open(void);
int link_index(const char *name, int *up);
/* Read what changed; calls `changed` for each interface named. */
void link_read(int fd, void (*changed)(struct device *d, const char *name, int index, int up), struct device *d);
int link_mtu(const char *name);

/* pcap.c */
FILE *pcap_open(const char *path);
/* 0, or −EIO when the file could not be written. */
int pcap_write(FILE *f, const uint8_t *a, uint32_t a_length, const uint8_t *b, uint32_t b_length);

#endif
