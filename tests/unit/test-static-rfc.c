/* What RFC 9110 demands of who serves representations: metadata, preconditions, ranges, and the
 * answers that go with them, each test named by its section. What a parser of one field owes has
 * its tests beside that parser. */
#include "config.h"

#include "rfc-site.h"

START_TEST(rfc9110_8_3_content_type)
{
    says(get("GET", "/a.txt", ""), "Content-Type", "text/plain; charset=utf-8");
    says(get("HEAD", "/page.html", "Accept-Encoding: gzip\r\n"), "Content-Type",
         "text/html; charset=utf-8"); /* that of what is packed */
    says(get("GET", "/none", ""), "Content-Type", "text/html; charset=utf-8");
    ck_assert(!has(get("OPTIONS", "/a.txt", ""), "Content-Type"));
}
END_TEST

/* What the bytes are packed with, and nothing where they are not. */
START_TEST(rfc9110_8_4_content_encoding)
{
    const char *output = get("GET", "/page.html", "Accept-Encoding: gzip\r\n");
    says(output, "Content-Encoding", "gzip");
    ck_assert_str_eq(content(output), "packed");
    output = get("GET", "/page.html", "Accept-Encoding: gzip;q=0\r\n");
    ck_assert(!has(output, "Content-Encoding"));
    ck_assert_str_eq(content(output), "<p>");
    ck_assert(!has(get("GET", "/page.html.gz", ""), "Content-Encoding"));
}
END_TEST

/* Never later than Date, or the file would seem newer than what was sent of it. */
START_TEST(rfc9110_8_8_2_1_last_modified)
{
    says(get("GET", "/a.txt", ""), "Last-Modified", THEN_TEXT);
    says(get("GET", "/later.txt", ""), "Last-Modified", NOW_TEXT);
}
END_TEST

/* Each coding of a file has a tag of its own, and keeps it. */
START_TEST(rfc9110_8_8_3_3_tags_of_codings)
{
    char plain[200], packed[200], again[200];
    ck_assert_uint_eq(count_field(get("GET", "/page.html", ""), "ETag", plain), 1);
    ck_assert_uint_eq(count_field(get("GET", "/page.html", "Accept-Encoding: gzip\r\n"), "ETag",
                                  packed), 1);
    ck_assert_uint_eq(count_field(get("HEAD", "/page.html", ""), "ETag", again), 1);
    ck_assert_str_ne(plain, packed);
    ck_assert_str_eq(plain, again);
    ck_assert_msg(plain[0] == '"' && plain[strlen(plain) - 1] == '"', "%s", plain);
}
END_TEST

/* Also where nothing was packed: the next client may take it. */
/* Who may not send a body is told so before it comes. */
START_TEST(rfc9110_10_1_1_refused_before_the_body)
{
    const char *output = get("PUT", "/a.txt", "Expect: 100-continue\r\nContent-Length: 999\r\n");
    ck_assert_int_eq(status_of(output), 405);
    says(output, "Allow", "GET, HEAD, OPTIONS");
    says(output, "Connection", "close");
}
END_TEST

/* No use is made of it, but its end is found, and it is bounded. */
START_TEST(rfc9110_9_3_1_body_of_get)
{
    static const char wanted[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char piece[1024] = {0};
    const char *output = ask("GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
                             "HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(status_of(output), 200);
    ck_assert(!has(output, "Connection"));
    ck_assert_int_eq(strncmp(content(output), "0123456789HTTP/1.1 404 ", 23), 0);

    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    const char *head = "GET /a.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                       "Content-Length: 1048577\r\n\r\n";
    fake_feed(conn, head, strlen(head));
    for (size_t i = 0; i < 1024; i++)
        fake_feed(conn, piece, sizeof piece);
    ck_assert_str_eq(fake_output(conn, NULL), wanted);
    fake_feed(conn, piece, 1);
    ck_assert_int_eq(status_of(fake_output(conn, NULL) + sizeof wanted - 1), 413);
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9110_12_5_5_vary)
{
    says(get("GET", "/page.html", "Accept-Encoding: gzip\r\n"), "Vary", "Accept-Encoding");
    says(get("GET", "/page.html", ""), "Vary", "Accept-Encoding");
    says(get("GET", "/a.txt", ""), "Vary", "Accept-Encoding");
}
END_TEST

/* The fields of a request that would not succeed without them are not looked at. */
START_TEST(rfc9110_13_2_1_only_where_it_would_succeed)
{
    ck_assert_int_eq(status_of(get("GET", "/none", "If-Match: \"x\"\r\n")), 404);
    ck_assert_int_eq(status_of(get("GET", "/none", "If-None-Match: *\r\n")), 404);
    ck_assert_int_eq(status_of(get("GET", "/sub", "If-Match: \"x\"\r\n")), 301);
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "If-Match: \"x\"\r\n")), 204);
    ck_assert_int_eq(status_of(get("PUT", "/a.txt", "If-Match: \"x\"\r\n")), 405);
}
END_TEST

