/* count.so: counts allocations, for tests/scenario/allocations.py.
 *
 * Preloaded into reeved and all it executes. REEVE_COUNT names a folder, in which each process has
 * a file of its process id that holds one number: how often it has asked for memory so far. Any
 * thread; the file's mapping lives as long as the process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Atomic uint64_t unseen; /* until the constructor has run */
static _Atomic uint64_t *asked = &unseen;

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("REEVE_COUNT");
    char path[PATH_MAX];
    int fd;
    void *page;

    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, sizeof *asked) < 0)
        return;
    page = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED)
        asked = page;
}

EXPORT void *malloc(size_t size)
{
    atomic_fetch_add(asked, 1);
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(asked, 1);
    return __libc_calloc(count, size);
}

EXPORT void *realloc(void *block, size_t size)
{
    atomic_fetch_add(asked, 1);
    return __libc_realloc(block, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(asked, 1);
    return __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    atomic_fetch_add(asked, 1);
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}
