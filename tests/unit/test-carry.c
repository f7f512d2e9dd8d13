/* Carrying values from one image of the master to the next: every type there and back, what is
 * missing, what is not known, and what does not fit. */
#include "config.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "master/carry.h"
#include "master/estate.h"
#include "share/channel.h"
#include "unit.h"

struct thing {
    bool yes;
    int number;
    uint32_t small;
    int64_t time;
    uint64_t large;
    char *text, *none;
    int fd, closed;
};
static const struct field fields[] = {
    FIELD(BOOL, struct thing, yes),   FIELD(INT, struct thing, number),
    FIELD(U32, struct thing, small),  FIELD(I64, struct thing, time),
    FIELD(U64, struct thing, large),  FIELD(TEXT, struct thing, text),
    FIELD(TEXT, struct thing, none),  FIELD(FD, struct thing, fd),
    FIELD(FD, struct thing, closed),  FIELDS_END,
};

/* Through a text, as over an exec. */
static json_t *reread(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *again = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);

    ck_assert_ptr_nonnull(again);
    free(text);
    json_decref(value);
    return again;
}

START_TEST(there_and_back)
{
    static char bytes[] = "caf\xe9 \xff"; /* no UTF-8 */
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct thing was = {true, -5, UINT32_MAX, INT64_MIN, UINT64_MAX - 1, bytes, NULL, fd, -1};
    struct thing is = {.none = bytes, .fd = -1, .closed = 9};
    struct buf error = {0};
    json_t *object = reread(fields_put(fields, &was));

    ck_assert(fields_take(fields, object, &is, "thing", &error));
    ck_assert_str_eq(buf_text(&error), "");
    ck_assert(is.yes && is.number == -5 && is.small == UINT32_MAX && is.time == INT64_MIN);
    ck_assert_uint_eq(is.large, UINT64_MAX - 1);
    ck_assert_str_eq(is.text, bytes);
    ck_assert_ptr_null(is.none);
    ck_assert_int_eq(is.fd, fd);
    ck_assert_int_eq(is.closed, -1);
    free(is.text);
    json_decref(object);
    carry_keep_open(true);
    ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
    carry_keep_open(false);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    carry_forget();
    close(fd);
}
END_TEST

START_TEST(copies_outlive_what_was_taken)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy;

    carry_fd(fd);
    copy = carry_copy(fd);
    ck_assert_int_ge(copy, 3);
    carry_settle();
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
    ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
    close(copy);
}
END_TEST

START_TEST(missing_and_unknown)
{
    struct thing is = {.number = 3, .text = NULL, .fd = -1};
    struct buf error = {0};
    json_t *object = json_loads("{\"small\":4,\"of tomorrow\":[1]}", 0, NULL);

    ck_assert(fields_take(fields, object, &is, "thing", &error));
    ck_assert_int_eq(is.number, 3);
    ck_assert_uint_eq(is.small, 4);
    ck_assert_int_eq(is.fd, -1);
    json_decref(object);
}
END_TEST

static const struct {
    const char *object, *sentence;
} unfit[] = {
    {"[]", "the state has no thing\n"},
    {"{\"yes\":1}", "the state's yes of a thing cannot be used\n"},
    {"{\"number\":2147483648}", "the state's number of a thing cannot be used\n"},
    {"{\"number\":null}", "the state's number of a thing cannot be used\n"},
    {"{\"small\":-1}", "the state's small of a thing cannot be used\n"},
    {"{\"large\":\"7\"}", "the state's large of a thing cannot be used\n"},
    {"{\"text\":7}", "the state's text of a thing cannot be used\n"},
    {"{\"fd\":-1}", "the state's fd of a thing cannot be used\n"},
    {"{\"fd\":987654}", "the state's fd of a thing cannot be used\n"},
};

START_TEST(does_not_fit)
{
    struct thing is = {0};
    struct buf error = {0};
    json_t *object = json_loads(unfit[_i].object, 0, NULL);

    ck_assert(!fields_take(fields, object, &is, "thing", &error));
    ck_assert_str_eq(buf_text(&error), unfit[_i].sentence);
    buf_free(&error);
    json_decref(object);
}
END_TEST

START_TEST(bytes)
{
    static const char some[] = "a\0b\nc";
    size_t length;
    json_t *value = reread(carry_bytes(some, sizeof(some)));
    char *back = carry_bytes_take(value, &length);

    ck_assert_uint_eq(length, sizeof(some));
    ck_assert_mem_eq(back, some, sizeof(some));
    free(back);
    json_decref(value);
    value = reread(carry_bytes(NULL, 0));
    back = carry_bytes_take(value, &length);
    ck_assert_uint_eq(length, 0);
    ck_assert_str_eq(back, "");
    free(back);
    json_decref(value);
    ck_assert_ptr_null(carry_bytes_take(NULL, &length));
}
END_TEST

START_TEST(versions)
{
    struct buf error = {0};
    json_t *state = json_pack("{s:s,s:i,s:[s]}", "kind", "reeve state", "version", ESTATE_VERSION,
                              "messages", msg_name((enum msg_type)0));

    ck_assert(estate_fits(state, &error));
    json_object_set_new(state, "messages", json_pack("[ss]", msg_name((enum msg_type)0), "?"));
    ck_assert(!estate_fits(state, &error));
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "speak in another way (message ?)"));
    json_object_del(state, "messages");
    for (int version = ESTATE_OLDEST - 1; version <= ESTATE_VERSION + 1; version++) {
        json_object_set_new(state, "version", json_integer(version));
        ck_assert_int_eq(estate_fits(state, &error),
                         version >= ESTATE_OLDEST && version <= ESTATE_VERSION);
    }
    buf_free(&error);
    json_decref(state);
}
END_TEST

UNIT_MAIN("carry", ONCE(there_and_back), ONCE(copies_outlive_what_was_taken),
          ONCE(missing_and_unknown), EACH(does_not_fit, unfit), ONCE(bytes), ONCE(versions))
