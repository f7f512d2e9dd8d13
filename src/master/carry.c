/* Carrying values over an exec; see carry.h. Master, both images. The state is trusted, since only
 * a master can have made it, but it may come from another version: whatever does not fit is refused
 * by a sentence, unknown members are ignored and missing ones keep their default. */
#include "config.h"

#include "master/carry.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "master/reactor.h"

static struct {
    int number;
    bool copied;
} *fds;
static size_t fd_count, fd_room;

void carry_fd(int fd)
{
    if (fd <= STDERR_FILENO)
        return;
    if (fd_count == fd_room) {
        fd_room = fd_room ? 2 * fd_room : 64;
        fds = realloc(fds, fd_room * sizeof(*fds));
        if (!fds)
            abort();
    }
    fds[fd_count].number = fd;
    fds[fd_count++].copied = false;
}

void carry_keep_open(bool on)
{
    for (size_t i = 0; i < fd_count; i++)
        sys_set_cloexec(fds[i].number, !on);
}

void carry_forget(void)
{
    free(fds);
    fds = NULL;
    fd_count = fd_room = 0;
}

int carry_copy(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    for (size_t i = 0; copy >= 0 && i < fd_count; i++)
        if (fds[i].number == fd)
            fds[i].copied = true;
    return copy;
}

void carry_settle(void)
{
    carry_keep_open(false);
    for (size_t i = 0; i < fd_count; i++)
        if (fds[i].copied)
            close(fds[i].number);
    carry_forget();
}

void carry_timer(struct timer *timer)
{
    bool set = timer->set;

    timer->set = false;
    if (set)
        timer_set(timer, timer->due - clock_fresh_ms());
}

/* ---------------------------------------------------------------- bytes ------------ */

/* A JSON text must be UTF-8. Bytes that are not become an array of numbers. */
json_t *carry_bytes(const char *bytes, size_t length)
{
    json_t *value = json_stringn(length ? bytes : "", length);

    if (value)
        return value;
    value = json_array();
    for (size_t i = 0; i < length; i++)
        json_array_append_new(value, json_integer((unsigned char)bytes[i]));
    return value;
}

char *carry_bytes_take(const json_t *value, size_t *length)
{
    char *bytes;

    *length = json_is_string(value) ? json_string_length(value) : json_array_size(value);
    if (!json_is_string(value) && !json_is_array(value))
        return NULL;
    bytes = calloc(*length + 1, 1);
    if (!bytes)
        abort();
    if (json_is_string(value))
        memcpy(bytes, json_string_value(value), *length);
    else
        for (size_t i = 0; i < *length; i++)
            bytes[i] = (char)json_integer_value(json_array_get(value, i));
    return bytes;
}

bool carry_list(const json_t *object, const char *name, size_t *count, struct buf *error)
{
    const json_t *list = json_object_get(object, name);

    *count = json_array_size(list);
    if (!list || json_is_array(list))
        return true;
    buf_printf(error, "the state's %s is no list\n", name);
    return false;
}

bool carry_each(const json_t *object, const char *name, carry_take *take, struct buf *error)
{
    const json_t *list = json_object_get(object, name);
    size_t count;

    if (!carry_list(object, name, &count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!take(json_array_get(list, i), error))
            return false;
    return true;
}

/* ---------------------------------------------------------------- fields ----------- */

static json_t *fd_put(int fd)
{
    carry_fd(fd);
    return fd < 0 ? json_null() : json_integer(fd);
}

static json_t *field_put(enum field_type type, const void *at)
{
    const char *text;

    switch (type) {
    case FIELD_BOOL:
        return json_boolean(*(const bool *)at);
    case FIELD_INT:
        return json_integer(*(const int *)at);
    case FIELD_U32:
        return json_integer(*(const uint32_t *)at);
    case FIELD_I64:
        return json_integer(*(const int64_t *)at);
    case FIELD_U64:
        return json_integer((json_int_t) * (const uint64_t *)at);
    case FIELD_TEXT:
        text = *(char *const *)at;
        return text ? carry_bytes(text, strlen(text)) : json_null();
    case FIELD_FD:
        break;
    }
    return fd_put(*(const int *)at);
}

json_t *fields_put(const struct field *fields, const void *structure)
{
    json_t *object = json_object();

    for (; fields->name; fields++)
        json_object_set_new(object, fields->name,
                            field_put(fields->type, (const char *)structure + fields->offset));
    return object;
}

static bool number_take(const json_t *value, json_int_t low, json_int_t high, json_int_t *number)
{
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= low && *number <= high;
}

static bool text_take(const json_t *value, char **text)
{
    size_t length;

    *text = NULL;
    return json_is_null(value) || (*text = carry_bytes_take(value, &length)) != NULL;
}

static bool fd_take(const json_t *value, int *fd)
{
    json_int_t number;

    *fd = -1;
    if (json_is_null(value))
        return true;
    if (!number_take(value, 0, INT_MAX, &number) || fcntl((int)number, F_GETFD) < 0)
        return false;
    *fd = (int)number;
    carry_fd(*fd);
    return true;
}

static bool field_take(enum field_type type, const json_t *value, void *at)
{
    json_int_t number;
    bool ok = true;

    switch (type) {
    case FIELD_BOOL:
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value);
    case FIELD_INT:
        ok = number_take(value, INT_MIN, INT_MAX, &number);
        *(int *)at = (int)number;
        return ok;
    case FIELD_U32:
        ok = number_take(value, 0, UINT32_MAX, &number);
        *(uint32_t *)at = (uint32_t)number;
        return ok;
    case FIELD_I64:
        ok = number_take(value, INT64_MIN, INT64_MAX, &number);
        *(int64_t *)at = number;
        return ok;
    case FIELD_U64:
        ok = number_take(value, INT64_MIN, INT64_MAX, &number);
        *(uint64_t *)at = (uint64_t)number;
        return ok;
    case FIELD_TEXT:
        return text_take(value, at);
    case FIELD_FD:
        break;
    }
    return fd_take(value, at);
}

bool fields_take(const struct field *fields, const json_t *object, void *structure,
                 const char *what, struct buf *error)
{
    if (!json_is_object(object)) {
        buf_printf(error, "the state has no %s\n", what);
        return false;
    }
    for (; fields->name; fields++) {
        const json_t *value = json_object_get(object, fields->name);

        if (!value || field_take(fields->type, value, (char *)structure + fields->offset))
            continue;
        buf_printf(error, "the state's %s of a %s cannot be used\n", fields->name, what);
        return false;
    }
    return true;
}
