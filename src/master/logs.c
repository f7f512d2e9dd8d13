/* Log files; see logs.h.
 *
 * Master. Workers have no right to open log files; they ask while they load, and get descriptors.
 * The list holds what was asked for, with the generation that asked last, so that a file which is
 * no longer configured is not created again after a rotation. */
#include "config.h"

#include "master/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "conf/conf.h"
#include "master/carry.h"
#include "master/generation.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/state.h"
#include "master/workers.h"

struct logfile {
    struct list node;
    uint32_t generation; /* the newest that asked for it */
    char *path;
};

static struct list files = {&files, &files};
static bool level_set;

/* Where an error log goes. */
struct sink {
    char *path; /* NULL: standard error or syslog */
    int fd;     /* -1: syslog */
};
static struct sink sink = {.fd = STDERR_FILENO};
static struct sink trial; /* of the generation on trial; it may be the same descriptor */

/* Opened with the master's rights in a folder that may be another's: no link is followed (but for
 * /dev, where /dev/stdout is one), and nothing that could block, like a pipe without reader,
 * does. */
static int open_file(const char *path)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

    return open(path, strncmp(path, "/dev/", 5) == 0 ? flags : flags | O_NOFOLLOW, 0640);
}

int logs_fd(bool on_trial)
{
    return on_trial ? trial.fd : sink.fd;
}

void logs_set_level(enum reeve_level level)
{
    level_set = true;
    log_set_level(level);
    list_each(g, &master.generations)
        list_each(w, &list_entry(g, struct generation, node)->workers)
            worker_tell(list_entry(w, struct worker, node), MSG_LEVEL, 0, (int)level, -1, NULL);
}

bool logs_level_is_set(void)
{
    return level_set;
}

bool logs_try(const struct core *core, struct buf *error)
{
    bool is_stderr = strcmp(core->error_log, "stderr") == 0;
    bool is_file = !is_stderr && strcmp(core->error_log, "syslog") != 0;

    /* A detached server has no standard error that anybody sees. */
    trial.fd = is_stderr && !master.options->detach ? STDERR_FILENO : -1;
    if (!is_file)
        return true;
    trial.fd = sink.path && strcmp(sink.path, core->error_log) == 0 ? sink.fd
                                                                    : open_file(core->error_log);
    if (trial.fd < 0) {
        conf_collect_errors(error);
        reeve_conf_error(conf_root(core->conf), "error_log",
                         "%s cannot be opened: %s; check folder and permissions", core->error_log,
                         strerror(errno));
        return false;
    }
    trial.path = strdup(core->error_log);
    return true;
}

static void sink_close(struct sink *which, int kept)
{
    if (which->fd > STDERR_FILENO && which->fd != kept)
        sys_close(&which->fd);
    free(which->path);
    which->path = NULL;
}

void logs_adopt(const struct core *core)
{
    sink_close(&sink, trial.fd);
    sink = trial;
    trial.path = NULL;
    log_open(sink.fd, core->log_format);
    log_set_level(core->log_level);
    level_set = false;
}

void logs_abandon(void)
{
    sink_close(&trial, sink.fd);
}

static void remember(const char *path, uint32_t generation)
{
    struct logfile *file;

    list_each(node, &files) {
        file = list_entry(node, struct logfile, node);
        if (strcmp(file->path, path) == 0) {
            if (file->generation < generation)
                file->generation = generation;
            return;
        }
    }
    file = calloc(1, sizeof(*file));
    if (!file || !(file->path = strdup(path)))
        abort();
    file->generation = generation;
    list_append(&files, &file->node);
}

void logs_ask(struct worker *worker, const char *path)
{
    int fd = open_file(path);
    const char *why = strerror(errno);

    if (fd >= 0)
        remember(path, worker->generation->number);
    worker_tell(worker, MSG_LOGFILE, 0, fd < 0, fd, fd < 0 ? why : path);
    sys_close(&fd);
}

static void to_all_workers(enum msg_type type, int fd, const char *path)
{
    list_each(g, &master.generations)
        list_each(w, &list_entry(g, struct generation, node)->workers) {
            struct worker *worker = list_entry(w, struct worker, node);

            if (worker->loaded)
                worker_tell(worker, type, 0, 0, fd, path);
        }
}

