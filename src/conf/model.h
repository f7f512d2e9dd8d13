/* Concurrency models: each is one row of numbers, and nothing else. */
#ifndef CONF_MODEL_H
#define CONF_MODEL_H
#include <stdbool.h>
#include <stdint.h>

enum wait_kind {
#define X(symbol, name) WAIT_##symbol,
#include "conf/waits.def"
#undef X
    WAIT_KINDS
};

/* What is made for each connection, in a worker whose loop only accepts. */
enum each { EACH_NONE, EACH_THREAD, EACH_PROCESS };

#define MANY 1048576 /* "many" connections in one loop */

/* How connections are mapped to processes, threads and waiting. */
struct model {
    const char *name;
    int workers;          /* processes; 0: one per usable CPU */
    enum each each;       /* made for each connection; it serves that one by a loop of its own */
    int loops;            /* serving threads of a worker; 0: as many as `threads` says (T) */
    int connections;      /* that a serving loop may hold at once: 1 or MANY */
    enum wait_kind wait;
    bool pool;            /* `threads` is the size of a pool beside the loops */
};

extern const struct model models[]; /* the table, ended by a row without a name */
extern const char model_names[]; /* "|event|worker": the choices of `model` are model_names + 1 */
extern const char wait_choices[]; /* the same for `wait` */

const struct model *model_find(const char *name);
const char *each_name(enum each each); /* "thread" or "process"; NULL: nothing is made */
const char *wait_name(enum wait_kind wait);
/* The one of that name; WAIT_KINDS: none. */
enum wait_kind wait_find(const char *name);
#endif
