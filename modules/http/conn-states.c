/* A connection that speaks HTTP/1: which of its states may follow which.
 *
 * Only tests and builds with sanitizers have this, and end at a move that is not listed; elsewhere
 * conn_become() is an assignment. In the loop's thread; nothing is owned. */
#include "config.h"

#include "conn.h"

#ifdef REEVE_CHECKS
#include <stdio.h>
#include <stdlib.h>

#define TO(state) (1u << CONN_##state)
#define OVER (TO(IDLE) | TO(CLOSING) | TO(SENDING) | TO(FAILED)) /* an answer was given, or fails */
#define ANSWER (OVER | TO(ASK) | TO(JOB) | TO(STREAM))           /* or is being given */

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [CONN_IDLE] = {"idle", TO(HEAD) | TO(CLOSING)},
    [CONN_HEAD] = {"head", TO(BODY) | ANSWER},
    [CONN_BODY] = {"body", ANSWER},
    [CONN_ASK] = {"ask", TO(JOB)},
    [CONN_JOB] = {"job", TO(HEAD) | TO(BODY) | TO(PROVEN) | ANSWER}, /* HEAD: the pool was full */
    [CONN_PROVEN] = {"proven", TO(BODY) | ANSWER},
    [CONN_STREAM] = {"stream", TO(JOB) | OVER},
    [CONN_SENDING] = {"sending", TO(IDLE) | TO(CLOSING)},
    [CONN_CLOSING] = {"closing", 0},
    [CONN_FAILED] = {"failed", 0},
};

void conn_check_move(enum conn_state from, enum conn_state to)
{
    if (states[from].next & 1u << to)
        return;
    fprintf(stderr, "http: a connection may not go from %s to %s\n", states[from].name,
            states[to].name);
    abort();
}
#endif
