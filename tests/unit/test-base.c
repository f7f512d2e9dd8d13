/* Buffers, text helpers and the error log. */
#include "config.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/sys.h"
#include "base/text.h"
#include "unit.h"

START_TEST(buffer_grows_and_drops)
{
    struct buf buf = {0};

    ck_assert_str_eq(buf_text(&buf), "");
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    buf_addc(&buf, '!');
    ck_assert(!buf.failed);
    ck_assert_int_eq(strncmp(buf.data, "0,1,2,", 6), 0);
    buf_drop(&buf, 4);
    ck_assert_int_eq(strncmp(buf.data, "2,3,", 4), 0);
    ck_assert_uint_eq(strlen(buf.data), buf.length);
    buf_clear(&buf);
    ck_assert_str_eq(buf_text(&buf), "");
    buf_adds(&buf, "x");
    char *taken = buf_take(&buf);
    ck_assert_str_eq(taken, "x");
    ck_assert_ptr_null(buf.data);
    free(taken);
}
END_TEST

START_TEST(list_keeps_order)
{
    struct list head, nodes[3];
    int seen = 0;

    list_init(&head);
    for (int i = 0; i < 3; i++)
        list_append(&head, &nodes[i]);
    list_each_safe(node, &head)
    {
        ck_assert_ptr_eq(node, &nodes[seen++]);
        list_remove(node);
        list_remove(node); /* twice is harmless */
    }
    ck_assert_int_eq(seen, 3);
    ck_assert(list_empty(&head));
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    int64_t value;
} sizes[] = {
    {"0", true, 0},           {"512", true, 512},      {"64KiB", true, 65536},
    {"10M", true, 10485760},  {"1 GiB", true, 1 << 30}, {"", false, 0},
    {"-1", false, 0},         {"12x", false, 0},       {"9999999999999TiB", false, 0},
    {"99999999999999999999", false, 0}, {"KiB", false, 0},
}, durations[] = {
    {"0", true, 0},       {"5", true, 5000},  {"250ms", true, 250}, {"2m", true, 120000},
    {"1h", true, 3600000}, {"1d", true, 86400000}, {"5sec", false, 0}, {"1.5s", false, 0},
};

START_TEST(sizes_and_durations)
{
    int64_t value;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        ck_assert_msg(text_size(sizes[i].text, &value) == sizes[i].ok, "%s", sizes[i].text);
        if (sizes[i].ok)
            ck_assert_int_eq(value, sizes[i].value);
    }
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        ck_assert_msg(text_duration(durations[i].text, &value) == durations[i].ok, "%s",
                      durations[i].text);
        if (durations[i].ok)
            ck_assert_int_eq(value, durations[i].value);
    }
}
END_TEST

START_TEST(quantities_read_back)
{
    static const int64_t values[] = {0, 1, 999, 1000, 1024, 1500, 60000, 65536, 90000, 86400000,
                                     1 << 20, (int64_t)3 << 40, 1025};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct buf text = {0};
        int64_t back;

        text_put_size(&text, values[i]);
        ck_assert(text_size(buf_text(&text), &back));
        ck_assert_int_eq(back, values[i]);
        buf_clear(&text);
        text_put_duration(&text, values[i]);
        ck_assert_msg(text_duration(buf_text(&text), &back), "%s", buf_text(&text));
        ck_assert_int_eq(back, values[i]);
        buf_free(&text);
    }
}
END_TEST

START_TEST(nearest_name)
{
    static const char *const names[] = {"workers", "threads", "listen", "user"};

    ck_assert_str_eq(text_nearest("worker", names, 4), "workers");
    ck_assert_str_eq(text_nearest("thraeds", names, 4), "threads");
    ck_assert_str_eq(text_nearest("usr", names, 4), "user");
    ck_assert_ptr_null(text_nearest("gargantuan", names, 4));
    ck_assert(text_is_choice("a|bc|d", "bc"));
    ck_assert(!text_is_choice("a|bc|d", "b"));
    ck_assert(!text_is_choice("a|bc|d", ""));
}
END_TEST

