/* Access logs: who opens them, that lines stay whole, and that none is lost when a file is opened
 * again while threads write. The master is a thread of the test. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/sys.h"
#include "share/board.h"
#include "share/channel.h"
#include "temp.h"
#include "unit.h"
#include "worker/logfile.h"

#define ROOM 16384 /* of a thread's buffer */

/* ---------------------------------------------------------------- the master ------- */

static struct fake_master {
    pthread_t thread;
    int end;          /* its end of the channel */
    struct msg answer;
    int flags;        /* how the file that is asked for is opened; 0: the answer as it is */
    char asked[256];
} fake;

/* Answers one question. */
static void *fake_master_run(void *arg)
{
    static char room[CHANNEL_TEXT_MAX + 1];
    struct pollfd ready = {.fd = fake.end, .events = POLLIN};
    struct msg ask;

    if (poll(&ready, 1, -1) != 1 || channel_recv(fake.end, &ask, room, TO_MASTER) != 1 ||
        ask.type != MSG_LOGFILE)
        return arg;
    snprintf(fake.asked, sizeof(fake.asked), "%s", ask.text);
    if (fake.flags)
        fake.answer.fd = open(fake.asked, fake.flags, 0600);
    channel_send(fake.end, &fake.answer);
    sys_close(&fake.answer.fd);
    return arg;
}

static int worker_end;

static void connect_master(void)
{
    ck_assert_int_eq(channel_pair(&fake.end, &worker_end), 0);
    logfile_source(worker_end);
}

static reeve_logfile *ask(const char *path, const struct msg *answer, int flags, const char **error)
{
    reeve_logfile *file;

    fake.answer = *answer;
    fake.flags = flags;
    ck_assert_int_eq(pthread_create(&fake.thread, NULL, fake_master_run, NULL), 0);
    file = reeve_logfile_open(path, error);
    pthread_join(fake.thread, NULL);
    return file;
}

static const struct msg yes = {.type = MSG_LOGFILE, .fd = -1};

static reeve_logfile *open_good(const char *path)
{
    const char *error;
    reeve_logfile *file = ask(path, &yes, O_WRONLY | O_APPEND | O_CREAT, &error);

    ck_assert_msg(file != NULL, "%s", error);
    return file;
}

static void put(reeve_logfile *file, const char *line)
{
    reeve_logfile_write(file, line, strlen(line));
}

/* ---------------------------------------------------------------- turns ------------ */

START_TEST(lines_wait_while_turns_are_busy)
{
    const char *path = temp_path("a");
    reeve_logfile *file;
    char many[2048];
    int held = 0;

    connect_master();
    file = open_good(path);
    ck_assert(!logfile_turn_end(128)); /* nothing to hold */
    put(file, "one\n");
    ck_assert(!logfile_turn_end(1));
    ck_assert_str_eq(temp_read(path), "one\n");
    put(file, "two\n");
    ck_assert(logfile_turn_end(128));
    put(file, "three\n");
    ck_assert_str_eq(temp_read(path), "one\n");
    ck_assert(!logfile_turn_end(0)); /* no news after all */
    ck_assert_str_eq(temp_read(path), "one\ntwo\nthree\n");
    put(file, "four\n"); /* nobody else adds a line: it comes in time all the same */
    while (logfile_turn_end(128))
        ck_assert_int_lt(++held, 8);
    ck_assert_int_gt(held, 1);
    ck_assert_str_eq(temp_read(path), "one\ntwo\nthree\nfour\n");
    memset(many, 'x', sizeof(many));
    many[sizeof(many) - 1] = '\n';
    for (size_t i = 0; i < ROOM / sizeof(many) - 1; i++)
        reeve_logfile_write(file, many, sizeof(many));
    ck_assert(!logfile_turn_end(128)); /* enough */
    ck_assert_int_eq(truncate(path, 0), 0);
    put(file, "last\n");
    ck_assert(logfile_turn_end(128));
    logfile_thread_end();
    ck_assert_str_eq(temp_read(path), "last\n");
}
END_TEST

