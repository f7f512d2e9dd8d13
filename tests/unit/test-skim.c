/* The first look at the text: it blanks what it should and nothing else, and what the master reads
 * through it is what a worker reads from the whole. */
#include "config.h"

#include "conf-help.h"
#include "conf/skim.h"
#include "unit.h"

/* What the master keeps of a text. */
static const struct {
    const char *in, *out;
} kept[] = {
    {"workers = 1\n", "workers = 1\n"},
    {"# c\nworkers = 1 # d\n", "   \nworkers = 1    \n"},
    {"// c\n//d\nworkers=1 //e\n", "    \n   \nworkers=1    \n"},
    {"/* a\n b */workers /**/= 1", "    \n     workers     = 1"},
    {"x = 1 workers = 2 y = 3", "      workers = 2      "},
    {"x {}\nworkers = 2", "    \nworkers = 2"},
    {"x { y = 1 z = { a, b } }\nworkers = 2", "                        \nworkers = 2"},
    {"x \"}\" {\n y { z {} } }workers = 2", "       \n             workers = 2"},
    {"x = \"} { # // /* \\\" \" workers = 2", "                      workers = 2"},
    {"x = '} \" \\' # ' workers = 2", "                workers = 2"},
    {"x += { \"a\", } workers = 2", "              workers = 2"},
    {"'workers' = \"2\"", "'workers' = \"2\""},
    {"workers = ${X}\r\n", "workers = ${X} \n"},
    {"x = \"${A}\"workers=1", "          workers=1"},
    {"x = \"a\\\nb\" workers=1", "       \n   workers=1"},
    {"\xef\xbb\xbfworkers=1", "   workers=1"},
    {"listen \"a\" { protocol = x }", "listen \"a\" { protocol = x }"},
    {"", ""},
};

START_TEST(keeps_core_options_only)
{
    struct buf out = {0}, errors = {0};
    const char *in = kept[_i].in;
    ck_assert_msg(skim("f", in, strlen(in), core_options, &out, &errors), "%s", buf_text(&errors));
    ck_assert_str_eq(buf_text(&out), kept[_i].out);
    ck_assert_uint_eq(out.length, strlen(in));
    ck_assert_uint_eq(errors.length, 0);
    buf_free(&out);
}
END_TEST

/* Nasty, but right: the master's parse and a worker's full parse give the same core values. */
static const char *const nasty[] = {
    "web { }\nworkers = 2 threads = 3\nuser = last\n",
    "web { limit = 1 }\nuser = \"last\"",
    "web { site \"}\" { route \"{\" { plain { } note = \"# }\" } } } user = \"last\"",
    "/* } { \" */ web { # } \" '\n strict = false // {\n} user = last",
    "web{site'a'{route\"/\"{plain{}}}}user=last",
    "web { site \"it's\" { } site 'say \"x\"' { } }\nuser = 'l\"a\\'st'",
    "user = \"a\\\"b\\\\\" web { tls { cert = \"x\\\\\" } } group = \"g}\"",
    "modules += { 'one',\n two, \"th#ree\" } web { } control = /run/x",
    "modules = {\n # nothing\n}\nweb { limit = 2KiB }",
    "modules = single web { }",
    "user = ${REEVE_TEST_USER} group = \"x${REEVE_TEST_USER}y\" web { keepalive = 2 }",
    "user = \"${REEVE_TEST_NONE:-other}\" web { }",
    "user = \"two \\\n lines\"\nweb { case = upper }\nthreads = 7",
    "web {\r\n limit = 1\r\n}\r\nthreads = 7\r\n",
    "listen \"127.0.0.1:1\" { backlog = 5 } web { } listen \"127.0.0.1:2\" { protocol = web }",
    "user = http:/x group=a/b/c web { }",
    "user=a#b\nweb{}",
    "user=\"\\x41\\101\\t\\n\\q\" web { }",
    "user='\\x41\\101\\t\\n\\q' web { }",
    "user=\"\\${X}\" web { }",
    "\"user\" = x 'web' { 'limit' = 3 }",
    "# only a comment",
    "//",
    "/**/",
    "\n\n\n",
    "",
};

START_TEST(master_reads_what_a_worker_reads)
{
    struct buf core_text = {0}, full_text = {0};
    setenv("REEVE_TEST_USER", "from } the { environment", 1);
    struct help core = help_parse(nasty[_i], NULL, false), full = help_parse(nasty[_i], NULL, true);
    ck_assert_msg(core.conf, "%s", buf_text(&core.errors));
    ck_assert_msg(full.conf, "%s", buf_text(&full.errors));
    conf_print(core.conf, &core_text);
    conf_print(full.conf, &full_text);
    /* The core's options come first; origins with their lines are part of the text. */
    ck_assert_uint_gt(core_text.length, 500);
    ck_assert_uint_gt(full_text.length, core_text.length);
    full_text.data[core_text.length] = '\0';
    ck_assert_str_eq(core_text.data, full_text.data);
    help_end(&core);
    help_end(&full);
    buf_free(&core_text);
    buf_free(&full_text);
}
END_TEST

