/* fault.so: makes the n-th call of one function fail, for the fault loops
 * (tests/scenario/fault.py).
 *
 * Preloaded into reeved and all it executes. What is to fail stands in a file that REEVE_FAULT
 * names and that every process maps shared, so the scenario changes the fault, and reads what has
 * happened, while the server runs. Any thread may come here; the page's counters are atomic, the
 * rest is written by the scenario alone, before it arms the page.
 *
 * Calls that the C library makes inside itself do not pass here. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* X(name): every function that can be made to fail. The names of the files's largefile twins are
 * those of the plain ones. */
#define FUNCTIONS                                                                                  \
    X(fork) X(execveat) X(mmap) X(memfd_create) X(accept4) X(dlopen) X(socketpair) X(socket)       \
    X(bind) X(listen) X(open) X(openat) X(read) X(calloc) X(malloc) X(realloc) X(pthread_create)   \
    X(epoll_create1) X(eventfd) X(signalfd) X(fcntl) X(sendmsg) X(rename)

enum function {
#define X(name) F_##name,
    FUNCTIONS
#undef X
    F_COUNT
};

enum role { MASTER = 1, WORKER = 2 };

/* tests/scenario/fault.py knows this layout: eight numbers of 32 bits, then the name. */
struct page {
    _Atomic uint32_t armed;
    uint32_t role;          /* bits of enum role */
    uint32_t first, last;   /* which calls fail, counted from 1 since the page was armed */
    int32_t error;          /* errno; dlopen returns NULL */
    _Atomic uint32_t calls;
    _Atomic uint32_t fired;
    uint32_t reserved;
    char name[32];
};

static struct page *page;
static uint32_t own_role;
static const char *const names[F_COUNT] = {
#define X(name) [F_##name] = #name,
    FUNCTIONS
#undef X
};

static uint32_t find_role(void)
{
    char text[4096];
    uint32_t role = MASTER;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : syscall(SYS_read, fd, text, sizeof text - 1);

    if (fd >= 0)
        syscall(SYS_close, fd);
    text[length > 0 ? length : 0] = '\0';
    for (const char *word = text; word < text + length; word += strlen(word) + 1)
        if (strcmp(word, "--worker") == 0)
            role = WORKER;
    return role;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("REEVE_FAULT");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *map;

    if (fd < 0)
        return;
    map = (void *)syscall(SYS_mmap, NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED,
                          fd, (off_t)0);
    syscall(SYS_close, fd);
    own_role = find_role();
    if (map != MAP_FAILED)
        page = map;
}

/* Is this the call that is to fail? Then errno is set. */
static bool fails(enum function function)
{
    uint32_t number;

    if (!page || !atomic_load(&page->armed) || !(page->role & own_role) ||
        strcmp(page->name, names[function]) != 0)
        return false;
    number = atomic_fetch_add(&page->calls, 1) + 1;
    if (number < page->first || number > page->last)
        return false;
    atomic_fetch_add(&page->fired, 1);
    errno = page->error;
    return true;
}

/* The real function; looked up once. */
static void *look(_Atomic(void *) *found, const char *name)
{
    void *real = atomic_load(found);

    if (!real) {
        real = dlsym(RTLD_NEXT, name);
        atomic_store(found, real);
    }
    return real;
}
#define REAL(name)                                                                                 \
    static _Atomic(void *) found;                                                                  \
    __typeof__(&name) real = (__typeof__(&name))look(&found, #name)

EXPORT pid_t fork(void)
{
    REAL(fork);
    return fails(F_fork) ? -1 : real();
}

EXPORT int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags)
{
    REAL(execveat);
    return fails(F_execveat) ? -1 : real(folder, path, argv, envp, flags);
}

EXPORT void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return fails(F_mmap) ? MAP_FAILED
                         : (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return mmap(at, length, protection, flags, fd, offset);
}

EXPORT int memfd_create(const char *name, unsigned flags)
{
    return fails(F_memfd_create) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    REAL(accept4);
    return fails(F_accept4) ? -1 : real(fd, address, length, flags);
}

EXPORT int socketpair(int domain, int type, int protocol, int pair[2])
{
    REAL(socketpair);
    return fails(F_socketpair) ? -1 : real(domain, type, protocol, pair);
}

EXPORT int socket(int domain, int type, int protocol)
{
    REAL(socket);
    return fails(F_socket) ? -1 : real(domain, type, protocol);
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    REAL(bind);
    return fails(F_bind) ? -1 : real(fd, address, length);
}

EXPORT int listen(int fd, int backlog)
{
    REAL(listen);
    return fails(F_listen) ? -1 : real(fd, backlog);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    return fails(F_sendmsg) ? -1 : real(fd, message, flags);
}

EXPORT int rename(const char *from, const char *to)
{
    REAL(rename);
    return fails(F_rename) ? -1 : real(from, to);
}

EXPORT int epoll_create1(int flags)
{
    REAL(epoll_create1);
    return fails(F_epoll_create1) ? -1 : real(flags);
}

EXPORT int eventfd(unsigned value, int flags)
{
    REAL(eventfd);
    return fails(F_eventfd) ? -1 : real(value, flags);
}

EXPORT int signalfd(int fd, const sigset_t *mask, int flags)
{
    REAL(signalfd);
    return fails(F_signalfd) ? -1 : real(fd, mask, flags);
}

static mode_t mode_of(int flags, va_list list)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    return fails(F_openat) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

EXPORT int openat64(int folder, const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    return openat(folder, path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    return fails(F_open) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    va_list list;
    mode_t mode;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);
    return open(path, flags, mode);
}

/* What _FORTIFY_SOURCE makes of open() without a mode. */
int __open_2(const char *, int);
int __open64_2(const char *, int);
EXPORT int __open_2(const char *path, int flags)
{
    return open(path, flags);
}
EXPORT int __open64_2(const char *path, int flags)
{
    return open(path, flags);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg)
{
    REAL(pthread_create);
    return fails(F_pthread_create) ? page->error : real(thread, attributes, run, arg);
}

/* dlopen must know who called it to find $ORIGIN and the like: reeved opens full paths only. */
EXPORT void *dlopen(const char *path, int mode)
{
    REAL(dlopen);
    return fails(F_dlopen) ? NULL : real(path, mode);
}

/* dlsym itself may ask for memory while calloc is looked up: it gets some from here, once. */
EXPORT void *calloc(size_t count, size_t size)
{
    static _Atomic(void *(*)(size_t, size_t)) found;
    static _Thread_local bool looking;
    static char early[4096];
    static size_t used;
    void *(*real)(size_t, size_t) = atomic_load(&found);

    if (!real) {
        if (looking) {
            used += 64;
            return count * size <= 64 && used <= sizeof early ? early + used - 64 : NULL;
        }
        looking = true;
        real = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
        looking = false;
        atomic_store(&found, real);
    }
    return fails(F_calloc) ? NULL : real(count, size);
}

EXPORT void *malloc(size_t size)
{
    REAL(malloc);
    return fails(F_malloc) ? NULL : real(size);
}

EXPORT void *realloc(void *old, size_t size)
{
    REAL(realloc);
    return fails(F_realloc) ? NULL : real(old, size);
}
