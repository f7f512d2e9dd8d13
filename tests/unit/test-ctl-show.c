/* Unit tests of what reevectl prints: src/ctl/units.c, table.c, show*.c. */
#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/talk.h"
#include "ctl/units.h"
#include "unit.h"

#define ck_text(buf, expected)                                                                     \
    do {                                                                                           \
        ck_assert_str_eq(buf_text(&(buf)), expected);                                              \
        buf_clear(&(buf));                                                                         \
    } while (0)
#define ck_has(buf, part)                                                                          \
    ck_assert_msg(strstr(buf_text(&(buf)), part) != NULL, "no '%s' in:\n%s", part, buf_text(&(buf)))

START_TEST(test_units)
{
    struct buf out = {0};

    units_put_count(&out, 0);
    ck_text(out, "0");
    units_put_count(&out, 999999);
    ck_text(out, "999999");
    units_put_count(&out, 1234567);
    ck_text(out, "1.235M");
    units_put_count(&out, INT64_C(5000000000));
    ck_text(out, "5.000G");
    units_put_bytes(&out, 1023);
    ck_text(out, "1023 B");
    units_put_bytes(&out, 1536);
    ck_text(out, "1.5 KiB");
    units_put_bytes(&out, INT64_C(3) << 40);
    ck_text(out, "3.0 TiB");
    units_put_bytes(&out, INT64_MAX);
    ck_text(out, "8192.0 PiB");
    units_put_uptime(&out, -5);
    ck_text(out, "0s");
    units_put_uptime(&out, 59);
    ck_text(out, "59s");
    units_put_uptime(&out, 200);
    ck_text(out, "3m 20s");
    units_put_uptime(&out, 3605);
    ck_text(out, "1h");
    units_put_uptime(&out, 86400 + 2 * 3600 + 59);
    ck_text(out, "1d 2h");
    units_put_ms(&out, 250);
    ck_text(out, "250ms");
    units_put_ms(&out, 1500);
    ck_text(out, "1.5s");
    units_put_ms(&out, 125000);
    ck_text(out, "2m 5s");
    units_put_rate(&out, 0);
    ck_text(out, "0/s");
    units_put_rate(&out, 2.54);
    ck_text(out, "2.5/s");
    units_put_rate(&out, 1234.4);
    ck_text(out, "1234/s");
    buf_free(&out);
}
END_TEST

static const struct column two[] = {{"N", true}, {"NAME", false}};

START_TEST(test_table_aligns)
{
    struct table table = {.columns = two, .column_count = 2};
    struct buf out = {0};

    table_cell(&table, PLAIN, "%d", 1);
    table_cell(&table, PLAIN, "ä");
    table_cell(&table, PLAIN, "%d", 1000);
    table_cell(&table, PLAIN, "b");
    table_print(&table, false, &out);
    ck_text(out, "   N  NAME\n   1  ä\n1000  b\n");
    table_free(&table);
    buf_free(&out);
}
END_TEST

START_TEST(test_table_colours_do_not_count)
{
    struct table table = {.columns = two, .column_count = 2};
    struct buf out = {0};

    table_cell(&table, RED, "7");
    table_cell(&table, PLAIN, "x");
    table_print(&table, true, &out);
    ck_text(out, "\033[1mN\033[0m  \033[1mNAME\033[0m\n\033[31m7\033[0m  x\n");
    table_free(&table);
    buf_free(&out);
}
END_TEST

START_TEST(test_table_is_harmless)
{
    struct table table = {.columns = two, .column_count = 2};
    struct buf out = {0};

    table_cell(&table, PLAIN, "1");
    table_cell(&table, PLAIN, "GET /\033[2J\n\r");
    table_print(&table, false, &out);
    ck_text(out, "N  NAME\n1  GET /\\x1b[2J\\x0a\\x0d\n");
    table_free(&table);
    buf_free(&out);
}
END_TEST

static const char status_text[] =
    "{\"version\":\"0.1.0\",\"pid\":1234,\"generation\":3,\"model\":\"event\",\"uptime\":93784,"
    "\"state\":\"serving\",\"config\":\"/etc/reeve/reeve.conf\",\"user\":\"reeve\",\"rate\":12.5,"
    "\"numbers\":{\"workers\":2,\"each\":null,\"each_limit\":0,\"loops\":1,"
    "\"connections\":1048576,\"wait\":\"epoll\",\"threads\":16,\"queue\":\"shared\",\"control\":1},"
    "\"last_error\":\"a:1: b\\nc\",\"last_operation\":{\"operation\":12,"
    "\"verb\":\"reload\",\"code\":3,\"text\":\"a:1: b\\nc\"},"
    "\"generations\":[{\"number\":3,\"state\":\"serving\",\"workers\":1}],"
    "\"workers\":[{\"slot\":0,\"pid\":1300,\"state\":\"ready\",\"generation\":3,\"threads\":17,"
    "\"processes\":0,\"busy\":2,\"connections\":120,\"requests\":5000,\"bytes\":2048,"
    "\"restarts\":1,\"uptime\":70,"
    "\"current\":[{\"thread\":4,\"protocol\":\"http\",\"label\":\"GET /\","
    "\"busy_ms\":1500}]}],"
    "\"totals\":{\"connections\":900,\"open\":120,\"requests\":5000,\"bytes\":2048,"
    "\"restarts\":1}}";

