/* htpasswd files; see users.h.
 *
 * A line is NAME:HASH, perhaps with more behind another colon; empty lines and lines that begin
 * with "#" are skipped. What crypt(3) cannot check is refused here, by the number of its line,
 * not when the user stands before the door. No message holds a name or a hash.
 *
 * Main thread, with the privileges that the worker starts with, so that the file need not be
 * readable for its user. Owner of the memory: `files`, until worker_exit.
 */
#include "config.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "users.h"

#define FILE_MAX (16u << 20)

struct user {
    const char *name, *hash; /* in the file's bytes */
    unsigned line;
};

struct users {
    struct users *next;
    const char *path;
    struct bytes text; /* the file, NUL behind each name and hash */
    struct user *list; /* by name */
    size_t count;
};

static struct users *files;

static void users_free(struct users *users)
{
    if (users->text.data != NULL)
        explicit_bzero(users->text.data, users->text.length);
    free(users->text.data);
    free(users->list);
    free(users);
}

void users_free_all(void)
{
    while (files != NULL) {
        struct users *next = files->next;
        users_free(files);
        files = next;
    }
}

/* ---------------------------------------------------------------- reading ----------- */

/* The whole file with a NUL behind it. NULL, or what is wrong. */
static const char *read_text(int fd, struct bytes *text)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is no regular file";
    if (st.st_size > (off_t)FILE_MAX)
        return "it is larger than 16 MiB";
    for (;;) {
        if (!bytes_room(text, 4096) || text->length > FILE_MAX)
            return "memory is short";
        ssize_t n = read(fd, text->data + text->length, text->room - text->length - 1);
        if (n < 0)
            return strerror(errno);
        if (n == 0)
            break;
        text->length += (size_t)n;
    }
    text->data[text->length] = '\0';
    return strlen(text->data) == text->length ? NULL : "it holds a NUL byte";
}

/* What is wrong with a hash, or NULL. */
static const char *judge_hash(const char *hash)
{
    if (strncmp(hash, "$apr1$", 6) == 0)
        return "its hash is Apache's own MD5 ($apr1$), which crypt(3) cannot check";
    if (hash[0] == '{')
        return "its hash is of a kind that crypt(3) cannot check";
    if (hash[0] != '$')
        return "what stands behind the colon is no hash, or one that is not safe any more";
    int judged = crypt_checksalt(hash);
    if (judged != CRYPT_SALT_OK && judged != CRYPT_SALT_METHOD_LEGACY &&
        judged != CRYPT_SALT_TOO_CHEAP)
        return "crypt(3) does not know its hash";
    return NULL;
}

/* One line, its end cut off already. What is wrong with it, or NULL. */
static const char *read_line(struct users *users, char *line, unsigned number)
{
    char *colon = strchr(line, ':');
    if (line[0] == '\0' || line[0] == '#')
        return NULL;
    if (colon == NULL || colon == line)
        return "it is not of the form NAME:HASH";
    *colon = '\0';
    colon[1 + strcspn(colon + 1, ": \t")] = '\0';
    users->list[users->count++] = (struct user){line, colon + 1, number};
    return judge_hash(colon + 1);
}

static int user_order(const void *a, const void *b)
{
    const struct user *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static int read_lines(struct users *users, const reeve_section *section, const char *name)
{
    unsigned number = 0;
    users->list = calloc(count_lines(users->text.data), sizeof *users->list);
    if (users->list == NULL)
        return reeve_conf_error(section, name, "memory is short: free some and try again");
    for (char *line = users->text.data; line != NULL;) {
        char *end = strchr(line, '\n'), *next = end != NULL ? end + 1 : NULL;
        if (end != NULL)
            *end = '\0';
        line[strcspn(line, "\r")] = '\0';
        const char *wrong = read_line(users, line, ++number);
        if (wrong != NULL)
            return reeve_conf_error(section, name, "%s, line %u: %s; write that user anew by "
                                    "\"htpasswd -B\"", users->path, number, wrong);
        line = next;
    }
    qsort(users->list, users->count, sizeof *users->list, user_order);
    for (size_t i = 1; i < users->count; i++)
        if (user_order(&users->list[i - 1], &users->list[i]) == 0)
            return reeve_conf_error(section, name, "%s: lines %u and %u name the same user: remove "
                                    "one", users->path, users->list[i - 1].line,
                                    users->list[i].line);
    return 0;
}

int users_read(const reeve_section *section, const char *name, const char *path,
               const struct users **result)
{
    for (struct users *users = files; users != NULL; users = users->next)
        if (strcmp(users->path, path) == 0) {
            *result = users;
            return 0;
        }
    struct users *users = calloc(1, sizeof *users);
    if (users == NULL)
        return reeve_conf_error(section, name, "memory is short: free some and try again");
    users->path = path;
    users->next = files;
    files = users;
    reeve_conf_reads(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a pipe must not wait */
    const char *wrong = fd < 0 ? strerror(errno) : read_text(fd, &users->text);
    if (fd >= 0)
        close(fd);
    if (wrong != NULL)
        return reeve_conf_error(section, name, "cannot read the users in \"%s\": %s; make the file "
                                "by \"htpasswd -c -B FILE USER\"", path, wrong);
    *result = users;
    return read_lines(users, section, name);
}

/* ---------------------------------------------------------------- looking up -------- */

static int compare_name(const void *key, const void *element)
{
    return strcmp(key, ((const struct user *)element)->name);
}

const char *users_hash(const struct users *users, const char *user, uint64_t luck, bool *known)
{
    *known = false;
    if (users->count == 0)
        return NULL;
    const struct user *found =
        bsearch(user, users->list, users->count, sizeof *users->list, compare_name);
    *known = found != NULL;
    return found != NULL ? found->hash : users->list[luck % users->count].hash;
}
