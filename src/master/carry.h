/* What is carried from one image of the master to the next: values as JSON, descriptors by their
 * number. Which members of a structure are carried is said once, in a table of fields. */
#ifndef MASTER_CARRY_H
#define MASTER_CARRY_H
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct buf;
struct timer;

enum field_type {
    FIELD_BOOL,
    FIELD_INT,  /* int, and enums */
    FIELD_U32,
    FIELD_I64,
    FIELD_U64,
    FIELD_TEXT, /* char *, owned; NULL is null */
    FIELD_FD,   /* int; -1 is null */
};
struct field {
    const char *name;
    enum field_type type;
    size_t offset;
};
#define FIELD(type, structure, member) {#member, FIELD_##type, offsetof(structure, member)}
#define FIELDS_END {NULL, FIELD_BOOL, 0}

/* An object with these fields. Descriptors among them are remembered for carry_keep_open(). */
json_t *fields_put(const struct field *fields, const void *structure);
/* Sets the fields that the object has, and leaves the others as they are. False after a sentence
 * that names `what` in `error`. */
bool fields_take(const struct field *fields, const json_t *object, void *structure,
                 const char *what, struct buf *error);

/* Any bytes. The taken text ends with a NUL that is not counted, and is to be freed; NULL: the
 * value is none. */
json_t *carry_bytes(const char *bytes, size_t length);
char *carry_bytes_take(const json_t *value, size_t *length);
/* An array below that name, which may be missing: then it is empty. False after a sentence. */
bool carry_list(const json_t *object, const char *name, size_t *count, struct buf *error);
/* Takes each of such an array, until one fails. */
typedef bool carry_take(const json_t *object, struct buf *error);
bool carry_each(const json_t *object, const char *name, carry_take *take, struct buf *error);

/* A descriptor that was put or taken. */
void carry_fd(int fd);
/* Whether those survive an exec. Standard input, output and error are left alone. */
void carry_keep_open(bool on);
void carry_forget(void);
/* A copy, close-on-exec, of one that was taken, for a user who closes it when something fails; -1
 * with errno. The one that was taken is closed by carry_settle(). */
int carry_copy(int fd);
/* All was taken: no descriptor survives another exec. */
void carry_settle(void);

/* A timer whose members `due` and `set` were taken runs again. */
void carry_timer(struct timer *timer);
#endif
