/* One request and its answer: events as they come, then the result. reevectl, one thread. */
#include "config.h"

#include "ctl/talk.h"

#include <string.h>

#include "base/clock.h"

const char *json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

int64_t json_int(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    double number = json_real_value(value);

    if (json_is_integer(value))
        return json_integer_value(value);
    return number > -1e18 && number < 1e18 ? (int64_t)number : 0;
}

double json_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* A result or an event; NULL with a line in `error`. */
static json_t *parse(const struct buf *line, struct buf *error)
{
    json_t *object = json_loadb(buf_text(line), line->length, 0, NULL);

    if (!json_is_object(object)) {
        buf_adds(error, "the answer is not JSON: is this the control socket of a reeved?");
        json_decref(object);
        return NULL;
    }
    return object;
}

static int no_result(enum client_read got, const struct request *request, struct buf *error)
{
    switch (got) {
    case CLIENT_CLOSED:
        if (request->until_closed)
            return CONTROL_DONE;
        buf_adds(error, request->follow
                            ? "the server has gone"
                            : "the server closed the connection before it answered");
        return CONTROL_REFUSED;
    case CLIENT_LATE:
        buf_printf(error, "no answer in %lld s; what was asked for may still go on",
                   (long long)(request->limit / 1000));
        return CONTROL_TIMED_OUT;
    case CLIENT_LINE:
    case CLIENT_FAILED:
        break;
    }
    return CONTROL_REFUSED;
}

static int code_of(const json_t *result)
{
    int64_t code = json_int(result, "code");

    return code >= CONTROL_DONE && code <= CONTROL_ROLLED_BACK ? (int)code : CONTROL_REFUSED;
}

int talk(struct client *client, const struct request *request, talk_event_f *on_event, void *arg,
         json_t **result, struct buf *error)
{
    int64_t deadline =
        request->limit == REQUEST_FOREVER ? -1 : clock_fresh_ms() + request->limit;
    struct buf line = {0};
    int code = -1;

    *result = NULL;
    if (!client_send(client, &request->line, error))
        return CONTROL_REFUSED;
    while (code < 0) {
        enum client_read got = client_line(client, deadline, &line, error);
        json_t *object = got == CLIENT_LINE ? parse(&line, error) : NULL;

        if (got != CLIENT_LINE)
            code = *result ? code_of(*result) : no_result(got, request, error);
        else if (!object)
            code = CONTROL_REFUSED;
        else if (strcmp(json_text(object, "type"), "result") != 0)
            on_event(object, arg);
        else if (!*result)
            *result = json_incref(object);
        if (code < 0 && *result && (!request->until_closed || code_of(*result) != CONTROL_DONE))
            code = code_of(*result);
        json_decref(object);
    }
    buf_free(&line);
    return code;
}
