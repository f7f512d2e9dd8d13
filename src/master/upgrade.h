/* Upgrade in place: another program takes over as the master, with the same PID. */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H
#include <stdbool.h>
#include <sys/types.h>

struct operation;
struct options;

/* Begins one to the program at that path (NULL: where the running one was started from). Returns
 * the operation to wait for; the caller acknowledges it once it has joined. */
struct operation *upgrade_request(const char *path);

/* succeed.c: what the new program does. */

/* The option that makes a program test itself: the number of the state's descriptor follows. It
 * answers by a line that begins with UPGRADE_ANSWER and goes on with its version. */
#define UPGRADE_TEST "--test-state"
#define UPGRADE_ANSWER "upgrade: ready: "

struct snapshot;
struct buf;

/* The self-test, up to the configuration: takes the state over in this process, which is none of
 * the master's. The snapshot that serves, for testing it as -t does; NULL after lines in
 * `error`. */
const struct snapshot *succeed_rehearse(int state, struct buf *error);
/* True if this process was a master until its exec. */
bool succeed_is_due(void);
/* Takes over, as the master. False: it could not, and said why; the exit status is 1. */
bool succeed(char **argv);
/* The master's environment variable for its next image: "PID:STATE:IMAGE", the last two descriptors
 * (the state, and the program that wrote it); and why an upgrade failed. */
#define SUCCEED_VARIABLE "REEVE_SUCCEED"
#define SUCCEED_FAILED "REEVE_SUCCEED_FAILED"
/* Executes the program behind `image`, in place of this one, with this state. Returns only if that
 * fails, with errno. `binary`: what argv[0] becomes, or NULL; `why`: what failed, or NULL. */
void succeed_exec(int image, char **argv, const char *binary, int state, int old_image,
                  const char *why);
#endif
