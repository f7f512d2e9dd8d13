/* One master only: locks held by another process, what a dead one left, the pid file. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "master/instance.h"
#include "share/control.h"
#include "temp.h"
#include "unit.h"

/* Another master: holds the locks from now until other_end(). */
static pid_t other;
static int other_ends;

static void other_start(const char *control, const char *pid_file)
{
    int told[2], ends[2];
    char word;

    ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    other = fork();
    if (other == 0) {
        struct buf error = {0};
        bool ok = instance_lock(control, pid_file, &error) && instance_write_pid(pid_file, &error);

        close(ends[1]);
        if (!ok || write(told[1], "x", 1) != 1 || read(ends[0], &word, 1) != 0)
            _exit(1);
        _exit(0); /* as a crash would: nothing is removed */
    }
    close(told[1]);
    close(ends[0]);
    ck_assert_int_eq(read(told[0], &word, 1), 1);
    close(told[0]);
    other_ends = ends[1];
}

static void other_end(void)
{
    int status;

    close(other_ends);
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(status, 0);
}

static const char *pid_line(pid_t pid)
{
    static char line[16];

    snprintf(line, sizeof(line), "%d\n", (int)pid);
    return line;
}

static void assert_locks(const char *control, const char *pid_file)
{
    struct buf error = {0};

    ck_assert_msg(instance_lock(control, pid_file, &error), "%s", buf_text(&error));
    ck_assert_uint_eq(error.length, 0);
}

static void assert_refused(const char *control, const char *pid_file, const char *text)
{
    struct buf error = {0};

    ck_assert(!instance_lock(control, pid_file, &error));
    ck_assert_msg(strstr(buf_text(&error), text), "%s", buf_text(&error));
    buf_free(&error);
}

START_TEST(second_one_is_refused_by_control)
{
    const char *control = temp_path("c");
    char text[256];

    other_start(control, "");
    snprintf(text, sizeof(text), "reeved is already running on %s (PID %d); stop it", control,
             (int)other);
    assert_refused(control, "", text);
    instance_release(); /* of nothing: the other's lock stands */
    ck_assert_str_eq(temp_read(temp_path("c.lock")), pid_line(other));
    assert_refused(control, "", text);
    other_end();
    assert_locks(control, "");
    instance_release();
}
END_TEST

START_TEST(second_one_is_refused_by_pid_file)
{
    const char *pid_file = temp_path("p");
    char text[256];

    other_start(temp_path("c1"), pid_file);
    snprintf(text, sizeof(text), "already running on %s (PID %d)", pid_file, (int)other);
    assert_refused(temp_path("c2"), pid_file, text);
    instance_release();
    ck_assert_int_lt(access(temp_path("c2.lock"), F_OK), 0);
    ck_assert_str_eq(temp_read(pid_file), pid_line(other));
    other_end();
}
END_TEST

START_TEST(what_a_dead_one_left_is_no_hindrance)
{
    const char *control = temp_path("c"), *pid_file = temp_path("p");
    struct buf error = {0};

    temp_write(temp_path("c.lock"), "999999999999\n"); /* longer than ours */
    other_start(temp_path("x"), pid_file);
    other_end();
    ck_assert_int_eq(access(temp_path("p.lock"), F_OK), 0);
    ck_assert_str_eq(temp_read(pid_file), pid_line(other));
    assert_locks(control, pid_file);
    ck_assert(instance_write_pid(pid_file, &error));
    ck_assert_str_eq(temp_read(temp_path("c.lock")), pid_line(getpid()));
    ck_assert_str_eq(temp_read(pid_file), pid_line(getpid()));
    instance_release();
}
END_TEST

START_TEST(release_removes_all)
{
    const char *control = temp_path("c"), *pid_file = temp_path("p");
    struct buf error = {0};

    assert_locks(control, pid_file);
    ck_assert(instance_write_pid(pid_file, &error));
    instance_release();
    ck_assert_int_eq(rmdir(temp_folder), 0); /* nothing is left in it */
    ck_assert_int_eq(mkdir(temp_folder, 0700), 0);
    other_start(control, pid_file); /* and nobody is in the way */
    other_end();
}
END_TEST

