/* What can be asked of a configuration without serving; see inspect.h. The process that was started
 * by hand, before it is anything; for a test, a child of it, since modules are loaded. */
#include "config.h"

#include "worker/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/model.h"
#include "share/control.h"
#include "share/snapshot.h"
#include "worker/load.h"
#include "worker/logfile.h"
#include "worker/sandbox.h"

/* Loads the whole configuration in this process, as a worker would. */
static struct snapshot *load_here(const struct inspected *source, struct loaded *loaded, bool all,
                                  struct buf *errors)
{
    struct snapshot *snapshot = snapshot_take(source->config, conf_builtin, source->overrides,
                                              source->override_count, errors);

    logfile_source(-1);
    if (snapshot && !(all ? load_all : load_tables)(snapshot, loaded, errors))
        snapshot_free(&snapshot);
    return snapshot;
}

bool inspect_snapshot(const struct snapshot *snapshot, struct buf *errors)
{
    struct loaded loaded = {0};
    bool ok;

    logfile_source(-1);
    ok = load_all(snapshot, &loaded, errors);
    load_free(&loaded);
    return ok;
}

static int test_here(const struct inspected *source)
{
    struct buf errors = {0}, said = {0};
    struct loaded loaded = {0};
    struct snapshot *snapshot = load_here(source, &loaded, true, &errors);
    int status = snapshot ? 0 : 1;

    if (snapshot)
        sandbox_put_test(conf_root(loaded.conf), &said);
    if (snapshot)
        fputs(buf_text(&loaded.idle), stderr);
    if (snapshot)
        printf("%s%s: the configuration is valid\n", buf_text(&said), snapshot->path);
    else
        fputs(buf_text(&errors), stderr);
    buf_free(&errors);
    buf_free(&said);
    load_free(&loaded);
    snapshot_free(&snapshot);
    return status;
}

int inspect_test(const struct inspected *source)
{
    pid_t pid;
    int status = 0;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        exit(test_here(source));
    if (pid < 0 || waitpid(pid, &status, 0) < 0) {
        fprintf(stderr, "reeved: the test cannot be run: %s\n", strerror(errno));
        return 1;
    }
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "%s: a module crashed while it was loaded or configured: %s; take out one "
                    "after the other to find it\n", source->config ? source->config : "(built-in)",
            strsignal(WTERMSIG(status)));
    return 1;
}

int inspect_print(const struct inspected *source)
{
    struct buf text = {0};
    struct loaded loaded = {0};
    struct snapshot *snapshot = load_here(source, &loaded, false, &text);
    int status;

    if (snapshot)
        conf_print(loaded.conf, &text);
    fputs(buf_text(&text), snapshot ? stdout : stderr);
    buf_free(&text);
    load_free(&loaded);
    status = snapshot ? 0 : 1;
    snapshot_free(&snapshot);
    return status;
}

static int explain_tags(void)
{
    for (int i = 0; i < LOG_TAGS; i++)
        printf(".TP\n.BR %s \" (%s)\"\n%s\n", log_tags[i].tag, log_level_names[log_tags[i].level],
               log_tags[i].help);
    return 0;
}

/* Whoever may look may not clear; see master/verbs.c. */
static const char *who_may(enum control_access access, const char *arguments)
{
    if (access != READ)
        return "";
    return strstr(arguments, "clear") ? " Open to the control group, but for clear."
                                      : " Open to the control group.";
}

static int explain_verbs(void)
{
#define X(symbol, name, arguments, access, help)                                                   \
    printf(".TP\n.B %s%s%s\n%s%s\n", name, *arguments ? " " : "", arguments, help,                 \
           who_may(access, arguments));
#include "share/verbs.def"
#undef X
    return 0;
}

static int explain_counters(void)
{
#define X(name, board, total, each, help)                                                          \
    if (*total && strcmp(total, each) == 0)                                                        \
        printf(".TP\n.B %s\n%s\n", total, help);                                                   \
    else if (*total || *each)                                                                      \
        printf(".TP\n.BR %s \" (%s)\"\n%s\n", *total ? total : each,                               \
               *total ? *each ? "of totals; of a worker: " each : "of totals" : "of a worker",     \
               help);
#include "share/counters.def"
#undef X
    return 0;
}

/* Rows of a table of tbl(1). */
static int explain_models(void)
{
    for (const struct model *m = models; m->name; m++) {
        char workers[16] = "CPUs", loops[16] = "threads", connections[16] = "many";

        if (m->workers > 0)
            snprintf(workers, sizeof(workers), "%d", m->workers);
        if (m->loops > 0)
            snprintf(loops, sizeof(loops), "%d", m->loops);
        if (m->connections < MANY)
            snprintf(connections, sizeof(connections), "%d", m->connections);
        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m->name, workers, loops, connections,
               wait_name(m->wait), m->pool ? "threads" : "none",
               m->each == EACH_NONE ? "nothing" : each_name(m->each));
    }
    return 0;
}

static int explain_options(const struct inspected *source)
{
    struct buf errors = {0};
    struct loaded loaded = {0};
    struct snapshot *snapshot = load_here(source, &loaded, false, &errors);
    int status = snapshot ? 0 : 1;

    if (snapshot)
        conf_manual(loaded.modules.list, loaded.modules.count, stdout);
    fputs(buf_text(&errors), stderr);
    buf_free(&errors);
    load_free(&loaded);
    snapshot_free(&snapshot);
    return status;
}

int inspect_explain(const struct inspected *source, const char *what)
{
    if (strcmp(what, "tags") == 0)
        return explain_tags();
    if (strcmp(what, "verbs") == 0)
        return explain_verbs();
    if (strcmp(what, "counters") == 0)
        return explain_counters();
    if (strcmp(what, "models") == 0)
        return explain_models();
    if (strcmp(what, "options") == 0)
        return explain_options(source);
    fputs("reeved: -x takes counters, models, options, tags or verbs\n", stderr);
    return 1;
}
