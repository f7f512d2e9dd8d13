/* `reeved -T` and -o: what is printed can be read again and says the same; overrides win, and are
 * refused with their own text. The manual page comes from the same tables. */
#include "config.h"

#include "conf-help.h"
#include "unit.h"

/* Without the comments, which tell another origin after the second reading. */
static void strip_comments(struct buf *text)
{
    struct buf out = {0};
    const char *at = buf_text(text);
    while (*at) {
        size_t line = strcspn(at, "\n"), length = line;
        const char *comment = strstr(at, "  # ");
        if (comment && comment < at + line)
            length = (size_t)(comment - at);
        while (length > 0 && at[length - 1] == ' ')
            length--;
        buf_add(&out, at, length);
        buf_addc(&out, '\n');
        at += line + (at[line] == '\n');
    }
    buf_free(text);
    *text = out;
}

static void print_text(const char *text, const char *const *overrides, struct buf *out)
{
    struct help help = help_parse(text, overrides, true);
    ck_assert_msg(help.conf, "%s\n%s", text, buf_text(&help.errors));
    conf_print(help.conf, out);
    help_end(&help);
}

static const char *const texts[] = {
    "",
    "web { }",
    "web { tls { } strict = no limit = 1000 keepalive = 1500ms access_log = stderr }",
    ("web { tls { cert = a } site \"a\\\"b\\\\\" { route \"/{}#\" { files { index = {} } note = "
     "\"x # y\" } route '\\\\' { plain { } } } }"),
    "user = \"\\x01\\n\\t\\${HOME} $HOME '\\\"\" group = \"\\xc3\\xa9\"",
    ("modules = { \"a b\", \"c,d\", \"e\\\"f\" } listen \"127.0.0.1:0\" { mode = 7 } "
     "listen \"fd:x\" { }"),
    "listen \"unix:/x\" { mode = 4755 }",
};

START_TEST(printed_text_reads_the_same)
{
    struct buf first = {0}, second = {0};
    print_text(texts[_i], NULL, &first);
    print_text(buf_text(&first), NULL, &second);
    strip_comments(&first);
    strip_comments(&second);
    ck_assert_str_eq(buf_text(&first), buf_text(&second));
    ck_assert_uint_gt(first.length, 500);
    buf_free(&first);
    buf_free(&second);
}
END_TEST

static void has_line(const struct buf *text, const char *line)
{
    size_t length = strlen(line);
    for (const char *at = buf_text(text); *at; at += strcspn(at, "\n") + 1)
        if (strncmp(at, line, length) == 0 && at[length] == '\n')
            return;
    ck_abort_msg("no line \"%s\" in\n%s", line, buf_text(text));
}

START_TEST(every_line_tells_its_origin)
{
    struct buf out = {0};
    const char *const overrides[] = {"threads=3", "web.limit=2KiB", NULL};
    print_text("\nworkers = 4\nweb {\n strict = off\n site \"a\" { } }", overrides, &out);
    has_line(&out, "workers = 4                             # (built-in):2");
    has_line(&out, "loops = 0                               # default");
    has_line(&out, "threads = 3                             # -o");
    has_line(&out, "web {                                   # (built-in):3");
    has_line(&out, "    strict = false                      # (built-in):4");
    has_line(&out, "    limit = 2KiB                        # -o");
    has_line(&out, "    keepalive = 5s                      # default");
    has_line(&out, "    site \"a\" {                          # (built-in):5");
    has_line(&out, "#     tls {                             # default");
    has_line(&out, "#         cert = \"\"                     # default");
    has_line(&out, "#     }");
    buf_free(&out);
}
END_TEST

START_TEST(overrides_win)
{
    const char *const overrides[] = {"workers=7", "modules=a, b,,c", "web.case=upper",
                                     "web.tls.cert=x",
                                     "workers=8", "user=a=b", NULL};
    struct help help = help_parse("workers = 1 web { case = lower }", overrides, true);
    ck_assert_msg(help.conf, "%s", buf_text(&help.errors));
    const reeve_section *root = conf_root(help.conf), *web = reeve_conf_section(root, "web", 0);
    ck_assert_int_eq(reeve_conf_int(root, "workers"), 8);
    ck_assert_uint_eq(reeve_conf_count(root, "modules"), 3);
    ck_assert_str_eq(reeve_conf_item(root, "modules", 2), "c");
    ck_assert_str_eq(reeve_conf_string(web, "case"), "upper");
    ck_assert_uint_eq(reeve_conf_count(web, "tls"), 1);
    ck_assert_str_eq(reeve_conf_string(root, "user"), "a=b");
    help_end(&help);
}
END_TEST

