/* Whom workers run as, and how they become it. The accounts, the caller and the calls that change
 * the process are stand-ins, so every case is tried whoever runs the test. */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "conf-help.h"
#include "unit.h"
#include "worker/privilege.h"

/* ---------------------------------------------------------------- stand-ins -------- */

static uid_t caller;
static bool without_reeve;
static char calls[256]; /* that changed the process, in order */
static const char *failing = "";

static struct passwd accounts[] = {
    {.pw_name = (char[]){"reeve"}, .pw_uid = 501, .pw_gid = 601},
    {.pw_name = (char[]){"nobody"}, .pw_uid = 502, .pw_gid = 602},
    {.pw_name = (char[]){"root"}, .pw_uid = 0, .pw_gid = 0},
    {.pw_name = (char[]){"toor"}, .pw_uid = 0, .pw_gid = 0},
    {.pw_name = (char[]){"alice"}, .pw_uid = 1000, .pw_gid = 1000},
};
static struct group web = {.gr_name = (char[]){"web"}, .gr_gid = 700};

struct passwd *getpwnam(const char *name)
{
    for (size_t i = without_reeve; i < sizeof(accounts) / sizeof(accounts[0]); i++)
        if (strcmp(accounts[i].pw_name, name) == 0)
            return &accounts[i];
    return NULL;
}
struct group *getgrnam(const char *name)
{
    return strcmp(name, "web") == 0 ? &web : NULL;
}
uid_t geteuid(void)
{
    return caller;
}
gid_t getegid(void)
{
    return caller;
}

static int called(const char *name, unsigned a, unsigned b, unsigned c)
{
    size_t length = strlen(calls);

    snprintf(calls + length, sizeof(calls) - length, "%s(%u,%u,%u) ", name, a, b, c);
    if (strcmp(name, failing) != 0)
        return 0;
    errno = EPERM;
    return -1;
}
int initgroups(const char *user, gid_t group)
{
    return called(user, group, 0, 0);
}
int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    return called("setresgid", real, effective, saved);
}
int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    return called("setresuid", real, effective, saved);
}

/* ---------------------------------------------------------------- identity_find ---- */

#define NEW "create it or name another"

static const struct {
    const char *text;
    uid_t caller;
    bool without_reeve;
    const char *error; /* NULL: found */
    uid_t uid;
    gid_t gid;
    const char *name;
} cases[] = {
    {"", 0, false, NULL, 501, 601, "reeve"},
    {"", 0, true, NULL, 502, 602, "nobody"},
    {"user = alice", 0, false, NULL, 1000, 1000, "alice"},
    {"user = alice\ngroup = web", 0, false, NULL, 1000, 700, "alice"},
    {"group = web", 0, false, NULL, 501, 700, "reeve"},
    {"user = root", 0, false, NULL, 0, 0, "root"},
    {"user = toor", 0, false, "1: user: 'toor' is root under another name; write \"root\" if root "
     "is meant", 0, 0, ""},
    {"user = mallory", 0, false, "1: user: there is no account 'mallory'; " NEW, 0, 0, ""},
    {"user = reeve", 0, true, "1: user: there is no account 'reeve'; " NEW, 0, 0, ""},
    {"user = alice\ngroup = wheel", 0, false, "2: group: there is no group 'wheel'; " NEW, 0, 0,
     ""},
    {"", 1000, false, NULL, 1000, 1000, ""},
    {"user = alice", 1000, false, NULL, 1000, 1000, "alice"},
    {"user = reeve", 1000, false, "1: user: only root can become 'reeve'; start as root or leave "
     "the option out", 0, 0, ""},
    {"user = root", 1000, false, "1: user: only root can become 'root'; start as root or leave the "
     "option out", 0, 0, ""},
};

