/* Media types by file extension: the overrides of a route, a built-in table for what the web is
 * made of, and the system's mime.types for the rest.
 *
 * All is read by the main thread while configuring, afterwards only looked up. The texts of both
 * common tables say utf-8; a route with another charset has copies of its own of all text types, so
 * that a request never puts a type together.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "types.h"

/* Together with "; charset=" at most what reeve_reply() takes. */
#define TYPE_LONGEST 80
#define CHARSET_LONGEST 30

struct media_type {
    const char *extension;
    const char *type;
};

/* Sorted by extension. */
static const struct media_type known[] = {
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
};

static struct types loaded; /* of mime.types; no fallback */

static int order(const void *a, const void *b)
{
    const struct media_type *left = a, *right = b;
    return strcasecmp(left->extension, right->extension);
}

static const struct media_type *find(const struct media_type *rows, size_t count,
                                     const char *extension)
{
    struct media_type key = {extension, NULL};
    return count > 0 ? bsearch(&key, rows, count, sizeof *rows, order) : NULL;
}

static const struct media_type *find_known(const char *extension)
{
    return find(known, sizeof known / sizeof *known, extension);
}

/* ---------------------------------------------------------------- filling ----------- */

static bool is_text(const char *type)
{
    return strncasecmp(type, "text/", 5) == 0;
}

/* A copy of `type`, with the charset behind it if it is text and says none. NULL: no memory. */
static char *with_charset(const char *type, const char *charset)
{
    char *full = NULL;
    bool add = is_text(type) && *charset != '\0' && strcasestr(type, "charset=") == NULL;
    return asprintf(&full, "%s%s%s", type, add ? "; charset=" : "", add ? charset : "") < 0 ? NULL
                                                                                        : full;
}

/* False: memory is short. Unsorted: see sort(). */
static bool add(struct types *types, const char *extension, const char *type, const char *charset)
{
    if (types->count == types->room) {
        size_t room = types->room > 0 ? types->room * 2 : 16;
        struct media_type *more = realloc(types->rows, room * sizeof *more);
        if (more == NULL)
            return false;
        types->rows = more;
        types->room = room;
    }
    char *name = strdup(extension), *full = with_charset(type, charset);
    if (name == NULL || full == NULL) {
        free(name);
        free(full);
        return false;
    }
    types->rows[types->count++] = (struct media_type){name, full};
    return true;
}

static void sort(struct types *types)
{
    if (types->count > 0)
        qsort(types->rows, types->count, sizeof *types->rows, order);
}

/* ---------------------------------------------------------------- mime.types -------- */

/* "type ext ext ..." */
static void read_line(char *line)
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL, *type = strtok_r(line, blanks, &rest);
    if (type == NULL || type[0] == '#' || strlen(type) > TYPE_LONGEST)
        return;
    for (char *extension; (extension = strtok_r(NULL, blanks, &rest)) != NULL;)
        add(&loaded, extension, type, "utf-8");
}

void types_load(const char *path)
{
    if (loaded.count > 0)
        return;
    reeve_conf_reads(path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) >= 0)
        read_line(line);
    free(line);
    fclose(file);
    sort(&loaded);
}

void types_unload(void)
{
    types_free(&loaded);
}

/* ---------------------------------------------------------------- a route ----------- */

static int no_memory(const reeve_section *section)
{
    return reeve_conf_error(section, NULL, "memory is short: free some and try again");
}

/* "type/subtype", perhaps with parameters, and nothing that a header field cannot hold. */
static bool is_type(const char *type)
{
    const char *slash = strchr(type, '/');
    if (slash == NULL || slash == type || slash[1] == '\0' || strlen(type) > TYPE_LONGEST)
        return false;
    size_t name = strcspn(type, " ;");
    for (const char *c = type; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            return false;
    return name > (size_t)(slash - type) + 1 && type[name] != ' ';
}

/* One override, "ext type". */
static int read_override(const reeve_section *section, const char *item, const char *charset,
                         struct types *types)
{
    char extension[64];
    const char *text = item + (*item == '.');
    size_t length = strcspn(text, " \t");
    const char *type = text + length + strspn(text + length, " \t");
    if (length == 0 || length >= sizeof extension || memchr(text, '/', length) != NULL ||
        memchr(text, '.', length) != NULL || !is_type(type))
        return reeve_conf_error(section, "types", "\"%s\" is no extension with a media type: write "
                                "it as in \"md text/markdown\"", item);
    memcpy(extension, text, length);
    extension[length] = '\0';
    for (size_t i = 0; i < types->count; i++)
        if (strcasecmp(types->rows[i].extension, extension) == 0)
            return reeve_conf_error(section, "types", "the extension \"%s\" stands twice: remove "
                                    "one", extension);
    return add(types, extension, type, charset) ? 0 : no_memory(section);
}

/* A text type of a common table, with another charset, unless the route says something itself. */
static bool recode(struct types *types, size_t overrides, const struct media_type *row,
                   const char *charset)
{
    char bare[TYPE_LONGEST + 1];
    if (!is_text(row->type) || find(types->rows, overrides, row->extension) != NULL)
        return true;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(row->type, ";"), row->type);
    return add(types, row->extension, bare, charset);
}

static bool recode_all(struct types *types, const char *charset)
{
    size_t overrides = types->count;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!recode(types, overrides, &known[i], charset))
            return false;
    for (size_t i = 0; i < loaded.count; i++)
        if (find_known(loaded.rows[i].extension) == NULL &&
            !recode(types, overrides, &loaded.rows[i], charset))
            return false;
    sort(types);
    return true;
}

static bool is_charset(const char *charset)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "-_.:+";
    size_t length = strspn(charset, good);
    return charset[length] == '\0' && length <= CHARSET_LONGEST;
}

int types_read(const reeve_section *section, struct types *types)
{
    const char *charset = reeve_conf_string(section, "charset");
    const char *fallback = reeve_conf_string(section, "default_type");
    if (!is_charset(charset))
        return reeve_conf_error(section, "charset", "\"%s\" is no name of a character set: write "
                                "one such as \"utf-8\", or \"\" for none", charset);
    if (*fallback != '\0' && !is_type(fallback))
        return reeve_conf_error(section, "default_type", "\"%s\" is no media type: write one such "
                                "as \"application/octet-stream\", or \"\" for none", fallback);
    types->fallback = with_charset(fallback, charset);
    if (types->fallback == NULL)
        return no_memory(section);
    for (size_t i = 0; i < reeve_conf_count(section, "types"); i++)
        if (read_override(section, reeve_conf_item(section, "types", i), charset, types) != 0)
            return -1;
    sort(types);
    if (strcasecmp(charset, "utf-8") != 0 && !recode_all(types, charset))
        return no_memory(section);
    return 0;
}

void types_free(struct types *types)
{
    for (size_t i = 0; i < types->count; i++) {
        free((char *)types->rows[i].extension);
        free((char *)types->rows[i].type);
    }
    free(types->rows);
    free(types->fallback);
    *types = (struct types){0};
}

/* ---------------------------------------------------------------- finding ----------- */

const char *types_find(const struct types *types, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash != NULL ? slash : name, '.');
    if (dot == NULL)
        return types->fallback;
    const struct media_type *found = find(types->rows, types->count, dot + 1);
    if (found == NULL)
        found = find_known(dot + 1);
    if (found == NULL)
        found = find(loaded.rows, loaded.count, dot + 1);
    return found != NULL ? found->type : types->fallback;
}
