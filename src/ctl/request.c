/* From the words of the command line to a request line. What a verb takes is read from its
 * `arguments` in verbs.def, so usage, completion and this parser cannot differ:
 *     [--flag]   [--option VALUE]   [WORD]   WORD   [WORD WORD|WORD]   [--flag] [WORD]
 * reevectl, one thread; the request owns its line. */
#include "config.h"

#include "ctl/request.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

const struct verb_info verb_table[VERBS] = {
#define X(symbol, name, arguments, access, help) {name, arguments, help, access},
#include "share/verbs.def"
#undef X
};

#define RELOAD_WAIT 60    /* seconds, as the default of the option ready_timeout */
#define SECONDS_MAX 86400
#define ANSWER_GRACE 2000 /* ms that the server's own "timed out" may take to reach us */

/* How long an answer may take, in ms. Those that end with the work of a worker are limited by the
 * server as well; we only guard against a server that hangs. */
static int64_t limit_of(enum verb verb)
{
    switch (verb) {
    case VERB_STATUS:
    case VERB_GENERATIONS:
    case VERB_LISTENERS:
    case VERB_MODULES:
    case VERB_HEALTH:
    case VERB_VERSION:
    case VERB_LOG_LEVEL:
    case VERB_CRASHES:
    case VERB_QUARANTINE:
    case VERB_SLOW:
        return 10 * 1000;
    case VERB_CHECK:
    case VERB_ROLLBACK:
    case VERB_SCALE:
    case VERB_REOPEN_LOGS:
    case VERB_STACKS:
        return 120 * 1000;
    case VERB_UPGRADE:
        return 2 * RELOAD_WAIT * 1000 + ANSWER_GRACE; /* the self-test, then a reload */
    case VERB_RELOAD:
        return RELOAD_WAIT * 1000 + ANSWER_GRACE;
    case VERB_STOP:
    case VERB_RECYCLE:
    case VERB_EVENTS:
    case VERBS:
        break;
    }
    return REQUEST_FOREVER;
}

static bool find_verb(const char *word, enum verb *verb, struct buf *error)
{
    const char *names[VERBS];
    const char *near;

    for (int i = 0; i < VERBS; i++) {
        names[i] = verb_table[i].name;
        if (strcmp(names[i], word) == 0) {
            *verb = (enum verb)i;
            return true;
        }
    }
    near = text_nearest(word, names, VERBS);
    buf_printf(error, "unknown verb '%s'", word);
    if (near)
        buf_printf(error, "; did you mean '%s'?", near);
    else
        buf_adds(error, "; 'reevectl -h' lists them");
    return false;
}

static bool usage_error(const struct request *request, struct buf *error)
{
    const struct verb_info *info = &verb_table[request->verb];

    buf_printf(error, "; usage: reevectl %s%s%s", info->name, *info->arguments ? " " : "",
               info->arguments);
    return false;
}

/* Is "[--NAME" in the verb's arguments? If so, does a value follow it? */
static bool takes_option(const char *arguments, const char *name, size_t length, bool *value)
{
    for (const char *p = arguments; (p = strstr(p, "[--")); p++) {
        if (strncmp(p + 3, name, length) == 0 && (p[3 + length] == ']' || p[3 + length] == ' ')) {
            *value = p[3 + length] == ' ';
            return true;
        }
    }
    return false;
}

/* What stands behind the options. */
static const char *after_options(const char *arguments)
{
    while (text_starts(arguments, "[--")) {
        arguments += strcspn(arguments, "]");
        arguments += strspn(arguments, "] ");
    }
    return arguments;
}

/* The one word beside the options: 0 none, 1 may stand, 2 must stand. */
static int takes_word(const char *arguments)
{
    arguments = after_options(arguments);
    return arguments[0] == '\0' ? 0 : arguments[0] == '[' ? 1 : 2;
}

/* So many may stand there beside the options: "[show N|clear]" are two. */
static size_t most_words(const char *arguments)
{
    size_t words = takes_word(arguments) > 0;

    arguments = after_options(arguments);
    for (; words > 0 && *arguments && *arguments != ']'; arguments++)
        words += *arguments == ' ';
    return words;
}

/* --wait and --probation. The end of a probation is waited for, unless --wait says less. */
static bool add_seconds(struct request *request, const char *name, int length, const char *value,
                        struct buf *error)
{
    int64_t seconds;

    if (!text_int(value, &seconds) || seconds < 0 || seconds > SECONDS_MAX) {
        buf_printf(error, "--%.*s: '%s' is not a number of seconds from 0 to %d", length, name,
                   value, SECONDS_MAX);
        return false;
    }
    if (strncmp(name, "wait", (size_t)length) == 0)
        request->wait = seconds;
    else
        request->probation = seconds;
    return true;
}

