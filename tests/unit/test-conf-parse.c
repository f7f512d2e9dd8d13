/* Parsing: values by type, defaults, sections, handlers, and the sentence for each mistake. */
#include "config.h"

#include <signal.h>

#include "conf-help.h"
#include "unit.h"

static const char full_text[] = "workers = 4\n"
                                "modules = { \"a\", b }\n"
                                "web {\n"
                                "    keepalive = 250ms\n"
                                "    limit = \"64KiB\"\n"
                                "    strict = Off\n"
                                "    case = mixed\n"
                                "    access_log = \"logs/a.log\"\n"
                                "    site \"one\" {\n"
                                "        route \"/\" { files { root = \"/srv\" } note = hi }\n"
                                "        route \"/p\" { plain { } }\n"
                                "    }\n"
                                "    site \"two\" { }\n"
                                "}\n";

START_TEST(values_by_type)
{
    struct help help = help_parse(full_text, NULL, true);
    ck_assert_msg(help.conf, "%s", buf_text(&help.errors));
    const reeve_section *root = conf_root(help.conf);
    const reeve_section *web = reeve_conf_section(root, "web", 0);
    struct buf path = {0};
    ck_assert_int_eq(reeve_conf_int(root, "workers"), 4);
    ck_assert_uint_eq(reeve_conf_count(root, "modules"), 2);
    ck_assert_str_eq(reeve_conf_item(root, "modules", 0), "a");
    ck_assert_str_eq(reeve_conf_item(root, "modules", 1), "b");
    ck_assert_int_eq(reeve_conf_int(web, "keepalive"), 250);
    ck_assert_int_eq(reeve_conf_int(web, "limit"), 65536);
    ck_assert(!reeve_conf_bool(web, "strict"));
    ck_assert_str_eq(reeve_conf_string(web, "case"), "mixed");
    buf_printf(&path, "%s/logs/a.log", help.snapshot->folder);
    ck_assert_str_eq(reeve_conf_string(web, "access_log"), buf_text(&path));
    buf_free(&path);
    help_end(&help);
}
END_TEST

START_TEST(sections_and_handlers)
{
    struct help help = help_parse(full_text, NULL, true);
    const reeve_section *options;
    ck_assert_msg(help.conf, "%s", buf_text(&help.errors));
    const reeve_section *web = reeve_conf_section(conf_root(help.conf), "web", 0);
    ck_assert_uint_eq(reeve_conf_count(web, "site"), 2);
    const reeve_section *one = reeve_conf_section(web, "site", 0);
    ck_assert_str_eq(reeve_conf_title(one), "one");
    ck_assert_str_eq(reeve_conf_title(reeve_conf_section(web, "site", 1)), "two");
    ck_assert_uint_eq(reeve_conf_count(reeve_conf_section(web, "site", 1), "route"), 0);
    ck_assert_uint_eq(reeve_conf_count(one, "route"), 2);
    const reeve_section *route = reeve_conf_section(one, "route", 0);
    ck_assert_str_eq(reeve_conf_string(route, "note"), "hi");
    ck_assert_ptr_eq(reeve_conf_handler(route, &options), help_files.handler);
    ck_assert_uint_eq(reeve_conf_minor(options), REEVE_API_MINOR);
    ck_assert_str_eq(reeve_conf_string(options, "root"), "/srv");
    ck_assert_uint_eq(reeve_conf_count(options, "index"), 2);
    ck_assert_str_eq(reeve_conf_item(options, "index", 1), "index.htm");
    route = reeve_conf_section(one, "route", 1);
    ck_assert_ptr_eq(reeve_conf_handler(route, &options), help_plain.handler);
    ck_assert_uint_eq(reeve_conf_minor(options), 1);
    ck_assert_str_eq(reeve_conf_string(route, "note"), "none");
    help_end(&help);
}
END_TEST

START_TEST(absent_sections_have_defaults)
{
    struct help help = help_parse("", NULL, true);
    ck_assert_msg(help.conf, "%s", buf_text(&help.errors));
    const reeve_section *root = conf_root(help.conf);
    const reeve_section *web = reeve_conf_section(root, "web", 0);
    ck_assert_uint_eq(reeve_conf_count(root, "web"), 0);
    ck_assert_uint_eq(reeve_conf_count(root, "listen"), 0);
    ck_assert_uint_eq(reeve_conf_count(root, "modules"), 4);
    ck_assert_int_eq(reeve_conf_int(web, "keepalive"), 5000);
    ck_assert(reeve_conf_bool(web, "strict"));
    ck_assert_str_eq(reeve_conf_string(web, "access_log"), "off");
    ck_assert_uint_eq(reeve_conf_count(web, "tls"), 0);
    ck_assert_str_eq(reeve_conf_string(reeve_conf_section(web, "tls", 0), "cert"), "");
    help_end(&help);
    help = help_parse("web { tls { } }", NULL, true);
    root = conf_root(help.conf);
    ck_assert_uint_eq(reeve_conf_count(root, "web"), 1);
    ck_assert_uint_eq(reeve_conf_count(reeve_conf_section(root, "web", 0), "tls"), 1);
    help_end(&help);
}
END_TEST

