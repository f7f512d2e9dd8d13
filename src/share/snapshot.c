/* The snapshot; see snapshot.h. Taken by the master (or by -t), opened by workers.
 *
 * The memfd holds, in this order and each ended by NUL: path, folder, the number of overrides, the
 * overrides, and the text, whose length is the rest. Its own process wrote it or its master did,
 * yet it is checked like a foreign file: a worker of another version must refuse, not crash. */
#include "config.h"

#include "share/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"

#define SNAPSHOT_MAGIC "reeve snapshot 1"
#define CONFIG_LIMIT (4u << 20) /* nobody writes 4 MiB of configuration by intent */

/* The absolute folder in which `path` stands, in `room` of PATH_MAX bytes. A link's own folder, not
 * that of what it points at. */
static bool folder_of(const char *path, char *room)
{
    char folder[PATH_MAX];
    char *slash;

    if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
        return false;
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return realpath(slash ? folder : ".", room) != NULL;
}

static void add_text(struct buf *blob, const char *text)
{
    buf_add(blob, text, strlen(text) + 1);
}

/* A sealed memfd with these bytes; -1 with errno. */
static int sealed(const struct buf *blob)
{
    int fd = memfd_create("reeve-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (blob->failed) {
        errno = ENOMEM;
    } else if (sys_write_all(fd, blob->data, blob->length) == 0 &&
               fcntl(fd, F_ADD_SEALS,
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0) {
        return fd;
    }
    sys_close(&fd);
    return -1;
}

/* The file's text (to be freed) and its folder. False after a line in `error`. */
static bool read_source(const char *path, char **text, char *folder, struct buf *error)
{
    size_t length = 0;

    if (sys_read_file(path, CONFIG_LIMIT, text, &length) < 0 || !folder_of(path, folder)) {
        buf_printf(error, "%s: cannot be read: %s; check the path and its permissions\n", path,
                   strerror(errno));
        return false;
    }
    if (memchr(*text, '\0', length)) {
        buf_printf(error, "%s: holds a NUL byte; this is not a text file\n", path);
        return false;
    }
    return true;
}

struct snapshot *snapshot_take(const char *path, const char *builtin, char *const *overrides,
                               size_t override_count, struct buf *error)
{
    struct snapshot *snapshot = NULL;
    struct buf blob = {0};
    char folder[PATH_MAX], *text = NULL;
    int fd;

    if (path && !read_source(path, &text, folder, error))
        goto out;
    if (!path && !getcwd(folder, sizeof(folder)))
        strcpy(folder, "/");
    add_text(&blob, SNAPSHOT_MAGIC);
    add_text(&blob, path ? path : "(built-in)");
    add_text(&blob, folder);
    buf_printf(&blob, "%zu", override_count);
    buf_addc(&blob, '\0');
    for (size_t i = 0; i < override_count; i++)
        add_text(&blob, overrides[i]);
    add_text(&blob, path ? text : builtin);
    fd = sealed(&blob);
    if (fd < 0)
        buf_printf(error, "the configuration cannot be kept in memory: %s\n", strerror(errno));
    else
        snapshot = snapshot_open(fd, error);
out:
    free(text);
    buf_free(&blob);
    return snapshot;
}

/* The next text of the mapping; NULL when it is not ended. */
static const char *next_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

static bool snapshot_parse(struct snapshot *snapshot)
{
    const char *at = snapshot->map, *end = snapshot->map + snapshot->map_length;
    const char *magic = next_text(&at, end), *count;
    int64_t n;

    if (!magic || strcmp(magic, SNAPSHOT_MAGIC) != 0)
        return false;
    snapshot->path = next_text(&at, end);
    snapshot->folder = next_text(&at, end);
    count = next_text(&at, end);
    if (!count || !text_int(count, &n) || n < 0 || n > (int64_t)snapshot->map_length)
        return false;
    snapshot->overrides = calloc((size_t)n + 1, sizeof(char *));
    if (!snapshot->overrides)
        return false;
    for (; (int64_t)snapshot->override_count < n; snapshot->override_count++) {
        const char *override = next_text(&at, end);

        if (!override)
            return false;
        snapshot->overrides[snapshot->override_count] = override;
    }
    snapshot->text = next_text(&at, end);
    if (!snapshot->text || at != end)
        return false;
    snapshot->text_length = (size_t)(at - snapshot->text) - 1;
    return true;
}

struct snapshot *snapshot_open(int fd, struct buf *error)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
    struct stat st;
    void *map;

    if (!snapshot) {
        buf_adds(error, "out of memory\n");
        sys_close(&fd);
        return NULL;
    }
    snapshot->fd = fd;
    if (fstat(fd, &st) < 0 || st.st_size <= 0)
        goto bad;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        goto bad;
    snapshot->map = map;
    snapshot->map_length = (size_t)st.st_size;
    if (snapshot_parse(snapshot))
        return snapshot;
    errno = EBADMSG;
bad:
    buf_printf(error, "the configuration snapshot cannot be used: %s\n", strerror(errno));
    snapshot_free(&snapshot);
    return NULL;
}

struct snapshot *snapshot_again(const char *map, size_t length, struct buf *error)
{
    struct buf blob = {0};
    int fd;

    buf_add(&blob, map, length);
    fd = sealed(&blob);
    if (fd < 0)
        buf_printf(error, "the configuration cannot be kept in memory: %s\n", strerror(errno));
    buf_free(&blob);
    return fd < 0 ? NULL : snapshot_open(fd, error);
}

bool snapshot_same(const struct snapshot *a, const struct snapshot *b)
{
    return a->map_length == b->map_length && memcmp(a->map, b->map, a->map_length) == 0;
}

void snapshot_free(struct snapshot **snapshot)
{
    struct snapshot *s = *snapshot;

    if (!s)
        return;
    if (s->map)
        munmap((void *)(uintptr_t)s->map, s->map_length);
    free(s->overrides);
    sys_close(&s->fd);
    free(s);
    *snapshot = NULL;
}