/* A precondition that does not hold goes before a range that cannot be satisfied. */
START_TEST(rfc9110_13_2_2_before_the_range)
{
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=10-\r\nIf-Match: \"x\"\r\n")),
                     412);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=0-0\r\nIf-None-Match: *\r\n")),
                     304);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=10-\r\nIf-Range: \"x\"\r\n")),
                     200);
}
END_TEST

START_TEST(rfc9110_14_2_with_get_only)
{
    const char *output = get("HEAD", "/a.txt", "Range: bytes=0-1\r\n");
    ck_assert_int_eq(status_of(output), 200);
    says(output, "Content-Length", "10");
    ck_assert(!has(output, "Content-Range"));
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "Range: bytes=0-1\r\n")), 204);
}
END_TEST

START_TEST(rfc9110_14_3_accept_ranges)
{
    says(get("GET", "/a.txt", ""), "Accept-Ranges", "bytes");
}
END_TEST

START_TEST(rfc9110_15_3_7_1_one_part)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=2-4\r\n");
    ck_assert_int_eq(status_of(output), 206);
    says(output, "Content-Range", "bytes 2-4/10");
    says(output, "Content-Length", "3");
    says(output, "Content-Type", "text/plain; charset=utf-8");
    says(output, "Cache-Control", "max-age=60");
    says(output, "Vary", "Accept-Encoding");
    ck_assert(has(output, "ETag"));
    ck_assert_str_eq(content(output), "234");
}
END_TEST

/* Each part says where it stands, and only there. */
START_TEST(rfc9110_15_3_7_2_parts)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=0-0,5-6\r\n");
    ck_assert_int_eq(status_of(output), 206);
    ck_assert(!has(output, "Content-Range"));
    const char *body = content(output);
    ck_assert_ptr_nonnull(strstr(body, "\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--"));
    ck_assert_ptr_nonnull(strstr(body, "\r\nContent-Range: bytes 5-6/10\r\n\r\n56\r\n--"));
}
END_TEST

START_TEST(rfc9110_15_4_2_moved)
{
    says(get("GET", "/sub?a=b", ""), "Location", "/sub/?a=b");
}
END_TEST

/* All that 200 would have said and a cache needs; nothing else of the file. */
START_TEST(rfc9110_15_4_5_not_modified)
{
    char tag[200], fields[300];
    const char *whole = get("GET", "/page.html", "");
    ck_assert_uint_eq(count_field(whole, "ETag", tag), 1);
    snprintf(fields, sizeof fields, "If-None-Match: \"x\", %s\r\n", tag);
    const char *output = get("GET", "/page.html", fields);
    ck_assert_int_eq(status_of(output), 304);
    says(output, "ETag", tag);
    says(output, "Vary", "Accept-Encoding");
    says(output, "Cache-Control", "max-age=60");
    ck_assert_str_eq(content(output), "");
    ck_assert(!has(output, "Content-Type") && !has(output, "Content-Encoding"));
}
END_TEST

START_TEST(rfc9110_15_5_6_allow)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const char *output = get(methods[i], "/a.txt", "");
        ck_assert_int_eq(status_of(output), 405);
        says(output, "Allow", "GET, HEAD, OPTIONS");
    }
}
END_TEST

START_TEST(rfc9110_15_5_17_length_of_the_file)
{
    const char *output = get("GET", "/a.txt", "Range: bytes=10-\r\n");
    ck_assert_int_eq(status_of(output), 416);
    says(output, "Content-Range", "bytes */10");
}
END_TEST

UNIT_MAIN_AROUND("static-rfc", set_up, tear_down, ONCE(rfc9110_8_3_content_type),
                 ONCE(rfc9110_8_4_content_encoding), ONCE(rfc9110_8_8_2_1_last_modified),
                 ONCE(rfc9110_8_8_3_3_tags_of_codings), ONCE(rfc9110_9_3_1_body_of_get),
                 ONCE(rfc9110_10_1_1_refused_before_the_body), ONCE(rfc9110_12_5_5_vary),
                 ONCE(rfc9110_13_2_1_only_where_it_would_succeed),
                 ONCE(rfc9110_13_2_2_before_the_range), ONCE(rfc9110_14_2_with_get_only),
                 ONCE(rfc9110_14_3_accept_ranges), ONCE(rfc9110_15_3_7_1_one_part),
                 ONCE(rfc9110_15_3_7_2_parts), ONCE(rfc9110_15_4_2_moved),
                 ONCE(rfc9110_15_4_5_not_modified), ONCE(rfc9110_15_5_6_allow),
                 ONCE(rfc9110_15_5_17_length_of_the_file))