/* ---------------------------------------------------------------- opening ---------- */

START_TEST(testing_a_configuration_opens_nothing)
{
    const char *path = temp_path("a"), *error = "unset";
    reeve_logfile *file;

    logfile_source(-1);
    file = reeve_logfile_open(path, &error);
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_null(error);
    ck_assert_ptr_eq(reeve_logfile_open(path, &error), file);
    put(file, "x\n");
    logfile_flush();
    logfile_thread_end();
    ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

START_TEST(master_is_asked_once_for_a_path)
{
    const char *path = temp_path("a"), *error;
    reeve_logfile *file;

    connect_master();
    file = open_good(path);
    ck_assert_str_eq(fake.asked, path);
    ck_assert_ptr_eq(reeve_logfile_open(path, &error), file); /* nobody would answer */
    put(file, "one\n");
    ck_assert_str_eq(temp_read(path), ""); /* buffered */
    logfile_flush();
    ck_assert_str_eq(temp_read(path), "one\n");
    put(file, "two\n");
    logfile_thread_end();
    ck_assert_str_eq(temp_read(path), "one\ntwo\n");
}
END_TEST

START_TEST(refusal_of_the_master_is_passed_on)
{
    static const struct msg no = {.type = MSG_LOGFILE, .value = 1, .fd = -1,
                                  .text = "Permission denied", .length = 17};
    const char *error;

    connect_master();
    ck_assert_ptr_null(ask(temp_path("a"), &no, 0, &error));
    ck_assert_str_eq(error, "Permission denied");
    ck_assert_ptr_nonnull(open_good(temp_path("a"))); /* it was not remembered */
}
END_TEST

START_TEST(master_that_answers_nonsense)
{
    static const struct msg answers[] = {
        {.type = MSG_SERVE, .fd = -1},
        {.type = MSG_READY, .fd = -1}, /* not for a worker */
        {.type = MSG_LOGFILE, .fd = -1},
    };
    const char *error;

    connect_master();
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_null(ask(temp_path("a"), &answers[i], 0, &error));
        ck_assert_str_eq(error, i < 2 ? "the master does not answer" : "");
    }
    close(fake.end);
    ck_assert_ptr_null(reeve_logfile_open(temp_path("a"), &error));
    ck_assert_str_eq(error, "the master does not answer");
}
END_TEST

START_TEST(standard_error_needs_no_master)
{
    const char *path = temp_path("err"), *error;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600), kept = dup(STDERR_FILENO);
    reeve_logfile *file;

    connect_master();
    close(fake.end);
    file = reeve_logfile_open("stderr", &error);
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(reeve_logfile_open("stdout", &error));
    ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    put(file, "here\n");
    logfile_thread_end();
    dup2(kept, STDERR_FILENO);
    ck_assert_str_eq(temp_read(path), "here\n");
}
END_TEST

START_TEST(nothing_is_opened_once_the_source_is_closed)
{
    const char *error;
    reeve_logfile *file;

    connect_master();
    file = open_good(temp_path("a"));
    close(fake.end);
    logfile_close_source();
    ck_assert_ptr_eq(reeve_logfile_open(temp_path("a"), &error), file);
    ck_assert_ptr_null(reeve_logfile_open(temp_path("b"), &error));
    ck_assert_ptr_nonnull(strstr(error, "only be opened while the configuration is read"));
}
END_TEST

/* ---------------------------------------------------------------- writing ---------- */

static size_t size_of(const char *path)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    return (size_t)st.st_size;
}

START_TEST(only_whole_lines_go_out)
{
    static char text[ROOM];
    const size_t length = 1000;
    const char *path = temp_path("a");
    reeve_logfile *file;

    connect_master();
    file = open_good(path);
    memset(text, 'x', sizeof(text));
    text[length - 1] = text[ROOM - length - 1] = '\n';
    for (int i = 0; i < 16; i++)
        reeve_logfile_write(file, text, length);
    ck_assert_uint_eq(size_of(path), 0);
    reeve_logfile_write(file, text, length); /* does not fit any more */
    ck_assert_uint_eq(size_of(path), 16 * length);
    reeve_logfile_write(file, text, ROOM - length); /* just fits */
    ck_assert_uint_eq(size_of(path), 16 * length);
    logfile_thread_end();
    ck_assert_uint_eq(size_of(path), 16 * length + ROOM);
}
END_TEST

