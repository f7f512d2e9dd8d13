/* Operations; see operation.h.
 *
 * Master. An operation is begun with one thing to wait for, the act itself; parts that work for it
 * add theirs. It finishes once, is told to its clients and the log, kept as a result, and freed. */
#include "config.h"

#include "master/operation.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "master/carry.h"
#include "master/state.h"

static struct list operations = {&operations, &operations};
static uint32_t last_number;
static struct result results[RESULTS_KEPT];
static int result_count;
static operation_follower *follower;
static void (*watcher)(void);

static const char *const verb_names[VERBS] = {
#define X(symbol, name, arguments, access, help) name,
#include "share/verbs.def"
#undef X
};

void operation_follow(operation_follower *follow)
{
    follower = follow;
}

void operation_watch(void (*ended)(void))
{
    watcher = ended;
}

struct operation *operation_new(enum verb verb)
{
    struct operation *operation = calloc(1, sizeof(*operation));

    if (!operation)
        abort();
    operation->number = ++last_number;
    operation->name = verb_names[verb];
    operation->waiting = 1;
    list_append(&operations, &operation->node);
    return operation;
}

struct operation *operation_resume(enum verb verb, uint32_t number)
{
    struct operation *operation = operation_new(verb);

    if (last_number > number)
        last_number--; /* it has its number already */
    operation->number = number;
    return operation;
}

const struct operation *operation_other(const struct operation *besides)
{
    list_each(node, &operations)
        if (list_entry(node, struct operation, node) != besides)
            return list_entry(node, struct operation, node);
    return NULL;
}

struct operation *operation_find(uint32_t number)
{
    list_each(node, &operations)
        if (list_entry(node, struct operation, node)->number == number)
            return list_entry(node, struct operation, node);
    return NULL;
}

void operation_result(struct operation *operation, enum control_code code, const char *format, ...)
{
    va_list args;

    if (!operation)
        return;
    buf_clear(&operation->text);
    va_start(args, format);
    buf_vprintf(&operation->text, format, args);
    va_end(args);
    while (operation->text.length > 0 && operation->text.data[operation->text.length - 1] == '\n')
        operation->text.data[--operation->text.length] = '\0';
    operation->code = code;
}

static void remember(const struct operation *operation)
{
    if (result_count == RESULTS_KEPT) {
        free(results[0].text);
        memmove(results, results + 1, sizeof(results) - sizeof(results[0]));
        result_count--;
    }
    results[result_count++] = (struct result){operation->number, operation->name, operation->code,
                                              strdup(buf_text(&operation->text))};
}

const struct result *operation_result_at(int index)
{
    return index < result_count ? &results[index] : NULL;
}

/* The log takes lines; a result may have several. */
static void say_result(const struct operation *operation)
{
    const char *line = buf_text(&operation->text);

    say(LOG_OPERATION, "operation %u (%s) ended with code %d", operation->number,
        operation->name, operation->code);
    while (*line) {
        int length = (int)strcspn(line, "\n");

        say(operation->code == CONTROL_DONE ? LOG_OPERATION : LOG_CONFIG_ERROR,
            "operation %u: %.*s", operation->number, length, line);
        line += length + (line[length] == '\n');
    }
}

static void operation_end(struct operation *operation)
{
    list_remove(&operation->node);
    if (operation->ended)
        operation->ended();
    /* A start that failed is told on stderr, in plain lines; once is enough. */
    if (operation->code == CONTROL_DONE || master.state != MASTER_STARTING || !log_to_stderr())
        say_result(operation);
    remember(operation);
    if (follower)
        follower(operation);
    buf_free(&operation->text);
    json_decref(operation->data);
    free(operation);
    if (watcher)
        watcher();
}

/* ---------------------------------------------------------------- upgrade ---------- */

static const struct field result_fields[] = {
    FIELD(U32, struct result, number),
    FIELD(TEXT, struct result, name),
    FIELD(INT, struct result, code),
    FIELD(TEXT, struct result, text),
    FIELDS_END,
};

json_t *operations_put(void)
{
    json_t *list = json_array();

    for (int i = 0; i < result_count; i++)
        json_array_append_new(list, fields_put(result_fields, &results[i]));
    return json_pack("{s:I,s:o}", "last", (json_int_t)last_number, "results", list);
}

/* The names live as long as the process. */
static const char *known_name(char *name)
{
    for (int i = 0; name && i < VERBS; i++) {
        if (strcmp(verb_names[i], name) != 0)
            continue;
        free(name);
        return verb_names[i];
    }
    return name ? name : "?";
}

bool operations_take(const json_t *object, struct buf *error)
{
    const json_t *list = json_object_get(object, "results");
    size_t count;

    if (!carry_list(object, "results", &count, error))
        return false;
    last_number = (uint32_t)json_integer_value(json_object_get(object, "last"));
    for (size_t i = count > RESULTS_KEPT ? count - RESULTS_KEPT : 0; i < count; i++) {
        struct result result = {0};

        if (!fields_take(result_fields, json_array_get(list, i), &result, "result", error))
            return false;
        result.name = known_name((char *)(uintptr_t)result.name);
        results[result_count++] = result;
    }
    return true;
}

void operation_wait(struct operation *operation)
{
    operation->waiting++;
}

void operation_ack(struct operation *operation)
{
    if (!operation)
        return;
    operation->waiting--;
    if (operation->waiting == 0)
        operation_end(operation);
    else if (operation->waiting == 1 && operation->alone)
        operation->alone();
}
