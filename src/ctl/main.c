/* reevectl: asks a running reeved over its control socket and prints the answer. One thread.
 * The exit status is the result's code; mistakes in the command line and a server that cannot be
 * reached are 1. What was asked for goes to stdout, what went wrong to stderr. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/request.h"
#include "ctl/show.h"
#include "ctl/symbols.h"
#include "ctl/talk.h"
#include "ctl/watch.h"

struct output {
    bool json;
    bool colours;
    enum verb verb;
};

static int complain(const struct buf *error)
{
    fflush(stdout);
    if (error->length > 0)
        fprintf(stderr, "reevectl: %s\n", buf_text(error));
    return CONTROL_REFUSED;
}

static bool colours_wanted(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fd) && !(no_colour && *no_colour) && !(terminal && strcmp(terminal, "dumb") == 0);
}

static void print_json(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    if (text)
        puts(text);
    free(text);
}

static void add_symbols(const json_t *list)
{
    json_t *stack;
    size_t i;

    json_array_foreach(list, i, stack)
        symbols_add(stack);
}

/* An entry of the slow log, as it comes. */
static void print_slow(const json_t *entry, const struct output *output)
{
    json_t *list = json_pack("[o]", json_deep_copy(entry));
    struct buf text = {0};

    add_symbols(list);
    if (output->json)
        print_json(json_array_get(list, 0));
    else
        show_stacks(list, output->colours, &text);
    fputs(buf_text(&text), stdout);
    buf_free(&text);
    json_decref(list);
}

/* Events are what `events` is for; of other verbs they are the steps on the way to the result. */
static void print_event(const json_t *event, void *arg)
{
    const struct output *output = arg;
    struct buf text = {0};

    if (strcmp(json_text(event, "type"), "slow") == 0) {
        print_slow(json_object_get(event, "entry"), output);
    } else if (output->verb != VERB_EVENTS) {
        if (!output->json || output->verb == VERB_SLOW)
            show_step(event, &text);
        fputs(buf_text(&text), stderr);
    } else if (output->json) {
        print_json(event);
    } else {
        show_event(event, output->colours, &text);
        fputs(buf_text(&text), stdout);
    }
    fflush(stdout);
    buf_free(&text);
}

/* Of an answer to a question --json prints the data, of all others the whole result. */
static void print_result(const json_t *result, int code, const struct output *output)
{
    const json_t *data = json_object_get(result, "data");
    struct buf text = {0};

    symbols_add(json_object_get(data, "crash"));
    add_symbols(json_object_get(data, "stacks"));
    add_symbols(json_object_get(data, "slow"));
    if (output->json) {
        print_json(show_has_data(output->verb, result) ? data : result);
        return;
    }
    if (output->verb == VERB_STOP && code == CONTROL_DONE)
        buf_adds(&text, "stopped\n"); /* it said "stopping", and has gone since */
    else
        show_result(output->verb, result, output->colours, &text);
    fputs(buf_text(&text), code == CONTROL_DONE || output->verb == VERB_HEALTH ? stdout : stderr);
    buf_free(&text);
}

static int ask(struct client *client, const struct request *request, struct output *output,
               struct buf *error)
{
    json_t *result = NULL;
    int code;

    if (request->watch)
        return watch(client, request, output->json, output->colours, error);
    code = talk(client, request, print_event, output, &result, error);
    if (result)
        print_result(result, code, output);
    else if (code == CONTROL_DONE) /* the server went away without a word, as it was told to */
        puts(output->json ? "{\"type\":\"result\",\"code\":0,\"text\":\"stopped\",\"data\":null}"
                          : "stopped");
    json_decref(result);
    return code;
}

/* The user's own server; where there is none, that of the machine, which may let us look. */
static const char *default_path(void)
{
    const char *said = getenv("REEVE_CONTROL");
    const char *own = control_default_path();

    if (said && *said)
        return said;
    return access(own, F_OK) != 0 && access(RUN_PATH "/control.sock", F_OK) == 0
               ? RUN_PATH "/control.sock"
               : own;
}

static int run(const struct options *options, struct buf *error)
{
    struct output output = {.json = options->json, .colours = colours_wanted(STDOUT_FILENO)};
    struct client client = {.fd = -1};
    struct request request = {0};
    int code = CONTROL_REFUSED;
    const char *path = options->socket ? options->socket : default_path();

    if (request_build(&request, options->words, options->word_count, error)) {
        output.verb = request.verb;
        if (client_connect(&client, path, error))
            code = ask(&client, &request, &output, error);
    }
    if (error->length > 0)
        complain(error);
    client_close(&client);
    request_free(&request);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct buf error = {0};
    struct buf usage = {0};
    int code = CONTROL_DONE;

    options_put_usage(&usage);
    if (!options_read(&options, argc, argv, &error))
        code = complain(&error);
    else if (options.help)
        fputs(buf_text(&usage), stdout);
    else if (options.version)
        printf("reevectl %s (control protocol %d)\n", PACKAGE_VERSION, CONTROL_PROTOCOL);
    else if (options.word_count == 0)
        code = (fputs(buf_text(&usage), stderr), CONTROL_REFUSED);
    else
        code = run(&options, &error);
    if (fflush(stdout) != 0 && code == CONTROL_DONE)
        code = CONTROL_REFUSED;
    options_free(&options);
    buf_free(&usage);
    buf_free(&error);
    return code;
}
