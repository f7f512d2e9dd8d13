/* forbid: a handler that makes the system call that its query names, and answers by what came of
 * it: "done", or the error's name. For scenarios that prove what workers are kept from. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reeve/http.h"

static int closed(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int waited(pid_t pid)
{
    int status;

    return pid < 0 || waitpid(pid, &status, 0) < 0 ? -1 : 0;
}

static int try_execve(void)
{
    char *const none[] = {NULL};

    return execve("/nowhere/program", none, none);
}

/* Ends at once. */
static int try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return waited(pid);
}

static int try_spawn(void)
{
    char *const words[] = {(char[]){"true"}, NULL};
    pid_t pid;
    int error = posix_spawn(&pid, "/bin/true", NULL, NULL, words, NULL);

    errno = error;
    return error ? -1 : waited(pid);
}

static int try_process_vm_writev(void)
{
    int from = 1, to = 0;
    struct iovec here = {&from, sizeof(from)}, there = {&to, sizeof(to)};

    return process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0 ? -1 : 0;
}

static int try_listen(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result = listen(fd, 1), error = errno;

    close(fd);
    errno = error;
    return result;
}

static int try_netlink(void)
{
    return closed(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

static int try_alg(void)
{
    return closed(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int try_inet(void)
{
    return closed(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, 1, NULL, NULL) < 0 ? -1 : 0;
}

static int try_unshare(void)
{
    return unshare(CLONE_NEWUTS);
}

static int try_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int try_type(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int result = ioctl(fd, 0x5412 /* TIOCSTI */, "x"), error = errno;

    close(fd);
    errno = error;
    return result;
}

static int try_kill_init(void)
{
    return kill(1, 0);
}

static int try_kill_self(void)
{
    return kill(getpid(), 0);
}

static void *nothing(void *arg)
{
    return arg;
}

static int try_thread(void)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno ? -1 : (errno = pthread_join(thread, NULL)) ? -1 : 0;
}

static int try_affinity(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set);
}

#define BARE(name, ...)                                                                            \
    static int try_##name(void)                                                                    \
    {                                                                                              \
        return (int)syscall(SYS_##name, __VA_ARGS__);                                              \
    }
BARE(mount, NULL, NULL, NULL, 0, NULL)
BARE(setns, -1, 0)
BARE(bpf, 0, NULL, 0)
BARE(keyctl, 0, 0, 0, 0, 0)
BARE(perf_event_open, NULL, 0, 0, -1, 0)
BARE(userfaultfd, -1)
BARE(kexec_load, 0, 0, NULL, 0)
BARE(init_module, NULL, 0, NULL)
BARE(io_uring_setup, 0, NULL)
BARE(personality, 0xffffffff)
BARE(chroot, "/")

/* For an upgrade meanwhile. */
static int try_late(void)
{
    struct timespec left = {.tv_sec = 1};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
    return try_mount();
}

static int try_unknown(void)
{
    return (int)syscall(9999);
}

static const struct {
    const char *name;
    int (*try)(void);
} tries[] = {
#define TRY(name) {#name, try_##name}
    TRY(execve), TRY(fork), TRY(spawn), TRY(process_vm_writev), TRY(listen), TRY(netlink), TRY(alg),
    TRY(inet), TRY(ptrace), TRY(unshare), TRY(dumpable), TRY(type), TRY(kill_init), TRY(kill_self),
    TRY(thread), TRY(affinity), TRY(mount), TRY(setns), TRY(bpf), TRY(keyctl), TRY(perf_event_open),
    TRY(userfaultfd), TRY(kexec_load), TRY(init_module), TRY(io_uring_setup), TRY(personality),
    TRY(chroot), TRY(late), TRY(unknown),
};

static int forbid_handle(reeve_request *request, void *config)
{
    const char *query = reeve_query(request), *how = "no such try";

    (void)config;
    for (size_t i = 0; query && i < sizeof(tries) / sizeof(tries[0]); i++)
        if (strcmp(tries[i].name, query) == 0)
            how = tries[i].try() >= 0 ? "done" : strerrorname_np(errno);
    return reeve_reply(request, 200, "text/plain", how, strlen(how));
}

static const reeve_handler forbid = {
    .protocol = "http", .blocking = true, .handle = forbid_handle};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_HANDLER, .name = "forbid", .version = "1.0", .handler = &forbid);
