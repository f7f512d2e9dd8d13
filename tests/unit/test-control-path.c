/* Where the control socket is when nobody says; the caller is a stand-in. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "share/control.h"
#include "unit.h"

static uid_t caller;

uid_t geteuid(void)
{
    return caller;
}

static const struct {
    uid_t caller;
    const char *runtime, *home, *path;
} rows[] = {
    {0, "/run/user/0", "/root", RUN_PATH "/control.sock"},
    {0, NULL, NULL, RUN_PATH "/control.sock"},
    {1000, NULL, NULL, RUN_PATH "/control.sock"},
    {1000, "/run/user/1000", "/home/a", "/run/user/1000/reeve/control.sock"},
    {1000, "/run/user/1000", NULL, "/run/user/1000/reeve/control.sock"},
    {1000, NULL, "/home/a", "/home/a/.local/reeve/control.sock"},
    {1000, "", "/home/a", "/home/a/.local/reeve/control.sock"},
    {1000, "relative", "/home/a", "/home/a/.local/reeve/control.sock"},
};

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

START_TEST(path)
{
    caller = rows[_i].caller;
    set("XDG_RUNTIME_DIR", rows[_i].runtime);
    set("HOME", rows[_i].home);
    ck_assert_str_eq(control_default_path(), rows[_i].path);
}
END_TEST

UNIT_MAIN("control-path", EACH(path, rows))
