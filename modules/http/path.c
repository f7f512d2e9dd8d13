/* The request target and its path.
 *
 * Dots are resolved on the decoded path: whoever encodes a dot or a slash gains nothing. What comes
 * out begins with one "/", has no empty, "." or ".." segment, and holds no NUL.
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "../word.h"
#include "hex.h"
#include "path.h"

enum target_form target_split_other(const char *text, size_t length, struct target *target)
{
    if (length == 1 && text[0] == '*')
        return TARGET_ASTERISK;
    size_t scheme = length >= 8 && strncasecmp(text, "https://", 8) == 0  ? 8
                    : length >= 7 && strncasecmp(text, "http://", 7) == 0 ? 7
                                                                          : 0;
    if (scheme == 0)
        return TARGET_BAD;
    size_t end = scheme;
    while (end < length && text[end] != '/' && text[end] != '?')
        end++;
    target->host = text + scheme;
    target->host_length = end - scheme;
    if (target->host_length == 0 || memchr(target->host, '@', target->host_length) != NULL)
        return TARGET_BAD;
    target->secure = scheme == 8;
    target->bare = end == length;
    target_split_query(text + end, length - end, target);
    if (target->path_length == 0) {
        target->path = "/";
        target->path_length = 1;
    }
    return TARGET_ABSOLUTE;
}

/* The next byte of the path, decoded; *at moves behind it. -1: malformed. */
static int next_byte(const char *path, size_t length, size_t *at)
{
    char c = path[(*at)++];
    if (c != '%')
        return c == '\0' ? -1 : (unsigned char)c;
    if (length - *at < 2)
        return -1;
    int high = hex_value(path[*at]), low = hex_value(path[*at + 1]);
    *at += 2;
    if (high < 0 || low < 0 || high + low == 0)
        return -1;
    return high * 16 + low;
}

/* out[0..*end) ends with a whole segment that began behind the last "/". Takes "." and ".." away.
 * False: above the root. */
static bool close_segment(const char *out, size_t *end)
{
    size_t start = *end;
    while (out[start - 1] != '/')
        start--;
    size_t length = *end - start;
    if (length == 1 && out[start] == '.') {
        *end = start;
    } else if (length == 2 && out[start] == '.' && out[start + 1] == '.') {
        if (start == 1)
            return false;
        for (start--; out[start - 1] != '/'; start--)
            continue;
        *end = start;
    }
    return true;
}

/* May one of these eight bytes be an escape or a NUL, or two of them "//" or "/."? A byte of `x` is
 * 0 where one is sought, and x - 1 borrows into its top bit: perhaps into that of its neighbour
 * too, so that a yes is not always one, but a no is. '.' and '/' differ in the lowest bit alone, so
 * two of either kind are taken for a pair. */
#define ONES UINT64_C(0x0101010101010101)
#define ZEROS(x) (((x) - ONES) & ~(x) & 0x80 * ONES)
static inline bool has_knot(uint64_t eight)
{
    uint64_t escape = eight ^ '%' * ONES, either = (eight | ONES) ^ '/' * ONES;
    uint64_t pair = ZEROS(either) & ZEROS(either) << 8;
    return (pair | ZEROS(escape) | ZEROS(eight)) != 0;
}

/* Nothing to decode, to join or to resolve: so are most paths. The words overlap by a byte, lest a
 * pair falls between them. */
static bool is_clean(const char *path, size_t length)
{
    if (length < 4 || path[0] != '/')
        return length == 1 && path[0] == '/';
    if (length < 8)
        return !has_knot(word_ends(path, length));
    for (size_t at = 0; at + 8 < length; at += 7)
        if (has_knot(word_load(path + at, 8)))
            return false;
    return !has_knot(word_load(path + length - 8, 8));
}

/* Not inlined: few paths need it. */
static __attribute__((noinline)) bool decode(const char *path, size_t length, char *out,
                                             size_t *out_length)
{
    size_t end = 0;
    out[end++] = '/';
    for (size_t at = 0; at < length;) {
        int c = next_byte(path, length, &at);
        if (c < 0)
            return false;
        if (c != '/') {
            out[end++] = (char)c;
            continue;
        }
        if (!close_segment(out, &end))
            return false;
        if (out[end - 1] != '/')
            out[end++] = '/';
    }
    if (!close_segment(out, &end))
        return false;
    out[end] = '\0';
    *out_length = end;
    return true;
}

bool path_decode(const char *path, size_t length, char *out, size_t *out_length)
{
    if (!is_clean(path, length))
        return decode(path, length, out, out_length);
    *out_length = length;
    out[length] = '\0';
    memcpy(out, path, length);
    return true;
}

/* The unreserved characters. The grammar allows sub-delims and escapes too, but DNS holds no such
 * name: "a,b" is what is made of two Hosts on the way, and an escape is what one reader decodes and
 * the next one does not. */
static const bool host_chars[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['-'] = true,         ['.'] = true,         ['_'] = true,         ['~'] = true,
};

/* Not inlined: its arrays would cost every other host the check of the stack. */
static __attribute__((noinline)) bool is_ipv6(const char *text, size_t length)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (length >= sizeof copy || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1;
}

/* May be empty: then it is the scheme's own. */
static bool is_port(const char *text, size_t length)
{
    unsigned port = 0;
    for (const char *end = text + length; text < end; text++) {
        unsigned digit = (unsigned char)*text - (unsigned)'0';
        if (digit > 9 || (port = port * 10 + digit) > 65535)
            return false;
    }
    return true;
}

bool host_name(const char *host, size_t length, size_t *name_length)
{
    const char *at = host, *end = host + length;
    if (length > 0 && host[0] == '[') {
        const char *bracket = memchr(host, ']', length);
        if (bracket == NULL || !is_ipv6(host + 1, (size_t)(bracket - host) - 1))
            return false;
        at = bracket + 1;
    } else {
        while (end - at >= 4 && (host_chars[(unsigned char)at[0]] & host_chars[(unsigned char)at[1]] &
                                 host_chars[(unsigned char)at[2]] & host_chars[(unsigned char)at[3]]))
            at += 4;
        while (at < end && host_chars[(unsigned char)*at])
            at++;
        if (at == host && length > 0) /* RFC 9110, 4.2.1: a port needs a host before it */
            return false;
    }
    *name_length = (size_t)(at - host);
    if (*name_length > 1 && at[-1] == '.')
        --*name_length;
    return at == end || (*at == ':' && is_port(at + 1, (size_t)(end - at) - 1));
}
