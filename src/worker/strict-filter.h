/* A list of rules as a program of the kernel's (seccomp, BPF); for strict.c. */
#ifndef WORKER_STRICT_FILTER_H
#define WORKER_STRICT_FILTER_H
#include <stdint.h>

struct filter;

/* There is one at a time. What no rule is about is answered with `otherwise`, SECCOMP_RET_*. */
struct filter *filter_begin(uint32_t otherwise);
/* Of the rules for a call the first that fits counts. A call below zero: this machine has none
 * such. */
void filter_add(struct filter *filter, int call, uint32_t action);
/* Only if, of this argument's lower 32 bits, those in `mask` are `value`. */
void filter_add_if(struct filter *filter, int call, unsigned argument, uint32_t mask,
                   uint32_t value, uint32_t action);
/* In force from now on, for all threads and for good. 0 or a negative error number. `listener`:
 * where the kernel asks, if `otherwise` is SECCOMP_RET_USER_NOTIF; else -1. */
int filter_load(struct filter *filter, int *listener);
#endif
