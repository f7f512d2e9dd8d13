/* The error log: one line a message, text or JSON, to a descriptor or to syslog.
 *
 * A line carries level, time with microseconds, process, thread, a stable tag and the text. Every
 * message of the program is declared once in log-tags.def. Any thread may log; a line is one
 * write(), which never blocks: what a full pipe would not take is counted and said later. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include <stdbool.h>
#include <stdint.h>

#include "reeve/module.h"

enum log_tag {
#define X(symbol, tag, level, help) LOG_##symbol,
#include "base/log-tags.def"
#undef X
    LOG_TAGS
};

enum log_format { LOG_TEXT, LOG_JSON };

struct log_tag_info {
    const char *tag;
    enum reeve_level level;
    const char *help;
};
extern const struct log_tag_info log_tags[LOG_TAGS];
extern const char *const log_level_names[]; /* indexed by enum reeve_level, "error" first */

/* Where lines go. `fd` stays owned by the caller; -1: syslog. Not thread-safe against itself. */
void log_open(int fd, enum log_format format);
/* In a process just forked: the connection to syslog is the other one's. */
void log_forked(void);
enum log_format log_opened_format(void);
bool log_to_stderr(void);
void log_set_level(enum reeve_level level); /* any thread */
enum reeve_level log_level(void);
bool log_level_parse(const char *name, enum reeve_level *level);
/* What happens often is told every ten seconds at most: may it be told now? If so it counts as told.
 * `said`: ms, when it was told last, 0: never; `now`: ms of either clock of clock.h. Any thread: of
 * several that ask at once one may. */
bool log_is_due(_Atomic int64_t *said, int64_t now);
/* The calling thread's name in the log: "master", "main", "loop-0", "pool-3". Copied. */
void log_thread_name(const char *name);

void log_msg(enum log_tag tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Same with strerror(errno) behind the text. */
void log_errno(enum log_tag tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_line(enum reeve_level level, const char *tag, const char *text);
#endif