/* Opens one path again; the result notes a failure, and the old file stays in use. */
static int open_again(const char *path, struct operation *operation)
{
    int fd = open_file(path);

    if (fd < 0) {
        say(LOG_LOG_OPEN_FAILED, "%s: %s; the old file stays in use", path, strerror(errno));
        operation_result(operation, CONTROL_REFUSED,
                         "%s cannot be opened: %s; the old file stays in use", path,
                         strerror(errno));
    }
    return fd;
}

static void reopen_error_log(struct operation *operation)
{
    int fd = sink.path ? open_again(sink.path, operation) : -1;

    if (fd < 0)
        return;
    dup3(fd, sink.fd, O_CLOEXEC); /* in place */
    if (master.options->detach)
        dup2(fd, STDERR_FILENO);
    say(LOG_LOGS_REOPENED, "%s", sink.path);
    to_all_workers(MSG_LOG, fd, NULL);
    sys_close(&fd);
}

static void reopen_file(struct logfile *file, uint32_t oldest, struct operation *operation)
{
    int fd;

    if (file->generation < oldest) {
        list_remove(&file->node);
        free(file->path);
        free(file);
        return;
    }
    fd = open_again(file->path, operation);
    if (fd >= 0) {
        say(LOG_LOGS_REOPENED, "%s", file->path);
        to_all_workers(MSG_LOGFILE, fd, file->path);
    }
    sys_close(&fd);
}

void logs_reopen(struct operation *operation)
{
    uint32_t oldest = master.last_generation;

    operation_result(operation, CONTROL_DONE, "log files opened again");
    if (!list_empty(&master.generations))
        oldest = list_entry(master.generations.next, struct generation, node)->number;
    reopen_error_log(operation);
    list_each_safe(node, &files)
        reopen_file(list_entry(node, struct logfile, node), oldest, operation);
    list_each(g, &master.generations)
        list_each(w, &list_entry(g, struct generation, node)->workers) {
            struct worker *worker = list_entry(w, struct worker, node);

            if (!worker->loaded)
                continue;
            worker_await_ack(worker, operation);
            worker_tell(worker, MSG_REOPENED, operation->number, 0, -1, NULL);
        }
    operation_ack(operation);
}

/* ---------------------------------------------------------------- upgrade ---------- */

static const struct field sink_fields[] = {
    FIELD(TEXT, struct sink, path),
    FIELD(FD, struct sink, fd),
    FIELDS_END,
};
static const struct field file_fields[] = {
    FIELD(TEXT, struct logfile, path),
    FIELD(U32, struct logfile, generation),
    FIELDS_END,
};

json_t *logs_put(void)
{
    json_t *list = json_array();

    list_each(node, &files)
        json_array_append_new(list,
                              fields_put(file_fields, list_entry(node, struct logfile, node)));
    return json_pack("{s:o,s:b,s:i,s:i,s:o}", "sink", fields_put(sink_fields, &sink), "level_set",
                     level_set, "level", (int)log_level(), "format", (int)log_opened_format(),
                     "files", list);
}

bool logs_take(const json_t *object, struct buf *error)
{
    const json_t *list = json_object_get(object, "files");
    const json_t *level = json_object_get(object, "level");
    size_t count;

    if (!carry_list(object, "files", &count, error) ||
        !fields_take(sink_fields, json_object_get(object, "sink"), &sink, "error log", error))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct logfile file = {0};

        if (!fields_take(file_fields, json_array_get(list, i), &file, "log file", error))
            return false;
        if (file.path)
            remember(file.path, file.generation);
        free(file.path);
    }
    level_set = json_is_true(json_object_get(object, "level_set"));
    if (json_is_integer(level) && json_integer_value(level) >= REEVE_LOG_ERROR &&
        json_integer_value(level) <= REEVE_LOG_DEBUG)
        log_set_level((enum reeve_level)json_integer_value(level));
    log_open(sink.fd, json_integer_value(json_object_get(object, "format")) == LOG_JSON ? LOG_JSON
                                                                                      : LOG_TEXT);
    return true;
}
