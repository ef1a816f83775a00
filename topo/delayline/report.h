/* The counters of all wires, told over a Unix socket. */
#ifndef REPORT_H
#define REPORT_H

#include "wire.h"

/* Listen at a path, replacing what a dead delay line left there; -1 with errno set when that fails. */
int report_listen(const char *path);

/* Accept one connection, write the counters as JSON, close it. */
void report_answer(int listener, const struct wires *wires);

#endif
