/* Log files: who gets them, what is opened again and what no longer is. Workers are stand-ins that
 * note what they are told. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf-help.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/state.h"
#include "master/workers.h"
#include "temp.h"
#include "unit.h"

/* ---------------------------------------------------------------- stand-ins -------- */

static struct buf told;
static int awaited;
static bool answered;
static enum control_code code;

void worker_tell(struct worker *worker, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text)
{
    (void)op;
    buf_printf(&told, "%d %s %d %s %s\n", worker->slot_index, msg_name(type), value,
               fd >= 0 ? "fd" : "none", text ? text : "");
    if (type == MSG_LOGFILE && fd >= 0)
        ck_assert_int_eq(write(fd, "line\n", 5), 5);
}
void worker_await_ack(struct worker *worker, struct operation *operation)
{
    (void)worker;
    (void)operation;
    awaited++;
}
static void on_answer(const struct operation *operation)
{
    answered = true;
    code = operation->code;
}

/* ---------------------------------------------------------------- helpers ---------- */

static struct options options;
static struct generation generations[2];
static struct worker workers[2]; /* one of each */
static struct help help;
static struct core core;

static void setup(void)
{
    temp_make();
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT);
    master.options = &options;
    master.state = MASTER_SERVING;
    master.last_generation = 2;
    operation_follow(on_answer);
    for (int i = 0; i < 2; i++) {
        generations[i].number = (uint32_t)i + 1;
        list_init(&generations[i].workers);
        list_append(&generations[i].workers, &workers[i].node);
        list_append(&master.generations, &generations[i].node);
        workers[i] = (struct worker){.node = workers[i].node, .generation = &generations[i],
                                     .slot_index = i, .loaded = true};
    }
}

static void teardown(void)
{
    log_open(STDERR_FILENO, LOG_TEXT);
    buf_free(&told);
    core_free(&core);
    help_end(&help);
    temp_remove();
}

static bool log_to(const char *where)
{
    char text[256];

    core_free(&core);
    help_end(&help);
    snprintf(text, sizeof(text), "error_log = \"%s\" listen \"127.0.0.1:0\" { }", where);
    help = help_parse(text, NULL, false);
    ck_assert_msg(help.conf && core_read(help.conf, &core, &help.errors), "%s",
                  buf_text(&help.errors));
    if (!logs_try(&core, &help.errors)) {
        logs_abandon();
        return false;
    }
    logs_adopt(&core);
    return true;
}

static void assert_told(const char *format, const char *path)
{
    char expected[512];
    size_t length = 0;

    for (; *format; format++)
        length += (size_t)(*format == '%'
                               ? snprintf(expected + length, sizeof(expected) - length, "%s", path)
                               : snprintf(expected + length, sizeof(expected) - length, "%c",
                                          *format));
    expected[length] = '\0';
    ck_assert_str_eq(buf_text(&told), expected);
    buf_clear(&told);
}

