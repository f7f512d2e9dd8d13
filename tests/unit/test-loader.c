/* Finding, checking, configuring modules. The modules are those of tests/modules/abi-*.c. */
#include "config.h"

#include <dlfcn.h>

#include "conf-help.h"
#include "module/loader.h"
#include "unit.h"

#define PATH_LINE "module_path = \"/nonexistent:" ABI_MODULES "\"\n"
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define OURS TEXT(REEVE_API_MAJOR) "." TEXT(REEVE_API_MINOR)
#define NEWER_MAJOR "2." TEXT(REEVE_API_MINOR)
#define NEWER_MINOR TEXT(REEVE_API_MAJOR) ".5"
_Static_assert(REEVE_API_MINOR + 1 == 5, "NEWER_MINOR has to follow");
#define LISTEN "listen \"127.0.0.1:0\" { protocol = \"abi-good\" }\n"

/* ---- the descriptor alone */

#define GOOD                                                                                       \
    {.magic = REEVE_MAGIC, .api_major = REEVE_API_MAJOR, .api_minor = REEVE_API_MINOR,             \
     .size = sizeof(reeve_module), .kind = REEVE_PROTOCOL, .name = "x", .version = "1",            \
     .protocol = &help_protocol}

static void refused(const reeve_module *module, const char *says)
{
    char room[256];
    const char *why = module_refusal(module, room, sizeof(room));
    ck_assert_msg(why, "accepted instead of: %s", says);
    ck_assert_msg(strstr(why, says), "%s", why);
    ck_assert_msg(strchr(why, ';'), "does not say what to do: %s", why);
}

START_TEST(descriptor)
{
    static const reeve_protocol no_step = {.step = NULL};
    static const reeve_handler no_handle = {.protocol = "web"};
    static const reeve_handler no_protocol = {.handle = help_handle};
    reeve_module m = GOOD;
    char room[256];
    ck_assert_ptr_null(module_refusal(&m, room, sizeof(room)));
    m.size += 8; /* a newer one may be larger */
    ck_assert_ptr_null(module_refusal(&m, room, sizeof(room)));
    m = (reeve_module)GOOD, m.magic = 1;
    refused(&m, "begins with 0x00000001");
    m = (reeve_module)GOOD, m.api_major = 0;
    refused(&m, "it was built for interface 0." TEXT(REEVE_API_MINOR) ", this reeved has " OURS);
    m = (reeve_module)GOOD, m.api_major = 2;
    refused(&m, "it was built for interface " NEWER_MAJOR);
    m = (reeve_module)GOOD, m.api_minor = REEVE_API_MINOR + 1;
    refused(&m, "it needs interface " NEWER_MINOR ", this reeved has only " OURS);
    m = (reeve_module)GOOD, m.size -= 1;
    refused(&m, "its descriptor has ");
    m = (reeve_module)GOOD, m.name = NULL;
    refused(&m, "no good .name");
    m = (reeve_module)GOOD, m.name = "Up";
    refused(&m, "no good .name");
    m = (reeve_module)GOOD, m.version = NULL;
    refused(&m, "no .version");
    m = (reeve_module)GOOD, m.kind = 0;
    refused(&m, ".kind is neither");
    m = (reeve_module)GOOD, m.protocol = NULL;
    refused(&m, "a protocol without .protocol");
    m = (reeve_module)GOOD, m.protocol = &no_step;
    refused(&m, "without a step function");
    m = (reeve_module)GOOD, m.kind = REEVE_HANDLER;
    refused(&m, "a handler without .handler");
    m.handler = &no_handle;
    refused(&m, "a handle function");
    m.handler = &no_protocol;
    refused(&m, "its protocol's name");
    m.handler = &help_handler;
    ck_assert_ptr_null(module_refusal(&m, room, sizeof(room)));
}
END_TEST

/* ---- loading */

struct load {
    struct help help;
    struct core core;
    struct modules modules;
    int result;
};

static struct load load(const char *text)
{
    struct load l = {.help = help_parse(text, NULL, false)};
    ck_assert_msg(l.help.conf && core_read(l.help.conf, &l.core, &l.help.errors), "%s",
                  buf_text(&l.help.errors));
    l.result = modules_load(&l.modules, &l.core, &l.help.errors);
    ck_assert_int_eq(l.result != 0, l.help.errors.length > 0);
    return l;
}

static void load_end(struct load *l)
{
    free(l->modules.list);
    core_free(&l->core);
    help_end(&l->help);
}

