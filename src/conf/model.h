/* Concurrency models: each is one row of numbers, and nothing else. */
#ifndef CONF_MODEL_H
#define CONF_MODEL_H
#include <stdbool.h>
#include <stdint.h>

enum wait_kind { WAIT_POLL, WAIT_EPOLL };

#define MANY 1048576 /* "many" connections in one loop */

/* How connections are mapped to processes, threads and waiting. */
struct model {
    const char *name;
    int workers;          /* processes; 0: one per usable CPU */
    int loops;            /* serving threads of a worker; 0: as many as `threads` says (T) */
    int connections;      /* that a loop may hold at once: 1 or MANY */
    enum wait_kind wait;
    bool pool;            /* `threads` is the size of a pool beside the loops */
};

extern const struct model models[]; /* the table, ended by a row without a name */
extern const char model_names[]; /* "|event|worker": the choices of `model` are model_names + 1 */

const struct model *model_find(const char *name);
const char *wait_name(enum wait_kind wait);
#endif
