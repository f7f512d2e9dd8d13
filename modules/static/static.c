/* static: serves the files below a folder. Its parts:
 *
 *     static, extra, types               the configuration of a route
 *     serve, hidden, below, read         from a path to a file, in the loop without a wait
 *     accept                             in which coding: a sibling's, or gzip's
 *     file, condition, date, range       what is answered of it
 *     gzip, parts                        compressed, or several ranges: in pieces
 *     cache                              answers that are kept ready
 *     listing, listing-write, prefer     what a folder holds
 *
 * The root is opened once, while configuring; what is asked of it is answered by serve.c. Main
 * thread, but for static_handle() and static_receive(). A route's struct folder lives until the
 * worker exits.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "below.h"
#include "folder.h"
#include "hidden.h"
#include "listing.h"
#include "serve.h"

#define DROPPED_MOST (1u << 20) /* bytes of a body that nobody reads */

static struct folder *folders;

/* ---------------------------------------------------------------- answering --------- */

static int static_handle(reeve_request *request, void *config)
{
    return serve_request(request, config);
}

/* No body is of use here: who sends one with a method that is not served is told so before it
 * comes, and what comes with one that is served is thrown away. */
static int static_receive(reeve_request *request, void *config, const void *data, size_t length)
{
    const char *method = reeve_method(request);
    size_t *dropped = reeve_kept(request);
    if (data == NULL && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return serve_request(request, config);
    if (data == NULL) {
        dropped = reeve_alloc(request, sizeof *dropped);
        if (dropped == NULL || reeve_keep(request, dropped, NULL) != 0)
            return -1;
        *dropped = 0;
    }
    *dropped += length;
    return *dropped > DROPPED_MOST ? reeve_reply_status(request, 413) : 0;
}

/* ---------------------------------------------------------------- configuration ----- */

static int read_endings(const reeve_section *section, const char *option, struct endings *endings)
{
    size_t count = reeve_conf_count(section, option);
    endings->list = count > 0 ? calloc(count, sizeof *endings->list) : NULL;
    if (count > 0 && endings->list == NULL)
        return reeve_conf_error(section, option, "memory is short: free some and try again");
    for (; endings->count < count; endings->count++) {
        const char *text = reeve_conf_item(section, option, endings->count);
        if (*text == '\0' || strchr(text, '/') != NULL)
            return reeve_conf_error(section, option, "\"%s\" is not a file name: write it without "
                                    "\"/\"", text);
        endings->list[endings->count] = text;
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
    /* Links may lead anywhere, if they are followed at all. */
    reeve_opens(folder->symlinks ? "/" : root, REEVE_OPENS_TO_READ);
    folder->unwaiting = below_unwaiting(folder->root);
    return 0;
}

static int read_fallback(const reeve_section *section, struct folder *folder)
{
    const char *name = reeve_conf_string(section, "fallback");
    folder->fallback = *name == '/' ? name + 1 : name;
    if (*name != '\0' && (*name != '/' || name[strlen(name) - 1] == '/' || hidden_in(name)))
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
    if (!folder->listing)
        reeve_conf_idle(section, "listing_limit", "listing = on");
    folder->limit = (size_t)reeve_conf_int(section, "listing_limit");
    if (read_cache(section, folder) != 0)
        return -1;
    types_load("/etc/mime.types");
    if (extra_read(section, &folder->extra) != 0 || types_read(section, &folder->types) != 0 ||
        read_endings(section, "index", &folder->index) != 0 ||
        read_endings(section, "extensions", &folder->extensions) != 0 ||
        read_fallback(section, folder) != 0)
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
        free(folder->index.list);
        free(folder->extensions.list);
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
    {.name = "extensions", .type = REEVE_OPT_LIST,
     .help = "What is tried, in this order, behind a path where nothing is found: with "
             "{ \".html\" } /about is answered by the file /about.html. The fallback comes after "
             "that."},
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
    .protocol = "http", .configure = static_configure, .handle = static_handle,
    .receive = static_receive};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_HANDLER, .name = "static", .version = "1.0", .options = static_options,
             .handler = &static_handler, .worker_exit = static_worker_exit);
