/* Where there is no libseccomp: "strict" is refused when the configuration is read. */
#include "config.h"

#include <errno.h>

#include "worker/strict.h"

bool strict_is_possible(const reeve_section *root)
{
    reeve_conf_error(root, "sandbox", "\"strict\" is impossible: this reeved was built without "
                     "libseccomp; use \"files\", or build it with libseccomp-dev installed");
    return false;
}

int strict_enter(const struct strict_needs *needs, int *listener)
{
    (void)needs;
    *listener = -1;
    errno = ENOSYS;
    return -1;
}

int strict_enter_child(bool runs_programs)
{
    (void)runs_programs;
    errno = ENOSYS;
    return -1;
}
