/* static: the Accept-Encoding field, RFC 9110, 12.5.3. */
#include "config.h"

#include <string.h>

#include "../../modules/static/accept.h"
#include "unit.h"

/* Offered are br, zstd and gzip, in this order. */
static const struct {
    const char *field;
    const char *order;
} fields[] = {
    {NULL, ""},
    {"", ""}, /* empty: nothing but the bare file */
    {"gzip", "gzip"},
    {"GZip", "gzip"},
    {"x-gzip", "gzip"}, /* 8.4.1.3 */
    {"x-br", ""},
    {"gzi", ""},
    {"gzipp", ""},
    {"compress, deflate", ""},
    {"gzip, deflate, br, zstd", "br zstd gzip"},
    {"gzip;q=1.0, br;q=0.5", "gzip br"},
    {"br;q=0.5,zstd;q=0.6,gzip;q=0.7", "gzip zstd br"},
    {"br;q=0.001,gzip;q=0.002", "gzip br"},
    {"gzip;q=0", ""},
    {"gzip;q=0.000", ""},
    {"gzip ; q=0.5", "gzip"},
    {"gzip;Q=0.5", "gzip"},
    {"\tgzip ,\t br", "br gzip"},
    {",,gzip,", "gzip"},
    {"*", "br zstd gzip"},
    {"*;q=0", ""},
    {"*;q=0, gzip", "gzip"},
    {"gzip;q=0, *", "br zstd"},
    {"*;q=0.5, gzip", "gzip br zstd"},
    {"identity", ""},
    {"identity, gzip", "gzip"}, /* among equals the smaller */
    {"identity;q=0.5, gzip", "gzip"},
    {"identity, gzip;q=0.5", ""},
    {"identity;q=0", ""},
    {"identity;q=0, *;q=0.1", "br zstd gzip"},
    {"gzip, identity;q=0", "gzip"},
    /* A malformed element is none. */
    {"gzip;q=2", ""},
    {"gzip;q=1.1", ""},
    {"gzip;q=-1", ""},
    {"gzip;q=", ""},
    {"gzip;q=.5", ""},
    {"gzip;q=0.1234", ""},
    {"gzip;level=9", ""},
    {"gzip br", ""},
    {"gzip;q=x, br", "br"},
};

START_TEST(rfc9110_12_5_3_accept_encoding)
{
    const struct accept_coding *offered[] = {accept_find("br"), accept_find("zstd"),
                                             accept_find("gzip")};
    const struct accept_coding *order[ACCEPT_CODINGS];
    char got[64] = "";
    size_t count = accept_order(fields[_i].field, offered, 3, order);
    for (size_t i = 0; i < count; i++) {
        strcat(got, i > 0 ? " " : "");
        strcat(got, order[i]->name);
    }
    ck_assert_msg(strcmp(got, fields[_i].order) == 0, "%s: \"%s\"", fields[_i].field, got);
}
END_TEST

START_TEST(only_what_is_offered)
{
    const struct accept_coding *offered[] = {accept_find("gzip"), accept_find("br")};
    const struct accept_coding *order[ACCEPT_CODINGS];
    ck_assert_uint_eq(accept_order("br, gzip, zstd", offered, 2, order), 2);
    ck_assert_str_eq(order[0]->name, "gzip");
    ck_assert_str_eq(order[1]->suffix, ".br");
    ck_assert_uint_eq(accept_order("zstd", offered, 2, order), 0);
    ck_assert_uint_eq(accept_order("br", offered, 0, order), 0);
    ck_assert_ptr_null(accept_find("deflate"));
}
END_TEST

UNIT_MAIN("static-accept", EACH(rfc9110_12_5_3_accept_encoding, fields),
          ONCE(only_what_is_offered))
