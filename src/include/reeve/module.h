/* reeve/module.h: what every module is made of.
 *
 * A module is a shared object that exports one descriptor, made by REEVE_MODULE(). It is loaded
 * by workers only, never by the master, and never unloaded: it lives as long as its worker.
 * A module includes headers below reeve/ and nothing else of reeve.
 *
 *     cc $(pkg-config --cflags reeve) -shared -fPIC x.c -o x.so
 */
#ifndef REEVE_MODULE_H
#define REEVE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REEVE_API __attribute__((visibility("default")))
#define REEVE_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* The module interface is versioned apart from the program. A module is loaded when its magic and
 * major are equal to the server's and its minor is not newer. A minor step only adds; see the
 * INTERFACE HISTORY section of reeve-module(3). */
#define REEVE_MAGIC 0x52564d31u /* "RVM1" */
#define REEVE_API_MAJOR 1
#define REEVE_API_MINOR 4

/* ---------------------------------------------------------------- configuration ---- */

/* How an option is written in the file, and how its value is read (see reeve_conf_*). */
enum reeve_option_type {
    REEVE_OPT_END = 0,  /* ends a table */
    REEVE_OPT_BOOL,     /* true, false, yes, no, on, off, in any case -> reeve_conf_bool */
    REEVE_OPT_INT,      /* a whole number                  -> reeve_conf_int */
    REEVE_OPT_SIZE,     /* "64KiB", "10MiB", bytes if bare -> reeve_conf_int, bytes */
    REEVE_OPT_DURATION, /* "250ms", "5s", "2m", "1h", seconds if bare -> reeve_conf_int, ms */
    REEVE_OPT_STRING,   /* text                            -> reeve_conf_string */
    REEVE_OPT_PATH,     /* a path, relative to the configuration file's folder; the value read is
                           absolute, or "" if empty        -> reeve_conf_string */
    REEVE_OPT_ENUM,     /* one of `choices`                -> reeve_conf_string */
    REEVE_OPT_MODE,     /* file permissions, octal "0660"  -> reeve_conf_int */
    REEVE_OPT_LIST,     /* { "a", "b" }                    -> reeve_conf_count, reeve_conf_item */
    REEVE_OPT_SECTION,  /* name { ... }, at most once      -> reeve_conf_section(s, name, 0) */
    REEVE_OPT_SECTIONS, /* name "title" { ... }, repeated  -> reeve_conf_count, _section, _title */
    REEVE_OPT_HANDLER,  /* here stands the section of exactly one handler that serves the protocol
                           named by `choices`              -> reeve_conf_handler */
};

/* One option, declared once: parser, range check, `reeved -T` and the manual page derive from it.
 * A table is an array ended by { .type = REEVE_OPT_END } (or an empty element), constant and alive
 * as long as the module. */
typedef struct reeve_option {
    const char *name;            /* lower case, words joined by "_" */
    enum reeve_option_type type; /* decides which of the following count */
    const char *fallback;        /* the default, as one would write it in the file; a list is
                                    written with commas; NULL: "" or an empty list */
    int64_t min, max;            /* INT, SIZE (bytes), DURATION (ms): inclusive; both 0: no bound */
    const char *choices;         /* ENUM: "a|b|c"; HANDLER: the protocol's name; PATH: words that
                                    are no path, "stderr|off"; or NULL */
    const struct reeve_option *options; /* SECTION, SECTIONS: what may stand inside */
    const char *help;            /* one or two sentences for the manual page */
} reeve_option;

/* A section of the parsed configuration. Valid from configure until the worker exits; read-only,
 * so any thread may read it. */
typedef struct reeve_section reeve_section;

/* Values, of any thread; the default where nothing is written. Asking for a name that the section's
 * table does not declare, with the wrong type, or for an element that is not there, is a bug in the
 * module and aborts the worker with a message; so ask while configuring. Strings and sections
 * belong to the configuration and are never NULL. */

