/* The core options as the program gets them: numbers of the model, listeners, and what a table
 * cannot refuse. */
#include "config.h"

#include <netinet/in.h>

#include "conf-help.h"
#include "unit.h"

#define LISTEN "listen \"127.0.0.1:0\" { }\n"
#define IN(line) "(built-in):" line ": "

static const struct {
    const char *text;
    struct model model;
    int threads;
    int max_each;
} models_read[] = {
    {"workers = 2", {"event", 2, EACH_NONE, 1, MANY, WAIT_EPOLL, true}, 16, 0},
    {"model = worker workers = 3", {"worker", 3, EACH_NONE, 16, 1, WAIT_POLL, false}, 16, 0},
    {"model = worker workers = 3 threads = 5",
     {"worker", 3, EACH_NONE, 5, 1, WAIT_POLL, false}, 5, 0},
    {"model = worker workers = 3 loops = 7 threads = 5", /* the more exact one counts */
     {"worker", 3, EACH_NONE, 7, 1, WAIT_POLL, false}, 5, 0},
    {"model = worker workers = 1 wait = epoll connections = 9",
     {"worker", 1, EACH_NONE, 16, 9, WAIT_EPOLL, false}, 16, 0},
    {"workers = 1 loops = 2 connections = 100 wait = poll threads = 4",
     {"event", 1, EACH_NONE, 2, 100, WAIT_POLL, true}, 4, 0},
    {"model = iterative", {"iterative", 1, EACH_NONE, 1, 1, WAIT_POLL, false}, 16, 0},
    {"model = forking", {"forking", 1, EACH_PROCESS, 1, 1, WAIT_POLL, false}, 16, 256},
    {"model = forking max_processes = 9 max_threads = 8",
     {"forking", 1, EACH_PROCESS, 1, 1, WAIT_POLL, false}, 16, 9},
    {"model = prefork", {"prefork", 16, EACH_NONE, 1, 1, WAIT_POLL, false}, 16, 0},
    {"model = threaded max_threads = 8 wait = epoll queue = per-thread",
     {"threaded", 1, EACH_THREAD, 1, 1, WAIT_EPOLL, false}, 16, 8},
    {"model = prethreaded", {"prethreaded", 1, EACH_NONE, 16, 1, WAIT_POLL, false}, 16, 0},
    {"model = poll", {"poll", 1, EACH_NONE, 1, MANY, WAIT_POLL, false}, 16, 0},
    {"model = epoll", {"epoll", 1, EACH_NONE, 1, MANY, WAIT_EPOLL, false}, 16, 0},
    /* connections of a worker, whatever the model has to bound them */
    {"model = event workers = 2 max_connections = 100",
     {"event", 2, EACH_NONE, 1, 100, WAIT_EPOLL, true}, 16, 0},
    {"model = event workers = 2 max_connections = 11 loops = 4",
     {"event", 2, EACH_NONE, 4, 2, WAIT_EPOLL, true}, 16, 0},
    {"model = epoll workers = 2 max_connections = 11 connections = 5",
     {"epoll", 2, EACH_NONE, 1, 5, WAIT_EPOLL, false}, 16, 0},
    {"model = poll workers = 2 max_connections = 1",
     {"poll", 2, EACH_NONE, 1, 1, WAIT_POLL, false}, 16, 0},
    {"model = iterative max_connections = 9",
     {"iterative", 1, EACH_NONE, 1, 1, WAIT_POLL, false}, 16, 0},
    {"model = prefork max_connections = 9",
     {"prefork", 16, EACH_NONE, 1, 1, WAIT_POLL, false}, 16, 0},
    {"model = forking max_connections = 9",
     {"forking", 1, EACH_PROCESS, 1, 1, WAIT_POLL, false}, 16, 9},
    {"model = threaded max_connections = 9 max_threads = 5",
     {"threaded", 1, EACH_THREAD, 1, 1, WAIT_POLL, false}, 16, 5},
    {"model = prethreaded max_connections = 9",
     {"prethreaded", 1, EACH_NONE, 9, 1, WAIT_POLL, false}, 16, 0},
    {"model = worker workers = 2 max_connections = 99",
     {"worker", 2, EACH_NONE, 16, 1, WAIT_POLL, false}, 16, 0},
};

