/* Answering a request from the folder of its route; see serve.h.
 *
 * Each request opens its file below the root with below_open(), so that no name, link or race
 * leads out of it. Runs in the loop's thread, with what is in memory; where the disk must be read
 * it asks to be called again in a pool's thread, which does all of it anew. What is kept between
 * requests are the answers of cache.h, which are given without a look at the file up to a second
 * long. A descriptor belongs to the request until file_send() takes it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../percent.h"
#include "below.h"
#include "file.h"
#include "hidden.h"
#include "listing.h"
#include "serve.h"

/* ---------------------------------------------------------------- opening ----------- */

static int status_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return 403;
    case EAGAIN: /* leased, or renamed all the time */
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    case EIO:
        return 500;
    default: /* ENOENT, ENOTDIR, ELOOP, EXDEV, ENAMETOOLONG, ENXIO, ...: not here */
        return 404;
    }
}

/* Whether this error only says that the disk would have to be read, which the loop does not. */
static bool is_cold(const reeve_request *request, int error)
{
    return error == EAGAIN && !reeve_may_wait(request);
}

static int refuse(reeve_request *request, int error)
{
    if (is_cold(request, error))
        return reeve_again(request);
    int status = status_of(error);
    if (status >= 500)
        reeve_log(REEVE_LOG_ERROR, "static-open-failed", "cannot open %s: %s", reeve_path(request),
                  strerror(error));
    if (status == 503)
        reeve_set_header(request, "Retry-After", "1");
    return reeve_reply_status(request, status);
}

/* ---------------------------------------------------------------- answering --------- */

/* Sends the client on to the same path with "/" behind it, encoded anew, and its query. */
static int redirect(reeve_request *request)
{
    const char *path = reeve_path(request), *query = reeve_query(request);
    char *location = malloc((strlen(path) + strlen(query)) * 3 + 3);
    if (location == NULL)
        return -1;
    char *at = stpcpy(percent_put(location, path, PERCENT_PATH), "/");
    if (*query != '\0')
        at = percent_put(stpcpy(at, "?"), query, PERCENT_PATH "?%"); /* it was not decoded */
    *at = '\0';
    int result = reeve_set_header(request, "Location", location);
    free(location);
    return result == 0 ? reeve_reply_status(request, 301) : -1;
}

static int open_below(const reeve_request *request, const struct folder *folder, const char *name,
                      int flags)
{
    unsigned how = (folder->symlinks ? BELOW_LINKS : 0u) |
                   (reeve_may_wait(request) ? 0u : folder->unwaiting);
    return below_open(folder->root, name, how, flags);
}

