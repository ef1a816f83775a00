/* delayline: stands between pairs of network interfaces and gives each pair delay, jitter, loss and rate.
 *
 *   delayline --stats SOCKET --wire A,B,DELAY_US,JITTER_US,LOSS_PPM,RATE_KBPS,LIMIT,SEED [--wire …]
 *
 * Whatever comes in at A leaves at B and the other way round, each direction with the same impairment. It says
 * "ready" on standard output once all interfaces are open. A connection to SOCKET is answered with the counters
 * of all wires as JSON and closed. A VLAN tag that the kernel has taken out of a frame isn't put back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "link.h"
#include "port.h"
#include "report.h"
#include "wire.h"

enum { EVENTS = 64, BATCH = 64 };
enum { TAG_TIMER = UINT32_MAX, TAG_STATS = UINT32_MAX - 1 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "delayline: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int epoll, int fd, uint32_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll");
}

/* Link 2w runs from a to b of wire w, link 2w+1 from b to a: link i enters at end i and leaves at end i^1. */
static void take_in(struct wire *wire, int end)
{
    static uint8_t frame[FRAME_MAX];
    for (int i = 0; i < BATCH; i++) {
        ssize_t length = port_receive(wire->fd[end], frame, sizeof frame);
        if (length < 0)
            return;
        if (length == 0)
            wire->link[end].counters.errors++;
        else
            link_enter(&wire->link[end], now_ns(), frame, (size_t)length);
    }
}

/* Send what is due; the time at which the next frame is, INT64_MAX when there is none. */
static int64_t let_out(struct wires *wires)
{
    int64_t next = INT64_MAX;
    for (size_t w = 0; w < wires->count; w++) {
        for (int end = 0; end < 2; end++) {
            struct wire *wire = &wires->wire[w];
            struct link *link = &wire->link[end];
            const struct frame *frame;
            while ((frame = link_next(link)) && frame->leaves_ns <= now_ns()) {
                if (port_send(wire->fd[end ^ 1], frame->bytes, frame->length))
                    link->counters.sent++;
                else
                    link->counters.errors++;
                link_pop(link);
            }
            if (frame && frame->leaves_ns < next)
                next = frame->leaves_ns;
        }
    }
    return next;
}

static void arm(int timer, int64_t at_ns)
{
    struct itimerspec when = {0};
    if (at_ns != INT64_MAX) {
        when.it_value.tv_sec = at_ns / 1000000000;
        when.it_value.tv_nsec = at_ns % 1000000000;
    }
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        die("timer");
}

static void run(struct wires *wires, int stats)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll < 0 || timer < 0)
        die("epoll");
    watch(epoll, timer, TAG_TIMER);
    watch(epoll, stats, TAG_STATS);
    for (size_t w = 0; w < wires->count; w++)
        for (int end = 0; end < 2; end++)
            watch(epoll, wires->wire[w].fd[end], (uint32_t)(2 * w) + (uint32_t)end);
    puts("ready");
    fflush(stdout);
    int64_t armed = INT64_MAX;
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            die("epoll");
        for (int i = 0; i < count; i++) {
            uint32_t tag = events[i].data.u32;
            uint64_t expirations;
            if (tag == TAG_STATS)
                report_answer(stats, wires);
            else if (tag != TAG_TIMER)
                take_in(&wires->wire[tag / 2], (int)(tag % 2));
            else if (read(timer, &expirations, sizeof expirations) > 0)
                armed = INT64_MAX;
        }
        int64_t next = let_out(wires);
        if (next != armed) {
            arm(timer, next);
            armed = next;
        }
    }
}

int main(int argc, char **argv)
{
    struct wires wires = {0};
    const char *stats_path = NULL;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && !strcmp(argv[i], "--stats")) {
            stats_path = argv[i + 1];
        } else if (i + 1 < argc && !strcmp(argv[i], "--wire")) {
            const char *error = wires_add(&wires, argv[i + 1]);
            if (error) {
                fprintf(stderr, "delayline: --wire %s: %s\n", argv[i + 1], error);
                return 2;
            }
        } else {
            fprintf(stderr, "delayline: unexpected argument %s\n", argv[i]);
            return 2;
        }
    }
    if (!stats_path || !wires.count) {
        fputs("usage: delayline --stats SOCKET --wire "
              "A,B,DELAY_US,JITTER_US,LOSS_PPM,RATE_KBPS,LIMIT,SEED [--wire ...]\n",
              stderr);
        return 2;
    }
    int stats = report_listen(stats_path);
    if (stats < 0)
        die(stats_path);
    run(&wires, stats);
}
