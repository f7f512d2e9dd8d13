/* A connection to the control socket: send a line, read lines with a deadline. */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct client {
    int fd;
    struct buf in; /* received, not yet taken */
};

enum client_read {
    CLIENT_LINE,    /* a line is in *line */
    CLIENT_CLOSED,  /* the server has closed the connection */
    CLIENT_LATE,    /* the deadline has passed */
    CLIENT_FAILED,  /* one line in `error` */
};

/* False with one line in `error` that says what to do. */
bool client_connect(struct client *client, const char *path, struct buf *error);
/* Sends it all, newline included in `line`. False with a line in `error`. */
bool client_send(struct client *client, const struct buf *line, struct buf *error);
/* The next line without its newline, in `line` (emptied first). `deadline`: as clock_fresh_ms(), or
 * -1 for none. */
enum client_read client_line(struct client *client, int64_t deadline, struct buf *line,
                             struct buf *error);
void client_close(struct client *client);
#endif
