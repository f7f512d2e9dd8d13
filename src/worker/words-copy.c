/* Copying from where pointers may lead nowhere; see words.h.
 *
 * In the handler of a signal, async-signal-safe: process_vm_readv() fails where memory access would
 * fault. Texts that are copied always end, and never run over. Memory: the caller's. */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/hand.h"
#include "share/fingerprint.h"
#include "share/words.h"
#include "worker/words.h"

#define PAGE 4096
#define PIECE 256

bool words_peek(void *to, const void *from, size_t length)
{
    struct iovec here = {to, length}, there = {(void *)(uintptr_t)from, length};
    ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);

    if (n < 0 && (errno == ENOSYS || errno == EPERM)) {
        memcpy(to, from, length); /* a sandbox forbids it: a fault ends the step */
        return true;
    }
    return n == (ssize_t)length;
}

/* As much of the text at `from` as one read can take: up to the page's end. 0: there is nothing. */
static size_t piece_of_text(char *piece, const char *from, size_t most)
{
    size_t length = PAGE - (uintptr_t)from % PAGE;

    if (length > most)
        length = most;
    return words_peek(piece, from, length) ? strnlen(piece, length) : 0;
}

static void copy_text(char *to, size_t room, const char *from, size_t most)
{
    size_t at = 0, got = 1;

    if (most > room - 1)
        most = room - 1;
    while (from && at < most && got > 0) {
        got = piece_of_text(to + at, from + at, most - at);
        at += got;
    }
    to[at] = '\0';
}

static uint64_t add_text(uint64_t sum, const char *from)
{
    char piece[PIECE];
    size_t got;

    while (from && (got = piece_of_text(piece, from, sizeof(piece))) > 0) {
        sum = fingerprint_add(sum, piece, got);
        from += got;
    }
    return fingerprint_part(sum);
}

void words_copy_hand(struct words_record *to, const struct hand *held)
{
    const reeve_hand *said = &held->said;

    copy_text(to->peer, sizeof(to->peer), held->peer, SIZE_MAX);
    copy_text(to->protocol, sizeof(to->protocol), held->protocol, SIZE_MAX);
    copy_text(to->label, sizeof(to->label), held->label, held->label_length);
    copy_text(to->module, sizeof(to->module), said->module, SIZE_MAX);
    copy_text(to->site, sizeof(to->site), said->site, SIZE_MAX);
    copy_text(to->route, sizeof(to->route), said->route, SIZE_MAX);
    copy_text(to->method, sizeof(to->method), said->method, SIZE_MAX);
    copy_text(to->target, sizeof(to->target), said->target, SIZE_MAX);
    if (said->target)
        to->fingerprint =
            add_text(add_text(add_text(FINGERPRINT_START, said->method), said->target),
                     said->module);
}
