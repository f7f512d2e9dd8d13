/* The load generator for what wrk cannot do: a connection for each request with up to 12,000 users
 * at once, and an open loop.
 *
 *     load [option]... HOST:PORT PATH        prints one JSON object; see usage()
 *
 * In the closed loop each of N users asks, reads the answer to the end of its connection, and asks
 * again. In the open loop (--rate) requests fall due at random moments, as from many strangers, and
 * a latency counts from the moment at which the request was due, however late it could be sent:
 * a server that stalls cannot hide the requests that the stall kept waiting. How many were sent
 * late, for want of time or of a free connection, is printed too.
 *
 * First comes a warm-up, which is not measured, then the measured time, then what has begun is
 * waited for, so that slow requests are not lost from the figures. Errors are counted from the very
 * first request on. One process, one thread, no allocation after the start; it always ends, at most
 * the time-out of a request after the measured time. What the users do is in user.c, what comes of
 * it in tally.c. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "calm.h"
#include "load.h"

#define USERS_MAX 60000
#define PAUSE_US 100000 /* after a failure */
#define BATCH 512

struct load load;

/* ---------------------------------------------------------------- time and chance ----------- */

int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* The same numbers in every run, so that all servers get the same requests at the same moments. */
static double chance(void)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * UINT64_C(0x2545f4914f6cdd1d) >> 11) / 9007199254740992.0;
}

/* ---------------------------------------------------------------- the open loop ----------- */

static double due; /* us: the next request */

static void schedule(void)
{
    due += -log(1 - chance()) * 1e6 / load.plan.rate;
}

static void begin_next(struct user *user)
{
    user->second = load.plan.also && chance() < load.plan.share;
    user_begin(user, (int64_t)due);
    schedule();
}

/* ---------------------------------------------------------------- the loop ----------- */

void load_next(struct user *user)
{
    int64_t now = now_us();

    if (load.plan.rate > 0) {
        if (due <= (double)now && due < (double)load.until)
            begin_next(user);
    } else if (now < load.until) {
        user->second = load.plan.also && chance() < load.plan.share;
        user_begin(user, now);
    }
}

/* Users that nothing happens to are looked after here. */
static void tend(int64_t now)
{
    list_each_safe(node, &load.busy) {
        struct user *user = list_entry(node, struct user, node);

        if (user->started + (int64_t)(load.plan.timeout * 1e6) > now)
            break;
        user_fail(user, FAIL_TIMEOUT);
    }
    list_each_safe(node, &load.paused) {
        struct user *user = list_entry(node, struct user, node);

        if (user->started + PAUSE_US > now)
            break;
        user->state = USER_IDLE;
        list_remove(node);
        list_append(&load.idle, node);
        load_next(user);
    }
    while (load.plan.rate > 0 && due <= (double)now && due < (double)load.until &&
           !list_empty(&load.idle))
        begin_next(list_entry(load.idle.next, struct user, node));
}

static bool over(int64_t now)
{
    if (now < load.until)
        return false;
    if (now >= load.until + (int64_t)(load.plan.timeout * 1e6))
        return true;
    return list_empty(&load.busy) && !(load.plan.rate > 0 && due < (double)load.until);
}

/* Milliseconds that may be slept. An open loop rather spins than sends late. */
static int patience(int64_t now)
{
    double ms = load.plan.rate > 0 ? (due - (double)now) / 1000 : 10;

    return ms >= 10 ? 10 : ms > 0 ? (int)ms : 0;
}

static void run(void)
{
    static struct epoll_event events[BATCH];
    int64_t now;

    load.warm_until = load.until = INT64_MAX; /* time does not run until every user has begun */
    for (uint32_t i = 0; load.plan.rate <= 0 && i < load.plan.users; i++)
        load_next(&load.users[i]);
    now = now_us();
    load.warm_until = now + (int64_t)(load.plan.warm * 1e6);
    load.until = load.warm_until + (int64_t)(load.plan.seconds * 1e6);
    due = (double)now;
    calm_begin(now);
    while (tend(now = now_us()), !over(now)) {
        int count = epoll_wait(load.epoll, events, BATCH, patience(now));

        for (int i = 0; i < count; i++)
            user_event(events[i].data.ptr, events[i].events);
        calm_look(now_us(), &load.tally.latency);
    }
    while (!list_empty(&load.busy))
        user_fail(list_entry(load.busy.next, struct user, node), FAIL_TIMEOUT);
    for (; load.plan.rate > 0 && due < (double)load.until; schedule())
        load.tally.unsent++;
}

