/* The Accept-Encoding field; see accept.h. Any thread; nothing is kept.
 *
 * A client that says nothing of "identity" takes it, but less gladly than what it names. One that
 * refuses it and takes no sibling either gets the bare file all the same: a field may be
 * disregarded (12.4.1), and a file is of more use than a 406. A malformed element is passed over.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "accept.h"

#define UNSAID (-1)

static const struct accept_coding known[ACCEPT_CODINGS] = {
    {"br", ".br"},
    {"zstd", ".zst"},
    {"gzip", ".gz"},
};

const struct accept_coding *accept_find(const char *name)
{
    for (size_t i = 0; i < ACCEPT_CODINGS; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

int accept_weight(const char **at)
{
    const char *text = *at;
    if (*text != '0' && *text != '1')
        return -1;
    int weight = (*text++ - '0') * 1000;
    if (*text == '.') {
        text++;
        for (int unit = 100; unit > 0 && *text >= '0' && *text <= '9'; unit /= 10)
            weight += (*text++ - '0') * unit;
    }
    *at = text;
    return weight <= 1000 ? weight : -1;
}

struct element {
    const char *name;
    size_t length;
    int weight; /* thousandths; -1 if the element is malformed */
};

/* Reads the element that begins at `at`; the comma or NUL behind it. */
static const char *read_element(const char *at, struct element *element)
{
    element->name = at;
    element->length = strcspn(at, " \t,;");
    element->weight = 1000;
    at += element->length;
    at += strspn(at, " \t");
    if (*at == ';') {
        at++;
        at += strspn(at, " \t");
        if ((*at == 'q' || *at == 'Q') && at[1] == '=') {
            at += 2;
            element->weight = accept_weight(&at);
            at += strspn(at, " \t");
        }
    }
    if (*at != ',' && *at != '\0')
        element->weight = -1;
    return at + strcspn(at, ",");
}

static bool is_named(const struct element *element, const char *name)
{
    /* RFC 9110, 8.4.1.3: x-gzip is gzip. */
    size_t skip = element->length > 2 && strncasecmp(element->name, "x-", 2) == 0 ? 2 : 0;
    size_t length = strlen(name);
    if (element->length == length && strncasecmp(element->name, name, length) == 0)
        return true;
    return skip > 0 && strcmp(name, "gzip") == 0 && element->length - skip == length &&
           strncasecmp(element->name + skip, name, length) == 0;
}

/* What the field says of each coding, by name or by "*"; UNSAID if nothing. One pass, for a field
 * may hold thousands of elements. */
static void weigh(const char *field, const char *const names[], size_t count, int weights[])
{
    int star = UNSAID;
    for (size_t i = 0; i < count; i++)
        weights[i] = UNSAID;
    for (const char *at = field + strspn(field, " \t,"); *at != '\0'; at += strspn(at, " \t,")) {
        struct element element;
        at = read_element(at, &element);
        if (element.weight < 0)
            continue;
        if (element.length == 1 && element.name[0] == '*')
            star = element.weight;
        for (size_t i = 0; i < count; i++)
            if (weights[i] == UNSAID && is_named(&element, names[i]))
                weights[i] = element.weight;
    }
    for (size_t i = 0; i < count; i++)
        if (weights[i] == UNSAID)
            weights[i] = star;
}

size_t accept_order(const char *field, const struct accept_coding *const offered[], size_t count,
                    const struct accept_coding *order[])
{
    const char *names[ACCEPT_OFFERED + 1] = {"identity"};
    int said[ACCEPT_OFFERED + 1], weights[ACCEPT_OFFERED];
    size_t found = 0;
    if (field == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        names[i + 1] = offered[i]->name;
    weigh(field, names, count + 1, said);
    for (size_t i = 0; i < count; i++) {
        int weight = said[i + 1];
        if (weight <= 0 || weight < said[0])
            continue;
        size_t place = found++;
        for (; place > 0 && weights[place - 1] < weight; place--) {
            weights[place] = weights[place - 1];
            order[place] = order[place - 1];
        }
        weights[place] = weight;
        order[place] = offered[i];
    }
    return found;
}
