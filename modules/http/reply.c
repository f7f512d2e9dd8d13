/* What is answered: what a handler says of it, checked and kept in struct answer.
 *
 * Any thread, the one that has the request: nothing here touches the connection unless
 * request->conn says that it may. What must hold: a request has one answer, and who has asked to be
 * asked again has said nothing yet.
 */
#include "config.h"

#include <strings.h>
#include <unistd.h>

#include "answer.h"
#include "prepared.h"
#include "reply.h"
#include "stream.h"

/* ---------------------------------------------------------------- the answer -------- */

/* The answer has been said: queue it now, in the loop, or keep it until the job is done. */
static int give(struct request *request)
{
    request->answer.given = true;
    if (request->conn == NULL)
        return 0;
    request->answer.failed = !answer_send(request, request->conn);
    return request->answer.failed ? -1 : 0;
}

static bool make_page(struct request *request, int status, const char *why)
{
    struct answer *answer = &request->answer;
    const struct page *page =
        request->site != NULL ? pages_find(&request->site->pages, status) : NULL;
    if (page == NULL)
        return answer_page(answer, status, why);
    answer->status = status;
    strcpy(answer->type, page->type);
    answer->body = page->data;
    answer->length = page->length;
    return true;
}

int reply_page(struct request *request, int status, const char *why)
{
    if (!reply_is_open(request) || answer_reason(status) == NULL ||
        !make_page(request, status, why))
        return -1;
    return give(request);
}

/* ---------------------------------------------------------------- fields ------------ */

/* Fields that frame the answer or that the core writes itself. */
static const char *const reserved[] = {"connection", "content-length", "date", "keep-alive",
                                       "server", "transfer-encoding", NULL};

/* RFC 9110, 6.5.1: what must be known before the content, and so cannot follow it. */
static const char *const early[] = {
    "te", "trailer", "upgrade",                          /* framing */
    "host", "max-forwards", "via",                       /* routing */
    "cache-control", "expect", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "pragma", "range",            /* modifiers of a request */
    "authorization", "cookie", "proxy-authenticate", "proxy-authorization", "set-cookie",
    "www-authenticate",                                  /* authentication */
    "age", "expires", "location", "refresh", "retry-after", "vary", "warning", /* control */
    "content-disposition", "content-encoding", "content-language", "content-location",
    "content-range", "content-type",                     /* format of the content */
    NULL};

