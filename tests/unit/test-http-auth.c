/* What a client says about itself, the file that it is compared with, and what is remembered. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "../../modules/http/credentials.h"
#include "../../modules/http/proofs.h"
#include "../../modules/http/users.h"
#include "fake-reeve.h"
#include "temp.h"
#include "unit.h"

/* ---------------------------------------------------------------- credentials ------- */

/* RFC 7617, 2 and 2.1 */
static const struct {
    const char *value, *user, *password;
} good[] = {
    {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
    {"Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3"},
    {"bAsIc  YTpi", "a", "b"},
    {"Basic YTo=", "a", ""},
    {"Basic OmI=", "", "b"},
    {"Basic Og==", "", ""},
    {"Basic YTpiOmM=", "a", "b:c"},
    {"Basic Pz8/Pj4+Og==", "\?\?\?>>>", ""},
};

START_TEST(test_credentials)
{
    char out[100];
    size_t length;
    const char *password;
    ck_assert(credentials_decode(good[_i].value, out, &length, &password));
    ck_assert_str_eq(out, good[_i].user);
    ck_assert_str_eq(password, good[_i].password);
    ck_assert_uint_eq(length, strlen(out) + strlen(password) + 2);
}
END_TEST

static const char *const bad[] = {
    "", "Basic", "Basic ", "Basic =", "Basic ====", "Basic YTpi=", "Basic YTpiYQ", "Basic YTpiYQ=",
    "Basic YTpiYQ= ", "Basic YTpiYR==", "Basic YTo9====", "Basic Y=o=", "Basic YTp-", "Basic YWJj",
    "Basic YTpi YTpi", "Basic YTpiAA==", "Basic YQpiOg==", "Basic YTp/", "BasicYTpi", "Bearer YTpi",
    "Digest username=\"a\"",
    /* as of two lines */
    "Basic YTpi, Basic YTpi", "Basic YTpi, Basic Yjpi", "Basic YTpi, ", ", Basic YTpi",
};

START_TEST(test_no_credentials)
{
    char out[100];
    size_t length;
    const char *password;
    ck_assert_msg(!credentials_decode(bad[_i], out, &length, &password), "%s", bad[_i]);
}
END_TEST

/* ---------------------------------------------------------------- users ------------- */

#define HASH_A "$2y$04$SPEtHOM3p2.UFlBhV4UtAeJYaVQ409pHsV001YFtxiEjx/ngbGkD."
#define HASH_B "$y$j75$saltsaltsalt$5z4hixMqZu85Q.FImGPyeqhaItXFcGCWgGmHtxl/3c9"
#define HASH_C "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"

static int read_users(const char *text, const struct users **users)
{
    static const reeve_section section;
    static unsigned number;
    static char names[64][16], paths[64][128]; /* a path lives as long as the configuration */
    snprintf(names[number], sizeof names[0], "users-%u", number);
    snprintf(paths[number], sizeof paths[0], "%s", temp_path(names[number]));
    temp_write(paths[number], text);
    return users_read(&section, "auth_file", paths[number++], users);
}

static void tear_down(void)
{
    users_free_all();
    temp_remove();
}

static const char *hash_of(const struct users *users, const char *name)
{
    bool known;
    const char *hash = users_hash(users, name, 0, &known);
    return known ? hash : NULL;
}

START_TEST(test_users)
{
    const struct users *users;
    ck_assert_int_eq(read_users("zoe:" HASH_A "\r\n# anna:x\n\nanna:" HASH_B ":Anna, of the mill\n"
                                "carl:" HASH_C, &users), 0);
    ck_assert_str_eq(hash_of(users, "zoe"), HASH_A);
    ck_assert_str_eq(hash_of(users, "anna"), HASH_B);
    ck_assert_str_eq(hash_of(users, "carl"), HASH_C);
    ck_assert_ptr_null(hash_of(users, "Anna"));
    ck_assert_ptr_null(hash_of(users, "# anna"));
    ck_assert_ptr_null(hash_of(users, ""));
}
END_TEST

/* Who is unknown is compared with the hash of somebody who is known. */
START_TEST(test_unknown_user)
{
    const struct users *users;
    bool known = true;
    ck_assert_int_eq(read_users("a:" HASH_A "\nb:" HASH_B "\n", &users), 0);
    ck_assert_str_eq(users_hash(users, "x", 4, &known), HASH_A);
    ck_assert(!known);
    ck_assert_str_eq(users_hash(users, "x", 7, &known), HASH_B);
    ck_assert_int_eq(read_users("# nobody\n", &users), 0);
    ck_assert_ptr_null(users_hash(users, "x", 7, &known));
    ck_assert(!known);
}
END_TEST

START_TEST(test_a_file_is_read_once)
{
    static const reeve_section section;
    const struct users *first, *second;
    char path[128];
    snprintf(path, sizeof path, "%s", temp_path("users"));
    temp_write(path, "a:" HASH_A "\n");
    ck_assert_int_eq(users_read(&section, "auth_file", path, &first), 0);
    ck_assert_int_eq(users_read(&section, "auth_file", path, &second), 0);
    ck_assert_ptr_eq(first, second);
    strcat(path, "\n");
    ck_assert_str_eq(fake_reads, path); /* and so a reload will look at it */
}
END_TEST

static const struct {
    const char *text, *wrong;
} files[] = {
    {"a\n", "line 1: it is not of the form NAME:HASH"},
    {":" HASH_A "\n", "line 1: it is not of the form NAME:HASH"},
    {"#\na:\n", "line 2: what stands behind the colon is no hash"},
    {"a:" HASH_A "\nb:$apr1$3ICLxX6N$U2qdS/rBihZEJ5tMjpmiV.\n", "line 2: its hash is Apache's own"},
    {"a:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n", "line 1: its hash is of a kind"},
    {"a:plain\n", "line 1: what stands behind the colon is no hash"},
    {"a:rqXexS6ZhobKA\n", "line 1: what stands behind the colon is no hash"}, /* DES */
    {"a:$what$ever\n", "line 1: crypt(3) does not know its hash"},
    {"a:" HASH_A "\nb:" HASH_A "\n\na:" HASH_B "\n", "lines 1 and 4 name the same user"},
};

START_TEST(test_bad_files)
{
    const struct users *users;
    ck_assert_int_eq(read_users(files[_i].text, &users), -1);
    ck_assert_msg(strstr(fake_error, files[_i].wrong) != NULL, "%s", fake_error);
}
END_TEST

START_TEST(test_no_file)
{
    static const reeve_section section;
    const struct users *users;
    ck_assert_int_eq(users_read(&section, "auth_file", temp_path("none"), &users), -1);
    ck_assert_ptr_nonnull(strstr(fake_error, "No such file"));
    ck_assert_int_eq(mkfifo(temp_path("pipe"), 0600), 0);
    ck_assert_int_eq(users_read(&section, "auth_file", temp_path("pipe"), &users), -1);
    ck_assert_ptr_nonnull(strstr(fake_error, "no regular file"));
}
END_TEST

/* ---------------------------------------------------------------- proofs ------------ */

ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t length, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)out)[i] = (unsigned char)i;
    return (ssize_t)length;
}