START_TEST(model_with_overrides)
{
    struct buf text = {0};
    struct core core;
    buf_printf(&text, LISTEN "%s", models_read[_i].text);
    struct help help = help_parse(buf_text(&text), NULL, false);
    ck_assert_msg(core_read(help.conf, &core, &help.errors), "%s", buf_text(&help.errors));
    const struct model *m = &models_read[_i].model;
    ck_assert_str_eq(core.model.name, m->name);
    ck_assert_int_eq(core.model.workers, m->workers);
    ck_assert_int_eq(core.model.loops, m->loops);
    ck_assert_int_eq(core.model.connections, m->connections);
    ck_assert_int_eq(core.model.wait, m->wait);
    ck_assert_int_eq(core.model.pool, m->pool);
    ck_assert_int_eq(core.model.each, m->each);
    ck_assert_int_eq(core.threads, models_read[_i].threads);
    ck_assert_int_eq(core.max_each, models_read[_i].max_each);
    const char *why = strstr(models_read[_i].text, "workers") ? "as configured" : "model's number";
    ck_assert_msg(strstr(core.sizing, why), "%s", core.sizing);
    core_free(&core);
    help_end(&help);
    buf_free(&text);
}
END_TEST

START_TEST(workers_by_cpu)
{
    struct help help = help_parse(LISTEN, NULL, false);
    struct core core;
    ck_assert(core_read(help.conf, &core, &help.errors));
    ck_assert_int_ge(core.model.workers, 1);
    ck_assert_int_le(core.model.workers, 256);
    ck_assert_ptr_nonnull(strstr(core.sizing, "one per usable CPU"));
    ck_assert(core.follows_cpus);
    core_free(&core);
    help_end(&help);
}
END_TEST

static const struct {
    const char *text;
    int workers, min, max, spare_min, spare_max;
    bool follows;
} ranges[] = {
    {"workers = 2", 2, 0, 0, 0, 0, false},
    {"model = prefork", 16, 0, 0, 0, 0, false},
    {"model = prefork workers_max = 8", 8, 1, 8, 1, 3, false},
    {"model = prefork workers_max = 40", 16, 1, 40, 1, 3, false},
    {"model = prefork workers_min = 20 workers_max = 40", 20, 20, 40, 1, 3, false},
    {"workers = 2 workers_max = 8", 2, 1, 8, 8, 40, false},
    {"workers = 2 workers_max = 8 threads = 5", 2, 1, 8, 2, 12, false},
    {"workers = 2 workers_max = 8 threads = 5 spare_min = 1 spare_max = 6", 2, 1, 8, 1, 6, false},
    {"model = worker workers = 2 workers_max = 8 loops = 4", 2, 1, 8, 2, 10, false},
    {"model = epoll workers_max = 8", 1, 1, 8, 1, 3, false},
    /* of no effect, so that one word is enough to change the model */
    {"model = iterative workers_max = 8", 1, 0, 0, 0, 0, false},
    {"model = forking workers_max = 8 workers = 9", 9, 0, 0, 0, 0, false},
    {"model = threaded workers_max = 8", 1, 0, 0, 0, 0, false},
    {"model = prethreaded workers_max = 8", 1, 0, 0, 0, 0, false},
};

START_TEST(workers_of_a_range)
{
    struct buf text = {0};
    struct core core;
    buf_printf(&text, LISTEN "%s", ranges[_i].text);
    struct help help = help_parse(buf_text(&text), NULL, false);
    ck_assert_msg(core_read(help.conf, &core, &help.errors), "%s", buf_text(&help.errors));
    ck_assert_int_eq(core.model.workers, ranges[_i].workers);
    ck_assert_int_eq(core.workers_min, ranges[_i].min);
    ck_assert_int_eq(core.workers_max, ranges[_i].max);
    ck_assert_int_eq(core.spare_min, ranges[_i].spare_min);
    ck_assert_int_eq(core.spare_max, ranges[_i].spare_max);
    ck_assert_int_eq(core.follows_cpus, ranges[_i].follows);
    core_free(&core);
    help_end(&help);
    buf_free(&text);
}
END_TEST

