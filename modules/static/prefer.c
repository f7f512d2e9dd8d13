/* The field Accept: one pass over its elements, nothing is kept. Any thread. See prefer.h. */
#include "config.h"

#include "prefer.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* How closely a range fits a type: 0 not, 1 as any type, 2 by the part before "/", 3 exactly. */
static int fit(const char *range, size_t length, const char *type)
{
    size_t main = strcspn(type, "/") + 1;
    if (length == 3 && memcmp(range, "*/*", 3) == 0)
        return 1;
    if (length == main + 1 && range[main] == '*' && strncasecmp(range, type, main) == 0)
        return 2;
    return length == strlen(type) && strncasecmp(range, type, length) == 0 ? 3 : 0;
}

/* "0.75" -> 750, whatever follows; -1: malformed. */
static int read_weight(const char *text, size_t length)
{
    int weight = 0, scale = 1000;
    if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1') ||
        (length > 1 && text[1] != '.'))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (i == 1)
            continue;
        if (text[i] < '0' || text[i] > '9')
            return -1;
        weight += (text[i] - '0') * scale;
        scale /= 10;
    }
    return weight <= 1000 ? weight : -1;
}

/* The weight among an element's parameters, ";q=0.5" in any place; 1000 if there is none. */
static int find_weight(const char *at, const char *end)
{
    while (at < end) { /* at ";" */
        at++;
        at += strspn(at, BLANKS);
        size_t length = strcspn(at, ";,");
        const char *next = at + length;
        while (length > 0 && strchr(BLANKS, at[length - 1]) != NULL)
            length--;
        if (length >= 2 && (*at | 0x20) == 'q' && at[1] == '=')
            return read_weight(at + 2, length - 2);
        at = next;
    }
    return 1000;
}

int prefer_weight(const char *field, const char *type)
{
    int weight = 0, best = 0;
    if (field == NULL)
        return 1000;
    for (const char *at = field; *at != '\0'; at += *at == ',') {
        at += strspn(at, BLANKS);
        const char *end = at + strcspn(at, ",");
        int fits = fit(at, strcspn(at, BLANKS ";,"), type);
        int here = fits > best ? find_weight(at + strcspn(at, ";,"), end) : -1;
        if (here >= 0) {
            best = fits;
            weight = here;
        }
        at = end;
    }
    return weight;
}