START_TEST(listen_is_replaced)
{
    const char *const overrides[] = {"listen=127.0.0.1:1", "listen=unix:/x", NULL};
    struct help help = help_parse("listen \"*:80\" { protocol = echo backlog = 5 }\n"
                                  "listen \"*:81\" { protocol = http }", overrides, false);
    struct core core;
    ck_assert_msg(core_read(help.conf, &core, &help.errors), "%s", buf_text(&help.errors));
    ck_assert_uint_eq(core.listen_count, 2);
    ck_assert_str_eq(core.listens[0].title, "127.0.0.1:1");
    ck_assert_str_eq(core.listens[1].title, "unix:/x");
    ck_assert_str_eq(core.listens[0].protocol, "echo");
    ck_assert_str_eq(core.listens[1].protocol, "echo");
    ck_assert_int_eq(core.listens[0].backlog, 4096);
    core_free(&core);
    help_end(&help);
    help = help_parse("", overrides, false);
    ck_assert(core_read(help.conf, &core, &help.errors));
    ck_assert_str_eq(core.listens[0].protocol, "http");
    core_free(&core);
    help_end(&help);
}
END_TEST

#define LISTEN "listen \"127.0.0.1:0\" { }"

static const struct {
    const char *override, *error;
} mistakes[] = {
    {"workers", "-o workers: is no setting; write -o KEY=VALUE, such as -o workers=2\n"},
    {"=1", "-o =1: is no setting; write -o KEY=VALUE, such as -o workers=2\n"},
    {"workers=x", "-o workers=x: \"x\" is not a whole number; write digits only\n"},
    {"worker=1", "-o worker=1: worker is not known; did you mean \"workers\"?\n"},
    {"zzz=1", "-o zzz=1: zzz is not known; see reeve.conf(5), or add its module to modules\n"},
    {"web=1", "-o web=1: web is a section; name an option in it: web.OPTION=VALUE\n"},
    {"web.limt=1", "-o web.limt=1: limt is not known; did you mean \"limit\"?\n"},
    {"web.limit.x=1", "-o web.limit.x=1: limit is not a section; write no \".\" after it\n"},
    {"web.site=1", "-o web.site=1: site may stand several times and cannot be set by -o; change "
                   "the file\n"},
    {"web.limit=0", "-o web.limit=0: \"0\" is out of range; write 1 to 1GiB\n"},
    {"listen=8080", "-o listen=8080: listen \"8080\": \"8080\" has no port; write 127.0.0.1:80, "
                    "[::1]:80, *:80, localhost:80, unix:/path or fd:name\n"},
    {"listen.backlog=3", "-o listen.backlog=3: listen may stand several times and cannot be set by "
                         "-o; change the file\n"},
    {"connections=1", "-o connections=1: connections: 1 leaves the pool of the model event nothing "
                      "to do; remove it, or write model = \"worker\"\n"},
};

START_TEST(bad_overrides_have_their_sentence)
{
    const char *const overrides[] = {mistakes[_i].override, NULL};
    help_refused(LISTEN, overrides, mistakes[_i].error);
}
END_TEST

START_TEST(master_skips_what_is_not_its_own)
{
    const char *const overrides[] = {"web.limit=0", "zzz=1", "workers=3", NULL};
    struct help help = help_parse(LISTEN, overrides, false);
    ck_assert_msg(help.conf, "%s", buf_text(&help.errors));
    ck_assert_int_eq(reeve_conf_int(conf_root(help.conf), "workers"), 3);
    help_end(&help);
}
END_TEST

START_TEST(manual_names_every_option)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    conf_manual(help_modules, HELP_MODULES, out);
    fclose(out);
    for (const reeve_option *o = core_options; o->type != REEVE_OPT_END; o++) {
        char want[128];
        snprintf(want, sizeof(want), ".TP\n\\fB%s\\fR ", o->name);
        ck_assert_msg(strstr(text, want), "no %s", o->name);
        ck_assert_msg(o->help && strlen(o->help) > 10, "%s has no help", o->name);
    }
    ck_assert_ptr_nonnull(strstr(text, "\\fBworkers\\fR (number, 0 to 256, default 0)\n"));
    ck_assert_ptr_nonnull(strstr(text, "\\fBkeepalive\\fR (time, 1ms to 1m, default 5s)\n"));
    ck_assert_ptr_nonnull(strstr(text, "\\fBcase\\fR (one of \\fBlower\\fR, \\fBupper\\fR, "
                                       "\\fBmixed\\fR, default lower)\n"));
    ck_assert_ptr_nonnull(strstr(text, ".SS The protocol web\n"));
    ck_assert_ptr_nonnull(strstr(text, ".SS The handler plain\n"));
    ck_assert_ptr_nonnull(strstr(text, "It has no options.\n"));
    free(text);
}
END_TEST

UNIT_MAIN("conf-print", EACH(printed_text_reads_the_same, texts), ONCE(every_line_tells_its_origin),
          ONCE(overrides_win), ONCE(listen_is_replaced),
          EACH(bad_overrides_have_their_sentence, mistakes), ONCE(master_skips_what_is_not_its_own),
          ONCE(manual_names_every_option))
