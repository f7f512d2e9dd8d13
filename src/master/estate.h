/* The state of the master as a text that another image of it can take over. */
#ifndef MASTER_ESTATE_H
#define MASTER_ESTATE_H
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct buf;

/* Raised when what is written would be misunderstood by a reader of the number before. A member
 * that is added, and may be missing, does not raise it. */
#define ESTATE_VERSION 1
#define ESTATE_OLDEST 1 /* the oldest that can still be read */

/* What the next image must know about the upgrade itself. */
struct succession {
    uint32_t operation;  /* its number */
    char *from;          /* the version that wrote the state */
    char *binary;        /* where the new program was found */
};

/* The whole state in a sealed memfd, close-on-exec; -1 with errno. The descriptors in it are
 * remembered for carry_keep_open(). */
int estate_write(const struct succession *succession);
/* Reads one and makes `master`, and all that its parts hold, of it. Nothing outside this process is
 * touched. False after lines in `error`: this process is then good for nothing but an exec. */
bool estate_take(int fd, struct succession *succession, struct buf *error);
/* Can this text be read, as far as its version and what it says of the old workers tell? */
bool estate_fits(const json_t *state, struct buf *error);
#endif
