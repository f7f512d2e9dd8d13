/* Request targets, paths and host names. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "../../modules/http/path.h"
#include "unit.h"

static const struct {
    const char *path, *decoded; /* NULL: refused */
} paths[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/a/", "/a/"},
    {"//a///b//", "/a/b/"},
    {"/a%20b", "/a b"},
    {"/%41%5a%7E", "/AZ~"},
    {"/%c3%a4", "/\xc3\xa4"},
    {"/a+b", "/a+b"},
    {"/abc", "/abc"}, /* of every length up to a word and one more: they are not all seen alike */
    {"/abcd", "/abcd"},
    {"/abcde", "/abcde"},
    {"/abcdef", "/abcdef"},
    {"/abcdefg", "/abcdefg"},
    {"/abc//", "/abc/"},
    {"/ab//cd", "/ab/cd"},
    {"/abc/.", "/abc/"},
    {"/abc/./", "/abc/"},
    {"/ab/..", "/"},
    {"/abc/..", "/"},
    {"/abc%2f", "/abc/"},
    {"/abcd%00", NULL},
    {"/abc%", NULL},
    {"/.", "/"},
    {"/./", "/"},
    {"/a/.", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/../b", "/b"},
    {"/a/b/..", "/a/"},
    {"/a/b/../..", "/"},
    {"/a//../b", "/b"},
    {"/a/%2e%2E/b", "/b"},
    {"/a%2fb", "/a/b"},
    {"/a%2f..%2fb", "/b"},
    {"/...", "/..."},
    {"/..a/b..", "/..a/b.."},
    {"/.a", "/.a"},
    {"/a/.b/..", "/a/"},
    {"/%252e%252e/", "/%2e%2e/"},
    {"/a\\..\\b", "/a\\..\\b"},
    {"/..", NULL},
    {"/../", NULL},
    {"/../a", NULL},
    {"/./..", NULL},
    {"//..", NULL},
    {"/a/../..", NULL},
    {"/a/../../b", NULL},
    {"/%2e%2e", NULL},
    {"/.%2e/a", NULL},
    {"/..%2fa", NULL},
    {"/%2e%2e%2fetc%2fpasswd", NULL},
    {"/%00", NULL},
    {"/a%00.html", NULL},
    {"/%", NULL},
    {"/%4", NULL},
    {"/%4g", NULL},
    {"/%g4", NULL},
    {"/%%41", NULL},
    {"/% 41", NULL},
};

START_TEST(rfc9110_4_2_3_path)
{
    size_t length = strlen(paths[_i].path), out_length = 0;
    char *out = malloc(length + 2); /* no byte more than promised */
    char *in = malloc(length);
    memcpy(in, paths[_i].path, length);
    bool good = path_decode(in, length, out, &out_length);
    ck_assert_msg(good == (paths[_i].decoded != NULL), "%s", paths[_i].path);
    if (good) {
        ck_assert_str_eq(out, paths[_i].decoded);
        ck_assert_uint_eq(out_length, strlen(out));
    }
    free(in);
    free(out);
}
END_TEST

static const struct {
    const char *text;
    enum target_form form;
    const char *host, *path, *query;
} targets[] = {
    {"/", TARGET_ORIGIN, NULL, "/", ""},
    {"/a?b=c", TARGET_ORIGIN, NULL, "/a", "b=c"},
    {"/a?", TARGET_ORIGIN, NULL, "/a", ""},
    {"/a?b?c", TARGET_ORIGIN, NULL, "/a", "b?c"},
    {"//h/a", TARGET_ORIGIN, NULL, "//h/a", ""},
    {"*", TARGET_ASTERISK, NULL, NULL, NULL},
    {"http://h/a?b", TARGET_ABSOLUTE, "h", "/a", "b"},
    {"HTTP://h:80", TARGET_ABSOLUTE, "h:80", "/", ""},
    {"http://h", TARGET_ABSOLUTE, "h", "/", ""},
    {"https://h?b", TARGET_ABSOLUTE, "h", "/", "b"},
    {"http://[::1]:80/", TARGET_ABSOLUTE, "[::1]:80", "/", ""},
    {"http://", TARGET_BAD, NULL, NULL, NULL},
    {"http:///a", TARGET_BAD, NULL, NULL, NULL},
    {"http://u@h/", TARGET_BAD, NULL, NULL, NULL},
    {"ftp://h/", TARGET_BAD, NULL, NULL, NULL},
    {"h:443", TARGET_BAD, NULL, NULL, NULL},
    {"a", TARGET_BAD, NULL, NULL, NULL},
    {"**", TARGET_BAD, NULL, NULL, NULL},
    {"?a", TARGET_BAD, NULL, NULL, NULL},
    {"", TARGET_BAD, NULL, NULL, NULL},
};

static void same(const char *text, size_t length, const char *wanted)
{
    ck_assert_uint_eq(length, strlen(wanted));
    ck_assert_int_eq(memcmp(text, wanted, length), 0);
}

START_TEST(rfc9112_3_2_request_target)
{
    struct target target;
    enum target_form form = target_split(targets[_i].text, strlen(targets[_i].text), &target);
    ck_assert_int_eq(form, targets[_i].form);
    if (form != TARGET_ORIGIN && form != TARGET_ABSOLUTE)
        return;
    if (targets[_i].host != NULL)
        same(target.host, target.host_length, targets[_i].host);
    else
        ck_assert_ptr_null(target.host);
    same(target.path, target.path_length, targets[_i].path);
    same(target.query, target.query_length, targets[_i].query);
    ck_assert_int_eq(target.secure, strncmp(targets[_i].text, "https", 5) == 0);
    ck_assert_int_eq(target.bare, form == TARGET_ABSOLUTE &&
                                      targets[_i].text + strlen(targets[_i].text) ==
                                          target.host + target.host_length);
}
END_TEST

static const struct {
    const char *host, *name; /* NULL: refused */
} hosts[] = {
    {"", ""},
    {"a", "a"},
    {"a:80", "a"},
    {"a:", "a"},
    {"a:0", "a"},
    {"a:65535", "a"},
    {"a:00000080", "a"},
    {"a.", "a"},
    {"a.:80", "a"},
    {".", "."},
    {"A-b_c~1.example", "A-b_c~1.example"},
    {"1.2.3.4:5", "1.2.3.4"},
    {"[::1]", "[::1]"},
    {"[::1]:80", "[::1]"},
    {"[2001:db8:0:0:0:0:192.0.2.1]", "[2001:db8:0:0:0:0:192.0.2.1]"},
    {":80", NULL},
    {":", NULL},
    {"a:b", NULL},
    {"a:80:80", NULL},
    {"a:+80", NULL},
    {"a:65536", NULL},
    {"a:4294967376", NULL},
    {"a:18446744073709551696", NULL},
    {"a b", NULL},
    {"a/", NULL},
    {"u@a", NULL},
    {"a,b", NULL},
    {"a%41", NULL},
    {"a\\b", NULL},
    {"a\xc3\xa4", NULL},
    {"a[", NULL},
    {"a]b", NULL},
    {"[", NULL},
    {"[]", NULL},
    {"[::1", NULL},
    {"[::1]80", NULL},
    {"[::1].", NULL},
    {"[::1::2]", NULL},
    {"[1.2.3.4]", NULL},
    {"[fe80::1%25eth0]", NULL},
    {"[v1.a]", NULL},
    {"[2001:db8:0000:0000:0000:0000:0000:0000:0000:0001]", NULL},
};

START_TEST(rfc9110_7_2_host)
{
    size_t length = 0;
    bool good = host_name(hosts[_i].host, strlen(hosts[_i].host), &length);
    ck_assert_msg(good == (hosts[_i].name != NULL), "%s", hosts[_i].host);
    if (good)
        same(hosts[_i].host, length, hosts[_i].name);
}
END_TEST

UNIT_MAIN("http-path", EACH(rfc9110_4_2_3_path, paths), EACH(rfc9112_3_2_request_target, targets),
          EACH(rfc9110_7_2_host, hosts))
