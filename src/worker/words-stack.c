/* The stack of a thread that dies; see words.h.
 *
 * In the handler of the signal, on the thread's second stack. The unwinder is that of the
 * compiler's run-time library: it takes no memory, and with a glibc since 2.35 no lock; it comes
 * from the handler's frame through the signal's to that of the fault. Where the stack is corrupt
 * it may fault in turn: what it has found so far stands in the record by then. */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>
#include <unwind.h>

#include "share/words.h"
#include "worker/words.h"

struct walk {
    struct words_record *record;
    uintptr_t from; /* where the fault was */
    bool found;
};

static void note(struct words_record *record, uintptr_t address)
{
    if (record->frames < WORDS_FRAMES)
        record->frame[record->frames++] = address;
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
    struct walk *walk = arg;
    int exact = 0;
    uintptr_t address = _Unwind_GetIPInfo(context, &exact);

    if (address == 0 || walk->record->frames >= WORDS_FRAMES)
        return _URC_END_OF_STACK;
    if (walk->found)
        note(walk->record, exact ? address : address - 1); /* of a return: the call */
    else
        walk->found = address == walk->from;
    return _URC_NO_REASON;
}

#if defined(__x86_64__)
#define PC(uc) ((uc)->uc_mcontext.gregs[REG_RIP])
#define SP(uc) ((uc)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define PC(uc) ((uc)->uc_mcontext.pc)
#endif

#ifdef PC
/* The caller of a function that was no code: a NULL pointer, most often. */
static uintptr_t caller_of_nothing(const ucontext_t *uc)
{
#ifdef __x86_64__
    uintptr_t address = 0;

    return words_peek(&address, (const void *)(uintptr_t)SP(uc), sizeof(address)) ? address : 0;
#else
    return uc->uc_mcontext.regs[30];
#endif
}

void words_unwind(struct words_record *record, void *context)
{
    ucontext_t *uc = context, saved = *uc;
    struct walk walk = {.record = record, .from = (uintptr_t)PC(uc)};
    char code;

    record->frames = 0;
    note(record, walk.from);
    if (!words_peek(&code, (const void *)walk.from, 1)) {
        /* The unwinder knows nothing of that address: it is shown the caller instead. */
        walk.from = caller_of_nothing(uc);
        note(record, walk.from - 1);
        PC(uc) = (__typeof__(PC(uc)))walk.from;
#ifdef __x86_64__
        SP(uc) += sizeof(uintptr_t);
#endif
    }
    _Unwind_Backtrace(on_frame, &walk);
    *uc = saved; /* for the core */
}
#else
void words_unwind(struct words_record *record, void *context)
{
    struct walk walk = {.record = record, .found = true}; /* the handler's own frames too */

    (void)context;
    record->frames = 0;
    _Unwind_Backtrace(on_frame, &walk);
}
#endif
