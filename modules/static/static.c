/* static: serves the files below a folder.
 *
 * The root is opened once, while configuring; what is asked of it is answered by serve.c. Main
 * thread, static_handle() apart. A route's struct folder lives until the worker exits.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "below.h"
#include "folder.h"
#include "listing.h"
#include "serve.h"

static struct folder *folders;

/* ---------------------------------------------------------------- configuration ----- */

static int read_index(const reeve_section *section, struct folder *folder)
{
    size_t count = reeve_conf_count(section, "index");
    folder->index = count > 0 ? calloc(count, sizeof *folder->index) : NULL;
    if (count > 0 && folder->index == NULL)
        return reeve_conf_error(section, "index", "memory is short: free some and try again");
    for (; folder->index_count < count; folder->index_count++) {
        const char *name = reeve_conf_item(section, "index", folder->index_count);
        if (*name == '\0' || strchr(name, '/') != NULL)
            return reeve_conf_error(section, "index", "\"%s\" is not a file name: write it without "
                                    "\"/\"", name);
        folder->index[folder->index_count] = name;
    }
    return 0;
}

static int open_root(const reeve_section *section, struct folder *folder)
{
    const char *root = reeve_conf_string(section, "root");
    if (root == NULL || *root == '\0')
        return reeve_conf_error(section, NULL, "static needs a root: write root = \"/srv/www\"");
    folder->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder->root < 0)
        return reeve_conf_error(section, "root", "cannot open the folder \"%s\": %s; create it or "
                                "name another one", root, strerror(errno));
    folder->unwaiting = below_unwaiting(folder->root);
    return 0;
}

static int read_fallback(const reeve_section *section, struct folder *folder)
{
    const char *name = reeve_conf_string(section, "fallback");
    folder->fallback = *name == '/' ? name + 1 : name;
    if (*name != '\0' && (*name != '/' || name[strlen(name) - 1] == '/' || serve_is_hidden(name)))
        return reeve_conf_error(section, "fallback", "\"%s\" is no file below the root that may be "
                                "served: write it like \"/index.html\"", name);
    return 0;
}

static int read_cache(const reeve_section *section, struct folder *folder)
{
    int64_t bytes = reeve_conf_int(section, "cache_bytes");
    folder->cache = bytes > 0 ? cache_new((size_t)bytes) : NULL;
    if (bytes > 0 && folder->cache == NULL)
        return reeve_conf_error(section, "cache_bytes", "memory is short: write less, or free "
                                "some");
    return 0;
}

static int static_handle(reeve_request *request, void *config)
{
    return serve_request(request, config);
}

static int static_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    struct folder *folder = calloc(1, sizeof *folder);
    if (folder == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    *config = folder;
    folder->root = -1;
    folder->next = folders;
    folders = folder;
    folder->symlinks = reeve_conf_bool(section, "symlinks");
    folder->dotfiles = strcmp(reeve_conf_string(section, "dotfiles"), "serve") == 0;
    folder->listing = reeve_conf_bool(section, "listing");
    folder->limit = (size_t)reeve_conf_int(section, "listing_limit");
    if (read_cache(section, folder) != 0)
        return -1;
    types_load("/etc/mime.types");
    if (extra_read(section, &folder->extra) != 0 || types_read(section, &folder->types) != 0 ||
        read_index(section, folder) != 0 || read_fallback(section, folder) != 0)
        return -1;
    return open_root(section, folder);
}

static void static_worker_exit(void)
{
    while (folders != NULL) {
        struct folder *folder = folders;
        folders = folder->next;
        if (folder->root >= 0)
            close(folder->root);
        cache_free(&folder->cache);
        free(folder->index);
        extra_free(&folder->extra);
        types_free(&folder->types);
        free(folder);
    }
    types_unload();
}

static const reeve_option static_options[] = {
    {.name = "root", .type = REEVE_OPT_PATH,
     .help = "The folder whose files are served. Needed. What follows the route's prefix is looked "
             "up in it: with route \"/docs\" and root \"/srv/manual\", /docs/a.html is the file "
             "/srv/manual/a.html."},
    {.name = "index", .type = REEVE_OPT_LIST, .fallback = "index.html",
     .help = "Files that answer for a folder; the first that exists is taken."},
    {.name = "fallback", .type = REEVE_OPT_STRING,
     .help = "A file such as \"/index.html\", below the root, that answers with 200 where nothing "
             "is found: for applications that run in the browser and have paths of their own. Only "
             "for a request that accepts text/html, as that for a page does: what a page is made "
             "of is still answered with 404 when it is missing, and so are hidden files."},
    {.name = "symlinks", .type = REEVE_OPT_BOOL, .fallback = "off",
     .help = "Whether symbolic links may lead out of the root. If off, a link is followed as long "
             "as it is relative and stays below the root."},
    EXTRA_OPTIONS,
    {.name = "cache_bytes", .type = REEVE_OPT_SIZE, .fallback = "8MiB", .max = INT64_C(1) << 40,
     .help = "Memory of each worker for ready answers of this route: whole files up to 16 KiB, "
             "what gzip has made of files up to 64 KiB, and of larger files the descriptor, which "
             "counts as 64 KiB. A file is looked at again once a second, so a change may show that "
             "much later; one that was changed less than two seconds ago is not kept at all. 0: "
             "none."},
    {.name = "dotfiles", .type = REEVE_OPT_ENUM, .choices = "hide|serve", .fallback = "hide",
     .help = "Files and folders whose names begin with a dot: \"hide\" answers with 404 and lists "
             "none, \"serve\" treats them as any other. /.well-known is served in both cases."},
    LISTING_OPTIONS,
    TYPES_OPTIONS,
    {.type = REEVE_OPT_END},
};

static const struct reeve_handler static_handler = {
    .protocol = "http", .configure = static_configure, .handle = static_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "static", .version = "1.0", .options = static_options,
             .handler = &static_handler, .worker_exit = static_worker_exit);
