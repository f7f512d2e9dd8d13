/* Making listening sockets: the system calls behind listener.c. */
#ifndef MASTER_SOCKET_H
#define MASTER_SOCKET_H
#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "conf/core.h"

struct buf;

/* socket-inherit.c: takes the sockets of LISTEN_FDS out of the way of descriptor 3 and forgets the
 * environment. */
void socket_inherit(void);
/* Those sockets, for another image of this process (estate.h). False after a line. */
json_t *socket_put(void);
bool socket_take(const json_t *state, struct buf *error);
/* The one of that name or number. -1 with errno and a sentence. */
int socket_inherited(const char *name, struct buf *why);
/* A bound, listening, non-blocking socket, or an inherited one. -1 with errno and a sentence. */
int socket_open(const struct core_listen *listen, bool share, struct buf *why);
/* While it is on, sockets opened with `share` may take the same port on a wider or narrower
 * address. */
void socket_share(int fd, bool on);
/* Backlog, and of a unix socket mode and owner. */
bool socket_apply(int fd, const struct core_listen *listen, struct buf *why);
/* Mode, owner and group (-1: as they are) of a unix socket's path. False with a sentence. */
bool socket_own(const char *path, mode_t mode, uid_t uid, gid_t gid, struct buf *why);
/* Lets no new connection in, while those that wait in the backlog can still be accepted. */
void socket_shut(int fd, const struct address *address);
void socket_close(int *fd, const struct address *address); /* a unix socket's path goes too */
/* False: somebody who has it has shut it down. A unix socket does not tell. */
bool socket_listens(int fd);
/* So many connections wait in its queue until a worker takes them; -1: the kernel does not tell, as
 * of unix sockets. */
int socket_waiting(int fd);
char *socket_describe(int fd); /* "127.0.0.1:8080", "[::1]:80", "unix:/x"; to be freed */
#endif