/* BOOL. */
REEVE_API bool reeve_conf_bool(const reeve_section *section, const char *name);
/* INT and MODE: the number; SIZE: bytes; DURATION: milliseconds. Within min and max (not MODE). */
REEVE_API int64_t reeve_conf_int(const reeve_section *section, const char *name);
/* STRING, PATH and ENUM; "" if nothing is written and there is no default. */
REEVE_API const char *reeve_conf_string(const reeve_section *section, const char *name);
/* LIST: its elements. SECTIONS: how many are written. SECTION: 1 if it is written, else 0. */
REEVE_API size_t reeve_conf_count(const reeve_section *section, const char *name);
/* LIST: an element, `index` below reeve_conf_count(). */
REEVE_API const char *reeve_conf_item(const reeve_section *section, const char *name, size_t index);
/* SECTIONS: one of them, `index` below reeve_conf_count(), in the file's order. SECTION: index 0,
 * at all times; one that is not written has all defaults. */
REEVE_API const reeve_section *reeve_conf_section(const reeve_section *section, const char *name,
                                                  size_t index);
/* What stands in quotes before the brace; "" for a section that has no title. */
REEVE_API const char *reeve_conf_title(const reeve_section *section);
/* The word before the title or brace: "site", or for a handler's section the handler's name. */
REEVE_API const char *reeve_conf_name(const reeve_section *section);

/* The handler that the section names (REEVE_OPT_HANDLER), and in *options that handler's own
 * section. The core has already checked that there is exactly one. */
struct reeve_handler;
REEVE_API const struct reeve_handler *reeve_conf_handler(const reeve_section *section,
                                                         const reeve_section **options);

/* Of a handler's section: the minor version of the interface that its module was built for. What
 * the module points at has no members that are newer. Since 1.2. */
REEVE_API unsigned reeve_conf_minor(const reeve_section *section);

/* Refuses the configuration: records "file:line: option: text" with the line on which `name` was
 * set (NULL: the section's line). Say what is wrong and what to do. Returns -1, so that a configure
 * hook can `return reeve_conf_error(...)`. Only while configuring, main thread. */
REEVE_API int reeve_conf_error(const reeve_section *section, const char *name, const char *format,
                               ...) REEVE_PRINTF(3, 4);

/* Warns of an option that was written though it does nothing without another one, which `needs` names
 * as it would be written: "listing = on". Where it was not written nothing happens. Only while
 * configuring, main thread. Since 1.4. */
REEVE_API void reeve_conf_idle(const reeve_section *section, const char *name, const char *needs);

/* Says that the configuration depends on this file (or folder) too: a reload of the same text takes
 * effect if the file has changed since, and names it. Call it before the file is opened, so that a
 * change in between is not lost; a file that is not there counts as well. `path` is absolute, as
 * reeve_conf_string() gives it, and need not outlive the call. A file has changed if it is another
 * one or has another size or time; of a folder the names in it count, not the files. Only while
 * configuring, main thread. Since 1.2. */
REEVE_API void reeve_conf_reads(const char *path);

/* What for. A folder stands for all that is below it; TO_WRITE is also to read, create, rename and
 * remove, TO_RUN also to read. */
enum reeve_opens { REEVE_OPENS_TO_READ = 1, REEVE_OPENS_TO_WRITE = 2, REEVE_OPENS_TO_RUN = 4 };

/* Says that the module opens this file, or files below this folder, while it serves: after
 * configure and worker_init a worker may be kept from all others (the option `sandbox`). What was
 * opened before stays open; log files (reeve_logfile_open()) and the libraries of the system need
 * not be named. `path` is absolute and need not outlive the call; `what` is of enum reeve_opens,
 * by "|". Only in configure and worker_init, main thread. Since 1.3. */
REEVE_API void reeve_opens(const char *path, unsigned what);

/* Written once in a module, REEVE_CONFINED; says that while it serves it opens nothing but what it
 * has named by reeve_opens(). Where every module says so, workers are confined without being told
 * to. Since 1.3. */
#define REEVE_CONFINED                                                                             \
    extern REEVE_API const char reeve_module_is_confined;                                          \
    const char reeve_module_is_confined = 1

/* ---------------------------------------------------------------- log --------------- */

enum reeve_level {
    REEVE_LOG_ERROR = 0, /* somebody must act */
    REEVE_LOG_WARNING,   /* will need somebody if it goes on */
    REEVE_LOG_NOTICE,    /* what an operator wants to know of a healthy server */
    REEVE_LOG_INFO,      /* each step */
    REEVE_LOG_DEBUG,     /* for whoever debugs */
};