START_TEST(test_status)
{
    json_t *data = json_loads(status_text, 0, NULL);
    struct buf out = {0};

    ck_assert_ptr_nonnull(data);
    show_status(data, NULL, false, &out);
    ck_has(out, "reeved 0.1.0  serving  pid 1234  up 1d 2h  generation 3  user reeve\n");
    ck_has(out, "model          event: 2 workers of 18 threads each: 1 loop of many connections, "
                "16 in the pool (shared queue), 1 for control; waits by epoll\n");
    ck_has(out, "requests       5000, 12/s\n");
    ck_has(out, "connections    120 open, 900 accepted\n");
    ck_has(out, "last operation 12 reload: rolled back: a:1: b\n");
    ck_has(out, "last error     a:1: b\n               c\n");
    ck_has(out, "   0  1300  ready           3  1m 10s  2/17          120      5000  2.0 KiB "
                "        1\n");
    ck_has(out, "   0  4       http      1.5s  -       -      GET /\n");
    ck_assert_ptr_null(strstr(buf_text(&out), "lost"));
    ck_assert_ptr_null(strchr(buf_text(&out), '\033'));
    buf_free(&out);
    json_decref(data);
}
END_TEST

/* What has failed, waits or was refused. */
START_TEST(test_status_of_trouble)
{
    json_t *data = json_loads(status_text, 0, NULL);
    struct buf out = {0};

    json_object_update_new(json_object_get(data, "totals"),
                           json_pack("{s:i,s:i,s:i,s:i}", "errors", 20, "shed", 18, "refused", 3,
                                     "waiting", 7));
    show_status(data, NULL, false, &out);
    ck_has(out, "requests       5000, 12/s, 20 failed (5xx), 18 of these refused: overload\n");
    ck_has(out, "connections    120 open, 7 waiting, 900 accepted, 3 refused: too many of one "
                "client\n");
    ck_has(out, "last error     a:1: b\n");
    buf_clear(&out);
    json_object_set_new(data, "last_error_time", json_integer(time(NULL) - 7290));
    json_object_set_new(json_object_get(data, "totals"), "errors", json_integer(0));
    show_status(data, NULL, false, &out); /* of a protocol that does not say what failed */
    ck_has(out, "requests       5000, 12/s, 18 refused: overload\n");
    ck_has(out, "last error     2h 1m ago: a:1: b\n               c\n");
    buf_free(&out);
    json_decref(data);
}
END_TEST

static const struct {
    const char *model, *numbers, *sentence;
} models[] = {
    {"prethreaded", "[1,null,0,16,1,'poll',0,null,1]",
     "prethreaded: 1 worker of 17 threads: 16 loops of 1 connection, 1 for control; waits by poll"},
    {"prefork", "[16,null,0,1,1,'poll',0,null,1]",
     "prefork: 16 workers of 2 threads each: 1 loop of 1 connection, 1 for control; waits by poll"},
    {"epoll", "[1,null,0,2,100,'epoll',0,null,1]",
     "epoll: 1 worker of 3 threads: 2 loops of 100 connections, 1 for control; waits by epoll"},
    {"event", "[1,null,0,1,1048576,'epoll',4,'per-thread',1]",
     "event: 1 worker of 6 threads: 1 loop of many connections, 4 in the pool (per-thread queues), "
     "1 for control; waits by epoll"},
    {"threaded", "[2,'thread',1024,1,1,'poll',0,null,1]",
     "threaded: 2 workers of 2 threads each: 1 loop that accepts, 1 for control; one more thread "
     "for each connection, at most 1024 a worker; waits by poll"},
    {"forking", "[1,'process',256,1,1,'poll',0,null,0]",
     "forking: 1 worker of 1 thread: 1 loop that accepts; one more process for each connection, at "
     "most 256 a worker; waits by poll"},
    {"event", "['2',7,null,[],{},1,'x',2,'\\u001b']",
     "event: 0 workers of 0 threads each: 0 loops of 0 connections; waits by "},
};

