/* The field Accept: one pass over its elements, nothing is kept. Any thread. See prefer.h. */
#include "config.h"

#include "prefer.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "accept.h"

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
        if (length >= 2 && (*at | 0x20) == 'q' && at[1] == '=') {
            const char *behind = at + 2;
            int weight = accept_weight(&behind);
            return behind == at + length ? weight : -1;
        }
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
