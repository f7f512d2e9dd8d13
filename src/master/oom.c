/* Short memory; see oom.h.
 *
 * Master. A worker that was killed by SIGKILL while the kernel's counter went up was killed for
 * want of memory. The counter of a control group is ours alone; that of the machine, which serves
 * where there is no such group, may have gone up for somebody else's process: so the text says
 * which one it is. Files below /proc and /sys are read at once, they do not wait. */
#include "config.h"

#include "master/oom.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/workers.h"

#define SCORE "/proc/self/oom_score_adj"

static struct {
    char path[PATH_MAX]; /* "" : no counter is known */
    int64_t count;
} kills;

static bool read_small(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

    sys_close(&fd);
    text[n < 0 ? 0 : n] = '\0';
    return n > 0;
}

int64_t oom_count(const char *text)
{
    static const char name[] = "oom_kill ";
    int64_t count;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, sizeof(name) - 1) == 0)
            return sscanf(line + sizeof(name) - 1, "%" SCNd64, &count) == 1 ? count : -1;
    }
    return -1;
}

static int64_t count_in(const char *path)
{
    static char text[16384]; /* /proc/vmstat has some 4 KiB */

    return read_small(path, text, sizeof(text)) ? oom_count(text) : -1;
}

static bool try(const char *folder, const char *group, size_t length, const char *file)
{
    snprintf(kills.path, sizeof(kills.path), "%s%.*s/%s", folder, (int)length, group, file);
    kills.count = count_in(kills.path);
    return kills.count >= 0;
}

/* A line of /proc/self/cgroup: "0::/GROUP", or "N:memory:/GROUP" of the first version. */
static bool try_line(const char *line, size_t length)
{
    const char *group = memchr(line, '/', length), *controller;
    size_t rest = group ? length - (size_t)(group - line) : 0;

    if (!group)
        return false;
    if (rest == 1)
        rest = 0; /* of the root: no double slash */
    if (strncmp(line, "0::", 3) == 0)
        return try("/sys/fs/cgroup", group, rest, "memory.events");
    controller = strstr(line, ":memory:");
    if (!controller || controller > group)
        return false;
    return try("/sys/fs/cgroup/memory", group, rest, "memory.oom_control") ||
           try("/sys/fs/cgroup/memory", "", 0, "memory.oom_control"); /* in a container */
}

void oom_open(void)
{
    char text[4096];

    if (read_small("/proc/self/cgroup", text, sizeof(text)))
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
            if (try_line(line, strcspn(line, "\n")))
                return;
    if (!try("/proc", "", 0, "vmstat"))
        kills.path[0] = '\0';
}

void oom_explain(struct worker *worker)
{
    int64_t before = kills.count;
    struct buf text = {0};

    if (!WIFSIGNALED(worker->status) || WTERMSIG(worker->status) != SIGKILL || !kills.path[0])
        return;
    kills.count = count_in(kills.path);
    if (kills.count <= before || worker->why)
        return;
    buf_printf(&text, "by the kernel, since memory was short (oom_kill in %s went from %" PRId64
               " to %" PRId64 ")", kills.path, before, kills.count);
    worker->why = buf_take(&text);
}

void oom_unprotect(void)
{
    char text[32];
    int fd;

    if (!read_small(SCORE, text, sizeof(text)) || text[0] != '-')
        return;
    fd = open(SCORE, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && sys_write_all(fd, "0", 1) < 0)
        sys_close(&fd); /* then it stays protected as the master is */
    sys_close(&fd);
}
