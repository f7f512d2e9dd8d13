/* Media types by file extension: a built-in table for what the web is made of, and the system's
 * mime.types for the rest. Loaded once by the main thread, afterwards only read.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "types.h"

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

static struct media_type *loaded; /* sorted; owns its texts */
static size_t loaded_count, loaded_room;

static int order(const void *a, const void *b)
{
    const struct media_type *left = a, *right = b;
    return strcasecmp(left->extension, right->extension);
}

static void add(const char *extension, const char *type)
{
    if (loaded_count == loaded_room) {
        size_t room = loaded_room > 0 ? loaded_room * 2 : 256;
        struct media_type *more = realloc(loaded, room * sizeof *more);
        if (more == NULL)
            return;
        loaded = more;
        loaded_room = room;
    }
    char *name = strdup(extension), *full = NULL;
    if (asprintf(&full, "%s%s", type,
                 strncmp(type, "text/", 5) == 0 ? "; charset=utf-8" : "") < 0)
        full = NULL;
    if (name == NULL || full == NULL) {
        free(name);
        free(full);
        return;
    }
    loaded[loaded_count++] = (struct media_type){name, full};
}

/* "type ext ext ..." */
static void read_line(char *line)
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL, *type = strtok_r(line, blanks, &rest);
    if (type == NULL || type[0] == '#' || strlen(type) > 80)
        return;
    for (char *extension; (extension = strtok_r(NULL, blanks, &rest)) != NULL;)
        add(extension, type);
}

void types_load(const char *path)
{
    FILE *file = loaded_count == 0 ? fopen(path, "re") : NULL;
    if (file == NULL)
        return;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) >= 0)
        read_line(line);
    free(line);
    fclose(file);
    if (loaded_count > 0)
        qsort(loaded, loaded_count, sizeof *loaded, order);
}

void types_free(void)
{
    for (size_t i = 0; i < loaded_count; i++) {
        free((char *)loaded[i].extension);
        free((char *)loaded[i].type);
    }
    free(loaded);
    loaded = NULL;
    loaded_count = loaded_room = 0;
}

const char *types_find(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash != NULL ? slash : name, '.');
    if (dot == NULL)
        return "application/octet-stream";
    struct media_type key = {dot + 1, NULL};
    const struct media_type *found =
        bsearch(&key, known, sizeof known / sizeof *known, sizeof *known, order);
    if (found == NULL && loaded_count > 0)
        found = bsearch(&key, loaded, loaded_count, sizeof *loaded, order);
    return found != NULL ? found->type : "application/octet-stream";
}