/* ---------------------------------------------------------------- command line ----------- */

static int usage(void)
{
    fputs("usage: load [option]... HOST:PORT PATH\n"
          "  --users N       users at once (1)\n"
          "  --keep          connections are kept; else one for each request\n"
          "  --rate N        open loop: N requests per second; keeps connections\n"
          "  --also PATH --share X   this path in the share X (0 to 1) of all requests\n"
          "  --shed          503 is an answer, and counted by itself; else it is a failure\n"
          "  --warm S --seconds S    time before and while it is measured (0, 1)\n"
          "  --timeout S     a request that takes longer has failed (5)\n"
          "  --sources N     connect from N loopback addresses, 127.0.0.2 and on\n"
          "  --watch FILE,...  /proc/PID/task/TID/schedstat of threads: only latencies count in\n"
          "                  which neither these nor we were kept from running by others\n"
          "Times are printed in microseconds, the rate in answers per second.\n", stderr);
    return 2;
}

static bool parse_server(char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon)
        return false;
    *colon = '\0';
    load.plan.server.sin_family = AF_INET;
    load.plan.server.sin_port = htons((uint16_t)atoi(colon + 1));
    return inet_pton(AF_INET, text, &load.plan.server.sin_addr) == 1;
}

static void watch(char *files)
{
    bool seen = calm_watch("/proc/self/schedstat");

    for (char *file = strtok(files, ","); seen && file; file = strtok(NULL, ","))
        seen = calm_watch(file);
    if (!seen) {
        fprintf(stderr, "load: cannot watch all these threads: %s\n", strerror(errno));
        exit(1);
    }
}

static void set_option(int option, char *value)
{
    switch (option) {
    case 'u': load.plan.users = (uint32_t)atoi(value); break;
    case 'k': load.plan.keep = true; break;
    case 'r': load.plan.rate = atof(value); load.plan.keep = true; break;
    case 'a': load.plan.also = value; break;
    case 'x': load.plan.share = atof(value); break;
    case 'd': load.plan.shed = true; break;
    case 'w': load.plan.warm = atof(value); break;
    case 's': load.plan.seconds = atof(value); break;
    case 't': load.plan.timeout = atof(value); break;
    case 'c': load.plan.sources = (uint32_t)atoi(value); break;
    case 'o': watch(value); break;
    default: exit(usage());
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"users", required_argument, NULL, 'u'},   {"keep", no_argument, NULL, 'k'},
        {"rate", required_argument, NULL, 'r'},    {"also", required_argument, NULL, 'a'},
        {"share", required_argument, NULL, 'x'},   {"warm", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'}, {"timeout", required_argument, NULL, 't'},
        {"sources", required_argument, NULL, 'c'}, {"shed", no_argument, NULL, 'd'},
        {"watch", required_argument, NULL, 'o'},   {0}};
    struct plan *plan = &load.plan;
    int option;

    *plan = (struct plan){.users = 1, .seconds = 1, .timeout = 5};
    list_init(&load.idle);
    list_init(&load.busy);
    list_init(&load.paused);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        set_option(option, optarg);
    if (argc - optind != 2 || !parse_server(argv[optind]) || plan->users < 1 ||
        plan->users > USERS_MAX || plan->sources > 250 || plan->seconds <= 0 || plan->timeout <= 0)
        return usage();
    plan->path = argv[optind + 1];
    user_setup();
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load.users || load.epoll < 0) {
        fprintf(stderr, "load: cannot start: %s\n", strerror(errno));
        return 1;
    }
    run();
    tally_print();
    return 0;
}