static bool is_in(const char *const *names, const char *name)
{
    while (*names != NULL && strcasecmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool is_reserved(const char *name)
{
    return is_in(reserved, name) ||
           (settings.request_id != NULL && strcasecmp(name, settings.request_id) == 0);
}

static bool is_value(const char *value)
{
    while (*value != '\0' && parse_is_value(*value))
        value++;
    return *value == '\0';
}

static bool is_name(const char *name)
{
    size_t n = 0;
    while (name[n] != '\0' && parse_is_token(name[n]))
        n++;
    return n > 0 && name[n] == '\0';
}

static int add_field(struct bytes *fields, const char *name, const char *value)
{
    if (name == NULL || value == NULL)
        return -1;
    size_t name_length = strlen(name), value_length = strlen(value);
    if (!is_name(name) || !is_value(value) || is_reserved(name) ||
        !bytes_room(fields, name_length + value_length + 4))
        return -1;
    bytes_add(fields, name, name_length);
    bytes_add(fields, ": ", 2);
    bytes_add(fields, value, value_length);
    bytes_add(fields, "\r\n", 2);
    return 0;
}

int reply_set_header(struct reeve_request *public, const char *name, const char *value)
{
    struct request *request = request_of(public);
    return reply_is_open(request) ? add_field(&request->answer.fields, name, value) : -1;
}

/* A stream takes them until its last piece. */
int reply_set_trailer(struct reeve_request *public, const char *name, const char *value)
{
    struct request *request = request_of(public);
    struct answer *answer = &request->answer;
    if ((!reply_is_open(request) && answer->stream.more == NULL) || name == NULL ||
        is_in(early, name))
        return -1;
    return add_field(&answer->trailers, name, value);
}

/* RFC 9110, 15.2: a client that speaks HTTP/1.0 does not know of these. 101 would end HTTP. */
int reply_interim(struct reeve_request *public, int status)
{
    struct request *request = request_of(public);
    if (!reply_is_open(request) || request->conn == NULL || status < 100 || status > 199 ||
        status == 101)
        return -1;
    if (request->parse.minor >= 1 &&
        !answer_interim(&request->answer, request->conn, status))
        return -1;
    request->answer.fields.length = 0;
    return 0;
}

/* ---------------------------------------------------------------- replies ----------- */

/* A handler may pass on the NULL, or as a length the -1, of what has failed. */
static bool is_data(const void *data, size_t length)
{
    return length == 0 || (data != NULL && length <= PTRDIFF_MAX);
}

static bool is_part(int fd, off_t offset, size_t length)
{
    return fd >= 0 && offset >= 0 && length <= (uint64_t)(INT64_MAX - offset);
}

/* Status and type of an answer, checked. */
static bool begin_reply(struct request *request, int status, const char *type)
{
    struct answer *answer = &request->answer;
    if (type == NULL)
        type = "";
    if (!reply_is_open(request) || answer_reason(status) == NULL || !is_value(type) ||
        strlen(type) >= sizeof answer->type)
        return false;
    answer->status = status;
    strcpy(answer->type, type);
    return true;
}

int reply_bytes(struct reeve_request *public, int status, const char *type, const void *body,
                size_t length)
{
    struct request *request = request_of(public);
    struct answer *answer = &request->answer;
    if (!is_data(body, length) || !begin_reply(request, status, type))
        return -1;
    answer->body = body;
    answer->length = length;
    if (request->conn == NULL) {
        answer->owned.length = 0;
        if (!bytes_add(&answer->owned, body, length))
            return -1;
        answer->body = answer->owned.data;
    }
    return give(request);
}

int reply_file(struct reeve_request *public, int status, const char *type, int fd, off_t offset,
               size_t length)
{
    struct request *request = request_of(public);
    if (!is_part(fd, offset, length) || !begin_reply(request, status, type)) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    request->answer.fd = fd;
    request->answer.offset = offset;
    request->answer.length = length;
    return give(request);
}

static reeve_prepared *prepare(struct request *request, int status, const char *type,
                               const void *body, int fd, off_t offset, size_t length)
{
    struct answer *answer = &request->answer;
    if (!(body != NULL ? is_data(body, length) : is_part(fd, offset, length)) ||
        !begin_reply(request, status, type))
        return NULL;
    answer->length = length; /* for the head */
    struct prepared *prepared = prepared_new(answer, body, fd, offset, length);
    answer->fields.length = answer->length = 0;
    return (reeve_prepared *)(void *)prepared;
}

reeve_prepared *reply_prepare(struct reeve_request *public, int status, const char *type,
                              const void *body, size_t length)
{
    if (body == NULL && length == 0)
        body = "";
    return prepare(request_of(public), status, type, body, -1, 0, length);
}

reeve_prepared *reply_prepare_file(struct reeve_request *public, int status, const char *type,
                                   int fd, off_t offset, size_t length)
{
    return prepare(request_of(public), status, type, NULL, fd, offset, length);
}

int reply_status(struct reeve_request *public, int status)
{
    return reply_page(request_of(public), status, NULL);
}

int reply_stream(struct reeve_request *public, int status, const char *type, uint64_t length,
                 int (*more)(struct reeve_request *, void *arg), void (*over)(void *arg),
                 void *arg)
{
    struct request *request = request_of(public);
    if (more == NULL || !begin_reply(request, status, type))
        return -1;
    struct answer *answer = &request->answer;
    answer->stream = (struct stream){.length = length, .more = more, .arg = arg};
    if (give(request) != 0)
        return -1;
    answer->stream.over = over;
    return 0;
}

int reply_write(struct reeve_request *public, const void *data, size_t length)
{
    return stream_write(request_of(public), data, length);
}
