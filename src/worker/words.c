/* The last words; see words.h.
 *
 * The handler of a signal, in whatever thread it strikes, on that thread's second stack. It is
 * async-signal-safe: it takes no lock and no memory, and copies from where pointers lead only as
 * words-copy.c does. It goes by steps, the surest first; a fault in a step ends that step. The
 * first thread that dies speaks, others that die meanwhile wait for the end. After LATE seconds the
 * process ends without the rest. Memory: the record on the board is the process's own. */
#include "config.h"

#include "worker/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include "net/hand.h"
#include "share/words.h"
#include "worker/stacks.h"

#define LATE 5                  /* seconds */
#define STACK_SIZE (64 * 1024)  /* the unwinder needs 10 or so, a sanitizer more */
#define PAGE 4096

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct words_area *area; /* NULL: nobody would read it */
static void (*tell_hand)(struct hand *);
static void (*flush_thread)(void);
static int64_t began;           /* ms */
static struct sigaction before[FATAL]; /* a sanitizer's, perhaps */
static struct words_stack main_stack;
static _Thread_local int own_record = -1;

/* Of the thread that dies: */
static atomic_int dying; /* its tid */
static siginfo_t cause;
static void *context;
static struct words_record *record;
static struct hand hand;
static sigjmp_buf next_step;
static volatile sig_atomic_t in_step;

void words_fill_but_fatal(sigset_t *set)
{
    sigfillset(set);
    for (size_t i = 0; i < FATAL; i++)
        sigdelset(set, fatal[i]);
    sigdelset(set, STACKS_SIGNAL);
}

/* ---------------------------------------------------------------- the steps -------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void step_signal(void)
{
    uint32_t turn = atomic_fetch_add(&area->taken, 1);

    record = &area->record[turn % WORDS_RECORDS];
    atomic_store(&record->state, WORDS_NONE);
    record->pid = (uint32_t)getpid();
    record->tid = (uint32_t)atomic_load(&dying);
    record->signal = cause.si_signo;
    record->code = cause.si_code;
    record->address = cause.si_signo == SIGSYS ? (uint64_t)cause.si_syscall
                                               : (uint64_t)(uintptr_t)cause.si_addr;
    record->thread = own_record;
    record->time = time(NULL);
    record->uptime = now_ms() - began;
    record->frames = 0;
    record->fingerprint = 0;
    prctl(PR_GET_NAME, record->name);
    atomic_store(&record->state, WORDS_BEGUN);
}

static void step_tell(void)
{
    tell_hand(&hand);
}

static void step_request(void)
{
    words_copy_hand(record, &hand);
}

static void step_stack(void)
{
    words_unwind(record, context);
}

void words_of_thread(struct words_record *own, void *where)
{
    struct hand held = {0};

    own->pid = (uint32_t)getpid();
    own->tid = (uint32_t)syscall(SYS_gettid);
    own->thread = own_record;
    own->time = time(NULL);
    own->uptime = now_ms() - began;
    own->frames = 0;
    own->fingerprint = 0;
    own->signal = own->code = 0;
    prctl(PR_GET_NAME, own->name);
    if (tell_hand)
        tell_hand(&held);
    words_copy_hand(own, &held);
    words_unwind(own, where);
    atomic_store(&own->state, WORDS_DONE);
}

const struct words_object *words_object_of(uint64_t address)
{
    for (uint32_t i = 0; area && i < area->objects; i++)
        if (address >= area->object[i].start && address < area->object[i].end)
            return &area->object[i];
    return NULL;
}

/* ---------------------------------------------------------------- the handler ------ */

/* In static memory all that a step has to know, so a jump out of it loses nothing. */
static void run_step(void (*step)(void))
{
    if (sigsetjmp(next_step, 0) == 0) {
        in_step = 1;
        step();
    }
    in_step = 0;
}

/* What would have happened without us. The signal is sent again with all that was said of it, so
 * that a core tells the address too. */
static _Noreturn void die(void)
{
    struct sigaction last = {.sa_handler = SIG_DFL};

    for (size_t i = 0; i < FATAL; i++)
        if (fatal[i] == cause.si_signo)
            sigaction(fatal[i], &before[i], NULL);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), cause.si_signo, &cause);
    sigaction(cause.si_signo, &last, NULL); /* a sandbox forbids that, or it was ignored */
    raise(cause.si_signo);
    _exit(128 + cause.si_signo);
}

static void on_late(int number)
{
    (void)number;
    die();
}

static void set_limit(void)
{
    struct sigaction action = {.sa_handler = on_late, .sa_flags = SA_ONSTACK};
    sigset_t open;

    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&open);
    sigaddset(&open, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &open, NULL);
    alarm(LATE);
}

static void speak(void)
{
    set_limit();
    run_step(step_signal);
    if (record) {
        run_step(step_tell);
        run_step(step_request);
        run_step(step_stack);
        atomic_store(&record->state, WORDS_DONE);
    }
    run_step(flush_thread); /* of this thread: what others hold is theirs */
}

/* SA_NODEFER asks for that; the thread sanitizer calls a handler with everything blocked. */
static void unblock_fatal(void)
{
    sigset_t open;

    sigemptyset(&open);
    for (size_t i = 0; i < FATAL; i++)
        sigaddset(&open, fatal[i]);
    pthread_sigmask(SIG_UNBLOCK, &open, NULL);
}

static void on_fatal(int number, siginfo_t *info, void *where)
{
    int self = (int)syscall(SYS_gettid), first = 0;

    (void)number;
    unblock_fatal();
    if (atomic_compare_exchange_strong(&dying, &first, self)) {
        cause = *info;
        context = where;
        speak();
        die();
    }
    if (first != self)
        for (;;)
            pause(); /* another thread is at it, and will end us all */
    if (in_step)
        siglongjmp(next_step, 1);
    die();
}

/* ---------------------------------------------------------------- before ----------- */

static _Unwind_Reason_Code no_frame(struct _Unwind_Context *at, void *arg)
{
    (void)at;
    (void)arg;
    return _URC_NO_REASON;
}

void words_prime(void)
{
    began = now_ms();
    _Unwind_Backtrace(no_frame, NULL); /* the first call may load and allocate */
}

void words_begin(struct words_area *own, void (*tell)(struct hand *), void (*flush)(void))
{
    struct sigaction action = {.sa_sigaction = on_fatal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    area = own;
    tell_hand = tell;
    flush_thread = flush;
    words_objects();
    words_thread_begin(&main_stack, -1);
    for (size_t i = 0; i < FATAL; i++)
        sigaction(fatal[i], &action, &before[i]);
}

void words_objects(void)
{
    if (area)
        words_list_objects(area);
}

void words_forked(int own)
{
    own_record = own;
    began = now_ms();
}

void words_thread_begin(struct words_stack *stack, int own)
{
    stack_t ours = {.ss_size = STACK_SIZE};

    own_record = own;
    if (!stack->room) {
        void *room = mmap(NULL, PAGE + STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

        if (room == MAP_FAILED)
            return; /* it speaks on its own stack, unless that has run over */
        mprotect(room, PAGE, PROT_NONE);
        stack->room = room;
    }
    ours.ss_sp = (char *)stack->room + PAGE;
    sigaltstack(&ours, &stack->before);
}

void words_thread_end(struct words_stack *stack)
{
    if (stack->room)
        sigaltstack(&stack->before, NULL);
}

void words_stack_free(struct words_stack *stack)
{
    if (stack->room)
        munmap(stack->room, PAGE + STACK_SIZE);
    stack->room = NULL;
}
