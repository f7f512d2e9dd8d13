/* Which system calls a worker may make; see strict.h. Worker, main thread, last of all that
 * confines it. Memory: the filter is the kernel's.
 *
 * A list of what is allowed (strict-calls.def, and by arguments below), not of what is forbidden:
 * the holes of a kernel lie in the calls that nobody thought of, each release brings new ones, and
 * the list of what a server needs changes less than that. Its price is a module that needs more. So
 * - whatever is not allowed fails, and does not kill: with EPERM, or with ENOSYS if the libseccomp
 *   at hand has no name for it, so that a newer C library does without;
 * - no refusal is silent. The kernel asks the master (SECCOMP_RET_USER_NOTIF), which logs who has
 *   called what, and says no. A handler of SIGSYS could not do that where signals are blocked (fork
 *   and posix_spawn block all), and a worker that has been taken over could unset it. Who answers
 *   could also say yes: so the worker keeps no descriptor of it, and cannot ioctl() one;
 * - the operator adds calls by sandbox_calls.
 * Calls of another architecture's numbers end the process: no compiler makes them.
 *
 * What must hold: what the crash report, stacks, and the end of a worker call is allowed without
 * asking, since the master may be gone: then what is not allowed fails with ENOSYS. */
#include "config.h"

#include "worker/strict.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/strict-filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif
#ifdef __s390x__
#define CLONE_FLAGS 1 /* which argument they are */
#else
#define CLONE_FLAGS 0
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* the C library names its memory by it */
#endif

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)
#define ALL 0xffffffffu

static const char *const allowed[] = {
#define X(name) #name,
#include "worker/strict-calls.def"
#undef X
};

/* Allowed if the argument, of which the bits of `mask` count, is `value`. */
struct on_condition {
    const char *name;
    unsigned argument;
    uint32_t mask, value;
};
static const struct on_condition on_condition[] = {
    {"socket", 0, ALL, AF_UNIX}, {"socket", 0, ALL, AF_INET}, {"socket", 0, ALL, AF_INET6},
    {"socketpair", 0, ALL, AF_UNIX},
    {"clone", CLONE_FLAGS, CLONE_THREAD | NAMESPACES, CLONE_THREAD},
    {"ioctl", 1, ALL, FIONREAD}, {"ioctl", 1, ALL, FIONBIO}, {"ioctl", 1, ALL, FIOCLEX},
    {"ioctl", 1, ALL, FIONCLEX}, {"ioctl", 1, ALL, TIOCOUTQ},
    {"ioctl", 1, ALL, TCGETS}, {"ioctl", 1, ALL, TIOCGWINSZ}, /* is it a terminal? */
    {"ioctl", 1, ALL, 0x8910 /* SIOCGIFNAME */}, {"ioctl", 1, ALL, 0x8933 /* SIOCGIFINDEX */},
    {"prctl", 0, ALL, PR_SET_NAME}, {"prctl", 0, ALL, PR_GET_NAME},
    {"prctl", 0, ALL, PR_SET_PDEATHSIG}, {"prctl", 0, ALL, PR_GET_PDEATHSIG},
    {"prctl", 0, ALL, PR_GET_DUMPABLE}, {"prctl", 0, ALL, PR_CAPBSET_READ},
    {"prctl", 0, ALL, PR_SET_NO_NEW_PRIVS}, {"prctl", 0, ALL, PR_GET_NO_NEW_PRIVS},
    {"prctl", 0, ALL, PR_GET_SECCOMP}, {"prctl", 0, ALL, PR_SET_TIMERSLACK},
    {"prctl", 0, ALL, PR_GET_TIMERSLACK}, {"prctl", 0, ALL, PR_SET_VMA},
};

/* Of fcntl(): not F_SETOWN and F_SETSIG, by which the kernel sends anybody any signal, as kill
 * does. Locks have a second set of numbers where files need 64 bits of two words. */
static const uint32_t fcntl_commands[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
    12, 13, 14, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_GETOWN, F_GETSIG, F_GETLEASE,
    F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
};

/* Allowed towards the process itself. A process for each connection is known only when it is
 * there: these models allow them at first, and strict_enter_child() takes that back. */
static const char *const to_itself[] = {
    "kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "process_vm_readv", "prlimit64",
#ifndef __GLIBC__
    "tkill", /* in musl instead of tgkill; by thread, so it cannot be told whose */
#endif
};

/* Where modules run programs: what starts them, and what shells and interpreters begin with. */
static const char *const of_programs[] = {
    "execve", "execveat", "fork", "vfork", "clone", "setpgid", "setsid", "kill", "tkill", "tgkill",
    "prlimit64", "setpriority",
};

