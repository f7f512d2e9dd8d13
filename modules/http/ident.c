/* Request ids: 128 bits in hexadecimal, or what the client or a proxy before us calls the request.
 *
 * A thread draws 128 random bits when the first id is asked of it and counts on from there: no
 * system call and no lock for a request, and two threads meet only if their random upper halves are
 * equal. (Where each connection has its process, that process is such a thread: the worker that
 * forks it answers nobody itself and has drawn none.) An id can be told from the one before it: it
 * is a name, and no secret. A client's id is kept only if it is a short token, so that it may stand
 * in a field and in any log.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hex.h"
#include "ident.h"

static _Thread_local struct {
    uint64_t high, low;
} next;
static _Thread_local bool drawn;

/* Without random bits the moment and the thread tell ids apart: worse, but a request that has a
 * name is better than none. */
static void draw(void)
{
    ssize_t n;
    do
        n = getrandom(&next, sizeof next, 0);
    while (n < 0 && errno == EINTR);
    drawn = true;
    if (n == (ssize_t)sizeof next)
        return;
    reeve_log(REEVE_LOG_WARNING, "no-randomness", "request ids are numbered from the time of day, "
              "for the system gives no random bits: %s", strerror(errno));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    next.high = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    next.low = (uint64_t)gettid() << 32;
}

static void put_hex(char *at, uint64_t number)
{
    for (int i = 15; i >= 0; i--, number >>= 4)
        at[i] = hex_digit(number);
}

/* The client's, or NULL. */
static const char *sent_by_client(const struct request *request)
{
    if (settings.request_id == NULL || request->head.length == 0)
        return NULL;
    const char *id = reeve_header(&request->public, settings.request_id);
    size_t n = 0;
    while (id != NULL && id[n] != '\0' && n <= REQUEST_ID_MAX && parse_is_token(id[n]))
        n++;
    return n > 0 && n <= REQUEST_ID_MAX && id[n] == '\0' ? id : NULL;
}

const char *ident_of(struct request *request)
{
    if (request->id[0] != '\0')
        return request->id;
    const char *sent = sent_by_client(request);
    if (sent != NULL) {
        strcpy(request->id, sent);
        return request->id;
    }
    if (!drawn)
        draw();
    put_hex(request->id, next.high);
    put_hex(request->id + 16, next.low++);
    request->id[32] = '\0';
    return request->id;
}
