/* Names of system calls, as libseccomp knows them; see calls.h. Master. */
#include "config.h"

#include "share/calls.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

bool call_name(int number, char *text, size_t room)
{
#ifdef HAVE_SECCOMP
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

    if (name) {
        snprintf(text, room, "%s", name);
        free(name);
        return true;
    }
#endif
    snprintf(text, room, "number %d", number);
    return false;
}
