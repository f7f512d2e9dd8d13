/* Operations: when they end, in which order their end is told, and what is said of it. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "master/operation.h"
#include "master/state.h"
#include "unit.h"

/* ---------------------------------------------------------------- stand-ins -------- */

static int null_fd;
static char events[256]; /* what was called, in order */
static struct buf said;  /* the lines of the log: "TAG text" */

static void on_alone(void) { strcat(events, "alone "); }
static void on_ended(void) { strcat(events, "ended "); }
static void on_answer(const struct operation *operation)
{
    strcat(events, operation_find(operation->number) ? "too-early " : "answer ");
}
static void on_say(enum log_tag tag, const char *text)
{
    buf_printf(&said, "%s %s\n", log_tags[tag].tag, text);
}

static void setup(void)
{
    null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_open(null_fd, LOG_TEXT);
    operation_follow(on_answer);
    say_follow(on_say);
    master.state = MASTER_SERVING;
}

static void teardown(void)
{
    buf_free(&said);
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(numbers_and_names)
{
    struct operation *one = operation_new(VERB_RELOAD), *two = operation_new(VERB_SCALE);

    ck_assert_uint_eq(one->number, 1);
    ck_assert_uint_eq(two->number, 2);
    ck_assert_str_eq(one->name, "reload");
    ck_assert_str_eq(two->name, "scale");
    ck_assert_ptr_eq(operation_find(1), one);
    ck_assert_ptr_eq(operation_find(2), two);
    ck_assert_ptr_null(operation_find(0));
    operation_ack(one);
    ck_assert_ptr_null(operation_find(1));
    ck_assert_ptr_eq(operation_find(2), two);
    operation_ack(two);
}
END_TEST

START_TEST(ends_when_nothing_is_waited_for)
{
    struct operation *operation = operation_new(VERB_RECYCLE);

    operation->alone = on_alone;
    operation->ended = on_ended;
    operation_wait(operation);
    operation_wait(operation);
    operation_ack(operation);
    ck_assert_str_eq(events, "");
    operation_ack(operation);
    ck_assert_str_eq(events, "alone "); /* only the act itself is left */
    operation_wait(operation);
    operation_ack(operation);
    ck_assert_str_eq(events, "alone alone ");
    operation_ack(operation);
    ck_assert_str_eq(events, "alone alone ended answer ");
    operation_ack(NULL); /* harmless */
    operation_result(NULL, CONTROL_DONE, "nobody asked");
}
END_TEST

START_TEST(last_result_counts_and_is_remembered)
{
    struct operation *operation = operation_new(VERB_CHECK);
    const struct result *result;

    operation_result(operation, CONTROL_DONE, "fine so far");
    operation_result(operation, CONTROL_REFUSED, "%s:%d: wrong\n\n", "x.conf", 3);
    ck_assert_str_eq(buf_text(&operation->text), "x.conf:3: wrong");
    operation_ack(operation);
    result = operation_result_at(0);
    ck_assert_uint_eq(result->number, 1);
    ck_assert_str_eq(result->name, "check");
    ck_assert_int_eq(result->code, CONTROL_REFUSED);
    ck_assert_str_eq(result->text, "x.conf:3: wrong");
    ck_assert_ptr_null(operation_result_at(1));
}
END_TEST

START_TEST(result_of_several_lines_is_said_line_by_line)
{
    struct operation *operation = operation_new(VERB_RELOAD);

    operation_result(operation, CONTROL_REFUSED, "x:1: a\nx:2: b\n");
    operation_ack(operation);
    ck_assert_str_eq(buf_text(&said), "operation operation 1 (reload) ended with code 1\n"
                                      "configuration-error operation 1: x:1: a\n"
                                      "configuration-error operation 1: x:2: b\n");
}
END_TEST

START_TEST(empty_result)
{
    operation_ack(operation_new(VERB_RELOAD));
    ck_assert_str_eq(buf_text(&said), "operation operation 1 (reload) ended with code 0\n");
    ck_assert_str_eq(operation_result_at(0)->text, "");
}
END_TEST

/* Of a start that failed, whoever started reeved reads the lines on stderr; not twice. */
START_TEST(failed_start_is_said_once)
{
    static const struct {
        enum master_state state;
        bool to_stderr;
        enum control_code code;
        bool said;
    } rows[] = {
        {MASTER_STARTING, true, CONTROL_ROLLED_BACK, false},
        {MASTER_STARTING, true, CONTROL_DONE, true},
        {MASTER_STARTING, false, CONTROL_ROLLED_BACK, true},
        {MASTER_SERVING, true, CONTROL_ROLLED_BACK, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct operation *operation = operation_new(VERB_RELOAD);

        master.state = rows[i].state;
        log_open(rows[i].to_stderr ? STDERR_FILENO : null_fd, LOG_TEXT);
        buf_clear(&said);
        operation_result(operation, rows[i].code, "text");
        operation_ack(operation);
        ck_assert_msg((said.length > 0) == rows[i].said, "row %zu", i);
        ck_assert_ptr_nonnull(operation_result_at((int)i)); /* remembered in any case */
    }
}
END_TEST

UNIT_MAIN_AROUND("operation", setup, teardown, ONCE(numbers_and_names),
                 ONCE(ends_when_nothing_is_waited_for), ONCE(last_result_counts_and_is_remembered),
                 ONCE(result_of_several_lines_is_said_line_by_line), ONCE(empty_result),
                 ONCE(failed_start_is_said_once))