START_TEST(escaping_is_total)
{
    for (int c = 0; c < 65536; c++) {
        char bytes[2] = {(char)(c >> 8), (char)c};
        struct buf safe = {0}, quoted = {0};
        json_t *value;

        text_put_safe(&safe, bytes, 2);
        for (size_t i = 0; i < safe.length; i++)
            ck_assert((unsigned char)safe.data[i] >= 0x20 && safe.data[i] != 0x7f);
        buf_addc(&quoted, '"');
        text_put_json(&quoted, bytes, 2);
        buf_addc(&quoted, '"');
        value = json_loadb(quoted.data, quoted.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_msg(value != NULL, "bytes %04x", c);
        json_decref(value);
        buf_free(&safe);
        buf_free(&quoted);
    }
}
END_TEST

/* Logs one line to a pipe and returns it. */
static const char *logged(enum log_format format, const char *text)
{
    static char line[8192];
    int ends[2];
    ssize_t n;

    ck_assert_int_eq(pipe(ends), 0);
    log_open(ends[1], format);
    log_msg(LOG_STARTING, "%s", text);
    n = read(ends[0], line, sizeof(line) - 1);
    ck_assert_int_gt(n, 0);
    line[n] = '\0';
    close(ends[0]);
    close(ends[1]);
    log_open(STDERR_FILENO, LOG_TEXT);
    return line;
}

START_TEST(log_line_as_text)
{
    const char *line = logged(LOG_TEXT, "a\nb\033c");
    char expect[128];

    snprintf(expect, sizeof(expect), " notice [%d main] starting: a\\x0ab\\x1bc\n", (int)getpid());
    ck_assert_int_eq(line[10], 'T');
    ck_assert_int_eq(line[19], '.');
    ck_assert_str_eq(strchr(line, ' '), expect);
}
END_TEST

START_TEST(log_line_as_json)
{
    json_t *line = json_loads(logged(LOG_JSON, "say \"it\"\n"), 0, NULL);

    ck_assert_ptr_nonnull(line);
    ck_assert_str_eq(json_string_value(json_object_get(line, "text")), "say \"it\"\n");
    ck_assert_str_eq(json_string_value(json_object_get(line, "tag")), "starting");
    ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "notice");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "pid")), getpid());
    json_decref(line);
}
END_TEST

START_TEST(full_pipe_loses_lines_and_says_so)
{
    int ends[2];
    char room[65536];
    struct buf all = {0};
    ssize_t n;

    ck_assert_int_eq(pipe(ends), 0);
    log_open(ends[1], LOG_TEXT);
    for (int i = 0; i < 2000; i++) /* far more than a pipe holds: must not block */
        log_msg(LOG_STARTING, "%0100d", i);
    sys_set_nonblock(ends[0], true);
    while ((n = read(ends[0], room, sizeof(room))) > 0)
        ;
    log_msg(LOG_STARTING, "after");
    n = read(ends[0], room, sizeof(room));
    ck_assert_int_gt(n, 0);
    buf_add(&all, room, (size_t)n);
    ck_assert_ptr_nonnull(strstr(buf_text(&all), "lines were lost"));
    ck_assert_ptr_nonnull(strstr(buf_text(&all), "starting: after"));
    buf_free(&all);
    log_open(STDERR_FILENO, LOG_TEXT);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(full_disk_loses_lines_and_tears_none)
{
    static const char *const said[] = {"starting: first", "1 line was lost", "starting: third"};
    char text[1024] = "", *line;
    int fd = memfd_create("log", MFD_CLOEXEC);
    struct rlimit limit, kept;

    ck_assert_int_eq(fcntl(fd, F_SETFL, O_APPEND), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &kept), 0);
    signal(SIGXFSZ, SIG_IGN);
    log_open(fd, LOG_TEXT);
    log_msg(LOG_STARTING, "first");
    limit = (struct rlimit){(rlim_t)lseek(fd, 0, SEEK_END) + 20, kept.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    log_msg(LOG_STARTING, "cut");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &kept), 0);
    log_msg(LOG_STARTING, "third");
    log_open(STDERR_FILENO, LOG_TEXT);
    ck_assert_int_gt(pread(fd, text, sizeof(text) - 1, 0), 0);
    for (int i = 0; i < 3; i++) { /* each begins with a time, all of one length */
        line = strtok(i == 0 ? text : NULL, "\n");
        ck_assert_ptr_nonnull(line);
        ck_assert_msg(strcspn(line, " ") == strcspn(text, " ") && strstr(line, said[i]) != NULL,
                      "%s", line);
    }
    ck_assert_ptr_null(strtok(NULL, "\n"));
    close(fd);
}
END_TEST

START_TEST(levels)
{
    enum reeve_level level;

    ck_assert(log_level_parse("debug", &level));
    ck_assert_int_eq(level, REEVE_LOG_DEBUG);
    ck_assert(!log_level_parse("loud", &level));
}
END_TEST

START_TEST(often_is_told_now_and_then)
{
    _Atomic int64_t said = 0;

    ck_assert(log_is_due(&said, 5));
    ck_assert(!log_is_due(&said, 5) && !log_is_due(&said, 10004));
    ck_assert(log_is_due(&said, 10005));
    ck_assert(!log_is_due(&said, 20004) && said == 10005);
}
END_TEST

UNIT_MAIN("base", ONCE(buffer_grows_and_drops), ONCE(list_keeps_order), ONCE(sizes_and_durations),
          ONCE(quantities_read_back), ONCE(nearest_name), ONCE(escaping_is_total),
          ONCE(log_line_as_text), ONCE(log_line_as_json), ONCE(full_pipe_loses_lines_and_says_so),
          ONCE(full_disk_loses_lines_and_tears_none), ONCE(levels),
          ONCE(often_is_told_now_and_then))
