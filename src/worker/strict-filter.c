/* From rules to a filter in the kernel; see strict-filter.h. Worker, main thread.
 *
 * Not by libseccomp, which only knows the numbers of calls here: when memory is short while it
 * makes a filter, 2.5 loads one that lacks rules, or frees its memory twice. This asks for no
 * memory: rules and program are tables of a fixed size, and what does not fit is an error.
 *
 * The program looks at the machine first, for others have the same numbers for other calls, and
 * kills who has another: no compiler makes that. Then it searches the number by halves; behind each
 * stand its rules. What must hold: every way through it ends with an answer, and all jumps that may
 * be long are JA, since others reach 255 steps only. */
#include "config.h"

#include "worker/strict-filter.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULES 1024
#define STEPS 4096          /* the kernel takes no more */
#define ANY (-1)            /* whatever the arguments are */
#define FOREIGN 0x40000000u /* and above: numbers of x32 */
#define SKIPPED 0xffffffffu /* what a debugger makes of a call that it lets nobody make */
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1ul << 2)
#endif
#ifndef SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define SECCOMP_FILTER_FLAG_TSYNC_ESRCH (1ul << 4)
#endif

#define LOW_WORD (__BYTE_ORDER == __LITTLE_ENDIAN ? 0u : 4u)
#define OFFSET(member) ((uint32_t)offsetof(struct seccomp_data, member))

struct filter {
    uint32_t otherwise;
    size_t count;
    struct rule {
        int call, argument;
        uint32_t mask, value, action;
    } rules[RULES]; /* by call, and in the order in which they were added */
    size_t length;
    struct sock_filter steps[STEPS];
};
static struct filter the_filter;

struct filter *filter_begin(uint32_t otherwise)
{
    the_filter.otherwise = otherwise;
    the_filter.count = the_filter.length = 0;
    return &the_filter;
}

static void insert(struct filter *filter, struct rule rule)
{
    size_t at = filter->count;

    if (rule.call < 0)
        return;
    if (filter->count++ >= RULES)
        return; /* filter_load() says so */
    for (; at > 0 && filter->rules[at - 1].call > rule.call; at--)
        filter->rules[at] = filter->rules[at - 1];
    filter->rules[at] = rule;
}

void filter_add(struct filter *filter, int call, uint32_t action)
{
    insert(filter, (struct rule){call, ANY, 0, 0, action});
}

void filter_add_if(struct filter *filter, int call, unsigned argument, uint32_t mask,
                   uint32_t value, uint32_t action)
{
    insert(filter, (struct rule){call, (int)argument, mask, value, action});
}

/* ---------------------------------------------------------------- writing ---------- */

/* Its place, for who has to fill in a jump later. */
static size_t put(struct filter *filter, uint16_t code, uint32_t k, uint8_t met, uint8_t unmet)
{
    if (filter->length < STEPS)
        filter->steps[filter->length] = (struct sock_filter){code, met, unmet, k};
    return filter->length++;
}

static void put_load(struct filter *filter, uint32_t offset)
{
    put(filter, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void put_answer(struct filter *filter, uint32_t action)
{
    put(filter, BPF_RET | BPF_K, action, 0, 0);
}

/* `action`, if what was loaded compares so. */
static void put_answer_if(struct filter *filter, uint16_t comparison, uint32_t value,
                          uint32_t action)
{
    put(filter, BPF_JMP | BPF_K | comparison, value, 0, 1);
    put_answer(filter, action);
}

/* The rules from there on that are about the same call. */
static void put_rules(struct filter *filter, size_t at)
{
    int call = filter->rules[at].call;

    for (; at < filter->count && filter->rules[at].call == call; at++) {
        const struct rule *rule = &filter->rules[at];

        if (rule->argument == ANY) {
            put_answer(filter, rule->action);
            return;
        }
        put_load(filter, OFFSET(args) + 8 * (uint32_t)rule->argument + LOW_WORD);
        if (rule->mask != ~0u)
            put(filter, BPF_ALU | BPF_AND | BPF_K, rule->mask, 0, 0);
        put_answer_if(filter, BPF_JEQ, rule->value, rule->action);
    }
    put_answer(filter, filter->otherwise);
}

/* Where the rules of a call in the middle begin, of those in [from, to); `from` if there is but one
 * call. */
static size_t middle(const struct filter *filter, size_t from, size_t to)
{
    const struct rule *rules = filter->rules;
    size_t at = from + (to - from) / 2;

    while (at > from && rules[at - 1].call == rules[at].call)
        at--;
    if (at > from)
        return at;
    while (at < to && rules[at].call == rules[from].call)
        at++;
    return at < to ? at : from;
}

static void put_search(struct filter *filter, size_t from, size_t to)
{
    size_t half = middle(filter, from, to), jump;

    if (half == from) {
        put(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)filter->rules[from].call, 1, 0);
        put_answer(filter, filter->otherwise);
        put_rules(filter, from);
        return;
    }
    put(filter, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)filter->rules[half].call, 0, 1);
    jump = put(filter, BPF_JMP | BPF_JA, 0, 0, 0);
    put_search(filter, from, half);
    if (jump < STEPS)
        filter->steps[jump].k = (uint32_t)(filter->length - jump - 1);
    put_search(filter, half, to);
}

static void put_all(struct filter *filter)
{
    put_load(filter, OFFSET(arch));
    put(filter, BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0);
    put_answer(filter, SECCOMP_RET_KILL_PROCESS);
    put_load(filter, OFFSET(nr));
    put_answer_if(filter, BPF_JEQ, SKIPPED, SECCOMP_RET_ALLOW);
    put_answer_if(filter, BPF_JGE, FOREIGN, SECCOMP_RET_KILL_PROCESS);
    if (filter->count > 0)
        put_search(filter, 0, filter->count);
    else
        put_answer(filter, filter->otherwise);
}

/* ---------------------------------------------------------------- loading ---------- */

static long enter(unsigned long flags, const struct sock_fprog *program)
{
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

    if (result < 0 && errno == EINVAL) /* before 4.17 a filter slows threads down in any case */
        result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         flags & ~SECCOMP_FILTER_FLAG_SPEC_ALLOW, program);
    return result;
}

int filter_load(struct filter *filter, int *listener)
{
    struct sock_fprog program = {.filter = filter->steps};
    bool asks = filter->otherwise == SECCOMP_RET_USER_NOTIF;
    unsigned long flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    long result;

    *listener = -1;
    if (filter->count > RULES)
        return -E2BIG;
    put_all(filter);
    if (filter->length > STEPS)
        return -E2BIG;
    program.len = (unsigned short)filter->length;
    if (asks)
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    result = enter(flags, &program);
    if (result < 0)
        return -errno;
    if (asks)
        *listener = (int)result;
    else if (result > 0)
        return -ESRCH; /* that thread has another filter */
    return 0;
}