START_TEST(every_value_arrives)
{
    struct help help = help_parse(
        "user = u group = g queue_limit = 9 modules = { a, b } module_path = \"/x:y::z\"\n"
        "control = /c control_group = cg pid_file = p error_log = syslog log_format = json\n"
        "log_level = debug ready_timeout = 1 drain_timeout = 2 drain_linger = 3ms\n"
        "send_timeout = 4 send_rate = 6KiB generations_limit = 5 "
        "worker_requests = 11 worker_age = 12 worker_memory = 13 worker_jitter = 14 "
        "workers_min = 2 workers_max = 9 workers = 3 spare_min = 15 spare_max = 40 "
        "spare_time = 16 max_connections_per_client = 17 "
        "max_connections_exempt = { \"10.0.0.0/8\", \"::1\" }\n"
        "listen \"unix:/s\" { protocol = p backlog = 7 mode = 600 owner = \"a:b\" }\n"
        "listen \"fd:x\" { }", NULL, false);
    struct core core;
    struct buf want = {0};
    const char *folder = help.snapshot->folder;
    ck_assert_msg(help.conf && core_read(help.conf, &core, &help.errors), "%s",
                  buf_text(&help.errors));
    ck_assert_str_eq(core.user, "u");
    ck_assert_str_eq(core.group, "g");
    ck_assert_int_eq(core.queue_limit, 9);
    ck_assert_int_eq(core.client_limit, 17);
    ck_assert_uint_eq(core.exempt_count, 2);
    ck_assert_uint_eq(core.module_count, 2);
    ck_assert_str_eq(core.modules[1], "b");
    buf_printf(&want, "/x:%s/y:%s/z", folder, folder);
    ck_assert_str_eq(core.module_path, buf_text(&want));
    ck_assert_str_eq(core.control, "/c");
    ck_assert_str_eq(core.control_group, "cg");
    buf_clear(&want);
    buf_printf(&want, "%s/p", folder);
    ck_assert_str_eq(core.pid_file, buf_text(&want));
    ck_assert_str_eq(core.error_log, "syslog");
    ck_assert_int_eq(core.log_format, LOG_JSON);
    ck_assert_int_eq(core.log_level, REEVE_LOG_DEBUG);
    ck_assert_int_eq(core.ready_timeout, 1000);
    ck_assert_int_eq(core.drain_timeout, 2000);
    ck_assert_int_eq(core.worker_requests, 11);
    ck_assert_int_eq(core.worker_age, 12000);
    ck_assert_int_eq(core.worker_memory, 13);
    ck_assert_int_eq(core.worker_jitter, 14);
    ck_assert_int_eq(core.workers_min, 2);
    ck_assert_int_eq(core.workers_max, 9);
    ck_assert_int_eq(core.model.workers, 3);
    ck_assert_int_eq(core.spare_min, 15);
    ck_assert_int_eq(core.spare_max, 40);
    ck_assert_int_eq(core.spare_time, 16000);
    ck_assert_int_eq(core.drain_linger, 3);
    ck_assert_int_eq(core.send_timeout, 4000);
    ck_assert_int_eq(core.send_rate, 6144);
    ck_assert_int_eq(core.generations_limit, 5);
    ck_assert_uint_eq(core.listen_count, 2);
    ck_assert_str_eq(core.listens[0].title, "unix:/s");
    ck_assert_str_eq(core.listens[0].protocol, "p");
    ck_assert_int_eq(core.listens[0].backlog, 7);
    ck_assert_uint_eq(core.listens[0].mode, 0600);
    ck_assert_str_eq(core.listens[0].owner, "a:b");
    ck_assert_int_eq(core.listens[0].line, 5);
    ck_assert_str_eq(core.listens[1].protocol, "http");
    ck_assert_int_eq(core.listens[1].backlog, 4096);
    ck_assert_uint_eq(core.listens[1].mode, 0660);
    ck_assert_int_eq(core.listens[1].address.kind, ADDRESS_FD);
    core_free(&core);
    buf_free(&want);
    help_end(&help);
}
END_TEST

