/* One master only; see instance.h.
 *
 * The lock is a file of its own beside what it guards ("PATH.lock"), since pid file and socket are
 * replaced. The kernel drops it with the process, so a crash leaves nothing to clean up; who holds
 * it is written in it. */
#include "config.h"

#include "master/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "base/text.h"
#include "master/carry.h"
#include "share/control.h"

static struct lock {
    char path[PATH_MAX];
    int fd;
} locks[2] = {{"", -1}, {"", -1}};
static char pid_path[PATH_MAX];

static void say_holder(const char *what, int fd, struct buf *error)
{
    char pid[16] = "";
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

    if (n > 0)
        pid[strcspn(pid, "\n")] = '\0';
    buf_printf(error, "reeved is already running on %s (PID %s); stop it, or use another path\n",
               what, n > 0 ? pid : "unknown");
}

/* The folders of a path under /run may be missing after a boot without tmpfiles.d, those of an
 * ordinary user's default path before the first start. */
static void make_folders(const char *path)
{
    mode_t mode = geteuid() == 0 ? 0755 : 0700;
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, mode);
        *slash = '/';
    }
}

/* Whoever released the lock also removed its file: is ours still the one that others will find? */
static bool is_current(const struct lock *lock)
{
    struct stat ours, theirs;

    return fstat(lock->fd, &ours) == 0 && stat(lock->path, &theirs) == 0 &&
           ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static bool lock_take(struct lock *lock, const char *what, struct buf *error)
{
    char pid[16];
    int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

    if (snprintf(lock->path, sizeof(lock->path), "%s.lock", what) >= (int)sizeof(lock->path)) {
        buf_printf(error, "%s: the path is too long\n", what);
        return false;
    }
    /* Those of the default path only: one that was written by hand may be a slip. */
    if (strcmp(what, control_default_path()) == 0 || text_starts(what, RUN_PATH "/"))
        make_folders(what);
    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->fd < 0) {
        buf_printf(error, "%s: %s; create the folder or choose another path\n", lock->path,
                   strerror(errno));
        lock->path[0] = '\0';
        return false;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) < 0) {
        say_holder(what, lock->fd, error);
        sys_close(&lock->fd);
        lock->path[0] = '\0';
        return false;
    }
    if (!is_current(lock)) {
        sys_close(&lock->fd);
        return lock_take(lock, what, error);
    }
    if (ftruncate(lock->fd, 0) == 0 && pwrite(lock->fd, pid, (size_t)length, 0) == length)
        return true;
    buf_printf(error, "%s: %s\n", lock->path, strerror(errno));
    return false;
}

bool instance_lock(const char *control, const char *pid_file, struct buf *error)
{
    return lock_take(&locks[0], control, error) &&
           (!pid_file[0] || lock_take(&locks[1], pid_file, error));
}

bool instance_write_pid(const char *pid_file, struct buf *error)
{
    char fresh[PATH_MAX + 8], pid[16];
    int length = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    int fd;
    bool ok;

    if (!pid_file[0])
        return true;
    snprintf(fresh, sizeof(fresh), "%s.new", pid_file);
    unlink(fresh); /* of a master that died */
    /* O_EXCL: no link that waits in a folder of somebody else */
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    ok = fd >= 0 && sys_write_all(fd, pid, (size_t)length) == 0 && fsync(fd) == 0 &&
         rename(fresh, pid_file) == 0;
    if (!ok)
        buf_printf(error, "pid_file: %s: %s\n", pid_file, strerror(errno));
    else
        snprintf(pid_path, sizeof(pid_path), "%s", pid_file);
    sys_close(&fd);
    return ok;
}

static const struct field lock_fields[] = {
    FIELD(FD, struct lock, fd),
    FIELDS_END,
};

json_t *instance_put(void)
{
    json_t *list = json_array();

    for (int i = 0; i < 2; i++) {
        json_t *lock = fields_put(lock_fields, &locks[i]);

        json_object_set_new(lock, "path", carry_bytes(locks[i].path, strlen(locks[i].path)));
        json_array_append_new(list, lock);
    }
    return json_pack("{s:o,s:o}", "locks", list, "pid_file",
                     carry_bytes(pid_path, strlen(pid_path)));
}

/* A path into room of PATH_MAX bytes. */
static bool path_take(const json_t *value, char *room, struct buf *error)
{
    size_t length = 0;
    char *path = carry_bytes_take(value, &length);
    bool ok = path && length < PATH_MAX;

    if (ok)
        strcpy(room, path);
    else
        buf_adds(error, "a path of the state cannot be used\n");
    free(path);
    return ok;
}

bool instance_take(const json_t *object, struct buf *error)
{
    const json_t *list = json_object_get(object, "locks");

    for (size_t i = 0; i < 2; i++) {
        const json_t *lock = json_array_get(list, i);

        if (!fields_take(lock_fields, lock, &locks[i], "lock", error) ||
            !path_take(json_object_get(lock, "path"), locks[i].path, error))
            return false;
    }
    return path_take(json_object_get(object, "pid_file"), pid_path, error);
}

void instance_release(void)
{
    if (pid_path[0])
        unlink(pid_path);
    for (int i = 1; i >= 0; i--) {
        if (locks[i].path[0])
            unlink(locks[i].path);
        sys_close(&locks[i].fd);
    }
}
