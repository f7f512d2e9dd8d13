/* Request ids: 128 bits in hexadecimal, or what the client or a proxy before us calls the request.
 *
 * A thread draws 128 random bits when it starts and counts on from there: no system call and no
 * lock for a request, and two threads meet only if their random upper halves are equal. (Where each
 * connection has its process, that process is such a thread.) An id can be told from the one before
 * it: it is a name, and no secret. A client's id is kept only if it is a short token, so that it
 * may stand in a field and in any log.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "hex.h"
#include "ident.h"

static _Thread_local struct {
    uint64_t high, low;
} next;

int ident_thread_init(void)
{
    if (!settings.timed && settings.request_id == NULL)
        return 0;
    if (getrandom(&next, sizeof next, 0) == (ssize_t)sizeof next)
        return 0;
    reeve_log(REEVE_LOG_ERROR, "no-randomness", "cannot begin to number requests: %s",
              strerror(errno));
    return -1;
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
    put_hex(request->id, next.high);
    put_hex(request->id + 16, next.low++);
    request->id[32] = '\0';
    return request->id;
}
