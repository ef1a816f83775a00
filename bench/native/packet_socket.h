/* Packet sockets (packet(7)) as all programs here open them; each function ends the program on failure. */

#ifndef BENCH_PACKET_SOCKET_H
#define BENCH_PACKET_SOCKET_H

#include <signal.h>
#include <stdint.h>

/* Set by SIGTERM and SIGINT once catch_stop() was called. */
extern volatile sig_atomic_t stopped;

void catch_stop(void);

/* A socket that sends on `interface`, around the queueing discipline, and receives nothing. */
int open_sender(const char *interface);

/* A socket that receives what comes in on `interface` (nothing that leaves by it); `buffer_bytes` may wait. */
int open_receiver(const char *interface, int buffer_bytes);

/* Nanoseconds of CLOCK_REALTIME, the clock that the kernel stamps packets with. */
uint64_t realtime_ns(void);

/* Prints the message with errno's text and ends the program with status 1. */
_Noreturn void fail(const char *what);

#endif