static const struct {
    const char *text, *error;
} mistakes[] = {
    {"listen \"1.2.3.4\" { }", IN("1") "listen \"1.2.3.4\": \"1.2.3.4\" has no port; write "
                                       "127.0.0.1:80, [::1]:80, *:80, localhost:80, unix:/path or "
                                       "fd:name\n"},
    {"listen \"127.0.0.1:80\" { }\nlisten \"localhost:80\" { }",
     IN("2") "listen \"localhost:80\": takes the same address as \"127.0.0.1:80\" on line 1; "
             "remove one of them\n"},
    {"listen \"0.0.0.0:80\" { }\nlisten \"127.0.0.1:80\" { }",
     IN("2") "listen \"127.0.0.1:80\": takes the same address as \"0.0.0.0:80\" on line 1; remove "
             "one of them\n"},
    {"listen \"127.0.0.1:80\" { }\nlisten \"[::]:80\" { }",
     IN("2") "listen \"[::]:80\": takes the same address as \"127.0.0.1:80\" on line 1; remove one "
             "of them\n"},
    {"listen \"unix:/x\" { }\nlisten \"unix:/x\" { }",
     IN("2") "listen \"unix:/x\": is written twice, first on line 1; join them or change a "
     "title\n"},
    {LISTEN "connections = 1",
     IN("2") "connections: 1 leaves the pool of the model event nothing to do; remove it, or write "
             "model = \"worker\"\n"},
    {LISTEN "loops = 64\nthreads = 12000",
     IN("3") "threads: 12000 and 64 loops are more than 12000 threads in a worker; write less\n"},
    {LISTEN "model = forking connections = 2",
     IN("2") "connections: 2 contradicts the model forking, whose every process serves one "
             "connection; remove it, or write model = \"epoll\"\n"},
    {LISTEN "model = threaded loops = 3",
     IN("2") "loops: 3 contradicts the model threaded, which makes a thread for each connection; "
             "remove it, or write model = \"prethreaded\"\n"},
    {LISTEN "model = poll wait = epoll",
     IN("2") "wait: \"epoll\" contradicts the model poll; remove it, or write model = \"epoll\"\n"},
    {LISTEN "error_log = \"\"",
     IN("2") "error_log: is empty; write \"stderr\", \"syslog\" or a path\n"},
    {LISTEN "loops = 4\nmax_connections = 7",
     IN("3") "max_connections: 7 is too few for 4 loops in a worker; write at least 8\n"},
    {LISTEN "model = epoll loops = 4\nmax_connections = 3",
     IN("3") "max_connections: 3 is too few for 4 loops in a worker; write at least 4\n"},
    {LISTEN "max_connections = 1",
     IN("2") "max_connections: 1 is too few for 1 loop in a worker; write at least 2\n"},
    {LISTEN "max_connections_exempt = { \"10.0.0.1\", \"proxy\" }",
     IN("2") "max_connections_exempt: \"proxy\" is no block of addresses: write it as in "
     "\"192.0.2.0/24\" or \"2001:db8::/32\", or write an address\n"},
    {LISTEN "max_connections_exempt = { \"10.0.0.1/8\" }",
     IN("2") "max_connections_exempt: \"10.0.0.1/8\" says more than its length lets count: write "
     "\"10.0.0.0/8\" for the block, or the address alone\n"},
    {LISTEN "max_connections_exempt = { \"unix\" }",
     IN("2") "max_connections_exempt: \"unix\" is of no use here: clients of Unix sockets are "
     "never counted; remove it\n"},
    {LISTEN "max_connections_exempt = { \"all\" }",
     IN("2") "max_connections_exempt: \"all\" is of no use here: write max_connections_per_client "
     "= 0 instead\n"},
    {LISTEN "modules = { a, b, a }", IN("2") "modules: \"a\" is named twice; remove one of them\n"},
};

START_TEST(mistakes_have_their_sentence)
{
    help_refused(mistakes[_i].text, NULL, mistakes[_i].error);
}
END_TEST

START_TEST(long_control_path)
{
    char text[256] = LISTEN "control = \"/";
    struct core core;
    memset(text + strlen(text), 'x', 107);
    strcat(text, "\"");
    struct help help = help_parse(text, NULL, false);
    ck_assert(!core_read(help.conf, &core, &help.errors));
    ck_assert_ptr_nonnull(strstr(buf_text(&help.errors), "is too long for a socket"));
    help_end(&help);
}
END_TEST

/* Addresses that look alike and are none the less apart. */
static const char *const apart[] = {
    "listen \"127.0.0.1:0\" { } listen \"localhost:0\" { }",
    "listen \"127.0.0.1:80\" { } listen \"127.0.0.1:81\" { }",
    "listen \"127.0.0.1:80\" { } listen \"127.0.0.2:80\" { }",
    "listen \"0.0.0.0:80\" { } listen \"[::1]:80\" { }",
    "listen \"fd:a\" { } listen \"fd:b\" { }",
    "listen \"unix:/a\" { } listen \"unix:/b\" { }",
};

START_TEST(other_addresses_do_not_clash)
{
    struct help help = help_parse(apart[_i], NULL, false);
    struct core core;
    ck_assert_msg(core_read(help.conf, &core, &help.errors), "%s", buf_text(&help.errors));
    ck_assert_uint_eq(core.listen_count, 2);
    core_free(&core);
    help_end(&help);
}
END_TEST

START_TEST(model_table)
{
    ck_assert_str_eq(model_names + 1,
                     "iterative|forking|prefork|threaded|prethreaded|worker|poll|epoll|event");
    ck_assert_ptr_null(model_find("x"));
    ck_assert_str_eq(model_find("worker")->name, "worker");
    ck_assert_str_eq(wait_name(WAIT_POLL), "poll");
    ck_assert_str_eq(wait_name(WAIT_EPOLL), "epoll");
    ck_assert_str_eq(wait_choices + 1, "poll|epoll");
    ck_assert_int_eq(wait_find("epoll"), WAIT_EPOLL);
    ck_assert_int_eq(wait_find("select"), WAIT_KINDS);
}
END_TEST

UNIT_MAIN("conf-core", EACH(model_with_overrides, models_read), ONCE(workers_by_cpu),
          EACH(workers_of_a_range, ranges),
          ONCE(every_value_arrives), EACH(mistakes_have_their_sentence, mistakes),
          ONCE(long_control_path), EACH(other_addresses_do_not_clash, apart), ONCE(model_table))
