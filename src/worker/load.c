/* Loading; see load.h. Worker (or `reeved -t`), main thread, still with the starting privileges. */
#include "config.h"

#include "worker/load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "share/snapshot.h"
#include "worker/sandbox.h"

bool load_tables(const struct snapshot *snapshot, struct loaded *loaded, struct buf *errors)
{
    struct conf *first = conf_parse(snapshot, NULL, 0, errors);
    struct core core;
    bool ok;

    *loaded = (struct loaded){0};
    if (!first)
        return false;
    /* First pass: which modules. Second pass: everything, with their tables. */
    ok = core_read(first, &core, errors);
    if (ok) {
        ok = modules_load(&loaded->modules, &core, errors) == 0;
        core_free(&core);
    }
    conf_free(&first);
    if (ok)
        loaded->conf = conf_parse(snapshot, loaded->modules.list, loaded->modules.count, errors);
    return loaded->conf && core_read(loaded->conf, &loaded->core, errors);
}

/* The folder of a log file must exist; whether it can be written is the master's to find out. */
static bool log_folder_exists(const struct loaded *loaded)
{
    const char *path = loaded->core.error_log, *slash = strrchr(path, '/');
    char *folder = path[0] == '/' ? strndup(path, (size_t)(slash - path) + 1) : NULL;
    struct stat st;
    bool ok = !folder || (stat(folder, &st) == 0 && S_ISDIR(st.st_mode));

    if (!ok)
        reeve_conf_error(conf_root(loaded->conf), "error_log",
                         "%s cannot be opened: there is no folder %s; create it", path, folder);
    free(folder);
    return ok;
}

bool load_all(const struct snapshot *snapshot, struct loaded *loaded, struct buf *errors)
{
    if (!load_tables(snapshot, loaded, errors))
        return false;
    conf_collect_errors(errors);
    conf_collect_idle(&loaded->idle);
    core_note_idle(&loaded->core);
    return identity_find(conf_root(loaded->conf), &loaded->identity) &&
           accounts_exist(conf_root(loaded->conf)) && log_folder_exists(loaded) &&
           sandbox_is_possible(conf_root(loaded->conf)) &&
           modules_configure(&loaded->modules, loaded->conf, errors) == 0;
}

void load_free(struct loaded *loaded)
{
    core_free(&loaded->core);
    conf_free(&loaded->conf);
    conf_collect_idle(NULL);
    buf_free(&loaded->idle);
    free(loaded->modules.list);
    loaded->modules = (struct modules){0};
}
