/* The stacks of living threads; see stacks.h.
 *
 * Worker. The main thread asks one thread at a time; the handler of the signal runs in that one,
 * and is async-signal-safe. Memory: one room, of which a ticket says whose it is: who asks sets it,
 * the handler takes it, and a handler that comes when nobody waits any more finds that it is gone.
 * A system call of the thread that cannot go on after a signal fails with EINTR. */
#include "config.h"

#include "worker/stacks.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "share/words.h"
#include "worker/words.h"

#define LIMIT 1000 /* ms that a thread may take: it gets no CPU, perhaps */

static struct words_record room;
static atomic_int ticket; /* of who may write there; 0: nobody */
static int last_ticket;
static sem_t answered;
static bool works;
static void (*call)(void *arg); /* what the handler does; NULL: it says where its thread is */
static void *call_arg;

static void on_ask(int number, siginfo_t *info, void *context)
{
    int own = info->si_value.sival_int, saved = errno;

    (void)number;
    if (info->si_code == SI_QUEUE && info->si_pid == getpid() && own > 0 &&
        atomic_compare_exchange_strong(&ticket, &own, 0)) {
        if (call)
            call(call_arg);
        else
            words_of_thread(&room, context);
        sem_post(&answered);
    }
    errno = saved;
}

void stacks_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_ask,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGSEGV); /* and its like: a fault there has last words */
    sigdelset(&action.sa_mask, SIGBUS);
    works = sem_init(&answered, 0, 0) == 0 && sigaction(STACKS_SIGNAL, &action, NULL) == 0;
}

static bool wait_for(int ms)
{
    struct timespec until;
    int result;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    do
        result = sem_timedwait(&answered, &until);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

/* True: the handler has run. */
static bool ask(pthread_t thread)
{
    union sigval value = {.sival_int = ++last_ticket};
    int own = value.sival_int;

    if (!works)
        return false;
    atomic_store(&ticket, own);
    if (pthread_sigqueue(thread, STACKS_SIGNAL, value) != 0) {
        atomic_store(&ticket, 0);
        return false;
    }
    if (wait_for(LIMIT))
        return true;
    if (atomic_compare_exchange_strong(&ticket, &own, 0))
        return false;
    works = wait_for(LIMIT); /* it is at it; if it stays in there the room is lost */
    return works;
}

struct words_record *stacks_take(pthread_t thread)
{
    call = NULL;
    return ask(thread) ? &room : NULL;
}

bool stacks_call(pthread_t thread, void (*function)(void *arg), void *arg)
{
    call = function;
    call_arg = arg;
    return ask(thread);
}

void stacks_put(struct buf *out, const struct words_record *record)
{
    for (uint32_t i = 0; i < record->frames && i < WORDS_FRAMES; i++) {
        uint64_t at = record->frame[i];
        const struct words_object *object = words_object_of(at);
        const char *name = object ? strrchr(object->path, '/') : NULL;
        Dl_info info;

        buf_adds(out, i > 0 ? " < " : "");
        if (dladdr((const void *)(uintptr_t)at, &info) && info.dli_sname)
            buf_printf(out, "%s ", info.dli_sname);
        if (object)
            buf_printf(out, "(%s+0x%" PRIx64 ")", name ? name + 1 : object->path,
                       at - object->base);
        else
            buf_printf(out, "(0x%" PRIx64 ")", at);
    }
}
