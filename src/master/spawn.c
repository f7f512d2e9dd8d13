/* Starting a process; see spawn.h.
 *
 * The child executes the image the master runs, by descriptor: its address-space layout is its own,
 * nothing of the master's heap or descriptors is in it, and a newer file on disk cannot mix in. */
#include "config.h"

#include "master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "master/notify.h"
#include "master/oom.h"
#include "share/channel.h"

extern char **environ;
static int image_fd = -1;

int spawn_open(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    image_fd = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of CHANNEL_WORKER_FD */
    sys_close(&fd);
    return image_fd < 0 ? -1 : 0;
}

int spawn_image(void)
{
    return image_fd;
}

/* In the child. Only async-signal-safe calls are needed here, since the master has one thread, but
 * there is nothing else to do anyway. */
static _Noreturn void become_worker(int channel, char *const argv[])
{
    struct msg failed = {.type = MSG_FAILED, .fd = -1};
    char text[96];
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* No terminal: a worker that was taken over cannot type into the shell that started us, and a
     * Ctrl-C there reaches the master alone. */
    setsid();
    oom_unprotect();
    for (size_t i = 0; notify_environment[i]; i++)
        unsetenv(notify_environment[i]);
    dup2(null_fd, STDIN_FILENO);
    if (channel == CHANNEL_WORKER_FD)
        sys_set_cloexec(channel, false);
    else
        dup2(channel, CHANNEL_WORKER_FD);
    execveat(image_fd, "", argv, environ, AT_EMPTY_PATH);
    snprintf(text, sizeof(text), "the program cannot be executed again: %s\n", strerror(errno));
    failed.text = text;
    failed.length = strlen(text);
    channel_send(CHANNEL_WORKER_FD, &failed);
    _exit(WORKER_SICK);
}

pid_t spawn_worker(int channel, uint32_t generation, int slot)
{
    char generation_text[32], slot_text[32];
    char *const argv[] = {"reeved", "--worker", generation_text, slot_text, NULL};
    pid_t pid;

    /* for whoever reads ps(1) */
    snprintf(generation_text, sizeof(generation_text), "generation=%u", generation);
    snprintf(slot_text, sizeof(slot_text), slot < 0 ? "check" : "slot=%d", slot);
    pid = fork();
    if (pid == 0)
        become_worker(channel, argv);
    return pid;
}
