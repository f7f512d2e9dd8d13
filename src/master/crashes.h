/* What the master keeps of the workers that a signal has killed: their last words. */
#ifndef MASTER_CRASHES_H
#define MASTER_CRASHES_H
#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct worker;

/* A worker has ended so: logs and keeps its last words, if it was a crash. Before its part of the
 * board is given to another. */
void crashes_take(const struct worker *worker, int status);
/* A process that it had forked for a connection has crashed. */
void crashes_take_process(const struct worker *worker, pid_t pid);

/* A copy of what it has left on the board, to be freed; NULL: memory is short. */
struct words_area;
struct words_record;
struct words_area *crashes_read_words(const struct worker *worker);
/* Adds what a thread has said, cleaned. */
void crashes_add_words(json_t *crash, const struct words_area *words,
                       const struct words_record *record);

/* New references; NULL: there is none with that number. */
json_t *crashes_list(void);
json_t *crashes_show(int64_t number);
/* A new reference, for `status`: how many are kept, and the last one in short; null: none. */
json_t *crashes_report(void);
/* How many there were. */
unsigned crashes_clear(void);
/* For an upgrade: all that is kept, and the same again. */
json_t *crashes_put(void);
void crashes_restore(const json_t *object);
#endif
