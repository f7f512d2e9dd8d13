/* Every request of tests/corpus/http gets the answers that http.txt says, however it is split. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http-site.h"
#include "unit.h"

#define ROWS 1000

static struct {
    char name[100], answers[100]; /* "200 400 closed" */
} rows[ROWS];
static size_t row_count;

static void read_rows(void)
{
    FILE *file = fopen(CORPUS_PATH "/http.txt", "r");
    ck_assert_ptr_nonnull(file);
    char line[300];
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            continue;
        ck_assert_uint_lt(row_count, ROWS);
        ck_assert_int_eq(sscanf(line, "%99s %99[^\n]", rows[row_count].name,
                                rows[row_count].answers), 2);
        row_count++;
    }
    fclose(file);
    ck_assert_uint_gt(row_count, 0);
}

static void set_up(void)
{
    http_site_open();
    read_rows();
}

/* A copy of exactly the file's bytes. */
static char *read_request(const char *name, size_t *length)
{
    char path[4096], *data = malloc(65536);
    snprintf(path, sizeof path, "%s/http/%s", CORPUS_PATH, name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    *length = fread(data, 1, 65536, file);
    fclose(file);
    ck_assert_uint_lt(*length, 65536);
    return realloc(data, *length + 1);
}

static void describe(const struct http_talk *talk, char *text, size_t size)
{
    size_t n = 0;
    for (const char *at = talk->output; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
        if (at[9] >= '1' && at[9] <= '9' && at[12] == ' ')
            n += (size_t)snprintf(text + n, size - n, "%.3s ", at + 9);
    snprintf(text + n, size - n, "%s", talk->verdict == REEVE_CLOSE       ? "closed"
                                       : talk->verdict == REEVE_WANT_READ ? "kept"
                                                                          : "neither");
}

START_TEST(test_answers)
{
    for (size_t i = 0; i < row_count; i++) {
        size_t length;
        char *data = read_request(rows[i].name, &length), text[200];
        struct http_talk talk;
        http_site_talk(data, length, length, length, &talk);
        describe(&talk, text, sizeof text);
        ck_assert_msg(strcmp(text, rows[i].answers) == 0, "%s: \"%s\", not \"%s\"\n%s",
                      rows[i].name, text, rows[i].answers, talk.output);
        http_site_forget(&talk);
        free(data);
    }
}
END_TEST

static void check_split(const char *name, const char *data, size_t length, size_t first,
                        size_t step, const struct http_talk *whole)
{
    struct http_talk talk;
    http_site_talk(data, length, first, step, &talk);
    ck_assert_msg(talk.verdict == whole->verdict && talk.length == whole->length &&
                      memcmp(talk.output, whole->output, whole->length) == 0,
                  "%s, split at %zu and every %zu:\n%s\nwhole:\n%s", name, first, step,
                  talk.output, whole->output);
    http_site_forget(&talk);
}

START_TEST(test_splits)
{
    for (size_t i = 0; i < row_count; i++) {
        size_t length;
        char *data = read_request(rows[i].name, &length);
        struct http_talk whole;
        http_site_talk(data, length, length, length, &whole);
        for (size_t split = 1; split < length; split++)
            check_split(rows[i].name, data, length, split, length, &whole);
        check_split(rows[i].name, data, length, 1, 1, &whole);
        http_site_forget(&whole);
        free(data);
    }
}
END_TEST

/* No request without its answers. */
START_TEST(test_none_is_left_out)
{
    DIR *folder = opendir(CORPUS_PATH "/http");
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t i = 0;
        while (i < row_count && strcmp(entry->d_name, rows[i].name) != 0)
            i++;
        ck_assert_msg(i < row_count || entry->d_name[0] == '.', "%s is not in http.txt",
                      entry->d_name);
    }
    closedir(folder);
}
END_TEST

UNIT_MAIN_AROUND("http-corpus", set_up, http_site_close, ONCE(test_answers), ONCE(test_splits),
                 ONCE(test_none_is_left_out))