START_TEST(good_module)
{
    struct load l = load(LISTEN PATH_LINE "modules = { abi-good }");
    ck_assert_msg(l.result == 0, "%s", buf_text(&l.help.errors));
    ck_assert_uint_eq(l.modules.count, 1);
    ck_assert_str_eq(l.modules.list[0]->version, "1.2");
    ck_assert_ptr_eq(modules_find(&l.modules, REEVE_PROTOCOL, "abi-good"), l.modules.list[0]);
    ck_assert_ptr_null(modules_find(&l.modules, REEVE_HANDLER, "abi-good"));
    ck_assert_ptr_null(modules_find(&l.modules, REEVE_PROTOCOL, "abi"));
    load_end(&l);
    l = load(LISTEN "modules = { \"" ABI_MODULES "/abi-good.so\" }");
    ck_assert_msg(l.result == 0, "%s", buf_text(&l.help.errors));
    ck_assert_uint_eq(l.modules.count, 1);
    load_end(&l);
    l = load(LISTEN "modules = { }");
    ck_assert_int_eq(l.result, 0);
    ck_assert_uint_eq(l.modules.count, 0);
    load_end(&l);
}
END_TEST

#define IN "(built-in):3: modules: "
#define FILE_IN IN ABI_MODULES

static const struct {
    const char *modules, *error;
} mistakes[] = {
    {"abi-magic", FILE_IN "/abi-magic.so is refused: its descriptor begins with 0x12345678 instead "
                          "of 0x52564d31; define it by REEVE_MODULE() of reeve/module.h\n"},
    {"abi-major", FILE_IN "/abi-major.so is refused: it was built for interface " NEWER_MAJOR
                          ", this reeved has " OURS "; build it again with this reeve's headers\n"},
    {"abi-minor", FILE_IN "/abi-minor.so is refused: it needs interface " NEWER_MINOR
                          ", this reeved has only " OURS "; install a newer reeve, or build it "
                          "again with this reeve's headers\n"},
    {"abi-none", FILE_IN "/abi-none.so is no module of reeve: it has no reeve_module_descriptor; "
                         "define it by REEVE_MODULE() of reeve/module.h\n"},
    {"abi-name", FILE_IN "/abi-name.so calls itself \"other\"; rename the file to other.so\n"},
    {"abi-goof", IN "there is no abi-goof.so in /nonexistent:" ABI_MODULES "; did you mean "
                    "\"abi-good\"?\n"},
    {"zzzzzzzz", IN "there is no zzzzzzzz.so in /nonexistent:" ABI_MODULES "; correct the name, or "
                    "module_path\n"},
    {"../abi-good", IN "\"../abi-good\" is not the name of a module; write a name of a-z, 0-9, "
                       "\"_\" and \"-\", or the absolute path of a file\n"},
    {"abi-good, \"" ABI_MODULES "/abi-good.so\"",
     FILE_IN "/abi-good.so: there is another module \"abi-good\" already; keep one of them\n"},
};

START_TEST(bad_modules_have_their_sentence)
{
    struct buf text = {0};
    buf_printf(&text, LISTEN PATH_LINE "modules = { %s }", mistakes[_i].modules);
    struct load l = load(buf_text(&text));
    ck_assert_int_eq(l.result, -1);
    ck_assert_str_eq(buf_text(&l.help.errors), mistakes[_i].error);
    buf_free(&text);
    load_end(&l);
}
END_TEST

START_TEST(unresolved_symbol)
{
    struct load l = load(LISTEN PATH_LINE "modules = { abi-undefined }");
    ck_assert_int_eq(l.result, -1);
    ck_assert_ptr_nonnull(strstr(buf_text(&l.help.errors), "/abi-undefined.so cannot be loaded; "));
    ck_assert_ptr_nonnull(strstr(buf_text(&l.help.errors), "reeve_of_the_future"));
    load_end(&l);
}
END_TEST

START_TEST(all_bad_modules_are_told)
{
    struct load l = load(LISTEN PATH_LINE "modules = { abi-magic, abi-good, abi-none }");
    ck_assert_int_eq(l.result, -1);
    ck_assert_ptr_nonnull(strstr(buf_text(&l.help.errors), "abi-magic.so is refused"));
    ck_assert_ptr_nonnull(strstr(buf_text(&l.help.errors), "abi-none.so is no module"));
    load_end(&l);
}
END_TEST

/* An unknown section whose module lies on the path is a module that was not named. */
START_TEST(section_of_a_module_that_is_not_loaded)
{
    struct help help = help_parse(PATH_LINE "\nabi-good { }", NULL, true);
    ck_assert_str_eq(buf_text(&help.errors),
                     "(built-in):3: abi-good: belongs to a module that is not loaded; add "
                     "\"abi-good\" to modules\n");
    help_end(&help);
}
END_TEST