/* A sanitizer's own: the search for leaks stops all threads by tracing them from a process. */
static const char *const of_sanitizers[] = {
    "clone", "ptrace", "prctl", "kill", "tgkill", "prlimit64", "personality", "process_vm_readv",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ---------------------------------------------------------------- the rules -------- */

/* Names that libseccomp or this machine does not know have no number, and no rule. */
static void add(struct filter *filter, const char *name)
{
    filter_add(filter, seccomp_syscall_resolve_name(name), SECCOMP_RET_ALLOW);
}

static void add_all(struct filter *filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(filter, names[i]);
}

static void add_if(struct filter *filter, const char *name, unsigned argument, uint32_t mask,
                   uint32_t value)
{
    filter_add_if(filter, seccomp_syscall_resolve_name(name), argument, mask, value,
                  SECCOMP_RET_ALLOW);
}

static void add_fcntl(struct filter *filter)
{
    for (size_t i = 0; i < COUNT(fcntl_commands); i++) {
        add_if(filter, "fcntl", 1, ALL, fcntl_commands[i]);
        add_if(filter, "fcntl64", 1, ALL, fcntl_commands[i]);
    }
}

static void add_to_itself(struct filter *filter, bool forks)
{
    add_if(filter, "prlimit64", 0, ALL, 0);
    if (forks) {
        add_all(filter, to_itself, COUNT(to_itself));
        return;
    }
    for (size_t i = 0; i < COUNT(to_itself); i++) {
        if (strcmp(to_itself[i], "tkill") == 0)
            add(filter, to_itself[i]);
        else
            add_if(filter, to_itself[i], 0, ALL, (uint32_t)getpid());
    }
}

static void add_configured(struct filter *filter, const reeve_section *root)
{
    for (size_t i = 0; i < reeve_conf_count(root, "sandbox_calls"); i++)
        add(filter, reeve_conf_item(root, "sandbox_calls", i));
}

static void add_rules(struct filter *filter, const struct strict_needs *needs)
{
    /* What is allowed whatever the arguments stands before the rules that look at them. */
    add_all(filter, allowed, COUNT(allowed));
    add_configured(filter, needs->root);
    if (needs->runs_programs)
        add_all(filter, of_programs, COUNT(of_programs));
    if (SANITIZED)
        add_all(filter, of_sanitizers, COUNT(of_sanitizers));
    if (needs->forks) {
        add_if(filter, "clone", CLONE_FLAGS, NAMESPACES, 0);
        add(filter, "fork");
        add_if(filter, "seccomp", 0, ALL, SECCOMP_SET_MODE_FILTER);
    }
    for (size_t i = 0; i < COUNT(on_condition); i++)
        add_if(filter, on_condition[i].name, on_condition[i].argument, on_condition[i].mask,
               on_condition[i].value);
    add_fcntl(filter);
    add_to_itself(filter, needs->forks);
    /* Its flags lie behind a pointer, where no filter looks: the C library falls back on clone. */
    filter_add(filter, SCMP_SYS(clone3), SECCOMP_RET_ERRNO | ENOSYS);
}

/* ---------------------------------------------------------------- loading ---------- */

/* 0 or a negative error number. */
static int try(const struct strict_needs *needs, uint32_t otherwise, int *listener)
{
    struct filter *filter = filter_begin(otherwise);

    add_rules(filter, needs);
    return filter_load(filter, listener);
}

int strict_enter(const struct strict_needs *needs, int *listener)
{
    int result = try(needs, SECCOMP_RET_USER_NOTIF, listener);

    /* A kernel before 5.7, or a container whose manager is asked already. */
    if (result < 0 && result != -ENOMEM)
        result = try(needs, SECCOMP_RET_ERRNO | EPERM, listener);
    errno = -result;
    return result < 0 ? -1 : 0;
}

int strict_enter_child(bool runs_programs)
{
    struct filter *filter = filter_begin(SECCOMP_RET_ALLOW);
    uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    int nobody, result;

    for (size_t i = 0; i < COUNT(to_itself); i++) {
        int call = seccomp_syscall_resolve_name(to_itself[i]);

        if (strcmp(to_itself[i], "prlimit64") == 0 || strcmp(to_itself[i], "tkill") == 0)
            continue;
        filter_add_if(filter, call, 0, ALL, (uint32_t)getpid(), SECCOMP_RET_ALLOW);
        filter_add(filter, call, refuse);
    }
    if (!runs_programs) {
        filter_add_if(filter, SCMP_SYS(clone), CLONE_FLAGS, CLONE_THREAD, 0, refuse);
        filter_add(filter, SCMP_SYS(fork), refuse);
    }
    result = filter_load(filter, &nobody);
    errno = -result;
    return result < 0 ? -1 : 0;
}

/* ---------------------------------------------------------------- asked before ----- */

bool strict_is_possible(const reeve_section *root)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0) {
        reeve_conf_error(root, "sandbox", "\"strict\" is impossible: this kernel has no seccomp "
                         "filters (%s); use \"files\"", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < reeve_conf_count(root, "sandbox_calls"); i++) {
        const char *name = reeve_conf_item(root, "sandbox_calls", i);

        if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR) {
            reeve_conf_error(root, "sandbox_calls", "there is no system call \"%s\"; syscalls(2) "
                             "lists them", name);
            return false;
        }
    }
    return true;
}
