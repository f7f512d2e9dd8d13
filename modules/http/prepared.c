/* Answers made once and given often: head and body are put together when they are made, so that to
 * give one is to copy it and to write the date over the old one.
 *
 * Constant but for the number of holders: who made it, each answer that has still to be queued, and
 * each body that the engine still sends. Any thread may hold one; the last one frees it.
 */
#include "config.h"

#include <unistd.h>

#include "answer.h"
#include "prepared.h"
#include "reply.h"

static void put(char **at, const void *data, size_t length)
{
    memcpy(*at, data, length);
    *at += length;
}

struct prepared *prepared_new(const struct answer *answer, const void *body, int fd, off_t offset,
                              size_t length)
{
    if (answer_is_bare(answer->status))
        length = 0;
    size_t copied = body != NULL ? length : 0;
    size_t head = sizeof(struct prepared) + answer_head_room(answer);
    struct prepared *prepared = copied <= PTRDIFF_MAX - head ? malloc(head + copied) : NULL;
    if (prepared == NULL)
        return NULL;
    *prepared = (struct prepared){.public.api = &handle_api, .holders = 1, .fd = fd,
                                  .status = answer->status, .offset = offset, .length = length};
    struct answer_date date = {0}; /* that of the request is the loop's */
    char *end = answer_put_head(prepared->bytes, answer, &date);
    prepared->date_at = (size_t)(strchr(prepared->bytes, '\n') + 1 - prepared->bytes);
    if (answer->fields.length > 0)
        put(&end, answer->fields.data, answer->fields.length);
    put(&end, "\r\n", 2);
    prepared->head_length = (size_t)(end - prepared->bytes);
    if (copied > 0)
        put(&end, body, copied);
    if (length == 0 || (fd < 0 && length <= ANSWER_SMALL))
        prepared->whole = prepared->head_length + length;
    return prepared;
}

void prepared_hold(struct prepared *prepared)
{
    atomic_fetch_add_explicit(&prepared->holders, 1, memory_order_relaxed);
}

void prepared_drop(struct prepared *prepared)
{
    if (atomic_fetch_sub_explicit(&prepared->holders, 1, memory_order_acq_rel) > 1)
        return;
    if (prepared->fd >= 0)
        close(prepared->fd);
    free(prepared);
}

static void release(void *arg)
{
    prepared_drop(arg);
}

/* What is too long to be copied. */
static bool send_body(struct prepared *prepared, reeve_conn *conn)
{
    const char *body = prepared->bytes + prepared->head_length;
    int result;
    prepared_hold(prepared);
    if (prepared->fd >= 0)
        result = reeve_send_file(conn, prepared->fd, prepared->offset, prepared->length, release,
                                 prepared);
    else
        result = reeve_send_borrowed(conn, body, prepared->length, release, prepared);
    if (result != 0)
        prepared_drop(prepared);
    return result == 0;
}

/* Not inlined: most answers are sent as they were prepared. */
static __attribute__((noinline)) bool queue_other(struct prepared *prepared,
                                                  struct request *request, reeve_conn *conn)
{
    const bool plain = answer_is_plain(request);
    const bool bodied = prepared->length > 0 && !request->headless;
    const bool small = bodied && prepared->fd < 0 && prepared->length <= ANSWER_SMALL;
    const size_t head = prepared->head_length, body = small ? prepared->length : 0;
    size_t room = head + body + (plain ? 0 : answer_head_room(&request->answer));
    char *start = reeve_reserve(conn, room), *at = start;
    if (start == NULL)
        return false;
    if (plain) {
        put(&at, prepared->bytes, head + body);
    } else {
        put(&at, prepared->bytes, head - 2); /* its empty line comes later */
        at = answer_put_own(at, request);
        put(&at, prepared->bytes + head, body);
    }
    answer_put_date(start + prepared->date_at, &request->home->date);
    reeve_commit(conn, (size_t)(at - start));
    return !bodied || small || send_body(prepared, conn);
}

static inline bool queue(struct prepared *prepared, struct request *request, reeve_conn *conn)
{
    const size_t whole = prepared->whole;
    if (whole == 0 || request->headless || !answer_is_plain(request))
        return queue_other(prepared, request, conn);
    char *start = reeve_append(conn, whole);
    if (start == NULL)
        return false;
    memcpy(start, prepared->bytes, whole);
    answer_put_date(start + prepared->date_at, &request->home->date);
    return true;
}

bool prepared_send(struct prepared *prepared, struct request *request, reeve_conn *conn)
{
    return queue(prepared, request, conn);
}

int prepared_reply(struct reeve_request *public, reeve_prepared *given)
{
    struct request *request = request_of(public);
    struct prepared *prepared = (struct prepared *)(void *)given;
    if (!reply_is_open(request))
        return -1;
    struct answer *answer = &request->answer;
    answer->given = true;
    answer->fields.length = 0;
    answer->status = prepared->status;
    answer->length = prepared->length;
    if (request->conn == NULL) {
        prepared_hold(prepared);
        answer->prepared = prepared;
        return 0;
    }
    const bool queued = queue(prepared, request, request->conn);
    answer->begun = queued;
    answer->failed = !queued;
    return queued ? 0 : -1;
}

void prepared_free(reeve_prepared *prepared)
{
    prepared_drop((struct prepared *)(void *)prepared);
}