/* In place of that of share/control.c. */
static char default_path[128];
const char *control_default_path(void)
{
    return default_path;
}

START_TEST(folders_are_made_for_the_default_path_only)
{
    char slip[128];
    struct buf error = {0};
    struct stat st;

    snprintf(default_path, sizeof(default_path), "%s", temp_path("a/b/c"));
    snprintf(slip, sizeof(slip), "%s", temp_path("slip/c"));
    umask(022);
    ck_assert(!instance_lock(slip, "", &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "create the folder or choose another path"));
    ck_assert_int_lt(stat(temp_path("slip"), &st), 0);
    buf_free(&error);
    assert_locks(default_path, "");
    ck_assert_int_eq(stat(temp_path("a/b"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, geteuid() == 0 ? 0755 : 0700);
    ck_assert_int_eq(stat(temp_path("a/b/c.lock"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    instance_release();
}
END_TEST

START_TEST(lock_that_cannot_be_made)
{
    char path[5000] = "/";

    temp_write(temp_path("file"), "");
    assert_refused(temp_path("file/c"), "", "file/c.lock: Not a directory; create the folder or");
    temp_write(temp_path("victim"), "");
    ck_assert_int_eq(symlink("victim", temp_path("c.lock")), 0);
    assert_refused(temp_path("c"), "", "c.lock: Too many levels of symbolic links");
    ck_assert_str_eq(temp_read(temp_path("victim")), "");
    memset(path + 1, 'x', sizeof(path) - 2);
    assert_refused(path, "", "the path is too long");
}
END_TEST

START_TEST(pid_file_is_written_by_rename)
{
    const char *pid_file = temp_path("p");
    struct buf error = {0};
    struct stat st;

    temp_write(pid_file, "old\n");
    ck_assert_int_eq(link(pid_file, temp_path("kept")), 0);
    temp_write(temp_path("victim"), "victim\n");
    ck_assert_int_eq(symlink("victim", temp_path("p.new")), 0);
    umask(022);
    ck_assert(instance_write_pid(pid_file, &error));
    ck_assert_str_eq(temp_read(pid_file), pid_line(getpid()));
    ck_assert_int_eq(lstat(pid_file, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0644);
    ck_assert_str_eq(temp_read(temp_path("kept")), "old\n"); /* whoever had it open saw it whole */
    ck_assert_str_eq(temp_read(temp_path("victim")), "victim\n");
    ck_assert_int_lt(access(temp_path("p.new"), F_OK), 0);
    instance_release();
    ck_assert_int_lt(access(pid_file, F_OK), 0);
}
END_TEST

START_TEST(pid_file_that_cannot_be_written)
{
    struct buf error = {0};

    ck_assert(instance_write_pid("", &error)); /* none is wanted */
    ck_assert(!instance_write_pid(temp_path("none/p"), &error));
    ck_assert_msg(strstr(buf_text(&error), "none/p: No such file or directory\n"), "%s",
                  buf_text(&error));
    buf_free(&error);
}
END_TEST

START_TEST(full_disk_is_said)
{
    struct buf error = {0};
    struct rlimit before, none;
    bool ok;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0); /* the nearest thing to it */
    ok = instance_lock(temp_path("c"), "", &error);
    setrlimit(RLIMIT_FSIZE, &before); /* Check writes files, too */
    ck_assert(!ok);
    ck_assert_msg(strstr(buf_text(&error), "c.lock: File too large\n"), "%s", buf_text(&error));
    instance_release();
    ck_assert_int_lt(access(temp_path("c.lock"), F_OK), 0);
    buf_free(&error);
}
END_TEST

UNIT_MAIN_AROUND("instance", temp_make, temp_remove, ONCE(second_one_is_refused_by_control),
                 ONCE(second_one_is_refused_by_pid_file),
                 ONCE(what_a_dead_one_left_is_no_hindrance), ONCE(release_removes_all),
                 ONCE(folders_are_made_for_the_default_path_only), ONCE(lock_that_cannot_be_made),
                 ONCE(pid_file_is_written_by_rename), ONCE(pid_file_that_cannot_be_written),
                 ONCE(full_disk_is_said))
