/* A lock that nobody else wants most of the time: then to take it and to leave it is one step each.
 * Who must wait sleeps. Any thread; all zero is free. */
#ifndef STATIC_LOCK_H
#define STATIC_LOCK_H
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCK_FREE, LOCK_TAKEN, LOCK_WANTED }; /* WANTED: taken, and somebody sleeps perhaps */

struct lock {
    atomic_uint state;
};

static inline void lock_take(struct lock *lock)
{
    unsigned state = LOCK_FREE;
    if (atomic_compare_exchange_strong_explicit(&lock->state, &state, LOCK_TAKEN,
                                                memory_order_acquire, memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&lock->state, LOCK_WANTED, memory_order_acquire) != LOCK_FREE)
        syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, LOCK_WANTED, NULL, NULL, 0);
}

static inline void lock_leave(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->state, LOCK_FREE, memory_order_release) == LOCK_WANTED)
        syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
#endif