START_TEST(lists)
{
    struct help help = help_parse("modules += { x }\nmodules += y", NULL, false);
    const reeve_section *root = conf_root(help.conf);
    ck_assert_uint_eq(reeve_conf_count(root, "modules"), 6);
    ck_assert_str_eq(reeve_conf_item(root, "modules", 0), "echo");
    ck_assert_str_eq(reeve_conf_item(root, "modules", 5), "y");
    help_end(&help);
    help = help_parse("modules = { }", NULL, false);
    ck_assert_uint_eq(reeve_conf_count(conf_root(help.conf), "modules"), 0);
    help_end(&help);
}
END_TEST

#define IN(line) "(built-in):" line ": "

static const struct {
    const char *text, *error;
} mistakes[] = {
    {"workers = 300", IN("1") "workers: \"300\" is out of range; write 0 to 256\n"},
    {"workers = -1", IN("1") "workers: \"-1\" is out of range; write 0 to 256\n"},
    {"workers = 4x", IN("1") "workers: \"4x\" is not a whole number; write digits only\n"},
    {"workers = 99999999999999999999",
     IN("1") "workers: \"99999999999999999999\" is not a whole number; write digits only\n"},
    {"workers = \"\"", IN("1") "workers: \"\" is not a whole number; write digits only\n"},
    {"# c\n/* d\n*/\nweb {\n # e\n strict = maybe }",
     IN("6") "strict: \"maybe\" is neither true nor false; write true or false\n"},
    {"web { limit = 1XB }", IN("1") "limit: \"1XB\" is not a size; write bytes, or a number with a "
                                    "unit such as 64KiB or 10MiB\n"},
    {"web { limit = 2GiB }", IN("1") "limit: \"2GiB\" is out of range; write 1 to 1GiB\n"},
    {"web { keepalive = soon }", IN("1") "keepalive: \"soon\" is not a time; write seconds, or a "
                                         "number with a unit such as 250ms, 30s, 5m or 1h\n"},
    {"web { keepalive = 2m }", IN("1") "keepalive: \"2m\" is out of range; write 1ms to 1m\n"},
    {"web { case = uper }", IN("1") "case: \"uper\" is not known (did you mean \"upper\"?); write "
                                    "\"lower\", \"upper\" or \"mixed\"\n"},
    {"web { case = \"\" }", IN("1") "case: \"\" is not known; write \"lower\", \"upper\" or "
                                    "\"mixed\"\n"},
    {"listen \"127.0.0.1:1\" { mode = 0888 }",
     IN("1") "mode: \"0888\" are not permissions; write them in octal, such as \"0660\"\n"},
    {"workers = 1\n\nworkers = 2",
     IN("3") "workers: is written twice, first on line 1; remove one of them\n"},
    {"modules = { a,\nb }\nmodules = { a }",
     IN("3") "modules: is written twice, first on line 1; remove one of them\n"},
    {"worker = 1", IN("1") "worker: is not known here; did you mean \"workers\"?\n"},
    {"\nzzz { }", IN("2") "zzz: is not known here; see reeve.conf(5), or add its module to "
                          "modules\n"},
    {"web {\n keepaliv = 1 }", IN("2") "keepaliv: is not known in web; did you mean "
                                       "\"keepalive\"?\n"},
    {"listen \"127.0.0.1:1\" {\n protokol = x }",
     IN("2") "protokol: is not known in listen \"127.0.0.1:1\"; did you mean \"protocol\"?\n"},
    {"web { site \"a\" { route \"/\" { fils { } } } }",
     IN("1") "fils: is not known in route \"/\"; did you mean \"files\"?\n"},
    {"web { }\nweb { }", IN("2") "web: is written twice, first on line 1; join the two\n"},
    {"web { site \"a\" { }\n site \"b\" { }\n site \"a\" { } }",
     IN("3") "site \"a\": is written twice, first on line 1; join them or change a title\n"},
    {"web { site \"a\" {\n route \"/\" { note = x } } }",
     IN("2") "route \"/\": has no handler; write the section of one of these in it: files, "
     "plain\n"},
    {"web { site \"a\" {\n route \"/\" {\n files { }\n plain { } } } }",
     IN("4") "route \"/\": has two handlers, files and plain; keep one of them\n"},
    {"web { site \"a\" {\n route \"/\" {\n plain { }\n plain { } } } }",
     IN("4") "route \"/\": has two handlers, plain and plain; keep one of them\n"},
    {"listen { }", IN("1") "listen: needs a title before \"{\"\n"},
    {"web = 1", IN("1") "web: is a section; write { ... } after it\n"},
    {"web \"x\" { }", IN("1") "web: is a section; write { ... } after it\n"},
    {"workers { }", IN("1") "workers: is a value, not a section; write \"=\" after it\n"},
    {"workers += 1", IN("1") "workers: is not a list; write \"=\" instead of \"+=\"\n"},
    {"workers = { 1 }",
     IN("1") "{: stands where a single value should stand; write one value\n"},
    {"user = \"\\9\"", IN("1") "\\9: is no escape; write \\\\ for the sign \\ itself\n"},
    {"user = \"\\777\"", IN("1") "\\777: is not a byte; write \\\\ for the sign \\ itself\n"},
    {"workers = x\nthreads = 0\nmodel = evnt",
     IN("3") "model: \"evnt\" is not known (did you mean \"event\"?); write "
             "\"iterative\", \"forking\", \"prefork\", \"threaded\", \"prethreaded\", "
             "\"worker\", \"poll\", \"epoll\" or \"event\"\n"
     IN("1") "workers: \"x\" is not a whole number; write digits only\n"
     IN("2") "threads: \"0\" is out of range; write 1 to 12000\n"},
};

