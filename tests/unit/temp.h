/* For tests that need files: a folder of their own, removed with all that stands in it. To be given
 * to UNIT_MAIN_AROUND. */
#ifndef TESTS_TEMP_H
#define TESTS_TEMP_H
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char temp_folder[] = "/tmp/reeve-unit-XXXXXX";

static inline void temp_make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(temp_folder));
}

static inline int temp_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void temp_remove(void)
{
    nftw(temp_folder, temp_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of that name in the folder; good for the next seven calls. */
static inline const char *temp_path(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", temp_folder, name);
    return path;
}

static inline void temp_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* What the file holds, up to 1023 bytes; good until the next call. "" if it cannot be read. */
static inline const char *temp_read(const char *path)
{
    static char text[1024];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return text;
}
#endif