START_TEST(test_model_adds_up)
{
    static const char *const names[] = {"workers", "each", "each_limit", "loops", "connections",
                                        "wait", "threads", "queue", "control"};
    char *text = strdup(models[_i].numbers);
    json_t *values, *data = json_pack("{s:s,s:{}}", "model", models[_i].model, "numbers");
    struct buf out = {0};

    for (char *quote = text; (quote = strchr(quote, '\'')); quote++)
        *quote = '"';
    values = json_loads(text, 0, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set(json_object_get(data, "numbers"), names[i], json_array_get(values, i));
    show_model(data, &out);
    ck_text(out, models[_i].sentence);
    buf_free(&out);
    json_decref(values);
    json_decref(data);
    free(text);
}
END_TEST

START_TEST(test_status_of_processes)
{
    json_t *data = json_loads(status_text, 0, NULL);
    json_t *worker = json_array_get(json_object_get(data, "workers"), 0);
    struct buf out = {0};

    json_object_set_new(worker, "threads", json_integer(1));
    json_object_set_new(worker, "processes", json_integer(7));
    json_object_set_new(json_array_get(json_object_get(worker, "current"), 0), "pid",
                        json_integer(4711));
    show_status(data, NULL, false, &out);
    ck_has(out, "  1m 10s   2/8  ");
    ck_has(out, "   0  pid 4711  http      1.5s  -       -      GET /\n");
    buf_free(&out);
    json_decref(data);
}
END_TEST

START_TEST(test_status_of_busy_threads)
{
    json_t *data = json_loads(
        "{\"workers\":[{\"slot\":0,\"lost\":1,\"current\":[{\"thread\":1,\"busy_ms\":9,"
        "\"module\":\"hello\",\"route\":\"/h\",\"label\":\"GET /h\"}]},{\"slot\":1,\"lost\":1,"
        "\"current\":[{\"thread\":7,\"busy_ms\":70000,\"module\":\"hang\",\"route\":\"/r\","
        "\"lost\":true,\"label\":\"GET /r/x\"},{\"thread\":2,\"busy_ms\":8}]}]}", 0, NULL);
    struct buf out = {0};

    show_status(data, NULL, false, &out);
    ck_has(out, "lost           2 threads in handlers that do not return; 'reevectl slow' tells "
                "where\n");
    ck_has(out, "SLOT  THREAD  PROTOCOL     FOR  MODULE  ROUTE  REQUEST\n"
                "   1  7 lost            1m 10s  hang    /r     GET /r/x\n"
                "   0  1                    9ms  hello   /h     GET /h\n"
                "   1  2                    8ms  -       -      \n");
    buf_free(&out);
    json_decref(data);
}
END_TEST

START_TEST(test_status_rate)
{
    json_t *data = json_loads(status_text, 0, NULL);
    struct before before = {.data = json_loads(status_text, 0, NULL), .seconds = 2};
    json_t *worker = json_array_get(json_object_get(data, "workers"), 0);
    struct buf out = {0};

    json_object_set_new(worker, "requests", json_integer(5300));
    show_status(data, &before, false, &out);
    ck_has(out, "  5300  150/s  ");
    buf_clear(&out);
    json_object_set_new(worker, "pid", json_integer(1)); /* respawned: nothing to compare with */
    show_status(data, &before, false, &out);
    ck_has(out, "  5300     -  ");
    buf_free(&out);
    json_decref(data);
    json_decref(before.data);
}
END_TEST

START_TEST(test_status_by_slot)
{
    json_t *data = json_pack("{s:[{s:i,s:i},{s:i,s:i},{s:i,s:i}]}", "workers", "slot", 1, "pid", 70,
                             "slot", 0, "pid", 90, "slot", 0, "pid", 80);
    struct buf out = {0};
    const char *first, *second, *third;

    show_status(data, NULL, false, &out);
    first = strstr(buf_text(&out), "\n   0   80 ");
    second = strstr(buf_text(&out), "\n   0   90 ");
    third = strstr(buf_text(&out), "\n   1   70 ");
    ck_assert_msg(first && second && third, "%s", buf_text(&out));
    ck_assert(first < second && second < third);
    buf_free(&out);
    json_decref(data);
}
END_TEST

START_TEST(test_status_survives_nonsense)
{
    static const char *const texts[] = {
        "null", "[]", "{}", "{\"workers\":3,\"generations\":\"x\",\"pid\":\"y\",\"uptime\":1e300}",
        "{\"workers\":[1,null,{\"current\":[7]}],\"numbers\":[],\"last_error\":5}"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *data = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        struct buf out = {0};

        show_status(data, NULL, false, &out);
        ck_has(out, "last error     none\n");
        buf_free(&out);
        json_decref(data);
    }
}
END_TEST

static const struct {
    enum verb verb;
    const char *result;
    const char *text;
} results[] = {
    {VERB_LISTENERS,
     "{\"code\":0,\"data\":{\"listeners\":[{\"address\":\"[::]:0\",\"bound\":\"[::]:80\","
     "\"protocol\":\"http\",\"backlog\":511,\"waiting\":7,\"origin\":\"configured\"},"
     "{\"address\":\"unix:/x\",\"bound\":\"unix:/x\",\"protocol\":\"http\",\"backlog\":511,"
     "\"waiting\":null,\"origin\":\"configured\"}]}}",
     "ADDRESS  BOUND    PROTOCOL  BACKLOG  WAITING  ORIGIN\n"
     "[::]:0   [::]:80  http          511        7  configured\n"
     "unix:/x  unix:/x  http          511        -  configured\n"},
    {VERB_MODULES,
     "{\"code\":0,\"data\":{\"modules\":[{\"kind\":\"protocol\",\"name\":\"echo\","
     "\"version\":\"1\"}]}}",
     "KIND      NAME  VERSION\nprotocol  echo  1\n"},
    {VERB_GENERATIONS,
     "{\"code\":0,\"data\":{\"generations\":[{\"number\":2,\"state\":\"serving\",\"workers\":1,"
     "\"since\":86400}],\"operations\":[{\"operation\":1,\"verb\":\"reload\",\"code\":0,"
     "\"text\":\"generation 2 serves\"}]}}",
     "GENERATION  STATE    WORKERS  SINCE\n         2  serving        1  1970-01-02 00:00:00\n\n"
     "OPERATIONS\n1 reload: done: generation 2 serves\n"},
    {VERB_RELOAD, "{\"code\":3,\"text\":\"a:1: b\\nc:2: \\u001b d\"}", "a:1: b\nc:2: \\x1b d\n"},
    {VERB_RELOAD, "{\"code\":2}", "timed out\n"},
    {VERB_STATUS, "{\"code\":1,\"text\":\"not allowed\"}", "not allowed\n"},
    {VERB_VERSION, "{\"code\":0,\"data\":{\"version\":\"9\",\"api\":\"1.0\",\"protocol\":1}}",
     "reeved    9  (module interface 1.0, control protocol 1)\n"
     "reevectl  " PACKAGE_VERSION "  (control protocol 1)\n"},
};

START_TEST(test_result)
{
    json_t *result = json_loads(results[_i].result, 0, NULL);
    struct buf out = {0};

    ck_assert_ptr_nonnull(result);
    show_result(results[_i].verb, result, false, &out);
    ck_assert_str_eq(buf_text(&out), results[_i].text);
    buf_free(&out);
    json_decref(result);
}
END_TEST

START_TEST(test_event)
{
    json_t *event = json_loads("{\"time\":\"T\",\"tag\":\"worker-ready\",\"text\":\"x\\ny\"}",
                               0, NULL);
    struct buf out = {0};

    show_event(event, false, &out);
    ck_text(out, "T worker-ready: x\\x0ay\n");
    buf_free(&out);
    json_decref(event);
}
END_TEST

START_TEST(test_step)
{
    json_t *step = json_loads("{\"tag\":\"worker-ready\",\"text\":\"x\"}", 0, NULL);
    json_t *repeated = json_loads("{\"tag\":\"operation\",\"text\":\"x\"}", 0, NULL);
    struct buf out = {0};

    show_step(step, &out);
    show_step(repeated, &out);
    ck_text(out, "  x\n");
    buf_free(&out);
    json_decref(step);
    json_decref(repeated);
}
END_TEST

START_TEST(test_json_fields)
{
    json_t *o = json_loads("{\"i\":9007199254740993,\"r\":1.5,\"s\":\"t\",\"n\":null}", 0, NULL);

    ck_assert_int_eq(json_int(o, "i"), INT64_C(9007199254740993));
    ck_assert_int_eq(json_int(o, "r"), 1);
    ck_assert_int_eq(json_int(o, "s"), 0);
    ck_assert_int_eq(json_int(NULL, "s"), 0);
    ck_assert_str_eq(json_text(o, "s"), "t");
    ck_assert_str_eq(json_text(o, "n"), "");
    ck_assert_double_eq(json_number(o, "r"), 1.5);
    json_decref(o);
}
END_TEST

static void set_up(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
}

UNIT_MAIN_AROUND("ctl-show", set_up, NULL, ONCE(test_units), ONCE(test_table_aligns),
                 ONCE(test_table_colours_do_not_count), ONCE(test_table_is_harmless),
                 ONCE(test_status), ONCE(test_status_of_trouble),
                 EACH(test_model_adds_up, models), ONCE(test_status_of_processes),
                 ONCE(test_status_of_busy_threads),
                 ONCE(test_status_rate), ONCE(test_status_by_slot),
                 ONCE(test_status_survives_nonsense), EACH(test_result, results), ONCE(test_event),
                 ONCE(test_step), ONCE(test_json_fields))
