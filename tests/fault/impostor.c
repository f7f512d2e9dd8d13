/* Programs that an upgrade must refuse, or survive: what it does is said by the name of its file.
 * tests/scenario/upgrade.py. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* As the master's next image: it cannot use the state, and executes the program that wrote it. */
static void go_back(char **argv, const char *numbers)
{
    int pid, state, image;

    if (sscanf(numbers, "%d:%d:%d", &pid, &state, &image) != 3)
        _exit(1);
    setenv("REEVE_SUCCEED_FAILED", "the impostor wants to go back\n", 1);
    execveat(image, "", argv, environ, AT_EMPTY_PATH);
    _exit(1);
}

int main(int argc, char **argv)
{
    const char *numbers = getenv("REEVE_SUCCEED");
    char path[4096] = "";
    const char *name;

    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        return 1;
    name = strrchr(path, '/') + 1;
    if (numbers)
        go_back(argv, numbers);
    if (argc < 2 || strcmp(argv[1], "--test-state") != 0)
        return 2;
    if (strcmp(name, "crashes") == 0)
        raise(SIGABRT);
    if (strcmp(name, "hangs") == 0)
        for (;;)
            pause();
    if (strcmp(name, "talks") == 0)
        for (;;)
            puts("and another thing");
    if (strcmp(name, "refuses") == 0) {
        fputs("the state has version 1, and reeved 7.0 reads 4 to 6\n", stderr);
        return 1;
    }
    if (strcmp(name, "returns") == 0)
        puts("upgrade: ready: 6.6.6");
    return 0; /* "is-silent" */
}
