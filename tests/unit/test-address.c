/* Addresses of listen sections: what is taken, and what is said about the rest. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "conf/core.h"
#include "unit.h"

static const struct {
    const char *text;
    int family;
    const char *host;
    int port;
} good[] = {
    {"127.0.0.1:80", AF_INET, "127.0.0.1", 80}, {"localhost:8080", AF_INET, "127.0.0.1", 8080},
    {"0.0.0.0:0", AF_INET, "0.0.0.0", 0},       {"[::1]:443", AF_INET6, "::1", 443},
    {"[2001:db8::7]:65535", AF_INET6, "2001:db8::7", 65535}, {"[::]:1", AF_INET6, "::", 1},
};

START_TEST(takes_hosts)
{
    struct address address;
    struct buf error = {0};
    char host[INET6_ADDRSTRLEN];
    ck_assert(address_parse(good[_i].text, &address, &error));
    ck_assert_uint_eq(error.length, 0);
    ck_assert_int_eq(address.kind, ADDRESS_INET);
    ck_assert_int_eq(address.sockaddr.ss_family, good[_i].family);
    if (good[_i].family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;
        ck_assert_uint_eq(address.length, sizeof(*in));
        ck_assert_int_eq(ntohs(in->sin_port), good[_i].port);
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.sockaddr;
        ck_assert_uint_eq(address.length, sizeof(*in6));
        ck_assert_int_eq(ntohs(in6->sin6_port), good[_i].port);
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
    }
    ck_assert_str_eq(host, good[_i].host);
}
END_TEST

START_TEST(star_is_everything)
{
    struct address address;
    struct buf error = {0};
    ck_assert(address_parse("*:8080", &address, &error));
    if (address.sockaddr.ss_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.sockaddr;
        ck_assert_int_eq(memcmp(&in6->sin6_addr, &in6addr_any, sizeof(in6addr_any)), 0);
        ck_assert_int_eq(ntohs(in6->sin6_port), 8080);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;
        ck_assert_uint_eq(in->sin_addr.s_addr, htonl(INADDR_ANY));
        ck_assert_int_eq(ntohs(in->sin_port), 8080);
    }
}
END_TEST

START_TEST(takes_unix_and_fd)
{
    struct address address;
    struct buf error = {0};
    ck_assert(address_parse("unix:/run/x y", &address, &error));
    ck_assert_int_eq(address.kind, ADDRESS_UNIX);
    struct sockaddr_un *un = (struct sockaddr_un *)&address.sockaddr;
    ck_assert_str_eq(un->sun_path, "/run/x y");
    ck_assert_int_eq(un->sun_family, AF_UNIX);
    ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + 9);
    ck_assert(address_parse("fd:web", &address, &error));
    ck_assert_int_eq(address.kind, ADDRESS_FD);
    ck_assert_str_eq(address.name, "web");
}
END_TEST

START_TEST(unix_path_fills_the_room)
{
    struct address address;
    struct buf error = {0};
    char text[5 + 108 + 1] = "unix:/";
    memset(text + 6, 'x', 106);
    text[5 + 107] = '\0';
    ck_assert(address_parse(text, &address, &error));
    text[5 + 107] = 'x';
    text[5 + 108] = '\0';
    ck_assert(!address_parse(text, &address, &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "is too long for a unix socket; use a path of "
                                                   "at most 107 bytes"));
    buf_free(&error);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"", "has no port"},
    {"8080", "has no port"},
    {"127.0.0.1", "has no port"},
    {"127.0.0.1:", "has no port; write one behind \":\""},
    {"127.0.0.1:x", "has a bad port; write a number from 0 to 65535"},
    {"127.0.0.1:-0", "has a bad port"},
    {"127.0.0.1:65536", "has a bad port"},
    {"127.0.0.1:80x", "has a bad port"},
    {"127.0.0.1: 80", "has a bad port"},
    {":80", "has no host; write *:PORT"},
    {"::1:80", "must have its IPv6 address in brackets"},
    {"[::1]", "has no port; write one behind \"]:\""},
    {"[::1]80", "has no port; write one behind \"]:\""},
    {"[::1", "has no \"]\""},
    {"[127.0.0.1]:80", "has no IPv6 address in its brackets"},
    {"[]:80", "has no IPv6 address in its brackets"},
    {"example.org:80", "host names are not looked up"},
    {"127.0.0.300:80", "is not an address"},
    {"unix:", "is not an absolute path; write unix:/path"},
    {"unix:run/x", "is not an absolute path; write unix:/path"},
    {"/run/x", "looks like a path; write unix:/path"},
    {"fd:", "names no socket; write fd:NAME"},
    {"fd:1234567890123456789012345678901234567890123456789012345678901234", "too long a name"},
};

START_TEST(refuses_with_a_sentence)
{
    struct address address;
    struct buf error = {0};
    ck_assert(!address_parse(bad[_i].text, &address, &error));
    ck_assert_msg(strstr(buf_text(&error), bad[_i].says), "%s", buf_text(&error));
    ck_assert_int_eq(error.data[0], '"');
    ck_assert_ptr_nonnull(strstr(buf_text(&error), bad[_i].text));
    buf_free(&error);
}
END_TEST

UNIT_MAIN("address", EACH(takes_hosts, good), ONCE(star_is_everything), ONCE(takes_unix_and_fd),
          ONCE(unix_path_fills_the_room), EACH(refuses_with_a_sentence, bad))
