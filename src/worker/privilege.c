/* Giving up privileges; see privilege.h. Worker, main thread, before any other thread exists: then
 * the change holds for all. After identity_assume() nothing can bring the old rights back. */
#include "config.h"

#include "worker/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"

static int find_user(const reeve_section *root, const char *user, struct identity *identity)
{
    struct passwd *account = getpwnam(user[0] ? user : "reeve");

    if (!account && !user[0])
        account = getpwnam("nobody");
    if (!account)
        return reeve_conf_error(root, "user", "there is no account '%s'; create it or name another",
                                user[0] ? user : "nobody");
    identity->uid = account->pw_uid;
    identity->gid = account->pw_gid;
    snprintf(identity->name, sizeof(identity->name), "%s", account->pw_name);
    if (identity->uid == 0 && strcmp(user, "root") != 0)
        return reeve_conf_error(root, "user", "'%s' is root under another name; write \"root\" if "
                                              "root is meant", identity->name);
    if (geteuid() != 0 && identity->uid != geteuid())
        return reeve_conf_error(root, "user", "only root can become '%s'; start as root or leave "
                                              "the option out", user);
    return 0;
}

bool identity_find(const reeve_section *root, struct identity *identity)
{
    const char *user = reeve_conf_string(root, "user");
    const char *group = reeve_conf_string(root, "group");
    const struct group *entry;

    *identity = (struct identity){.uid = geteuid(), .gid = getegid()};
    if ((geteuid() == 0 || user[0]) && find_user(root, user, identity) < 0)
        return false;
    if (!group[0])
        return true;
    entry = getgrnam(group);
    if (!entry) {
        reeve_conf_error(root, "group", "there is no group '%s'; create it or name another", group);
        return false;
    }
    identity->gid = entry->gr_gid;
    return true;
}

static bool owner_exists(const reeve_section *listen)
{
    const char *owner = reeve_conf_string(listen, "owner");
    size_t length = strcspn(owner, ":");
    char user[64];

    snprintf(user, sizeof(user), "%.*s", (int)length, owner);
    if (user[0] && !getpwnam(user))
        reeve_conf_error(listen, "owner", "there is no account '%s'; create it or name another",
                         user);
    else if (owner[length] && owner[length + 1] && !getgrnam(owner + length + 1))
        reeve_conf_error(listen, "owner", "there is no group '%s'; create it or name another",
                         owner + length + 1);
    else
        return true;
    return false;
}

bool accounts_exist(const reeve_section *root)
{
    const char *group = reeve_conf_string(root, "control_group");
    bool ok = true;

    if (group[0] && !getgrnam(group)) {
        reeve_conf_error(root, "control_group", "there is no group '%s'; create it or leave it out",
                         group);
        ok = false;
    }
    for (size_t i = 0; i < reeve_conf_count(root, "listen"); i++)
        ok = owner_exists(reeve_conf_section(root, "listen", i)) && ok;
    return ok;
}

bool identity_assume(const struct identity *identity, struct buf *error)
{
    bool ok = true;

    if (geteuid() == 0) {
        ok = identity->uid == 0 || initgroups(identity->name, identity->gid) == 0;
        ok = ok && setresgid(identity->gid, identity->gid, identity->gid) == 0 &&
             setresuid(identity->uid, identity->uid, identity->uid) == 0;
    } else if (identity->gid != getegid()) {
        ok = setresgid(identity->gid, identity->gid, identity->gid) == 0;
    }
    ok = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (!ok)
        buf_printf(error, "user: cannot become '%s': %s\n", identity->name, strerror(errno));
#if defined(__SANITIZE_ADDRESS__)
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak check traces its own process */
#endif
    /* Otherwise it stays as the kernel left it with the change of user: not dumpable, so that
     * nobody else who runs as the same account can look into a worker. */
    return ok;
}
