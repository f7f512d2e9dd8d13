/* reeved: reads its command line, then is a master, or (re-executed by one) a worker. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/master.h"
#include "master/socket.h"
#include "master/upgrade.h"
#include "reeve/module.h"
#include "worker/inspect.h"
#include "worker/worker.h"

#define DEFAULT_CONFIG SYSCONF_PATH "/reeve.conf"

enum task { TASK_SERVE, TASK_TEST, TASK_PRINT, TASK_EXPLAIN };

static const char usage[] =
    "usage: reeved [-c FILE] [-t] [-T] [-d] [-o KEY=VALUE]... [-V] [-h]\n"
    "  -c FILE       the configuration (default " DEFAULT_CONFIG ";\n"
    "                where that is missing, the current directory is served on 127.0.0.1:8080)\n"
    "  -t            test the configuration, modules included, and exit\n"
    "  -T            print the effective configuration with the origin of each value, and exit\n"
    "  -d            detach; the exit status comes when the first workers are ready\n"
    "  -o KEY=VALUE  set an option over the file, for instance -o workers=4 -o listen=*:80\n"
    "  -V            print the version and exit\n"
    "  -h            print this and exit\n"
    "reeved(8), reeve.conf(5) and reevectl(8) say more.\n";

/* Absolute, so that a reload finds it wherever the process stands by then. Links are not resolved:
 * whoever turns a link to another file and reloads wants the other file. */
static const char *absolute(const char *path)
{
    static char full[2 * PATH_MAX];
    char folder[PATH_MAX];

    if (path[0] == '/' || !getcwd(folder, sizeof(folder)))
        return path;
    snprintf(full, sizeof(full), "%s/%s", folder, path);
    return full;
}

/* Nothing that the daemon starts may hold the caller's input or output, or its folder. The master
 * keeps a way to tell a failure of the start. */
static void detach_from_caller(struct options *options)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    options->complaint_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    dup2(null_fd, STDIN_FILENO);
    dup2(null_fd, STDOUT_FILENO);
    dup2(null_fd, STDERR_FILENO);
    sys_close(&null_fd);
    if (options->config && chdir("/") < 0)
        return; /* then the folder stays busy; no more than that */
}

/* The parent waits until the child, which goes on as the master, reports. */
static bool detach(struct options *options, int *status)
{
    int ends[2];
    char byte = 1;
    pid_t pid;

    *status = 1;
    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "reeved: cannot detach: %s\n", strerror(errno));
        return true;
    }
    if (pid == 0) {
        setsid();
        sys_close(&ends[0]);
        options->ready_fd = ends[1];
        detach_from_caller(options);
        return false;
    }
    sys_close(&ends[1]);
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        ;
    *status = byte; /* no byte: it died, 1 */
    return true;
}

static int serve(struct options *options)
{
    int status = 0;

    socket_inherit();
    if (options->detach && detach(options, &status))
        return status;
    return master_main(options);
}

/* Descriptors 0 to 2 must be open, or the first file that is opened becomes standard error. */
static void open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    sys_close(&fd);
}

/* What the command line asks for. */
struct request {
    enum task task;
    const char *what; /* TASK_EXPLAIN: of what */
    struct options options;
};

/* One option of the command line. -1: go on; otherwise the exit status. */
static int read_option(int option, struct request *request)
{
    struct options *options = &request->options;
    switch (option) {
    case 'c':
        options->config = optarg;
        return -1;
    case 't':
        request->task = TASK_TEST;
        return -1;
    case 'T':
        request->task = TASK_PRINT;
        return -1;
    case 'd':
        options->detach = true;
        return -1;
    case 'o':
        options->overrides[options->override_count++] = optarg;
        return -1;
    case 'x':
        request->task = TASK_EXPLAIN;
        request->what = optarg;
        return -1;
    case 'V':
        printf("reeved %s (module interface %d.%d)\n", VERSION, REEVE_API_MAJOR, REEVE_API_MINOR);
        return 0;
    case 'h':
        fputs(usage, stdout);
        return 0;
    default:
        fputs(usage, stderr);
        return 1;
    }
}