START_TEST(endless_line_is_cut)
{
    const char *path = temp_path("a");
    char *line = malloc(3 * ROOM);
    reeve_logfile *file;

    connect_master();
    file = open_good(path);
    memset(line, 'x', 3 * ROOM);
    put(file, "first\n");
    reeve_logfile_write(file, line, 3 * ROOM);
    ck_assert_uint_eq(size_of(path), 6); /* made room for it */
    logfile_thread_end();
    ck_assert_uint_eq(size_of(path), 6 + ROOM);
    free(line);
}
END_TEST

START_TEST(two_files_are_kept_apart)
{
    reeve_logfile *a, *b;

    connect_master();
    a = open_good(temp_path("a"));
    b = open_good(temp_path("b"));
    put(a, "a1\n");
    put(b, "b1\n");
    put(a, "a2\n");
    logfile_thread_end();
    ck_assert_str_eq(temp_read(temp_path("a")), "a1\na2\n");
    ck_assert_str_eq(temp_read(temp_path("b")), "b1\n");
}
END_TEST

START_TEST(lines_that_cannot_be_written_are_said)
{
    int log = memfd_create("log", MFD_CLOEXEC);
    char text[512] = "", *said;
    const char *path = temp_path("a"), *error;
    struct board_thread record = {0};
    reeve_logfile *file;

    temp_write(path, "");
    connect_master();
    file = ask(path, &yes, O_RDONLY | O_CLOEXEC, &error);
    ck_assert_ptr_nonnull(file);
    log_open(log, LOG_TEXT);
    logfile_thread_begin(&record);
    put(file, "lost\n");
    logfile_flush();
    for (int i = 0; i < 100; i++) { /* a line for each would fill that disk, too */
        put(file, "too\n");
        logfile_flush();
    }
    log_open(STDERR_FILENO, LOG_TEXT);
    ck_assert_int_gt(pread(log, text, sizeof(text) - 1, 0), 0);
    said = strstr(text, " log-lost: ");
    ck_assert_ptr_nonnull(said);
    ck_assert_ptr_nonnull(strstr(said, "5 bytes of log lines are lost: Bad file descriptor\n"));
    ck_assert_str_eq(strchr(said, '\n'), "\n");
    ck_assert_uint_eq(record.unlogged, 5 + 100 * 4);
    logfile_thread_end();
    logfile_thread_begin(NULL);
    close(log);
}
END_TEST

/* The disk is full at that size of a file: no further byte goes out. What the log has to say of it
 * is seen by nobody. */
