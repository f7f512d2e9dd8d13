/* Where the control socket is; see control.h. Master and reevectl must come to the same answer. */
#include "config.h"

#include "share/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *control_default_path(void)
{
    static char path[256];
    const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");

    if (geteuid() == 0 || (!runtime && !home))
        return RUN_PATH "/control.sock";
    if (runtime && runtime[0] == '/')
        snprintf(path, sizeof(path), "%s/reeve/control.sock", runtime);
    else
        snprintf(path, sizeof(path), "%s/.local/reeve/control.sock", home ? home : "");
    return path;
}
