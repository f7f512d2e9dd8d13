/* The last words of a worker: when a signal such as SIGSEGV kills it, it leaves on the board what
 * it was doing and where; see share/words.h. Then the signal does what it would have done. */
#ifndef WORKER_WORDS_H
#define WORKER_WORDS_H
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct hand;
struct words_area;
struct words_object;
struct words_record;

/* All signals but those that a fault in the program brings: these shall kill at once, with a core.
 * And but the one that asks for a thread's stack, see stacks.h. */
void words_fill_but_fatal(sigset_t *set);
/* Once, in the main thread, before anything that may fail. */
void words_prime(void);
/* From now on the process has last words. It keeps `area` until it ends. In the handler of the
 * signal it calls `tell` for what the thread has in hand, and in the end `flush`, for what the
 * thread has still to write; both are async-signal-safe, but may fault. */
void words_begin(struct words_area *area, void (*tell)(struct hand *hand), void (*flush)(void));
/* Notes what is loaded now: the report tells addresses by these objects. Before other threads. */
void words_objects(void);
/* In a process just forked for a connection: its words are its own. */
void words_forked(int record);

/* The stack on which a thread speaks its last words: its own may have run over. */
struct words_stack {
    void *room;     /* NULL: none yet */
    stack_t before;
};
/* In each thread, with its record on the board; the stack may have served another thread before. */
void words_thread_begin(struct words_stack *stack, int record);
void words_thread_end(struct words_stack *stack); /* in the same thread */
void words_stack_free(struct words_stack *stack);

/* In the handler of a signal, in a thread that lives: what it has in hand, and where it is. */
void words_of_thread(struct words_record *record, void *context);
/* The object at that address, NULL: none is known. */
const struct words_object *words_object_of(uint64_t address);
/* words-stack.c: in the handler of a signal. */
void words_unwind(struct words_record *record, void *context);
/* words-copy.c: copies from where there may be nothing; false: there is nothing. */
_Bool words_peek(void *to, const void *from, size_t length);
/* What a thread has in hand, and its fingerprint. */
void words_copy_hand(struct words_record *to, const struct hand *held);
/* words-objects.c */
void words_list_objects(struct words_area *area);
#endif