/* Writes one line to the error log, if log_level lets it through. `tag` is a stable word for this
 * message ("cache-full"), by which operators search. Any thread; does not block. No newline in the
 * text; what could break the line is escaped, and what goes beyond 3000 bytes is cut. */
REEVE_API void reeve_log(enum reeve_level level, const char *tag, const char *format, ...)
    REEVE_PRINTF(3, 4);

/* A file that lines are appended to, such as an access log. The master opens it (so its folder need
 * not be writable for the worker's user) and opens it again on SIGUSR1. */
typedef struct reeve_logfile reeve_logfile;

/* Opens `path`, absolute as reeve_conf_string() gives it, or "stderr" or "stdout". The same path
 * gives the same file. Only in configure hooks. NULL if that is impossible, with a sentence in
 * *error (until the next call). The file belongs to the core and is never closed. While a
 * configuration is only tested (`reeved -t`, `reevectl check`) nothing is opened and nothing
 * written. */
REEVE_API reeve_logfile *reeve_logfile_open(const char *path, const char **error);

/* Appends one line, newline included in `length`; at most 16 KiB of it. Buffered per thread,
 * written at the end of the job or of the loop's turn; after a busy turn at the end of one of the
 * next few, which follow at once. Any thread of the worker. A line that cannot be written is lost,
 * and the error log says so. */
REEVE_API void reeve_logfile_write(reeve_logfile *file, const char *line, size_t length);

/* ---------------------------------------------------------------- clock ------------- */

/* Milliseconds of CLOCK_MONOTONIC. Any thread of the worker: in a loop as of the turn's begin, in a
 * pool thread as of the job's. */
REEVE_API int64_t reeve_now(void);

/* Wall-clock seconds since the epoch, of the same moment as reeve_now(). */
REEVE_API int64_t reeve_time(void);

/* ---------------------------------------------------------------- the descriptor ---- */

enum reeve_kind {
    REEVE_PROTOCOL = 1, /* steps over a connection: see reeve/protocol.h */
    REEVE_HANDLER,      /* answers a request of a protocol: see reeve/http.h */
};

struct reeve_protocol;

typedef struct reeve_module {
    uint32_t magic;      /* these four by REEVE_MODULE() */
    uint16_t api_major;
    uint16_t api_minor;
    uint32_t size;       /* sizeof(reeve_module) as the module was compiled */

    enum reeve_kind kind;
    const char *name;    /* as written in `modules`, `protocol` or a route: the file is NAME.so.
                            a-z, 0-9, "_" and "-" */
    const char *version; /* shown by `reevectl modules`; not NULL */
    const reeve_option *options; /* of the section that bears the module's name, or NULL */

    const struct reeve_protocol *protocol; /* REEVE_PROTOCOL: with a step function */
    const struct reeve_handler *handler;   /* REEVE_HANDLER: with protocol and handle */

    /* Hooks, each may be NULL. worker_* run once in the worker's main thread, thread_* in every
     * thread that serves (loops and pool). The init hooks run in the order of `modules` and return
     * 0, or -1 to refuse to start (log why); the exit hooks run in the reverse order.
     * worker_init runs after the configuration was read, before privileges are dropped and before
     * any thread is started; also in a worker that only checks a configuration, which then ends
     * without any further hook. worker_exit runs when all threads have ended; a worker that fails
     * or is killed does not come to it. In the model threaded thread_* run for each connection, in
     * its thread; in forking too, in its process, which ends by _exit(2). */
    int (*worker_init)(void);
    int (*thread_init)(void);
    void (*thread_exit)(void);
    void (*worker_exit)(void);
} reeve_module;

/* Defines the descriptor: REEVE_MODULE(.kind = REEVE_PROTOCOL, .name = "echo", ...); */
#define REEVE_MODULE(...)                                                                          \
    extern REEVE_API const reeve_module reeve_module_descriptor;                                   \
    const reeve_module reeve_module_descriptor = {REEVE_MAGIC, REEVE_API_MAJOR, REEVE_API_MINOR,   \
                                                  sizeof(reeve_module), __VA_ARGS__}

#ifdef __cplusplus
}
#endif
#endif
