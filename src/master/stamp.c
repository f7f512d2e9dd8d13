/* What the module files look like; see stamp.h. Master. So that a reload after a module was built
 * anew is not taken for one that changes nothing. */
#include "config.h"

#include "master/stamp.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/stamp.h"
#include "conf/core.h"

static void mix_module(uint64_t *stamp, const struct core *core, const char *name)
{
    const char *folder = core->module_path;
    bool found = name[0] == '/' && stamp_mix_file(stamp, name);

    while (!found && *folder) {
        char path[PATH_MAX];
        int length = (int)strcspn(folder, ":");

        snprintf(path, sizeof(path), "%.*s/%s.so", length, folder, name);
        found = stamp_mix_file(stamp, path);
        folder += length + (folder[length] == ':');
    }
}

uint64_t stamp_modules(const struct core *core)
{
    uint64_t stamp = STAMP_START;

    for (size_t i = 0; i < core->module_count; i++)
        mix_module(&stamp, core, core->modules[i]);
    return stamp;
}
