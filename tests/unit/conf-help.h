/* For the tests of the configuration: three modules that exist nowhere else, and parsing of a text
 * in one call. */
#ifndef TESTS_CONF_HELP_H
#define TESTS_CONF_HELP_H
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "conf/core.h"
#include "reeve/http.h"
#include "reeve/protocol.h"
#include "share/snapshot.h"

static int help_handle(reeve_request *request, void *config)
{
    (void)request;
    (void)config;
    return -1;
}

static reeve_verdict help_step(reeve_conn *conn)
{
    (void)conn;
    return REEVE_CLOSE;
}

static const reeve_option help_static_options[] = {
    {"root", REEVE_OPT_PATH, ".", 0, 0, NULL, NULL, "The folder."},
    {"index", REEVE_OPT_LIST, "index.html,index.htm", 0, 0, NULL, NULL, "Index files."},
    {.type = REEVE_OPT_END},
};
static const reeve_option help_route[] = {
    {.type = REEVE_OPT_HANDLER, .choices = "web"},
    {"note", REEVE_OPT_STRING, "none", 0, 0, NULL, NULL, "A note."},
    {.type = REEVE_OPT_END},
};
static const reeve_option help_site[] = {
    {"route", REEVE_OPT_SECTIONS, NULL, 0, 0, NULL, help_route, "Routes."},
    {.type = REEVE_OPT_END},
};
static const reeve_option help_tls[] = {
    {"cert", REEVE_OPT_PATH, "", 0, 0, NULL, NULL, "The certificate."},
    {.type = REEVE_OPT_END},
};
static const reeve_option help_web_options[] = {
    {"site", REEVE_OPT_SECTIONS, NULL, 0, 0, NULL, help_site, "Sites."},
    {"keepalive", REEVE_OPT_DURATION, "5s", 1, 60000, NULL, NULL, "How long."},
    {"limit", REEVE_OPT_SIZE, "1MiB", 1, 1 << 30, NULL, NULL, "How much."},
    {"strict", REEVE_OPT_BOOL, "true", 0, 0, NULL, NULL, "How strict."},
    {"case", REEVE_OPT_ENUM, "lower", 0, 0, "lower|upper|mixed", NULL, "Which case."},
    {"access_log", REEVE_OPT_PATH, "off", 0, 0, "off|stderr", NULL, "The log."},
    {"tls", REEVE_OPT_SECTION, NULL, 0, 0, NULL, help_tls, "TLS."},
    {.type = REEVE_OPT_END},
};
static const reeve_protocol help_protocol = {.step = help_step};
static const reeve_handler help_handler = {.protocol = "web", .handle = help_handle};

#define HELP_MODULE(...)                                                                           \
    {REEVE_MAGIC, REEVE_API_MAJOR, REEVE_API_MINOR, sizeof(reeve_module), __VA_ARGS__}

static const reeve_module help_web = HELP_MODULE(.kind = REEVE_PROTOCOL, .name = "web",
                                                 .version = "1", .options = help_web_options,
                                                 .protocol = &help_protocol);
static const reeve_module help_files = HELP_MODULE(.kind = REEVE_HANDLER, .name = "files",
                                                   .version = "1", .options = help_static_options,
                                                   .handler = &help_handler);
static const reeve_module help_plain = { /* an older one */
    REEVE_MAGIC, REEVE_API_MAJOR, 1, sizeof(reeve_module), .kind = REEVE_HANDLER, .name = "plain",
    .version = "1", .handler = &help_handler};
static const reeve_module *const help_modules[] = {&help_web, &help_files, &help_plain};
#define HELP_MODULES 3

/* One parse; everything of it is freed by help_end(). */
struct help {
    struct snapshot *snapshot;
    struct conf *conf;
    struct buf errors;
};

/* `overrides` ends with NULL, or is NULL. */
static inline struct help help_parse(const char *text, const char *const *overrides, bool full)
{
    struct help help = {0};
    size_t count = 0;
    while (overrides && overrides[count])
        count++;
    help.snapshot = snapshot_take(NULL, text, (char *const *)(void *)overrides, count,
                                  &help.errors);
    ck_assert_ptr_nonnull(help.snapshot);
    help.conf = conf_parse(help.snapshot, full ? help_modules : NULL, full ? HELP_MODULES : 0,
                           &help.errors);
    /* Refused is what has said why. */
    ck_assert_int_eq(help.conf == NULL, help.errors.length > 0);
    return help;
}

static inline void help_end(struct help *help)
{
    conf_free(&help->conf);
    snapshot_free(&help->snapshot);
    buf_free(&help->errors);
}

/* The full parse of `text` is refused, or core_read is, and all the lines are `expected`. */
static inline void help_refused(const char *text, const char *const *overrides,
                                const char *expected)
{
    struct help help = help_parse(text, overrides, true);
    struct core core = {0};
    if (help.conf)
        ck_assert_msg(!core_read(help.conf, &core, &help.errors), "accepted: %s", text);
    ck_assert_str_eq(buf_text(&help.errors), expected);
    help_end(&help);
}
#endif
