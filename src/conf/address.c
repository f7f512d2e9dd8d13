/* Addresses to listen on, as a listen section's title writes them. Host names are not resolved:
 * what a server listens on must not depend on a name server. Any thread.
 *
 * "*:80" is one IPv6 socket that takes IPv4 too (the opener sets IPV6_V6ONLY to 0 for "::"), and so
 * is "[::]:80"; on a kernel without IPv6 "*" is all of IPv4. "0.0.0.0:80" is IPv4 alone. */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/core.h"

#define FORMS "write 127.0.0.1:80, [::1]:80, *:80, localhost:80, unix:/path or fd:name"

/* Always false, so that parsers can return it. */
static bool wrong(struct buf *error, const char *text, const char *sentence)
{
    buf_addc(error, '"');
    text_put_safe(error, text, strlen(text));
    buf_printf(error, "\" %s", sentence);
    return false;
}

static bool parse_unix(const char *text, struct address *address, struct buf *error)
{
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&address->sockaddr;
    const char *path = text + strlen("unix:");
    if (*path != '/')
        return wrong(error, text, "is not an absolute path; write unix:/path");
    if (strlen(path) >= sizeof(un->sun_path)) {
        wrong(error, text, "is too long");
        buf_printf(error, " for a unix socket; use a path of at most %zu bytes",
                   sizeof(un->sun_path) - 1);
        return false;
    }
    address->kind = ADDRESS_UNIX;
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    return true;
}

static bool parse_fd(const char *text, struct address *address, struct buf *error)
{
    const char *name = text + strlen("fd:");
    if (*name == '\0')
        return wrong(error, text, "names no socket; write fd:NAME, with FileDescriptorName=NAME in "
                                  "the systemd socket unit");
    if (strlen(name) >= sizeof(address->name))
        return wrong(error, text, "has too long a name; use at most 63 bytes");
    address->kind = ADDRESS_FD;
    strcpy(address->name, name);
    return true;
}

static bool parse_port(const char *text, const char *port, uint16_t *value, struct buf *error)
{
    int64_t number;
    if (*port == '\0')
        return wrong(error, text, "has no port; write one behind \":\", such as :8080");
    if (!text_int(port, &number) || number < 0 || number > 65535 || *port == '-')
        return wrong(error, text, "has a bad port; write a number from 0 to 65535");
    *value = htons((uint16_t)number);
    return true;
}

static bool set_inet6(struct address *address, const char *host, uint16_t port)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&address->sockaddr;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = port;
    address->length = sizeof(*in6);
    return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

static bool set_inet(struct address *address, const char *host, uint16_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&address->sockaddr;
    in->sin_family = AF_INET;
    in->sin_port = port;
    address->length = sizeof(*in);
    return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

static bool have_inet6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool parse_host(const char *text, const char *host, uint16_t port, struct address *address,
                       struct buf *error)
{
    address->kind = ADDRESS_INET;
    if (strcmp(host, "*") == 0)
        return have_inet6() ? set_inet6(address, "::", port) : set_inet(address, "0.0.0.0", port);
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (*host == '\0')
        return wrong(error, text, "has no host; write *:PORT to listen everywhere");
    if (set_inet(address, host, port))
        return true;
    if (strchr(host, ':'))
        return wrong(error, text, "must have its IPv6 address in brackets; write [::1]:80");
    return wrong(error, text, "is not an address; host names are not looked up, " FORMS);
}

bool address_parse(const char *text, struct address *address, struct buf *error)
{
    char host[64];
    uint16_t port;
    bool brackets = *text == '[';
    const char *end = brackets ? strchr(text, ']') : strrchr(text, ':');
    memset(address, 0, sizeof(*address));
    if (text_starts(text, "unix:"))
        return parse_unix(text, address, error);
    if (text_starts(text, "fd:"))
        return parse_fd(text, address, error);
    if (*text == '/')
        return wrong(error, text, "looks like a path; write unix:/path");
    if (!end)
        return wrong(error, text,
                     brackets ? "has no \"]\"; write [::1]:80" : "has no port; " FORMS);
    if (brackets && end[1] != ':')
        return wrong(error, text, "has no port; write one behind \"]:\", such as [::1]:80");
    if (!parse_port(text, brackets ? end + 2 : end + 1, &port, error))
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(end - text - brackets), text + brackets);
    if (!brackets)
        return parse_host(text, host, port, address, error);
    address->kind = ADDRESS_INET;
    if (set_inet6(address, host, port))
        return true;
    return wrong(error, text, "has no IPv6 address in its brackets; write [::1]:80");
}
