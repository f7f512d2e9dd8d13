/* respond: what it answers, and what it refuses to be told. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fake-reeve.h"
#include "fake-request.h"
#include "unit.h"

extern const reeve_module reeve_module_descriptor;

#define TYPE "text/plain; charset=utf-8"

static int configure(const char *status, const char *type, const char *body,
                     const char *const *headers, size_t count, void **config)
{
    static struct fake_value values[5];
    values[0] = (struct fake_value){.name = "status", .text = status};
    values[1] = (struct fake_value){.name = "type", .text = type};
    values[2] = (struct fake_value){.name = "body", .text = body};
    values[3] = (struct fake_value){.name = "headers", .items = headers, .count = count};
    reeve_section section = {.values = values};
    return reeve_module_descriptor.handler->configure(&section, "/", config);
}

static void answer(void *config)
{
    reeve_request *request = ask("/a", 0, "");
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(request, config), 0);
}

static void tear_down(void)
{
    reeve_module_descriptor.worker_exit();
}

START_TEST(test_answers)
{
    static const char *const headers[] = {"X-One: 1", "X-Two:a: b\t", "X-Empty:"};
    void *config = NULL;
    ck_assert_int_eq(configure("503", "text/html", "<p>later", headers, 3, &config), 0);
    answer(config);
    ck_assert_int_eq(asked.status, 503);
    ck_assert_str_eq(asked.type, "text/html");
    ck_assert_str_eq(asked.body, "<p>later");
    ck_assert_str_eq(asked.fields, "X-One: 1\nX-Two: a: b\t\nX-Empty: \n");
    ck_assert(!asked.page);
}
END_TEST

START_TEST(test_no_body)
{
    void *config = NULL;
    ck_assert_int_eq(configure("410", TYPE, "", NULL, 0, &config), 0);
    answer(config);
    ck_assert(asked.page);
    ck_assert_int_eq(asked.status, 410);
    ck_assert_int_eq(configure("204", TYPE, "", NULL, 0, &config), 0);
    answer(config);
    ck_assert(!asked.page);
    ck_assert_int_eq(asked.status, 204);
    ck_assert_str_eq(asked.type, "");
}
END_TEST

static const struct {
    const char *header, *text;
} mistakes[] = {
    {"", "\"\" is no header field"},
    {"X-One", "write it like"},
    {": a", "write it like"},
    {"X One: a", "write it like"},
    {"X-One : a", "write it like"},
    {"X-One: a\r\nEvil: 1", "write it like"},
    {"X-One: a\x7f", "write it like"},
    {"content-LENGTH: 1", "content-LENGTH cannot be set here: the server writes it itself"},
    {"Transfer-Encoding: chunked", "leave it out"},
    {"Content-Type: a/b", "write it as type"},
};

START_TEST(test_mistakes)
{
    static const char *headers[2] = {"X-Good: 1"};
    void *config = NULL;
    headers[1] = mistakes[_i].header;
    ck_assert_int_eq(configure("200", TYPE, "", headers, 2, &config), -1);
    ck_assert_msg(strncmp(fake_error, "headers: ", 9) == 0 &&
                  strstr(fake_error, mistakes[_i].text) != NULL, "%s", fake_error);
}
END_TEST

START_TEST(test_other_mistakes)
{
    void *config = NULL;
    ck_assert_int_eq(configure("204", TYPE, "text", NULL, 0, &config), -1);
    ck_assert_ptr_nonnull(strstr(fake_error, "body: an answer with status 204"));
    ck_assert_int_eq(configure("200", "a/b\r\nEvil: 1", "text", NULL, 0, &config), -1);
    ck_assert_ptr_nonnull(strstr(fake_error, "is no media type"));
    char type[129] = "";
    memset(type, 'a', 128);
    ck_assert_int_eq(configure("200", type, "text", NULL, 0, &config), -1);
    type[127] = '\0';
    ck_assert_int_eq(configure("200", type, "text", NULL, 0, &config), 0);
}
END_TEST

/* Each status that may be configured is one that http sends. */
START_TEST(test_choices)
{
    static const int statuses[] = {
#define X(code, reason) code,
#include "../../modules/http/status.def"
#undef X
    };
    const reeve_option *options = reeve_module_descriptor.options;
    ck_assert_str_eq(options[0].name, "status");
    size_t choices = 0;
    for (const char *at = options[0].choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        int status = atoi(at), found = 0;
        for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
            found += statuses[i] == status;
        ck_assert_msg(found == 1, "%d", status);
        choices++;
    }
    ck_assert_uint_gt(choices, 30);
}
END_TEST

UNIT_MAIN_AROUND("respond", NULL, tear_down, ONCE(test_answers), ONCE(test_no_body),
                 EACH(test_mistakes, mistakes), ONCE(test_other_mistakes), ONCE(test_choices))
