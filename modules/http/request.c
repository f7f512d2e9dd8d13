/* One HTTP request: its memory. request-accept.c judges its head.
 *
 * Requests are kept for reuse by the loop thread that made them, so that a small request allocates
 * nothing.
 */
#include "config.h"

#include "access.h"
#include "answer.h"
#include "request.h"

#define SPARE_MAX 8         /* requests kept by a thread */
#define FIELDS_FIRST 16     /* header fields that there is room for at first */
#define HEAD_KEEP 8192      /* memory kept in a spare one */

static _Thread_local struct request_home thread_home;

/* The compiler would ask for it at each use. */
static struct request_home *find_home(void)
{
    struct request_home *home = &thread_home;
    __asm__("" : "+r"(home));
    return home;
}

static inline __attribute__((always_inline)) struct request *
new_at(struct request_home *home, reeve_conn *conn)
{
    struct request *request = home->spare;
    if (request != NULL) {
        home->spare = request->next;
        home->spares--;
    } else {
        request = calloc(1, sizeof *request);
        if (request == NULL)
            return NULL;
        request->public.api = &handle_api;
        request->answer.fd = -1;
        request->home = home;
    }
    request->peer = reeve_peer(conn);
    request->path = request->query = "";
    if (settings.timed)
        access_begin(request);
    parse_start(&request->parse, request->parse.fields, request->parse.room);
    request->parse.seen = &home->host;
    return request;
}

struct request *request_new(reeve_conn *conn)
{
    return new_at(find_home(), conn);
}

/* At the other one's home: where there is no pool, the caller stands in for the loop's thread. */
struct request *request_twin(const struct request *request, reeve_conn *conn)
{
    struct request *twin = new_at(request->home, conn);
    const struct parse *parse = &request->parse;
    if (twin == NULL)
        return NULL;
    while (twin->parse.room < parse->count)
        if (!request_grow(twin))
            goto failed;
    if (!bytes_add(&twin->head, request->head.data, request->head.length))
        goto failed;
    struct parse_field *fields = twin->parse.fields;
    unsigned room = twin->parse.room;
    twin->parse = *parse;
    twin->parse.fields = fields;
    twin->parse.room = room;
    if (parse->count > 0)
        memcpy(fields, parse->fields, parse->count * sizeof *fields);
    twin->site = request->site;
    twin->route = request->route;
    twin->began = request->began;
    twin->headless = request->headless;
    return twin;
failed:
    request_free(&twin);
    return NULL;
}

/* By steps: a head that only drips shall not cost what the largest one may. */
bool request_grow(struct request *request)
{
    struct parse *parse = &request->parse;
    unsigned room = parse->room > 0 ? parse->room * 2 : FIELDS_FIRST;
    struct parse_field *fields = reallocarray(parse->fields, room, sizeof *fields);
    if (fields == NULL)
        return false;
    parse->fields = fields;
    parse->room = room;
    return true;
}

void request_lighten(struct request *request)
{
    answer_lighten(&request->answer); /* before the memory: over() may look at what lies there */
    request_memory_free(request);
    request->joined = NULL; /* lay there */
    bytes_reset(&request->body, 0);
}

static void request_reset(struct request *request)
{
    const size_t first = offsetof(struct request, conn), end = offsetof(struct request, id);
    if (request->credentials.length > 0 || request->unproven)
        auth_forget(request);
    bytes_reset(&request->head, HEAD_KEEP);
    bytes_reset(&request->body, HEAD_KEEP);
    answer_reset(&request->answer); /* before the memory: over() may look at what lies there */
    if (request_has_memory(request))
        request_memory_free(request);
    request->id[0] = '\0';
    word_zero((char *)request + first, end - first);
}

static void request_destroy(struct request *request)
{
    free(request->credentials.data);
    free(request->parse.fields);
    free(request->head.data);
    free(request->body.data);
    free(request->answer.fields.data);
    free(request->answer.trailers.data);
    free(request->answer.owned.data);
    free(request);
}

void request_free(struct request **pointer)
{
    struct request *request = *pointer;
    *pointer = NULL;
    if (request == NULL)
        return;
    request_reset(request);
    struct request_home *home = request->home;
    if (home->spares >= SPARE_MAX) {
        request_destroy(request);
        return;
    }
    request->next = home->spare;
    home->spare = request;
    home->spares++;
}

void request_thread_exit(void)
{
    struct request_home *home = find_home();
    while (home->spare != NULL) {
        struct request *next = home->spare->next;
        request_destroy(home->spare);
        home->spare = next;
    }
    *home = (struct request_home){0};
}