START_TEST(mistakes_have_their_sentence)
{
    help_refused(mistakes[_i].text, NULL, mistakes[_i].error);
}
END_TEST

/* After a refused text the next parse in the same process is as good as the first. */
START_TEST(a_refused_text_leaves_nothing_behind)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct help bad = help_parse(mistakes[i].text, NULL, true);
        struct help good = help_parse(full_text, NULL, true);
        ck_assert_msg(good.conf, "after %s: %s", mistakes[i].text, buf_text(&good.errors));
        help_end(&bad);
        help_end(&good);
    }
}
END_TEST

START_TEST(no_handler_module)
{
    struct help help = help_parse("", NULL, true);
    struct buf errors = {0};
    struct snapshot *snapshot = snapshot_take(NULL, "web { site \"a\" { route \"/\" { } } }", NULL,
                                              0, &errors);
    ck_assert_ptr_null(conf_parse(snapshot, help_modules, 1, &errors));
    ck_assert_str_eq(buf_text(&errors),
                     IN("1") "route \"/\": has no handler, and no module for web has one; add one "
                             "to modules, such as \"static\"\n");
    buf_free(&errors);
    snapshot_free(&snapshot);
    help_end(&help);
}
END_TEST

START_TEST(errors_of_modules)
{
    struct help help = help_parse("\nweb {\n limit = 5\n site \"a\" { } }", NULL, true);
    struct buf errors = {0};
    const reeve_section *web = reeve_conf_section(conf_root(help.conf), "web", 0);
    conf_collect_errors(&errors);
    ck_assert_int_eq(reeve_conf_error(web, "limit", "%d is bad", 5), -1);
    ck_assert_int_eq(reeve_conf_error(web, "keepalive", "is bad"), -1);
    ck_assert_int_eq(reeve_conf_error(web, NULL, "is bad"), -1);
    ck_assert_int_eq(reeve_conf_error(reeve_conf_section(web, "site", 0), NULL, "is bad"), -1);
    conf_collect_errors(NULL);
    ck_assert_str_eq(buf_text(&errors), IN("3") "limit: 5 is bad\n" IN("2") "keepalive: is bad\n"
                     IN("2") "web: is bad\n" IN("4") "site \"a\": is bad\n");
    buf_free(&errors);
    help_end(&help);
}
END_TEST

START_TEST(undeclared_name_aborts)
{
    struct help help = help_parse("", NULL, true);
    reeve_conf_int(conf_root(help.conf), "nothing");
}
END_TEST

START_TEST(wrong_type_aborts)
{
    struct help help = help_parse("", NULL, true);
    reeve_conf_string(conf_root(help.conf), "workers");
}
END_TEST

START_TEST(error_outside_of_configure_aborts)
{
    struct help help = help_parse("", NULL, true);
    reeve_conf_error(conf_root(help.conf), NULL, "x");
}
END_TEST

START_TEST(builtin_is_good)
{
    struct help help = help_parse(conf_builtin, NULL, false);
    struct core core;
    ck_assert(core_read(help.conf, &core, &help.errors));
    ck_assert_uint_eq(core.listen_count, 1);
    ck_assert_str_eq(core.listens[0].title, "127.0.0.1:8080");
    ck_assert_str_eq(core.listens[0].protocol, "http");
    ck_assert_uint_eq(core.module_count, 2);
    core_free(&core);
    help_end(&help);
}
END_TEST

UNIT_MAIN("conf-parse", ONCE(values_by_type), ONCE(sections_and_handlers),
          ONCE(absent_sections_have_defaults), ONCE(lists),
          EACH(mistakes_have_their_sentence, mistakes), ONCE(a_refused_text_leaves_nothing_behind),
          ONCE(no_handler_module), ONCE(errors_of_modules), RAISES(undeclared_name_aborts, SIGABRT),
          RAISES(wrong_type_aborts, SIGABRT), RAISES(error_outside_of_configure_aborts, SIGABRT),
          ONCE(builtin_is_good))
