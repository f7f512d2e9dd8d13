/* Error pages of a site; see pages.h. They are read into memory once, so that an answer to an error
 * never depends on the disk. Main thread while configuring; the memory lives as long as the worker.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "bytes.h"
#include "pages.h"

#define PAGE_MAX (1 << 20)

static const struct {
    const char *end, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".json", "application/json"},
};

/* By the end of the file's name; NULL if it is none of these. */
static const char *type_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i].end) == 0)
            return types[i].type;
    return NULL;
}

static const char *give_up(struct bytes *text, const char *why)
{
    free(text->data);
    return why;
}

/* NULL, or what is wrong. */
static const char *read_file(int fd, struct page *page)
{
    struct stat st;
    struct bytes text = {0};
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is no regular file";
    for (ssize_t n = 1; n > 0; text.length += (size_t)n) {
        if (!bytes_room(&text, 4096))
            return give_up(&text, "memory is short");
        n = read(fd, text.data + text.length, text.room - text.length);
        if (n < 0)
            return give_up(&text, strerror(errno));
        if (text.length + (size_t)n > PAGE_MAX)
            return give_up(&text, "it is larger than 1 MiB");
    }
    page->data = text.data;
    page->length = text.length;
    return NULL;
}

/* "404 /path/of/file.html" */
static int read_page(const reeve_section *section, const char *item, struct page *page)
{
    char *path;
    long status = strtol(item, &path, 10);
    size_t space = strspn(path, " \t");
    path += space;
    if (item[0] < '4' || item[0] > '5' || space == 0 || path[0] != '/')
        return reeve_conf_error(section, "error_page", "\"%s\" is no page for an error: write the "
                                "status and the file with its whole path, as in "
                                "\"404 /srv/www/missing.html\"", item);
    if (status > 599 || answer_reason((int)status) == NULL)
        return reeve_conf_error(section, "error_page", "%ld is no status of an error: write one "
                                "such as 404", status);
    page->status = (int)status;
    page->type = type_of(path);
    if (page->type == NULL)
        return reeve_conf_error(section, "error_page", "the type of \"%s\" is not known: name it "
                                ".html, .txt or .json", path);
    reeve_conf_reads(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *wrong = fd < 0 ? strerror(errno) : read_file(fd, page);
    if (fd >= 0)
        close(fd);
    if (wrong != NULL)
        return reeve_conf_error(section, "error_page", "cannot read \"%s\": %s; check the path and "
                                "its permissions", path, wrong);
    return 0;
}

int pages_read(const reeve_section *section, struct pages *pages)
{
    size_t count = reeve_conf_count(section, "error_page");
    if (count == 0)
        return 0;
    pages->list = calloc(count, sizeof *pages->list);
    if (pages->list == NULL)
        return reeve_conf_error(section, "error_page", "memory is short: free some and try again");
    for (size_t i = 0; i < count; i++) {
        struct page page = {0};
        if (read_page(section, reeve_conf_item(section, "error_page", i), &page) != 0)
            return -1;
        bool twice = pages_find(pages, page.status) != NULL;
        pages->list[pages->count++] = page;
        if (twice)
            return reeve_conf_error(section, "error_page", "status %d has two pages: remove one",
                                    page.status);
    }
    return 0;
}

const struct page *pages_find(const struct pages *pages, int status)
{
    for (size_t i = 0; i < pages->count; i++)
        if (pages->list[i].status == status)
            return &pages->list[i];
    return NULL;
}

void pages_free(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        free(pages->list[i].data);
    free(pages->list);
    *pages = (struct pages){0};
}
