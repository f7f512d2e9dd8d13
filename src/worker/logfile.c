/* Access logs; see logfile.h.
 *
 * Worker. Files are opened in the main thread while loading and live until the process ends. Each
 * thread has a buffer of its own for each file, so writing takes no lock; a buffer goes out by one
 * write() to an O_APPEND file, whole lines only, and no thread sleeps before that. Reopening puts
 * the new file under the same descriptor number (dup2), so threads never see a change and the old
 * file is closed at once. */
#include "config.h"

#include "worker/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/append.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sys.h"
#include "reeve/module.h"
#include "share/board.h"
#include "share/channel.h"

#define LOGFILE_BUFFER 16384
/* A write costs the more for each line the fewer they are: half of what the log costs under load.
 * Lines wait only where the next turn follows at once, */
#define BUSY_TURN 16      /* events: the next turn will hardly find none */
#define TURNS_HELD 4      /* and no longer than so many turns, */
#define ENOUGH_HELD 12288 /* or until there are so many bytes of them */

struct reeve_logfile {
    struct reeve_logfile *next;
    int fd; /* -1: only tested */
    atomic_bool torn;
    atomic_size_t lost;   /* bytes that the error log has not told of yet */
    _Atomic int64_t said; /* when it did last, ms; 0: never */
    char path[];
};

struct pending {
    struct pending *next;
    struct reeve_logfile *file;
    size_t length;
    char data[LOGFILE_BUFFER];
};

static struct reeve_logfile *files;
static int source = -1;
static bool source_closed;
static _Thread_local struct pending *pendings;
static _Thread_local unsigned turns_held;
static _Thread_local struct board_thread *counted_on; /* NULL: nowhere */

void logfile_source(int channel)
{
    source = channel;
}

void logfile_close_source(void)
{
    source_closed = true;
}

/* Asks the master. The answer is the next message: nothing else is under way while loading. */
static int ask_master(const char *path, const char **error)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct msg ask = {.type = MSG_LOGFILE, .fd = -1, .text = path, .length = strlen(path)};
    struct msg answer;

    if (channel_send(source, &ask) < 0 || channel_recv(source, &answer, room, TO_WORKER) != 1 ||
        answer.type != MSG_LOGFILE) {
        *error = "the master does not answer";
        return -1;
    }
    if (answer.value != 0 || answer.fd < 0) {
        *error = room;
        sys_close(&answer.fd);
        return -1;
    }
    return answer.fd;
}

static int open_one(const char *path, const char **error)
{
    if (source < 0)
        return -1;
    if (strcmp(path, "stderr") == 0)
        return STDERR_FILENO;
    if (strcmp(path, "stdout") == 0)
        return STDOUT_FILENO;
    return ask_master(path, error);
}

reeve_logfile *reeve_logfile_open(const char *path, const char **error)
{
    struct reeve_logfile *file;

    for (file = files; file; file = file->next)
        if (strcmp(file->path, path) == 0)
            return file;
    *error = NULL;
    if (source_closed) {
        *error = "log files can only be opened while the configuration is read";
        return NULL;
    }
    file = calloc(1, sizeof(*file) + strlen(path) + 1);
    if (!file) {
        *error = "out of memory";
        return NULL;
    }
    strcpy(file->path, path);
    file->fd = open_one(path, error);
    if (*error) {
        free(file);
        return NULL;
    }
    file->next = files;
    files = file;
    return file;
}

/* What was lost, now and then. `why`: an errno, or 0: it takes lines again. */
static void tell_lost(struct reeve_logfile *file, int why)
{
    size_t lost;

    if (!log_is_due(&file->said, clock_fresh_ms()))
        return;
    lost = atomic_exchange(&file->lost, 0);
    errno = why;
    if (why)
        log_errno(LOG_LOG_LOST, "%s: %zu bytes of log lines are lost", file->path, lost);
    else
        log_msg(LOG_LOG_LOST, "%s: %zu bytes of log lines were lost; it takes lines again",
                file->path, lost);
}

static void pending_write(struct pending *pending)
{
    struct reeve_logfile *file = pending->file;
    size_t lost = 0;

    if (pending->length > 0)
        lost = append_lines(file->fd, pending->data, pending->length, &file->torn);
    int why = lost > 0 ? errno : 0;

    pending->length = 0;
    if (lost > 0) {
        atomic_fetch_add(&file->lost, lost);
        if (counted_on)
            board_add(&counted_on->unlogged, lost);
    }
    if (atomic_load_explicit(&file->lost, memory_order_relaxed) > 0)
        tell_lost(file, why);
}

static struct pending *pending_for(struct reeve_logfile *file)
{
    struct pending *pending = pendings;

    while (pending && pending->file != file)
        pending = pending->next;
    if (!pending) {
        pending = malloc(sizeof(*pending));
        if (!pending)
            return NULL;
        pending->file = file;
        pending->length = 0;
        pending->next = pendings;
        pendings = pending;
    }
    return pending;
}

void reeve_logfile_write(reeve_logfile *file, const char *line, size_t length)
{
    struct pending *pending = file->fd < 0 ? NULL : pending_for(file);

    if (!pending)
        return;
    if (length > LOGFILE_BUFFER - pending->length)
        pending_write(pending);
    if (length > LOGFILE_BUFFER)
        length = LOGFILE_BUFFER; /* longer than any line that a protocol's limits allow */
    memcpy(pending->data + pending->length, line, length);
    pending->length += length;
}

void logfile_flush(void)
{
    for (struct pending *pending = pendings; pending; pending = pending->next)
        pending_write(pending);
}

bool logfile_turn_end(int events)
{
    size_t most = 0;

    for (struct pending *pending = pendings; pending; pending = pending->next)
        most = pending->length > most ? pending->length : most;
    bool hold = most > 0 && most < ENOUGH_HELD && events >= BUSY_TURN && turns_held < TURNS_HELD;
    turns_held = hold ? turns_held + 1 : 0;
    if (!hold)
        logfile_flush();
    return hold;
}

void logfile_thread_begin(struct board_thread *record)
{
    counted_on = record;
}

void logfile_thread_end(void)
{
    while (pendings) {
        struct pending *pending = pendings;

        pending_write(pending);
        pendings = pending->next;
        free(pending);
    }
}

void logfile_reopened(const char *path, int fd)
{
    for (struct reeve_logfile *file = files; file; file = file->next)
        if (strcmp(file->path, path) == 0 && dup3(fd, file->fd, O_CLOEXEC) < 0)
            log_errno(LOG_LOG_OPEN_FAILED, "%s: the old file stays in use", path);
    sys_close(&fd);
}
