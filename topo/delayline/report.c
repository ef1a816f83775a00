#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int report_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void write_link(FILE *out, const struct wire *wire, int end)
{
    const struct link *link = &wire->link[end];
    const struct link_counters *n = &link->counters;
    fprintf(out,
            "{\"from\": \"%s\", \"to\": \"%s\", \"received\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"lost\": %" PRIu64
            ", \"overflow\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"queued\": %" PRIu32 "}",
            wire->name[end], wire->name[end ^ 1], n->received, n->sent, n->lost, n->overflow, n->errors, link->used);
}

void report_answer(int listener, const struct wires *wires)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        fputs("[", out);
        for (size_t i = 0; i < 2 * wires->count; i++) {
            fputs(i ? ", " : "", out);
            write_link(out, &wires->wire[i / 2], (int)(i % 2));
        }
        fputs("]\n", out);
        fclose(out);
        send(fd, text, size, MSG_NOSIGNAL);
        free(text);
    }
    close(fd);
}
