/* The error log; see log.h.
 *
 * Master and worker, every thread. A line is built on the caller's stack and written by one
 * write(), so lines of several processes do not mix. Before writing, the descriptor is asked
 * whether it takes PIPE_BUF bytes: a reader of a pipe that has stopped must not stop the server.
 * Lines lost that way are counted and the count is written with the next line that goes through. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/append.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "base/text.h"

#define LOG_TEXT_MAX 3000 /* with its frame a line stays below PIPE_BUF: atomic in a pipe */
#define SAID_EVERY 10000  /* ms */

const struct log_tag_info log_tags[LOG_TAGS] = {
#define X(symbol, tag, level, help) {tag, REEVE_LOG_##level, help},
#include "base/log-tags.def"
#undef X
};
const char *const log_level_names[] = {"error", "warning", "notice", "info", "debug"};
static const int syslog_levels[] = {LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};

static int log_fd = STDERR_FILENO;
static int syslog_fd = -1;
static enum log_format log_format;
static atomic_int level_limit = REEVE_LOG_NOTICE;
static atomic_uint lost;
static atomic_bool torn;
static _Thread_local char thread_name[16];

static void syslog_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

    sys_close(&syslog_fd);
    syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (syslog_fd >= 0 && connect(syslog_fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        sys_close(&syslog_fd);
}

void log_open(int fd, enum log_format format)
{
    log_fd = fd;
    log_format = format;
    if (fd < 0)
        syslog_connect();
    else
        sys_close(&syslog_fd);
}

enum log_format log_opened_format(void)
{
    return log_format;
}

bool log_is_due(_Atomic int64_t *said, int64_t now)
{
    int64_t last = atomic_load_explicit(said, memory_order_relaxed);

    return (!last || now - last >= SAID_EVERY) && atomic_compare_exchange_strong(said, &last, now);
}

bool log_to_stderr(void)
{
    return log_fd == STDERR_FILENO;
}

void log_set_level(enum reeve_level level)
{
    atomic_store(&level_limit, (int)level);
}

enum reeve_level log_level(void)
{
    return (enum reeve_level)atomic_load_explicit(&level_limit, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum reeve_level *level)
{
    for (int i = REEVE_LOG_ERROR; i <= REEVE_LOG_DEBUG; i++) {
        if (strcmp(name, log_level_names[i]) == 0) {
            *level = (enum reeve_level)i;
            return true;
        }
    }
    return false;
}

void log_thread_name(const char *name)
{
    snprintf(thread_name, sizeof(thread_name), "%s", name);
}

static void put_line(struct buf *line, enum reeve_level level, const char *tag, const char *text)
{
    const char *thread = thread_name[0] ? thread_name : "main", *name = log_level_names[level];
    size_t length = strnlen(text, LOG_TEXT_MAX);
    char stamp[CLOCK_STAMP];
    int pid = (int)getpid();

    clock_stamp(stamp);
    if (log_format == LOG_JSON) {
        buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%d", stamp, name, pid);
        buf_printf(line, ",\"thread\":\"%s\",\"tag\":\"%s\",\"text\":\"", thread, tag);
        text_put_json(line, text, length);
        buf_adds(line, "\"}\n");
    } else {
        buf_printf(line, "%s %s [%d %s] %s: ", stamp, name, pid, thread, tag);
        text_put_safe(line, text, length);
        buf_addc(line, '\n');
    }
}

/* True if a write of a line will not block. */
static bool takes_a_line(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT);
}

static bool put_out(const struct buf *line)
{
    return !line->failed && takes_a_line(log_fd) &&
           append_lines(log_fd, line->data, line->length, &torn) == 0;
}

void log_forked(void)
{
    sys_close(&syslog_fd);
}

/* False: it did not take the line. The lock is for the descriptor, which a restart of the log
 * daemon makes us open again; nothing under it blocks. */
static bool to_syslog(enum reeve_level level, const char *tag, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct buf line = {0};
    bool ok;

    buf_printf(&line, "<%d>reeved[%d]: %s: ", LOG_DAEMON | syslog_levels[level], (int)getpid(),
               tag);
    text_put_safe(&line, text, strnlen(text, LOG_TEXT_MAX));
    pthread_mutex_lock(&lock);
    if (syslog_fd < 0)
        syslog_connect();
    ok = syslog_fd >= 0 && !line.failed &&
         send(syslog_fd, line.data, line.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    if (!ok && errno != EAGAIN)
        sys_close(&syslog_fd); /* the log daemon was restarted: connect again next time */
    pthread_mutex_unlock(&lock);
    buf_free(&line);
    return ok;
}

static bool to_file(enum reeve_level level, const char *tag, const char *text)
{
    struct buf line = {0};
    bool ok;

    put_line(&line, level, tag, text);
    ok = put_out(&line);
    buf_free(&line);
    return ok;
}

void log_line(enum reeve_level level, const char *tag, const char *text)
{
    bool (*put)(enum reeve_level, const char *, const char *) = log_fd < 0 ? to_syslog : to_file;
    unsigned missing;
    char said[64];
    int saved = errno;

    if (level > log_level())
        return;
    missing = atomic_exchange(&lost, 0);
    snprintf(said, sizeof(said), "%u line%s lost: the log did not take %s", missing,
             missing == 1 ? " was" : "s were", missing == 1 ? "it" : "them");
    if (missing > 0 && !put(log_tags[LOG_LOG_LOST].level, log_tags[LOG_LOG_LOST].tag, said))
        atomic_fetch_add(&lost, missing);
    if (!put(level, tag, text))
        atomic_fetch_add(&lost, 1);
    errno = saved;
}

__attribute__((format(printf, 4, 0))) static void
log_format_line(enum reeve_level level, const char *tag, const char *error, const char *format,
                va_list args)
{
    struct buf text = {0};

    buf_vprintf(&text, format, args);
    if (error)
        buf_printf(&text, ": %s", error);
    log_line(level, tag, buf_text(&text));
    buf_free(&text);
}

void log_msg(enum log_tag tag, const char *format, ...)
{
    va_list args;

    if (log_tags[tag].level > log_level())
        return;
    va_start(args, format);
    log_format_line(log_tags[tag].level, log_tags[tag].tag, NULL, format, args);
    va_end(args);
}

void log_errno(enum log_tag tag, const char *format, ...)
{
    const char *error = strerror(errno);
    va_list args;

    if (log_tags[tag].level > log_level())
        return;
    va_start(args, format);
    log_format_line(log_tags[tag].level, log_tags[tag].tag, error, format, args);
    va_end(args);
}

void reeve_log(enum reeve_level level, const char *tag, const char *format, ...)
{
    va_list args;

    if (level > log_level())
        return;
    va_start(args, format);
    log_format_line(level, tag, NULL, format, args);
    va_end(args);
}
