/* System calls that workers were refused (sandbox = "strict"): the kernel asks, the master says no
 * and tells. */
#ifndef MASTER_REFUSALS_H
#define MASTER_REFUSALS_H
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "master/reactor.h"

struct generation;
struct msg;
struct worker;

#define REFUSALS_CALLS 32 /* different ones that are counted apart */

/* A part of a worker. */
struct refusals {
    struct watch watch; /* fd: where the kernel asks; -1: nowhere */
    uint64_t count;
    int kinds;
    struct {
        int call;
        uint32_t count;
    } kind[REFUSALS_CALLS];
};

/* It is started, and may send its listener once; after this it may not. */
void refusals_expect(struct worker *worker);
/* MSG_SANDBOX, whose descriptor is taken over. */
void refusals_hear(struct worker *worker, struct msg *msg);
/* A worker of an earlier image of this process: its descriptor was taken over. */
void refusals_adopt(struct worker *worker);
void refusals_end(struct worker *worker);
/* A new reference: what the workers of that generation (or NULL) are kept from. */
json_t *refusals_report(const struct generation *generation);
#endif
