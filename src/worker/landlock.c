/* Landlock; see landlock.h. Worker, main thread. Besides files it keeps signals in: all workers
 * have the same account, and each could end the others. The numbers stand here, not in the C
 * library's headers, which may be older than the kernel: a right that the kernel does not know is
 * left out of the rules, and then nobody is kept from it. */
#include "config.h"

#include "worker/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "reeve/module.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define EXECUTE (1u << 0)
#define WRITE_FILE (1u << 1)
#define READ_FILE (1u << 2)
#define READ_DIR (1u << 3)
#define CHANGE_DIR (0x1ff0u)  /* remove folder, file; make device, folder, file, ... */
#define REFER (1u << 13)      /* since version 2: move to another folder */
#define TRUNCATE (1u << 14)   /* 3 */
#define SCOPE_SIGNAL (1u << 1) /* 6: signals to whoever is not confined by these rules too */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE)

#define GET_VERSION 1
#define PATH_BENEATH 1

struct rules {
    uint64_t handled, network, scope;
};
#define FIRST_LENGTH sizeof(uint64_t) /* what a kernel without scopes knows of it */
struct rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

static uint64_t known; /* to the kernel */

int landlock_new(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);
    struct rules rules = {.handled = EXECUTE | WRITE_FILE | READ_FILE | READ_DIR | CHANGE_DIR};

    if (version < 0)
        return -1;
    if (version >= 2)
        rules.handled |= REFER;
    if (version >= 3)
        rules.handled |= TRUNCATE;
    if (version >= 6)
        rules.scope = SCOPE_SIGNAL;
    known = rules.handled;
    return (int)syscall(SYS_landlock_create_ruleset, &rules,
                        version >= 6 ? sizeof(rules) : FIRST_LENGTH, 0);
}

static uint64_t rights_of(unsigned what)
{
    uint64_t rights = 0;

    if (what & REEVE_OPENS_TO_READ)
        rights |= READ_FILE | READ_DIR;
    if (what & REEVE_OPENS_TO_WRITE)
        rights |= READ_FILE | READ_DIR | WRITE_FILE | CHANGE_DIR | REFER | TRUNCATE;
    if (what & REEVE_OPENS_TO_RUN)
        rights |= READ_FILE | READ_DIR | EXECUTE;
    return rights & known;
}

int landlock_allow(int rules, const char *path, unsigned what)
{
    struct rule rule = {.allowed = rights_of(what), .fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat st;
    int fd = rule.fd, result = -1;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            rule.allowed &= OF_FILES;
        result = (int)syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &rule, 0);
    }
    sys_close(&fd);
    return result;
}

int landlock_enter(int rules)
{
    return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
