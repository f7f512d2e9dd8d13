/* What the operator adds to answers; see extra.h. Main thread, but for extra_put() and
 * extra_variant(). */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../field.h"
#include "extra.h"

/* Fields that http writes, or this handler. What they say must be true, so nobody else says it. */
static const char *const taken[] = {
    "Accept-Ranges", "Allow", "Connection", "Content-Encoding", "Content-Length", "Content-Range",
    "Content-Type", "Date", "ETag", "Keep-Alive", "Last-Modified", "Location", "Server",
    "Transfer-Encoding",
};

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(name, taken[i]) == 0)
            return true;
    return false;
}

static int read_codings(const reeve_section *section, struct extra *extra)
{
    size_t count = reeve_conf_count(section, "precompressed");
    for (size_t i = 0; i < count; i++) {
        const char *name = reeve_conf_item(section, "precompressed", i);
        const struct accept_coding *coding = accept_find(name);
        if (coding == NULL)
            return reeve_conf_error(section, "precompressed", "\"%s\" is no content coding known "
                                    "here: write br, zstd or gzip", name);
        for (size_t j = 0; j < extra->coding_count; j++)
            if (extra->codings[j] == coding)
                return reeve_conf_error(section, "precompressed", "\"%s\" stands there twice: "
                                        "write it once", name);
        extra->codings[extra->coding_count++] = coding;
    }
    return 0;
}

static int read_field(const reeve_section *section, const char *line, struct extra_field *field)
{
    char *colon;
    field->name = strdup(line);
    if (field->name == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    colon = strchr(field->name, ':');
    if (colon != NULL)
        *colon = '\0';
    if (colon == NULL || !field_is_name(field->name) || !field_is_value(colon + 1))
        return reeve_conf_error(section, "headers", "\"%s\" is no header: write \"Name: value\"",
                                line);
    if (strcasecmp(field->name, "Cache-Control") == 0)
        return reeve_conf_error(section, "headers", "Cache-Control has an option of its own: set "
                                "cache_control");
    if (is_taken(field->name))
        return reeve_conf_error(section, "headers", "%s is written by the server itself: leave it "
                                "out", field->name);
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        value[--length] = '\0';
    field->value = value;
    return 0;
}

static int read_fields(const reeve_section *section, struct extra *extra)
{
    size_t count = reeve_conf_count(section, "headers");
    extra->fields = count > 0 ? calloc(count, sizeof *extra->fields) : NULL;
    if (count > 0 && extra->fields == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    for (; extra->field_count < count; extra->field_count++) {
        const char *line = reeve_conf_item(section, "headers", extra->field_count);
        struct extra_field *field = &extra->fields[extra->field_count];
        if (read_field(section, line, field) != 0) {
            free(field->name);
            return -1;
        }
    }
    return 0;
}

int extra_read(const reeve_section *section, struct extra *extra)
{
    extra->cache_control = reeve_conf_string(section, "cache_control");
    if (!field_is_value(extra->cache_control))
        return reeve_conf_error(section, "cache_control", "there is a control character in it: "
                                "write a line such as \"max-age=3600\"");
    bool may_transform = strcasestr(extra->cache_control, "no-transform") == NULL;
    if (read_codings(section, extra) != 0 || read_fields(section, extra) != 0)
        return -1;
    return gzip_read(section, may_transform, &extra->gzip);
}

void extra_free(struct extra *extra)
{
    for (size_t i = 0; i < extra->field_count; i++)
        free(extra->fields[i].name);
    free(extra->fields);
    gzip_free(&extra->gzip);
    *extra = (struct extra){0};
}

int extra_put(reeve_request *request, const struct extra *extra)
{
    for (size_t i = 0; i < extra->field_count; i++)
        if (reeve_set_header(request, extra->fields[i].name, extra->fields[i].value) != 0)
            return -1;
    return 0;
}

/* The codings that an answer may have, those that are made here behind the others. */
static size_t offered_codings(const struct extra *extra,
                              const struct accept_coding *offered[ACCEPT_OFFERED])
{
    memcpy(offered, extra->codings, extra->coding_count * sizeof *offered);
    offered[extra->coding_count] = accept_find("gzip");
    return extra->coding_count + extra->gzip.on;
}

unsigned extra_variant(const reeve_request *request, const struct extra *extra)
{
    const struct accept_coding *offered[ACCEPT_OFFERED], *order[ACCEPT_OFFERED];
    unsigned variant = 0;
    if (!extra_varies(extra))
        return 0;
    size_t count = offered_codings(extra, offered);
    count = accept_order(reeve_header(request, "Accept-Encoding"), offered, count, order);
    for (size_t i = 0; i < count; i++) {
        unsigned place = 0;
        while (offered[place] != order[i])
            place++;
        variant = variant * (ACCEPT_OFFERED + 1) + place + 1;
    }
    return variant;
}
