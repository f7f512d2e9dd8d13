/* Basic authentication; see auth.h.
 *
 * crypt(3) is slow by design. So it runs in the pool, a password that was right is remembered (see
 * proofs.h), and no more than auth_limit are in hand at once in a worker: whoever sends wrong
 * passwords costs that much and no more. A user who is not in the file costs the same time as one
 * who is. Nothing that a client says is logged before it is proven, a password never.
 *
 * Threads: as auth.h says; a request is in one thread at a time. Credentials are the request's, and
 * wiped as soon as they are judged. The rest lives as long as the worker.
 */
#include "config.h"

#include <crypt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "credentials.h"
#include "proofs.h"
#include "request.h"
#include "users.h"

struct auth {
    const struct users *users;
    const char *realm;
    char *challenge; /* the field of a 401 */
};

static atomic_uint in_hand;

/* ---------------------------------------------------------------- configuration ----- */

static int make_challenge(const reeve_section *section, struct auth *auth)
{
    for (const char *c = auth->realm; *c != '\0'; c++)
        if (!parse_is_value(*c) || *c == '"' || *c == '\\')
            return reeve_conf_error(section, "auth_realm", "\"%s\" cannot be sent: write it "
                                    "without quotes, backslashes and control characters",
                                    auth->realm);
    if (asprintf(&auth->challenge, "WWW-Authenticate: Basic realm=\"%s\", charset=\"UTF-8\"\r\n",
                 auth->realm) >= 0)
        return 0;
    auth->challenge = NULL;
    return reeve_conf_error(section, NULL, "memory is short: free some and try again");
}

int auth_read(const reeve_section *section, const struct auth *outer, const char *title,
              const struct auth **result)
{
    const char *realm = reeve_conf_string(section, "auth_realm");
    const char *file = reeve_conf_string(section, "auth_file");
    *result = outer;
    if (*realm == '\0' && *file == '\0')
        return 0;
    *result = NULL;
    if (strcmp(file, "off") == 0)
        return 0;
    if (*file == '\0' && outer == NULL)
        return reeve_conf_error(section, "auth_realm", "the realm \"%s\" has no users: add "
                                "auth_file", realm);
    struct auth *auth = calloc(1, sizeof *auth);
    *result = auth;
    if (auth == NULL || !proofs_start())
        return reeve_conf_error(section, "auth_file", "memory is short: free some and try again");
    auth->realm = *realm != '\0' ? realm : outer != NULL ? outer->realm : title;
    auth->users = outer != NULL ? outer->users : NULL;
    if (*file != '\0' && users_read(section, "auth_file", file, &auth->users) != 0)
        return -1;
    return make_challenge(section, auth);
}

void auth_free(const struct auth *auth)
{
    if (auth != NULL)
        free(auth->challenge);
    free((struct auth *)auth);
}

/* ---------------------------------------------------------------- judging ----------- */

void auth_forget(struct request *request)
{
    struct bytes *said = &request->credentials;
    if (said->length > 0)
        explicit_bzero(said->data, said->length);
    said->length = 0;
    request->user = NULL;
    request->unproven = false;
}

static void challenge(struct request *request)
{
    const char *field = request->route->auth->challenge;
    auth_forget(request);
    if (bytes_add(&request->answer.fields, field, strlen(field)))
        request_refuse(request, 401, "A user name and a password are needed here.");
    else
        request_refuse(request, 500, NULL);
}

/* The credentials are "USER\0PASSWORD\0". */
static char *password_of(const struct request *request)
{
    return request->credentials.data + strlen(request->credentials.data) + 1;
}

static struct proof proof_for(const struct request *request)
{
    return proof_of((uintptr_t)request->route->auth->users, request->credentials.data,
                    request->credentials.length);
}

static void accept_user(struct request *request)
{
    char *password = password_of(request);
    explicit_bzero(password, strlen(password));
    request->user = request->credentials.data;
    request->unproven = false;
}

void auth_check(struct request *request)
{
    const char *value = reeve_header(&request->public, "authorization"), *password;
    struct bytes *said = &request->credentials;
    if (value == NULL) {
        challenge(request);
        return;
    }
    if (!bytes_room(said, strlen(value) + 1)) {
        request_refuse(request, 500, NULL);
        return;
    }
    if (!credentials_decode(value, said->data, &said->length, &password)) {
        challenge(request);
        return;
    }
    struct proof proof = proof_for(request);
    if (proofs_hold(&proof))
        accept_user(request);
    else
        request->unproven = true;
}

/* ---------------------------------------------------------------- proving ----------- */

bool auth_begin(void)
{
    if (atomic_fetch_add(&in_hand, 1) < settings.auth_limit)
        return true;
    atomic_fetch_sub(&in_hand, 1);
    return false;
}

void auth_end(void)
{
    atomic_fetch_sub(&in_hand, 1);
}

/* As long for each text of a length, whatever is in it. */
static bool is_equal(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned char differ = 0;
    if (strlen(b) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        differ |= (unsigned char)(a[i] ^ b[i]);
    return differ == 0;
}

static bool is_right(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL)
        return false;
    const char *made = crypt_r(password, hash, data);
    bool right = made != NULL && is_equal(made, hash);
    explicit_bzero(data, sizeof *data);
    free(data);
    return right;
}

void auth_run(void *arg)
{
    struct request *request = arg;
    struct proof proof = proof_for(request);
    bool known;
    if (proofs_hold(&proof)) { /* another request has proven it meanwhile */
        accept_user(request);
        return;
    }
    const char *user = request->credentials.data;
    uint64_t luck = proof_of(0, user, strlen(user)).word[0];
    const char *hash = users_hash(request->route->auth->users, user, luck, &known);
    if (hash != NULL && is_right(password_of(request), hash) && known) {
        proofs_keep(&proof);
        accept_user(request);
        return;
    }
    reeve_log(REEVE_LOG_INFO, "auth-failed", "client %s named a wrong user or password for route "
              "%s of site %s", request->peer, request->route->prefix, request->route->site);
    challenge(request);
}
