/* Quarantine in a worker; see quarantine.h.
 *
 * Written by the main thread, read by all that serve, under a lock that nobody takes as long as
 * nothing is in quarantine: then a request costs a look at one number. Entries live until their
 * time is over. */
#include "config.h"

#include "worker/quarantine.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reeve/protocol.h"
#include "share/fingerprint.h"
#include "share/words.h"

struct entry {
    struct entry *next;
    uint64_t print; /* 0: the module as a whole */
    int64_t until;  /* CLOCK_MONOTONIC ms */
    char module[WORDS_NAME], method[WORDS_NAME], target[WORDS_TARGET];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static atomic_uint count; /* of them */

static bool is_same(const struct entry *a, const struct entry *b)
{
    return a->print == b->print && strcmp(a->module, b->module) == 0 &&
           strcmp(a->method, b->method) == 0 && strcmp(a->target, b->target) == 0;
}

/* Takes out what is the same, and what is over. */
static void sweep(const struct entry *same)
{
    struct entry **link = &entries;

    while (*link) {
        struct entry *entry = *link;

        if (is_same(entry, same) || entry->until <= clock_fresh_ms()) {
            *link = entry->next;
            free(entry);
            atomic_fetch_sub(&count, 1);
        } else {
            link = &entry->next;
        }
    }
}

void quarantine_heed(const char *text, int seconds)
{
    struct entry *entry = calloc(1, sizeof(*entry));

    if (!entry || sscanf(text, "%16" SCNx64 " %31s %31s %1023s", &entry->print, entry->module,
                         entry->method, entry->target) < 2) {
        free(entry); /* short of memory: it is served, as before */
        return;
    }
    entry->until = clock_fresh_ms() + (int64_t)seconds * 1000;
    pthread_mutex_lock(&lock);
    sweep(entry);
    if (seconds > 0) {
        entry->next = entries;
        entries = entry;
        atomic_fetch_add(&count, 1);
        entry = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(entry);
}

static uint64_t add(uint64_t sum, const char *text)
{
    return fingerprint_part(fingerprint_add(sum, text, strlen(text)));
}

/* Not inlined: nearly no request comes so far. */
static __attribute__((noinline)) int64_t time_left(const char *module, const char *method,
                                                   const char *target)
{
    int64_t now = clock_now_ms(), left = 0;
    uint64_t print = add(add(add(FINGERPRINT_START, method), target), module);

    pthread_mutex_lock(&lock);
    for (const struct entry *entry = entries; entry; entry = entry->next) {
        bool meant = strcmp(entry->module, module) == 0 &&
                     (!entry->print || (entry->print == print &&
                                        strcmp(entry->method, method) == 0 &&
                                        strncmp(entry->target, target, WORDS_TARGET - 1) == 0));

        if (meant && entry->until - now > left)
            left = entry->until - now;
    }
    pthread_mutex_unlock(&lock);
    return left;
}

int64_t reeve_quarantined(const char *module, const char *method, const char *target)
{
    if (atomic_load_explicit(&count, memory_order_relaxed) == 0)
        return 0;
    return time_left(module, method, target);
}