START_TEST(finds)
{
    struct help help = help_parse(cases[_i].text, NULL, false);
    struct identity identity;
    char expected[256];
    bool found;

    ck_assert_ptr_nonnull(help.conf);
    caller = cases[_i].caller;
    without_reeve = cases[_i].without_reeve;
    conf_collect_errors(&help.errors);
    found = identity_find(conf_root(help.conf), &identity);
    if (cases[_i].error) {
        snprintf(expected, sizeof(expected), "(built-in):%s\n", cases[_i].error);
        ck_assert_str_eq(buf_text(&help.errors), expected);
        ck_assert(!found);
    } else {
        ck_assert_msg(found, "%s", buf_text(&help.errors));
        ck_assert_uint_eq(identity.uid, cases[_i].uid);
        ck_assert_uint_eq(identity.gid, cases[_i].gid);
        ck_assert_str_eq(identity.name, cases[_i].name);
    }
    help_end(&help);
}
END_TEST

/* ---------------------------------------------------------------- accounts_exist --- */

static const struct {
    const char *text;
    const char *error; /* NULL: they do */
} accounts_of[] = {
    {"", NULL},
    {"control_group = web", NULL},
    {"control_group = wheel", "1: control_group: there is no group 'wheel'; create it or leave it "
     "out"},
    {"listen \"unix:/a\" { owner = \"alice:web\" }", NULL},
    {"listen \"unix:/a\" { owner = \"alice\" }", NULL},
    {"listen \"unix:/a\" { owner = \"alice:\" }", NULL},
    {"listen \"unix:/a\" { owner = \":web\" }", NULL},
    {"listen \"unix:/a\" { owner = \"mallory:web\" }",
     "1: owner: there is no account 'mallory'; " NEW},
    {"listen \"unix:/a\" { owner = \":wheel\" }", "1: owner: there is no group 'wheel'; " NEW},
    {"listen \"unix:/a\" {\nowner = \"mallory\" }\nlisten \"unix:/b\" {\nowner = \":wheel\" }",
     "2: owner: there is no account 'mallory'; " NEW "\n(built-in):4: owner: there is no group "
     "'wheel'; " NEW},
};

START_TEST(accounts_are_there)
{
    struct help help = help_parse(accounts_of[_i].text, NULL, false);
    char expected[256];
    bool ok;

    ck_assert_msg(help.conf != NULL, "%s", buf_text(&help.errors));
    conf_collect_errors(&help.errors);
    ok = accounts_exist(conf_root(help.conf));
    ck_assert_int_eq(ok, accounts_of[_i].error == NULL);
    snprintf(expected, sizeof(expected), "(built-in):%s\n", accounts_of[_i].error);
    ck_assert_str_eq(buf_text(&help.errors), accounts_of[_i].error ? expected : "");
    help_end(&help);
}
END_TEST

/* ---------------------------------------------------------------- identity_assume -- */

static const struct {
    uid_t caller;
    struct identity identity;
    const char *calls;
} changes[] = {
    /* groups first: afterwards there is no right to change them */
    {0, {501, 601, "reeve"}, "reeve(601,0,0) setresgid(601,601,601) setresuid(501,501,501) "},
    {0, {0, 0, "root"}, "setresgid(0,0,0) setresuid(0,0,0) "},
    {1000, {1000, 1000, ""}, ""},
    {1000, {1000, 700, ""}, "setresgid(700,700,700) "},
};

START_TEST(assumes)
{
    struct buf error = {0};

    caller = changes[_i].caller;
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    ck_assert(identity_assume(&changes[_i].identity, &error));
    ck_assert_str_eq(calls, changes[_i].calls);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    ck_assert_uint_eq(error.length, 0);
}
END_TEST

static const char *const failures[] = {"reeve", "setresgid", "setresuid"};

START_TEST(says_when_it_cannot)
{
    static const struct identity identity = {501, 601, "reeve"};
    struct buf error = {0};

    failing = failures[_i];
    ck_assert(!identity_assume(&identity, &error));
    ck_assert_str_eq(buf_text(&error),
                     "user: cannot become 'reeve': Operation not permitted\n");
    buf_free(&error);
}
END_TEST

UNIT_MAIN("privilege", EACH(finds, cases), EACH(accounts_are_there, accounts_of),
          EACH(assumes, changes), EACH(says_when_it_cannot, failures))
