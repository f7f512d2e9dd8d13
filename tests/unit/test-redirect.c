/* redirect: where clients are sent, whatever they ask for; and what is no place to send them to. */
#include "config.h"

#include <string.h>

#include "fake-reeve.h"
#include "fake-request.h"
#include "unit.h"

extern const reeve_module reeve_module_descriptor;

static int configure(const char *to, void **config)
{
    static struct fake_value values[3];
    values[0] = (struct fake_value){.name = "to", .text = to};
    values[1] = (struct fake_value){.name = "status", .text = "308"};
    reeve_section section = {.values = values};
    return reeve_module_descriptor.handler->configure(&section, "/old", config);
}

static void tear_down(void)
{
    reeve_module_descriptor.worker_exit();
}

static const struct {
    const char *to, *path, *query, *location;
} places[] = {
    {"/new/", "/old", "", "/new/"},
    {"/new/", "/old/", "", "/new/"},
    {"/new/", "/old/a/b", "", "/new/a/b"},
    {"/new/", "/old/a/", "x=1&y=%20%0d", "/new/a/?x=1&y=%20%0d"},
    {"/new", "/old/a/b", "x=1", "/new"},
    {"/new?a=/", "/old/b", "x=1", "/new?a=/"},
    {"/new#/", "/old/b", "x=1", "/new#/"},
    {"https://example.org/", "/old/a", "x", "https://example.org/a?x"},
    {"https://example.org", "/old/.evil.test", "", "https://example.org"},
    {"https://[::1]:8443/n/", "/old/a", "", "https://[::1]:8443/n/a"},
    /* what a client may try */
    {"/", "/old//evil.test/", "", "/evil.test/"},
    {"/", "/old/\\evil.test", "", "/%5Cevil.test"},
    {"/", "/old/https://evil.test/", "", "/https://evil.test/"},
    {"/", "/old/a\r\nEvil: 1", "", "/a%0D%0AEvil:%201"},
    {"/", "/old/a", "x\r\nEvil: 1#\"<>", "/a?x%0D%0AEvil:%201%23%22%3C%3E"},
    {"/", "/old/a?b#c%41", "", "/a%3Fb%23c%2541"},
    {"/n/", "/old/\xc3\xa4", "\xff", "/n/%C3%A4?%FF"},
};

START_TEST(test_places)
{
    void *config = NULL;
    char wanted[256];
    ck_assert_int_eq(configure(places[_i].to, &config), 0);
    reeve_request *request = ask(places[_i].path, 4, places[_i].query);
    ck_assert_int_eq(reeve_module_descriptor.handler->handle(request, config), 0);
    snprintf(wanted, sizeof wanted, "Location: %s\n", places[_i].location);
    ck_assert_str_eq(asked.fields, wanted);
    ck_assert_int_eq(asked.status, 308);
    ck_assert(asked.page);
}
END_TEST

static const char *const mistakes[] = {
    "", "new/", "//example.org/", "ftp://example.org/", "https://", "https:///a", "https://?a",
    "https://@a/", "https://:80/", "javascript:alert(1)", "/a b", "/a\r\nEvil: 1", "/\xc3\xa4",
    "/a\\b", "/\x7f", "/<a>",
};

START_TEST(test_mistakes)
{
    void *config = NULL;
    ck_assert_msg(configure(mistakes[_i], &config) == -1, "%s", mistakes[_i]);
    ck_assert_msg(strncmp(fake_error, "to: ", 4) == 0 && strstr(fake_error, "write ") != NULL,
                  "%s", fake_error);
}
END_TEST

UNIT_MAIN_AROUND("redirect", NULL, tear_down, EACH(test_places, places),
                 EACH(test_mistakes, mistakes))
