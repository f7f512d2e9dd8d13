/* Listings: reads a folder and answers with what it holds.
 *
 * Only what a request for it would be given is shown: files and folders, links where they lead to
 * one of these and as far as the route follows them. Entries beyond the limit are not looked at, so
 * that no folder costs more than that many stat(2) calls.
 *
 * Reading thousands of entries may take long, and a cold disk longer: this runs in a pool thread
 * (serve.c sees to that), or inline where the model has no pool. Nothing is kept between requests;
 * a listing belongs to its request.
 */
#include "config.h"

#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "below.h"
#include "prefer.h"

#define PAGE_TYPE "text/html; charset=utf-8"
#define JSON_TYPE "application/json"

/* Names are escaped where they are written. Should one slip through all the same, the browser runs
 * nothing of it. */
#define PAGE_POLICY "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; " \
                    "base-uri 'none'; form-action 'none'"

/* ---------------------------------------------------------------- reading ----------- */

/* What a link leads to, opened as a request for it would. */
static bool look_behind(const struct listing_source *source, const char *name, struct stat *st)
{
    char full[PATH_MAX];
    int n = snprintf(full, sizeof full, "%s%s", source->name, name);
    if (n < 0 || (size_t)n >= sizeof full)
        return false;
    int fd = below_open(source->root, full, source->symlinks ? BELOW_LINKS : 0, O_PATH);
    if (fd < 0)
        return false;
    bool found = fstat(fd, st) == 0;
    close(fd);
    return found;
}

/* False: it is not to be shown. */
static bool look(const struct listing_source *source, int folder, const char *name, struct stat *st)
{
    if (name[0] == '.' && !source->dotfiles)
        return false;
    if (fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) != 0)
        return false; /* gone meanwhile */
    if (S_ISLNK(st->st_mode) && !look_behind(source, name, st))
        return false;
    return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static bool add(struct listing *listing, const char *name, const struct stat *st)
{
    if (listing->count == listing->room) {
        size_t room = listing->room > 0 ? listing->room * 2 : 64;
        struct listing_entry *more = realloc(listing->entries, room * sizeof *more);
        if (more == NULL)
            return false;
        listing->entries = more;
        listing->room = room;
    }
    struct listing_entry *entry = &listing->entries[listing->count];
    *entry = (struct listing_entry){.name = strdup(name), .folder = S_ISDIR(st->st_mode),
                                    .size = (uint64_t)st->st_size, .modified = st->st_mtime};
    if (entry->name == NULL)
        return false;
    listing->count++;
    return true;
}

static int order(const void *a, const void *b)
{
    const struct listing_entry *left = a, *right = b;
    if (left->folder != right->folder)
        return left->folder ? -1 : 1;
    int by_letter = strcasecmp(left->name, right->name);
    return by_letter != 0 ? by_letter : strcmp(left->name, right->name);
}

/* 0 or an errno. */
static int read_folder(DIR *dir, const struct listing_source *source, struct listing *listing)
{
    struct dirent *next;
    size_t looked = 0;
    while (errno = 0, (next = readdir(dir)) != NULL) {
        struct stat st;
        if (strcmp(next->d_name, ".") == 0 || strcmp(next->d_name, "..") == 0)
            continue;
        if (looked++ == source->limit) {
            listing->cut = true;
            break;
        }
        if (look(source, dirfd(dir), next->d_name, &st) && !add(listing, next->d_name, &st))
            return ENOMEM;
    }
    if (!listing->cut && errno != 0)
        return errno;
    if (listing->count > 0)
        qsort(listing->entries, listing->count, sizeof *listing->entries, order);
    return 0;
}

static void release(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->entries[i].name);
    free(listing->entries);
}

/* ---------------------------------------------------------------- answering --------- */

static int fail(reeve_request *request, int error)
{
    reeve_log(REEVE_LOG_ERROR, "static-listing-failed", "cannot list %s: %s", reeve_path(request),
              strerror(error));
    return reeve_reply_status(request, error == ENOMEM ? 503 : 500);
}

static int answer(reeve_request *request, const struct listing_source *source,
                  const struct listing *listing)
{
    const char *accept = reeve_header(request, "Accept");
    bool json = prefer_weight(accept, JSON_TYPE) > prefer_weight(accept, "text/html");
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return fail(request, ENOMEM);
    if (json)
        listing_write_json(out, listing);
    else
        listing_write_page(out, listing, reeve_path(request), *source->name != '\0');
    bool bad = ferror(out) != 0;
    bad = fclose(out) != 0 || bad;
    if (!bad && listing->cut) { /* JSON has no other place to say so */
        char limit[24];
        snprintf(limit, sizeof limit, "%zu", source->limit);
        bad = reeve_set_header(request, "Listing-Limit", limit) != 0;
    }
    if (!bad && !json)
        bad = reeve_set_header(request, "Content-Security-Policy", PAGE_POLICY) != 0;
    bad = bad || reeve_set_header(request, "Vary", "Accept") != 0;
    int result = bad ? fail(request, ENOMEM)
                     : reeve_reply(request, 200, json ? JSON_TYPE : PAGE_TYPE, text, length);
    free(text);
    return result;
}

int listing_reply(reeve_request *request, int fd, const struct listing_source *source)
{
    struct listing listing = {0};
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int error = errno;
        close(fd);
        return fail(request, error);
    }
    int error = read_folder(dir, source, &listing);
    closedir(dir);
    int result = error != 0 ? fail(request, error) : answer(request, source, &listing);
    release(&listing);
    return result;
}