static void reopen(void)
{
    answered = false;
    logs_reopen(operation_new(VERB_REOPEN_LOGS));
    ck_assert(answered);
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(worker_that_asks_gets_a_file)
{
    const char *path = temp_path("a");
    struct stat st;

    umask(0);
    logs_ask(&workers[0], path);
    assert_told("0 LOGFILE 0 fd %\n", path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0640);
    logs_ask(&workers[1], path); /* appends */
    ck_assert_str_eq(temp_read(path), "line\nline\n");
}
END_TEST

START_TEST(links_pipes_and_missing_folders_are_refused)
{
    temp_write(temp_path("victim"), "");
    ck_assert_int_eq(symlink("victim", temp_path("link")), 0);
    logs_ask(&workers[0], temp_path("link"));
    assert_told("0 LOGFILE 1 none Too many levels of symbolic links\n", "");
    ck_assert_str_eq(temp_read(temp_path("victim")), "");
    ck_assert_int_eq(mkfifo(temp_path("pipe"), 0600), 0);
    logs_ask(&workers[0], temp_path("pipe")); /* nobody reads it: must not block */
    assert_told("0 LOGFILE 1 none No such device or address\n", "");
    logs_ask(&workers[0], temp_path("none/a"));
    assert_told("0 LOGFILE 1 none No such file or directory\n", "");
    reopen(); /* none of them was remembered */
    ck_assert_int_eq(code, CONTROL_DONE);
    ck_assert_ptr_null(strstr(buf_text(&told), "LOGFILE"));
}
END_TEST

START_TEST(reopening_goes_to_every_loaded_worker)
{
    const char *path = temp_path("a");

    logs_ask(&workers[1], path);
    buf_clear(&told);
    ck_assert_int_eq(rename(path, temp_path("a.1")), 0);
    reopen();
    ck_assert_int_eq(code, CONTROL_DONE);
    assert_told("0 LOGFILE 0 fd %\n1 LOGFILE 0 fd %\n0 REOPENED 0 none \n1 REOPENED 0 none \n",
                path);
    ck_assert_int_eq(awaited, 2);
    ck_assert_str_eq(temp_read(path), "line\nline\n");
    ck_assert_str_eq(temp_read(temp_path("a.1")), "line\n");
    workers[1].loaded = false; /* it still asks: a message between would be taken for the answer */
    reopen();
    assert_told("0 LOGFILE 0 fd %\n0 REOPENED 0 none \n", path);
}
END_TEST

START_TEST(file_that_nobody_has_any_more_is_not_made_again)
{
    const char *path = temp_path("a");

    logs_ask(&workers[0], path); /* generation 1 alone */
    ck_assert_int_eq(unlink(path), 0);
    list_remove(&generations[0].node); /* which is gone */
    reopen();
    ck_assert_int_lt(access(path, F_OK), 0);
    logs_ask(&workers[0], path);
    logs_ask(&workers[1], path); /* the newest that asked counts */
    ck_assert_int_eq(unlink(path), 0);
    reopen();
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(file_that_cannot_be_opened_again)
{
    ck_assert_int_eq(mkdir(temp_path("d"), 0700), 0);
    logs_ask(&workers[0], temp_path("d/a"));
    ck_assert_int_eq(unlink(temp_path("d/a")), 0);
    ck_assert_int_eq(rmdir(temp_path("d")), 0);
    buf_clear(&told);
    reopen();
    ck_assert_int_eq(code, CONTROL_REFUSED);
    assert_told("0 REOPENED 0 none \n1 REOPENED 0 none \n", "");
}
END_TEST

START_TEST(error_log_is_opened_and_kept)
{
    const char *path = temp_path("e");
    int fd;

    ck_assert(log_to("stderr"));
    ck_assert(log_to_stderr());
    ck_assert(log_to(path));
    ck_assert(!log_to_stderr());
    fd = logs_fd(false);
    ck_assert_int_gt(fd, STDERR_FILENO);
    ck_assert(log_to(path)); /* the same: not opened twice */
    ck_assert_int_eq(logs_fd(false), fd);
    ck_assert(!log_to(temp_path("none/e")));
    ck_assert_ptr_nonnull(strstr(buf_text(&help.errors), "error_log: "));
    ck_assert_ptr_nonnull(strstr(buf_text(&help.errors), "No such file or directory"));
    ck_assert_int_eq(logs_fd(false), fd); /* the old one stays in use */
    log_msg(LOG_SYSTEM, "still here");
    ck_assert_ptr_nonnull(strstr(temp_read(path), "still here"));
    ck_assert(log_to("stderr"));
    ck_assert(log_to_stderr());
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

START_TEST(error_log_is_opened_again_in_place)
{
    const char *path = temp_path("e");
    int fd;

    ck_assert(log_to(path));
    fd = logs_fd(false);
    ck_assert_int_eq(rename(path, temp_path("e.1")), 0);
    reopen();
    ck_assert_int_eq(logs_fd(false), fd);
    ck_assert_ptr_nonnull(strstr(temp_read(path), "logs-reopened"));
    ck_assert_ptr_null(strstr(temp_read(temp_path("e.1")), "logs-reopened"));
    assert_told("0 LOG 0 fd \n1 LOG 0 fd \n0 REOPENED 0 none \n1 REOPENED 0 none \n", "");
    ck_assert(log_to("stderr"));
}
END_TEST

START_TEST(level_is_told_and_rules_until_the_next_configuration)
{
    ck_assert(!logs_level_is_set());
    logs_set_level(REEVE_LOG_DEBUG);
    ck_assert(logs_level_is_set());
    ck_assert_int_eq(log_level(), REEVE_LOG_DEBUG);
    assert_told("0 LEVEL 4 none \n1 LEVEL 4 none \n", "");
    ck_assert(log_to("stderr"));
    ck_assert(!logs_level_is_set());
    ck_assert_int_eq(log_level(), REEVE_LOG_NOTICE);
}
END_TEST

UNIT_MAIN_AROUND("logs", setup, teardown, ONCE(worker_that_asks_gets_a_file),
                 ONCE(links_pipes_and_missing_folders_are_refused),
                 ONCE(reopening_goes_to_every_loaded_worker),
                 ONCE(file_that_nobody_has_any_more_is_not_made_again),
                 ONCE(file_that_cannot_be_opened_again), ONCE(error_log_is_opened_and_kept),
                 ONCE(error_log_is_opened_again_in_place),
                 ONCE(level_is_told_and_rules_until_the_next_configuration))