/* What openssl mac says: SIPHASH, 16 bytes, key 000102..0f, of the bytes 00 01 02... */
START_TEST(test_proof_vectors)
{
    ck_assert(proofs_start());
    struct proof proof = proof_of(0x0706050403020100, "", 0);
    ck_assert_uint_eq(proof.word[0], 0x61f55862baa9623b);
    ck_assert_uint_eq(proof.word[1], 0xb49714f364e2830f);
    proof = proof_of(0x0706050403020100, "\x08\x09\x0a\x0b\x0c\x0d\x0e", 7);
    ck_assert_uint_eq(proof.word[0], 0x11a8b03399e99354);
    ck_assert_uint_eq(proof.word[1], 0xd9c3cf970fec087e);
}
END_TEST

START_TEST(test_proofs)
{
    ck_assert(proofs_start());
    struct proof proof = proof_of(1, "user\0password", 14);
    struct proof other = proof_of(2, "user\0password", 14);
    ck_assert(!proofs_hold(&proof));
    proofs_keep(&proof);
    proofs_keep(&proof);
    ck_assert(proofs_hold(&proof));
    ck_assert(!proofs_hold(&other));
    ck_assert(proofs_start());
    ck_assert(!proofs_hold(&proof));
}
END_TEST

/* The memory is bounded: old ones go, the newest always holds. */
START_TEST(test_many_proofs)
{
    unsigned held = 0;
    ck_assert(proofs_start());
    for (unsigned i = 0; i < 10000; i++) {
        struct proof proof = proof_of(1, &i, sizeof i);
        proofs_keep(&proof);
        ck_assert(proofs_hold(&proof));
    }
    for (unsigned i = 0; i < 10000; i++) {
        struct proof proof = proof_of(1, &i, sizeof i);
        held += proofs_hold(&proof);
    }
    ck_assert_uint_eq(held, 1024);
}
END_TEST

UNIT_MAIN_AROUND("http-auth", temp_make, tear_down, EACH(test_credentials, good),
                 EACH(test_no_credentials, bad), ONCE(test_users), ONCE(test_unknown_user),
                 ONCE(test_a_file_is_read_once), EACH(test_bad_files, files), ONCE(test_no_file),
                 ONCE(test_proof_vectors), ONCE(test_proofs), ONCE(test_many_proofs))
