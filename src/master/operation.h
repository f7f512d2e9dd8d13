/* Operations: whatever takes time and has a result. Numbered, awaited, remembered. */
#ifndef MASTER_OPERATION_H
#define MASTER_OPERATION_H
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/list.h"
#include "share/control.h"

struct operation {
    struct list node;     /* in the open ones */
    uint32_t number;
    const char *name;     /* the verb's, or "start" */
    int waiting;          /* for so many acknowledgements; finished when it comes to 0 */
    enum control_code code;
    struct buf text;      /* the result in words */
    uint32_t generation;  /* that the result speaks of, 0: none */
    int64_t probation;    /* reload: ms that the old generation is kept for, 0: it is not */
    uint32_t back_to, back_from; /* rollback: whose configuration, and which generation served */
    int next_slot;        /* recycle: the slot to do next; -1: no more */
    int only_slot;        /* recycle: the one slot to do; -1: all */
    json_t *data;         /* of the answer, or NULL */
    void (*alone)(void);  /* only its own act is left to wait for; may be NULL */
    void (*ended)(void);  /* before it is answered; may be NULL */
};

/* A result that is remembered. */
struct result {
    uint32_t number;
    const char *name;
    enum control_code code;
    char *text;
};
#define RESULTS_KEPT 16

/* Who answers the clients of an operation that has ended. */
typedef void operation_follower(const struct operation *operation);
void operation_follow(operation_follower *follow);
/* Who is called after each end. */
void operation_watch(void (*ended)(void));
struct operation *operation_new(enum verb verb);
/* One more, one less thing to wait for (NULL is harmless for the latter). At zero the operation
 * ends with the result it holds, is answered, and is freed. */
void operation_wait(struct operation *operation);
void operation_ack(struct operation *operation);
/* Sets code and text; it takes effect when the operation finishes. */
void operation_result(struct operation *operation, enum control_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* An operation that an earlier image of this process has begun. */
struct operation *operation_resume(enum verb verb, uint32_t number);
/* One that has not ended, besides that one (may be NULL); NULL: there is none. */
const struct operation *operation_other(const struct operation *besides);
/* Numbers and results, for another image of this process (estate.h). False after a line. */
json_t *operations_put(void);
bool operations_take(const json_t *object, struct buf *error);
struct operation *operation_find(uint32_t number);
/* The remembered ones, oldest first; `index` from 0; NULL after the last. */
const struct result *operation_result_at(int index);
#endif