/* -1: go on; otherwise the exit status. */
static int read_arguments(int argc, char **argv, struct request *request)
{
    static const struct option longer[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    int option, status = -1;

    while (status < 0 && (option = getopt_long(argc, argv, "c:tTdo:x:Vh", longer, NULL)) != -1)
        status = read_option(option, request);
    if (status < 0 && optind < argc) {
        fprintf(stderr, "reeved: '%s' is not an option; reeved -h lists them\n", argv[optind]);
        return 1;
    }
    return status;
}

static int carry_out(struct request *request)
{
    struct options *options = &request->options;
    struct inspected source;

    if (!options->config && access(DEFAULT_CONFIG, F_OK) == 0)
        options->config = DEFAULT_CONFIG;
    if (options->config)
        options->config = absolute(options->config);
    source = (struct inspected){options->config, options->overrides, options->override_count};
    switch (request->task) {
    case TASK_SERVE:
        return serve(options);
    case TASK_TEST:
        return inspect_test(&source);
    case TASK_PRINT:
        return inspect_print(&source);
    case TASK_EXPLAIN:
        break;
    }
    return inspect_explain(&source, request->what);
}

/* The self-test before an upgrade: the running master's state and configuration, in this
 * program. */
static int test_state(const char *number)
{
    struct buf error = {0};
    const struct snapshot *snapshot = succeed_rehearse(atoi(number), &error);
    bool ok = snapshot && inspect_snapshot(snapshot, &error);

    if (ok)
        printf(UPGRADE_ANSWER "%s\n", VERSION);
    else
        fputs(buf_text(&error), stderr);
    buf_free(&error);
    if (!ok)
        _exit(1); /* what was half taken belongs to nobody: no tool should look for its owner */
    return 0;
}

/* The file that this program was started from, by the name that was used: a link may point at a
 * newer one by the time of an upgrade. */
static const char *own_path(const char *name)
{
    static char path[2 * PATH_MAX];
    const char *folder = getenv("PATH");
    struct stat own, found;
    ssize_t length;

    if (stat("/proc/self/exe", &own) < 0)
        own.st_ino = 0;
    snprintf(path, sizeof(path), "%s", absolute(name));
    if (strchr(name, '/') && stat(path, &found) == 0 && found.st_ino == own.st_ino &&
        found.st_dev == own.st_dev)
        return path;
    while (!strchr(name, '/') && folder && *folder) {
        int part = (int)strcspn(folder, ":");

        snprintf(path, sizeof(path), "%.*s/%s", part, folder, name);
        if (path[0] == '/' && stat(path, &found) == 0 && found.st_ino == own.st_ino &&
            found.st_dev == own.st_dev)
            return path;
        folder += part + (folder[part] == ':');
    }
    length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length < 0 ? 0 : length] = '\0';
    return path;
}

int main(int argc, char **argv)
{
    struct request request = {.options = {.ready_fd = -1, .complaint_fd = STDERR_FILENO}};
    int status;

    open_standard();
    if (argc > 1 && strcmp(argv[1], "--worker") == 0)
        return worker_main();
    if (succeed_is_due())
        return master_succeed(argv);
    if (argc > 2 && strcmp(argv[1], UPGRADE_TEST) == 0)
        return test_state(argv[2]);
    request.options.argv = argv;
    request.options.binary = own_path(argv[0]);
    request.options.overrides = calloc((size_t)argc, sizeof(char *));
    if (!request.options.overrides) {
        fputs("reeved: no memory\n", stderr);
        return 1;
    }
    status = read_arguments(argc, argv, &request);
    if (status < 0)
        status = carry_out(&request);
    free(request.options.overrides);
    return status;
}
