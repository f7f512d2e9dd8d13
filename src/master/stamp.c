/* What the module files look like; see stamp.h. Master. So that a reload after a module was built
 * anew is not taken for one that changes nothing. */
#include "config.h"

#include "master/stamp.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/core.h"

/* FNV-1a, 64 bits: any mixing would do, nobody has a reason to forge it. */
static uint64_t mix(uint64_t stamp, const void *data, size_t length)
{
    const unsigned char *byte = data;

    for (size_t i = 0; i < length; i++)
        stamp = (stamp ^ byte[i]) * 0x100000001b3u;
    return stamp;
}

/* False: there is no such file. */
static bool mix_file(uint64_t *stamp, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    *stamp = mix(*stamp, &st.st_dev, sizeof(st.st_dev));
    *stamp = mix(*stamp, &st.st_ino, sizeof(st.st_ino));
    *stamp = mix(*stamp, &st.st_size, sizeof(st.st_size));
    *stamp = mix(*stamp, &st.st_mtim, sizeof(st.st_mtim));
    return true;
}

static void mix_module(uint64_t *stamp, const struct core *core, const char *name)
{
    const char *folder = core->module_path;
    bool found = name[0] == '/' && mix_file(stamp, name);

    while (!found && *folder) {
        char path[PATH_MAX];
        int length = (int)strcspn(folder, ":");

        snprintf(path, sizeof(path), "%.*s/%s.so", length, folder, name);
        found = mix_file(stamp, path);
        folder += length + (folder[length] == ':');
    }
}

uint64_t stamp_modules(const struct core *core)
{
    uint64_t stamp = 0xcbf29ce484222325u;

    for (size_t i = 0; i < core->module_count; i++)
        mix_module(&stamp, core, core->modules[i]);
    return stamp;
}