static void full_at(rlim_t bytes)
{
    struct rlimit limit;

    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(full_disk_leaves_whole_lines)
{
    const char *path = temp_path("a");
    reeve_logfile *file;

    connect_master();
    file = open_good(path);
    full_at(13);
    put(file, "first\n");
    put(file, "second\n"); /* just fits */
    logfile_flush();
    put(file, "third\n"); /* nothing of it goes out */
    logfile_flush();
    ck_assert_str_eq(temp_read(path), "first\nsecond\n");
    full_at(25);
    put(file, "fourth\n");
    put(file, "fifth, cut\n");
    logfile_flush();
    ck_assert_str_eq(temp_read(path), "first\nsecond\nfourth\n");
    full_at(22);
    put(file, "cut\n");
    logfile_flush();
    full_at(RLIM_INFINITY);
    ck_assert_str_eq(temp_read(path), "first\nsecond\nfourth\n");
    put(file, "sixth\n");
    logfile_thread_end();
    ck_assert_str_eq(temp_read(path), "first\nsecond\nfourth\nsixth\n");
}
END_TEST

START_TEST(full_disk_and_a_neighbour_who_writes)
{
    const char *path = temp_path("a");
    int other;
    reeve_logfile *file;

    connect_master();
    file = open_good(path);
    put(file, "first\n");
    logfile_flush();
    other = open(path, O_WRONLY | O_APPEND);
    full_at(8);
    put(file, "second\n");
    logfile_flush();
    ck_assert_int_eq(dprintf(other, "a"), 1); /* the cut line was taken back: there is room */
    ck_assert_str_eq(temp_read(path), "first\na");
    full_at(RLIM_INFINITY);
    ck_assert_int_eq(dprintf(other, "nother\n"), 7);
    put(file, "third\n");
    logfile_thread_end();
    ck_assert_str_eq(temp_read(path), "first\nanother\nthird\n");
    close(other);
}
END_TEST

/* Who shares the descriptor with others leaves its position alone: by it they know their own. */
START_TEST(full_disk_and_a_standard_error)
{
    static const int flags[] = {O_APPEND, 0};
    const char *error;
    int kept = dup(STDERR_FILENO);
    reeve_logfile *file;

    connect_master();
    file = reeve_logfile_open("stderr", &error);
    for (int i = 0; i < 2; i++) {
        int fd = open(temp_path("err"), O_WRONLY | O_CREAT | O_TRUNC | flags[i], 0600);

        ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        put(file, "first\n");
        logfile_flush();
        full_at(8);
        put(file, "second\n");
        logfile_flush();
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), i == 0 ? 8 : 6);
        full_at(RLIM_INFINITY);
        put(file, "third\n");
        logfile_flush();
        ck_assert_str_eq(temp_read(temp_path("err")), "first\nthird\n");
        close(fd);
    }
    dup2(kept, STDERR_FILENO);
}
END_TEST

START_TEST(full_pipe_tears_no_further_line)
{
    static char text[ROOM], all[1 << 20];
    int ends[2], kept = dup(STDERR_FILENO);
    const char *error;
    size_t got = 0;
    reeve_logfile *file;
    ssize_t n;

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    connect_master();
    file = reeve_logfile_open("stderr", &error);
    log_open(memfd_create("log", MFD_CLOEXEC), LOG_TEXT);
    memset(text, 'x', sizeof(text));
    text[9999] = '\n'; /* pages of the pipe and lines end at different places */
    for (int i = 0; i < 8; i++) {
        reeve_logfile_write(file, text, 10000);
        logfile_flush();
    }
    got += (size_t)read(ends[0], all, sizeof(all) - 64);
    ck_assert_uint_ne(got % 10000, 0); /* a line was cut indeed */
    put(file, "after\n");
    logfile_flush();
    put(file, "last\n");
    logfile_thread_end();
    dup2(kept, STDERR_FILENO);
    while ((n = read(ends[0], all + got, sizeof(all) - 1 - got)) > 0)
        got += (size_t)n;
    all[got] = '\0';
    ck_assert_msg(got > 12 && strcmp(all + got - 12, "\nafter\nlast\n") == 0, "%s", all + got - 20);
    log_open(STDERR_FILENO, LOG_TEXT);
}
END_TEST

/* ---------------------------------------------------------------- opening again ---- */

#define WRITERS 4
#define ROTATIONS 40
#define LINES_MAX 200000 /* of a writer: it ends earlier, with the rotations */

static atomic_bool rotated;

struct writer {
    pthread_t thread;
    reeve_logfile *file;
    int number;
    int lines;             /* that it has written */
    unsigned char *seen;   /* how often each was found again */
};

static void *writer_run(void *arg)
{
    struct writer *writer = arg;
    char line[128];

    while (!atomic_load(&rotated) && writer->lines < LINES_MAX) {
        int length = snprintf(line, sizeof(line), "<%d %d %.*s>\n", writer->number, writer->lines,
                              writer->lines % 40, "one of forty lengths, each of them in turn");

        reeve_logfile_write(writer->file, line, (size_t)length);
        writer->lines++;
        if (writer->lines % 7 == 0)
            logfile_flush();
    }
    logfile_thread_end();
    return NULL;
}

