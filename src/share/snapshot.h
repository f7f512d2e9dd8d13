/* The snapshot: the bytes of every configuration file that was read, with the -o overrides, in one
 * sealed memfd. The master takes it, parses its own options from it, and hands it to each worker of
 * the generation, so that all of them run what was accepted, whatever lies on disk by then. */
#ifndef SHARE_SNAPSHOT_H
#define SHARE_SNAPSHOT_H
#include <stdbool.h>
#include <stddef.h>

struct buf;

struct snapshot {
    int fd;               /* sealed memfd, owned */
    const char *map;      /* its read-only mapping, owned */
    size_t map_length;
    /* Pointers into the mapping: */
    const char *path;     /* as shown in messages; "(built-in)" when there is no file */
    const char *folder;   /* absolute: what relative paths in it are relative to */
    const char *text;     /* the file, NUL-terminated */
    size_t text_length;
    const char **overrides; /* "KEY=VALUE", in order; the array is owned */
    size_t override_count;
};

/* Reads the file (NULL: `builtin` stands for it, relative to the working directory). NULL after one
 * line in `error`. */
struct snapshot *snapshot_take(const char *path, const char *builtin, char *const *overrides,
                               size_t override_count, struct buf *error);
/* Takes over a descriptor that was made by snapshot_take elsewhere. NULL with a line in `error`. */
struct snapshot *snapshot_open(int fd, struct buf *error);
/* Another one with the bytes of a mapping, which may be a copy of it. NULL with a line in
 * `error`. */
struct snapshot *snapshot_again(const char *map, size_t length, struct buf *error);
bool snapshot_same(const struct snapshot *a, const struct snapshot *b);
void snapshot_free(struct snapshot **snapshot);
#endif
