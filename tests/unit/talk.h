/* A protocol for the tests of the engine: one command a line, one command a step.
 *
 *   echo X      answers X              quit   answers "bye", closes
 *   busy, idle  reeve_busy, _idle      error  queues, then REEVE_ERROR
 *   deadline MS                        big N  N bytes, by WANT_WRITE
 *   pause MS    "pauses", "goes on"
 *   file N      N bytes of talk_file
 *   job         blocks until talk_release, then answers "done"
 *   hang        REEVE_JOB without a job: waits for the deadline, if there is one
 *   begin       a job that talk_end ends
 *   keep        a job that runs, and goes on until talk_end
 * At the end of the input it says "end"; when the deadline passes "expired"; when the worker drains
 * and it is not busy "drained". */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H
#include <stdatomic.h>

#include "reeve/protocol.h"

extern const reeve_protocol talk, talk_greeting, talk_bare; /* bare: no hook but step */

struct talk_counts {
    atomic_int opened, closed, steps;
    atomic_int submitted, started, ran, skipped; /* jobs */
    atomic_int held;                             /* begun or kept */
    atomic_int refused;               /* output after the end, refused as it must be */
    atomic_int released;              /* files */
    atomic_size_t most_queued;
};
extern struct talk_counts talk_counts;
extern int talk_file; /* descriptor, the test's */

void talk_release(int jobs); /* lets so many blocked jobs go on */
bool talk_end(void);         /* ends the youngest that is held; was it still wanted? */
char talk_byte(size_t at);   /* of what `big` sends */
#endif