static int open_file(const reeve_request *request, const struct folder *folder, const char *name)
{
    return open_below(request, folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

/* Puts the sibling of `name` that the client likes best in the place of the file, if there is one
 * that it prefers, and that has not been left behind by a newer file. False: whether there is one
 * is not known without the disk. Once it was looked for in the pool, the kernel knows that also of
 * a missing one (see below.c), so only the first request for a file goes that way. */
static bool choose_sibling(reeve_request *request, const struct folder *folder, const char *name,
                           struct file *file)
{
    const struct accept_coding *order[ACCEPT_CODINGS];
    size_t count = accept_order(reeve_header(request, "Accept-Encoding"), folder->extra.codings,
                                folder->extra.coding_count, order);
    for (size_t i = 0; i < count; i++) {
        char full[PATH_MAX];
        int n = snprintf(full, sizeof full, "%s%s", name, order[i]->suffix);
        if (n < 0 || (size_t)n >= sizeof full)
            continue;
        int fd = open_file(request, folder, full);
        struct stat st;
        if (fd < 0 && is_cold(request, errno))
            return false;
        if (fd < 0)
            continue;
        if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_mtime < file->st.st_mtime) {
            close(fd);
            continue;
        }
        close(file->fd);
        file->fd = fd;
        file->st = st;
        file->coding = order[i];
        return true;
    }
    return true;
}

/* Takes the descriptor of a regular file, which `name` led to. */
static int send_regular(reeve_request *request, const struct folder *folder, const char *name,
                        struct file *file)
{
    int result = CACHE_NONE;
    file->type = types_find(&folder->types, name);
    if (folder->extra.coding_count > 0 && !choose_sibling(request, folder, name, file)) {
        close(file->fd);
        return reeve_again(request);
    }
    if (file->place.cache != NULL &&
        cache_confirm(file->place.cache, &file->place.key, &file->st))
        result = cache_reply(file->place.cache, request, file->place.key);
    if (result == CACHE_NONE)
        return file_send(request, &folder->extra, file);
    close(file->fd);
    return result;
}

/* Takes `fd`, which `name` led to. */
static int send_opened(reeve_request *request, const struct folder *folder, const char *name,
                       int fd, const struct cache_place *place)
{
    struct file file = {.fd = fd, .place = *place};
    int error = fstat(fd, &file.st) == 0 ? 0 : errno;
    if (error == 0 && S_ISREG(file.st.st_mode))
        return send_regular(request, folder, name, &file);
    close(fd);
    if (error == 0 && S_ISDIR(file.st.st_mode))
        return redirect(request);
    return refuse(request, error != 0 ? error : ENOENT);
}

static bool is_folder(int fd)
{
    struct stat st;
    return fstat(fd, &st) != 0 || S_ISDIR(st.st_mode);
}

/* Asks a browser for a page to show, not for a part of one: such a request names HTML. */
static bool is_navigation(const reeve_request *request)
{
    const char *accept = reeve_header(request, "Accept");
    return accept != NULL && strcasestr(accept, "text/html") != NULL;
}

/* What was asked for cannot be opened: if nothing is there, the fallback may answer for it. */
static int send_fallback(reeve_request *request, const struct folder *folder, int error)
{
    if (*folder->fallback == '\0' || status_of(error) != 404)
        return refuse(request, error);
    reeve_set_header(request, "Vary", "Accept");
    if (!is_navigation(request))
        return refuse(request, error);
    const struct cache_place nowhere = {.cache = NULL}; /* others get something else by this path */
    int fd = open_file(request, folder, folder->fallback);
    if (fd >= 0 && !is_folder(fd))
        return send_opened(request, folder, folder->fallback, fd, &nowhere);
    if (fd >= 0)
        close(fd);
    else if (is_cold(request, errno))
        return reeve_again(request);
    return refuse(request, error);
}

/* The folder `name` has no index file: lists it, or refuses with 403, or 404 if it is no folder. To
 * list one is to look at each entry, which is more than the loop may do, cold or not. */
static int send_folder(reeve_request *request, const struct folder *folder, const char *name)
{
    if (folder->listing && !reeve_may_wait(request))
        return reeve_again(request);
    int fd = open_below(request, folder, name,
                        (folder->listing ? O_RDONLY : O_PATH) | O_DIRECTORY);
    if (fd < 0)
        return send_fallback(request, folder, errno);
    if (folder->listing) {
        struct listing_source source = {.root = folder->root, .name = name,
                                        .symlinks = folder->symlinks, .dotfiles = folder->dotfiles,
                                        .limit = folder->limit};
        return listing_reply(request, fd, &source);
    }
    close(fd);
    return reeve_reply_status(request, 403);
}

/* Opens the first file whose name is `name` and one of these endings, and puts that into `full`;
 * what is a folder is passed by. -1 with errno: ENOENT if there is none. */
static int open_first(const reeve_request *request, const struct folder *folder, const char *name,
                      const struct endings *endings, char full[PATH_MAX])
{
    for (size_t i = 0; i < endings->count; i++) {
        int n = snprintf(full, PATH_MAX, "%s%s", name, endings->list[i]);
        if (n < 0 || n >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open_file(request, folder, full);
        if (fd >= 0 && !is_folder(fd))
            return fd;
        if (fd >= 0)
            close(fd);
        else if (errno != ENOENT)
            return -1;
    }
    errno = ENOENT;
    return -1;
}

/* `name` ends with "/" or is the root: its first index file, or the folder itself. */
static int send_index(reeve_request *request, const struct folder *folder, const char *name,
                      const struct cache_place *place)
{
    char full[PATH_MAX];
    int fd = open_first(request, folder, name, &folder->index, full);
    if (fd >= 0)
        return send_opened(request, folder, full, fd, place);
    return errno == ENOENT ? send_folder(request, folder, name)
                           : send_fallback(request, folder, errno);
}

/* Nothing is called `name`: the first file with an extension more. */
static int send_extended(reeve_request *request, const struct folder *folder, const char *name,
                         const struct cache_place *place)
{
    char full[PATH_MAX];
    int fd = open_first(request, folder, name, &folder->extensions, full);
    return fd >= 0 ? send_opened(request, folder, full, fd, place)
                   : send_fallback(request, folder, errno);
}

/* Not inlined: what is in the cache does not come so far. */
static __attribute__((noinline)) int serve_name(reeve_request *request, const struct folder *folder,
                                                struct cache_place place)
{
    const char *path = reeve_path(request), *name = reeve_rest(request) + 1;
    if (extra_put(request, &folder->extra) != 0)
        return -1;
    if (!folder->dotfiles && hidden_in(reeve_rest(request)))
        return reeve_reply_status(request, 404);
    if (path[strlen(path) - 1] == '/')
        return send_index(request, folder, name, &place);
    int fd = open_file(request, folder, name);
    if (fd >= 0)
        return send_opened(request, folder, name, fd, &place);
    return errno == ENOENT ? send_extended(request, folder, name, &place)
                           : send_fallback(request, folder, errno);
}

static int refuse_method(reeve_request *request, const struct folder *folder, const char *method)
{
    if (extra_put(request, &folder->extra) != 0)
        return -1;
    reeve_set_header(request, "Allow", "GET, HEAD, OPTIONS");
    return strcmp(method, "OPTIONS") == 0 ? reeve_reply(request, 204, NULL, NULL, 0)
                                          : reeve_reply_status(request, 405);
}

static bool is_get(const char *method)
{
    return method[0] == 'G' && method[1] == 'E' && method[2] == 'T' && method[3] == '\0';
}

int serve_request(reeve_request *request, const struct folder *folder)
{
    const char *method = reeve_method(request);
    const bool get = is_get(method);
    if (!get && strcmp(method, "HEAD") != 0)
        return refuse_method(request, folder, method);
    if (folder->cache == NULL || reeve_is_conditional(request))
        return serve_name(request, folder, (struct cache_place){.cache = NULL});
    const struct cache_key key = {
        .path = reeve_path(request),
        .variant = extra_varies(&folder->extra) ? extra_variant(request, &folder->extra) : 0};
    int result = cache_reply(folder->cache, request, key);
    if (result != CACHE_NONE)
        return result;
    /* An answer to HEAD is made without the bytes. */
    return serve_name(request, folder, (struct cache_place){get ? folder->cache : NULL, key});
}