/* Finds the lines of one file, each of which must be whole. */
static void read_back(const char *path, struct writer *writers)
{
    FILE *in = fopen(path, "r");
    char line[128];

    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof(line), in)) {
        int who, which, used = 0;

        ck_assert_msg(sscanf(line, "<%d %d %n", &who, &which, &used) == 2, "torn: %s", line);
        ck_assert_msg(who >= 0 && who < WRITERS && which >= 0 && which < writers[who].lines,
                      "no such line: %s", line);
        ck_assert_msg(strlen(line + used) == (size_t)(which % 40) + 2 &&
                      strcmp(line + used + which % 40, ">\n") == 0, "torn: %s", line);
        writers[who].seen[which]++;
    }
    fclose(in);
}

static const char *rotation_path(int rotation)
{
    char name[32];

    snprintf(name, sizeof(name), "log.%d", rotation);
    return temp_path(name);
}

START_TEST(no_line_is_lost_or_torn_when_a_file_is_opened_again)
{
    char path[128];
    struct writer writers[WRITERS];
    reeve_logfile *file;

    snprintf(path, sizeof(path), "%s", rotation_path(0));
    connect_master();
    file = open_good(path);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.file = file, .number = i, .seen = calloc(LINES_MAX, 1)};
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, writer_run, &writers[i]), 0);
    }
    for (int i = 1; i <= ROTATIONS; i++)
        logfile_reopened(path, open(rotation_path(i), O_WRONLY | O_APPEND | O_CREAT, 0600));
    atomic_store(&rotated, true);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    for (int i = 0; i <= ROTATIONS; i++)
        read_back(rotation_path(i), writers);
    for (int i = 0; i < WRITERS; i++) {
        for (int j = 0; j < writers[i].lines; j++)
            ck_assert_msg(writers[i].seen[j] == 1, "line %d of %d was found %d times", j, i,
                          writers[i].seen[j]);
        free(writers[i].seen);
    }
}
END_TEST

START_TEST(opened_again_under_the_same_number)
{
    const char *path = temp_path("a");
    reeve_logfile *file;
    int fresh;

    connect_master();
    file = open_good(path);
    put(file, "old\n");
    logfile_flush();
    ck_assert_int_eq(rename(path, temp_path("a.1")), 0);
    put(file, "between\n");
    fresh = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    logfile_reopened(path, fresh);
    ck_assert_int_lt(fcntl(fresh, F_GETFD), 0); /* taken over, and not needed twice */
    logfile_thread_end();
    ck_assert_str_eq(temp_read(path), "between\n");
    ck_assert_str_eq(temp_read(temp_path("a.1")), "old\n");
    fresh = open(path, O_WRONLY | O_APPEND);
    logfile_reopened("/another", fresh); /* of an older generation: not ours */
    ck_assert_int_lt(fcntl(fresh, F_GETFD), 0);
}
END_TEST

UNIT_MAIN_AROUND("logfile", temp_make, temp_remove, ONCE(testing_a_configuration_opens_nothing),
                 ONCE(master_is_asked_once_for_a_path), ONCE(refusal_of_the_master_is_passed_on),
                 ONCE(master_that_answers_nonsense), ONCE(standard_error_needs_no_master),
                 ONCE(nothing_is_opened_once_the_source_is_closed), ONCE(only_whole_lines_go_out),
                 ONCE(endless_line_is_cut), ONCE(two_files_are_kept_apart),
                 ONCE(lines_that_cannot_be_written_are_said), ONCE(full_disk_leaves_whole_lines),
                 ONCE(full_disk_and_a_neighbour_who_writes), ONCE(full_disk_and_a_standard_error),
                 ONCE(full_pipe_tears_no_further_line),
                 ONCE(no_line_is_lost_or_torn_when_a_file_is_opened_again),
                 ONCE(opened_again_under_the_same_number), ONCE(lines_wait_while_turns_are_busy))