/* Malformed: master and worker refuse with the same line, wherever in the file it is. */
static const struct {
    const char *text, *error;
} malformed[] = {
    {"user = \"x\nworkers = 1", "1: the text that begins with \" is not closed on its line; add "
                                "\", or end the line with \\ to go on in the next"},
    {"web { case = 'x\n }", "1: the text that begins with ' is not closed on its line; add ', or "
                            "end the line with \\ to go on in the next"},
    {"\n/* x\n\n", "2: the comment that begins here is not closed; add \"*/\""},
    {"web {\n limit = 1\n", "1: web: the section that begins here is not closed; add \"}\""},
    {"web { site \"a\" {\n", "1: site: the section that begins here is not closed; add \"}\""},
    {"web { }\n}", "2: \"}\" closes nothing; remove it, or look for a missing \"{\" above"},
    {"workers 4", "1: workers: write \"=\" before a value, or \"{\" after a title instead of the "
                  "end of the file"},
    {"workers 4\nuser = x", "2: workers: write \"=\" before a value, or \"{\" after a title "
                            "instead of \"user\""},
    {"workers",
     "1: workers: write \"= VALUE\" or \"{ ... }\" after it instead of the end of the file"},
    {"workers =\n\n}", "3: workers: a value must follow \"=\" instead of \"}\""},
    {"workers = 4 = 5", "1: the name of an option should stand here instead of \"=\""},
    {"modules = { a b }", "1: modules: the list needs \",\" or \"}\" instead of \"b\""},
    {"modules = { a,, b }", "1: modules: the list needs a value or \"}\" instead of \",\""},
    {"modules = { a,\n b", "1: modules: the list that begins here is not closed; add \"}\""},
    {"listen *:80 { }", "1: \"*\" and \"//\" must stand in quotes; write \"...\" around it"},
    {"web { case = http://x }",
     "1: \"*\" and \"//\" must stand in quotes; write \"...\" around it"},
    {"include(x)", "1: \"(\" must stand in quotes; write \"...\" around the text"},
    {"\"=x\" = 1", "1: \"=x\" can't be the name of an option; names are made of letters, digits "
                   "and \"_\""},
    {"\"a|b\" = 1", "1: \"a|b\" can't be the name of an option; names are made of letters, digits "
                    "and \"_\""},
    {"'' = 1", "1: '' can't be the name of an option; names are made of letters, digits and \"_\""},
    {"user = \"${X\"\nweb { }", "1: \"${\" without \"}\"; write ${NAME} for a variable of the "
                                "environment, or \\${ in double quotes for the text itself"},
    {"workers + 4", "1: \"+\" must stand in quotes or be \"+=\""},
};

START_TEST(malformed_texts_are_refused)
{
    struct buf expected = {0};
    struct help core = help_parse(malformed[_i].text, NULL, false);
    struct help full = help_parse(malformed[_i].text, NULL, true);
    buf_printf(&expected, "(built-in):%s\n", malformed[_i].error);
    ck_assert_str_eq(buf_text(&core.errors), buf_text(&expected));
    ck_assert_str_eq(buf_text(&full.errors), buf_text(&expected));
    help_end(&core);
    help_end(&full);
    buf_free(&expected);
}
END_TEST

START_TEST(nul_and_depth_are_refused)
{
    struct buf out = {0}, errors = {0}, deep = {0};
    ck_assert(!skim("f", "user\0 = x", 9, NULL, &out, &errors));
    ck_assert_str_eq(buf_text(&errors), "f:1: there is a NUL byte; is this a text file?\n");
    buf_clear(&errors);
    ck_assert(!skim("f", "user = \"\0\"", 10, NULL, &out, &errors));
    ck_assert_str_eq(buf_text(&errors), "f:1: there is a NUL byte; is this a text file?\n");
    buf_clear(&errors);
    for (int i = 0; i < 100000; i++)
        buf_adds(&deep, "a{");
    ck_assert(!skim("f", deep.data, deep.length, NULL, &out, &errors));
    ck_assert_str_eq(buf_text(&errors), "f:1: a: sections stand too deep in each other\n");
    buf_free(&out);
    buf_free(&errors);
    buf_free(&deep);
}
END_TEST

/* Whatever the text is cut to, there is an answer, and a refusal says why. */
START_TEST(every_beginning_of_a_text_is_answered)
{
    static const char text[] = "web { site \"a\" { route '/' { plain { } } } } # x\n/* y */ "
                               "modules += { \"a\\n\", b }\nuser = \"${HOME}x\\\"\"";
    for (size_t length = 0; length < sizeof(text); length++) {
        struct buf out = {0}, errors = {0};
        bool good = skim("f", text, length, core_options, &out, &errors);
        ck_assert_int_eq(good, errors.length == 0);
        if (good)
            ck_assert_uint_eq(out.length, length);
        buf_free(&out);
        buf_free(&errors);
    }
}
END_TEST

UNIT_MAIN("skim", EACH(keeps_core_options_only, kept),
          EACH(master_reads_what_a_worker_reads, nasty),
          EACH(malformed_texts_are_refused, malformed), ONCE(nul_and_depth_are_refused),
          ONCE(every_beginning_of_a_text_is_answered))