static void end_reload(struct request *request)
{
    if (request->wait < 0)
        request->wait = RELOAD_WAIT + request->probation;
    request->limit = request->wait * 1000 + ANSWER_GRACE;
    buf_printf(&request->line, " wait=%lld", (long long)request->wait);
    if (request->probation)
        buf_printf(&request->line, " probation=%lld", (long long)request->probation);
}

/* Absolute: the server stands in another folder. */
static bool add_path(struct request *request, const char *path, struct buf *error)
{
    char folder[CONTROL_LINE];

    if (path[0] != '/') {
        if (!getcwd(folder, sizeof folder)) {
            buf_adds(error, "the working directory has no name; give an absolute path");
            return false;
        }
        buf_printf(&request->line, "%s/", folder);
    }
    buf_adds(&request->line, path);
    return true;
}

static bool add_binary(struct request *request, const char *path, struct buf *error)
{
    buf_adds(&request->line, " binary=");
    return add_path(request, path, error);
}

static void add_follow(struct request *request)
{
    request->follow = true;
    request->limit = REQUEST_FOREVER;
    buf_adds(&request->line, " follow");
}

const char *request_option(const char *word)
{
    if (strcmp(word, "-f") == 0)
        return "follow";
    return text_starts(word, "--") ? word + 2 : NULL;
}

/* One option at words[*i], `name`; moves *i over its value. */
static bool add_option(struct request *request, const char *name, char *const *words,
                       size_t count, size_t *i, struct buf *error)
{
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    bool wants_value;

    if (!takes_option(verb_table[request->verb].arguments, name, length, &wants_value)) {
        buf_printf(error, "'%s' does not take '%s'", words[0], words[*i]);
        return usage_error(request, error);
    }
    if (wants_value && !value && *i + 1 < count)
        value = words[++*i];
    if (wants_value != (value != NULL)) {
        buf_printf(error, "'--%.*s' %s", (int)length, name,
                   wants_value ? "needs a value" : "takes no value");
        return usage_error(request, error);
    }
    if (wants_value && request->verb == VERB_UPGRADE)
        return add_binary(request, value, error);
    if (wants_value)
        return add_seconds(request, name, (int)length, value, error);
    if (request->verb == VERB_STATUS)
        request->watch = true;
    else if (request->verb == VERB_SLOW)
        add_follow(request);
    else
        buf_printf(&request->line, " %.*s", (int)length, name);
    return true;
}

static bool add_word(struct request *request, const char *word, struct buf *error)
{
    buf_addc(&request->line, ' ');
    if (request->verb == VERB_CHECK)
        return add_path(request, word, error);
    buf_adds(&request->line, word);
    return true;
}

static bool add_words(struct request *request, char *const *words, size_t count,
                      struct buf *error)
{
    int takes = takes_word(verb_table[request->verb].arguments);
    size_t most = most_words(verb_table[request->verb].arguments), found = 0;
    const char *word = NULL, *second = NULL, *option;
    bool options = true;

    for (size_t i = 1; i < count; i++) {
        if (options && strcmp(words[i], "--") == 0) {
            options = false;
        } else if (options && (option = request_option(words[i]))) {
            if (!add_option(request, option, words, count, &i, error))
                return false;
        } else if (found == most) {
            buf_printf(error, "'%s' is one word too many", words[i]);
            return usage_error(request, error);
        } else {
            *(found++ == 0 ? &word : &second) = words[i];
        }
    }
    if (word && request->verb == VERB_SLOW && request->follow) {
        buf_printf(error, "'--follow' and '%s' are two things; say one", word);
        return usage_error(request, error);
    }
    if (!word && takes == 2) {
        buf_printf(error, "'%s' needs %s", words[0], verb_table[request->verb].arguments);
        return usage_error(request, error);
    }
    if (!word && request->verb == VERB_RECYCLE)
        word = "all";
    if (request->verb == VERB_RELOAD)
        end_reload(request);
    return !word || (add_word(request, word, error) &&
                     (!second || add_word(request, second, error)));
}

bool request_build(struct request *request, char *const *words, size_t count, struct buf *error)
{
    *request = (struct request){.wait = -1};
    if (!find_verb(words[0], &request->verb, error))
        return false;
    request->limit = limit_of(request->verb);
    request->until_closed = request->verb == VERB_STOP;
    request->follow = request->verb == VERB_EVENTS;
    buf_adds(&request->line, words[0]);
    if (!add_words(request, words, count, error))
        return false;
    if (strpbrk(buf_text(&request->line), "\r\n") || request->line.length + 1 > CONTROL_LINE) {
        buf_printf(error, "'%s': the argument is too long or holds a line break", words[0]);
        return false;
    }
    buf_addc(&request->line, '\n');
    return true;
}

void request_free(struct request *request)
{
    buf_free(&request->line);
}
