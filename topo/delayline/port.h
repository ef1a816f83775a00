/* A network interface as a source and sink of whole Ethernet frames (packet(7)). */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Open an interface of the current network namespace; -1 with errno set when that fails. */
int port_open(const char *interface);

/* Read one frame; its length, 0 for one that was skipped (longer than size), -1 when there is none now. */
ssize_t port_receive(int fd, uint8_t *bytes, size_t size);

/* Send one frame; false when the interface didn't take it. */
bool port_send(int fd, const uint8_t *bytes, size_t length);

#endif
