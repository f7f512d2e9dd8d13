/* Capabilities; see sandbox.h. Worker, main thread, before any other thread exists. By the system
 * call itself, which has not changed since 2008: libcap would be one more dependency for it. */
#include "config.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox.h"

void caps_empty_bounding(void)
{
    /* Those beyond the last one fail; all do without CAP_SETPCAP, but no_new_privs, which follows,
     * then keeps them away as well. */
    for (int cap = 0; cap < 64; cap++)
        prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

bool caps_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}
