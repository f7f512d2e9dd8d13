/* That there is only one master for a control socket and a pid file. */
#ifndef MASTER_INSTANCE_H
#define MASTER_INSTANCE_H
#include <stdbool.h>

#include <jansson.h>

struct buf;

/* Takes the locks beside control socket and pid file (may be ""), held for life. False with a line
 * that names the PID of whoever holds them. */
bool instance_lock(const char *control, const char *pid_file, struct buf *error);
/* Writes the pid file, by rename. False with a line. */
bool instance_write_pid(const char *pid_file, struct buf *error);
/* Locks and pid file, for another image of this process (estate.h). False after a line. */
json_t *instance_put(void);
bool instance_take(const json_t *object, struct buf *error);
/* Removes pid file and locks. */
void instance_release(void);
#endif
