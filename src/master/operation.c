/* Operations; see operation.h.
 *
 * Master. An operation is begun with one thing to wait for, the act itself; parts that work for it
 * add theirs. It finishes once, is told to its clients and the log, kept as a result, and freed. */
#include "config.h"

#include "master/operation.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "master/logs.h"
#include "master/state.h"

static struct list operations = {&operations, &operations};
static uint32_t last_number;
static struct result results[RESULTS_KEPT];
static int result_count;
static operation_follower *follower;

static const char *const verb_names[VERBS] = {
#define X(symbol, name, arguments, access, help) name,
#include "share/verbs.def"
#undef X
};

void operation_follow(operation_follower *follow)
{
    follower = follow;
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
    if (operation->code == CONTROL_DONE || master.state != MASTER_STARTING || !logs_to_stderr())
        say_result(operation);
    remember(operation);
    if (follower)
        follower(operation);
    buf_free(&operation->text);
    json_decref(operation->data);
    free(operation);
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