/* ---- configuring */

static int *calls(void)
{
    void *object = dlopen(ABI_MODULES "/abi-good.so", RTLD_NOW | RTLD_NOLOAD);
    int *found = object ? dlsym(object, "abi_good_calls") : NULL;
    ck_assert_ptr_nonnull(found);
    return found;
}

static int configure(struct load *l, const char *text, struct buf *errors)
{
    struct snapshot *snapshot = snapshot_take(NULL, text, NULL, 0, errors);
    struct conf *conf = conf_parse(snapshot, l->modules.list, l->modules.count, errors);
    ck_assert_msg(conf, "%s", buf_text(errors));
    int result = modules_configure(&l->modules, conf, errors);
    conf_free(&conf);
    snapshot_free(&snapshot);
    return result;
}

START_TEST(configuring)
{
    struct load l = load(LISTEN PATH_LINE "modules = { abi-good }");
    struct buf errors = {0};
    ck_assert_int_eq(configure(&l, LISTEN "abi-good { mood = foul }", &errors), 0);
    ck_assert_int_eq(calls()[0], 1);
    ck_assert_int_eq(configure(&l, LISTEN "\nlisten \"127.0.0.1:1\" {\n protocol = abi-goad }",
                               &errors), -1);
    ck_assert_str_eq(buf_text(&errors), "(built-in):4: protocol: \"abi-goad\" is not known; did "
                                        "you mean \"abi-good\"?\n");
    buf_clear(&errors);
    ck_assert_int_eq(configure(&l, "\nlisten \"127.0.0.1:1\" { }", &errors), -1);
    ck_assert_str_eq(buf_text(&errors), "(built-in):2: protocol: \"http\" is not loaded; add "
                                        "\"http\" to modules\n");
    buf_free(&errors);
    load_end(&l);
}
END_TEST

static const char *refusal; /* what the protocol below says, NULL: nothing */

static int refuse(const reeve_section *section)
{
    return refusal ? reeve_conf_error(section, "keepalive", "%s", refusal) : -1;
}

START_TEST(refusing_to_be_configured)
{
    static const reeve_protocol protocol = {.configure = refuse, .step = help_step};
    reeve_module module = help_web;
    const reeve_module *list[] = {&module, &help_plain};
    struct load l = load(LISTEN "modules = { }");
    struct modules own = l.modules;
    struct buf errors = {0};
    module.protocol = &protocol;
    l.modules = (struct modules){list, 2};
    refusal = "is too kind";
    ck_assert_int_eq(
        configure(&l, "listen \"127.0.0.1:0\" { protocol = web }\nweb { }", &errors), -1);
    ck_assert_str_eq(buf_text(&errors), "(built-in):2: keepalive: is too kind\n");
    buf_clear(&errors);
    refusal = NULL;
    ck_assert_int_eq(configure(&l, "listen \"127.0.0.1:0\" { protocol = plain }\nweb { }", &errors),
                     -1);
    ck_assert_str_eq(buf_text(&errors),
                     "(built-in):2: web: the module web refused this without saying why; ask its "
                     "author\n"
                     "(built-in):1: protocol: \"plain\" is a handler, not a protocol; write the "
                     "protocol that it answers for\n");
    buf_free(&errors);
    l.modules = own;
    load_end(&l);
}
END_TEST

START_TEST(hooks)
{
    struct load l = load(LISTEN PATH_LINE "modules = { abi-good }");
    ck_assert_int_eq(modules_worker_init(&l.modules), 0);
    ck_assert_int_eq(modules_thread_init(&l.modules), 0);
    modules_thread_exit(&l.modules);
    modules_worker_exit(&l.modules);
    ck_assert_int_eq(calls()[3], 1);
    ck_assert_int_eq(calls()[4], 1);
    log_open(-1, LOG_TEXT); /* what follows logs its refusal */
    ck_assert_int_eq(modules_worker_init(&l.modules), -1);
    ck_assert_int_eq(modules_thread_init(&l.modules), -1);
    load_end(&l);
}
END_TEST

UNIT_MAIN("loader", ONCE(descriptor), ONCE(good_module),
          EACH(bad_modules_have_their_sentence, mistakes), ONCE(unresolved_symbol),
          ONCE(all_bad_modules_are_told), ONCE(section_of_a_module_that_is_not_loaded),
          ONCE(configuring), ONCE(refusing_to_be_configured), ONCE(hooks))
