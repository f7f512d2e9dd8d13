/* What RFC 9112 demands of an origin server, and RFC 9110 of its messages, each test named by its
 * section. What a parser of one field owes has its tests beside that parser; requests that are
 * refused or split are in tests/corpus/http. */
#include "config.h"

#include "../../modules/http/answer.h"
#include "rfc-site.h"

START_TEST(rfc9112_4_status_line)
{
    for (int code = 200; code < 600; code++) {
        char target[32];
        unsigned major, minor;
        int told = 0, behind = 0;
        snprintf(target, sizeof target, "/status?%d", code);
        const char *output = get("HEAD", target, "");
        ck_assert_int_eq(sscanf(output, "HTTP/%1u.%1u %3d %n", &major, &minor, &told, &behind), 3);
        ck_assert_int_eq(told, answer_reason(code) != NULL ? code : 500);
        ck_assert_int_eq(behind, 13);
        ck_assert_int_eq(strncmp(output + 13, answer_reason(told), strlen(answer_reason(told))),
                         0);
    }
}
END_TEST

/* Every line of what is sent is a field, without white space before the colon and without folds. */
START_TEST(rfc9112_5_fields_that_are_sent)
{
    static const char *const targets[] = {"/a.txt", "/none", "/sub", "/page.html", "/stream?200"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("HEAD", targets[i], "Accept-Encoding: gzip\r\n");
        const char *at = strstr(output, "\r\n") + 2;
        for (; strncmp(at, "\r\n", 2) != 0; at = strstr(at, "\r\n") + 2) {
            size_t name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-");
            ck_assert_msg(name > 0 && at[name] == ':' && at[name + 1] == ' ', "%s", at);
        }
    }
}
END_TEST

/* No Transfer-Encoding where it would be misread: in a 204, to HTTP/1.0. */
START_TEST(rfc9112_6_1_coding_where_it_may_be)
{
    says(get("HEAD", "/stream?200", ""), "Transfer-Encoding", "chunked");
    ck_assert(!has(get("GET", "/stream?204", ""), "Transfer-Encoding"));
    ck_assert(!has(get("GET", "/stream?304", ""), "Transfer-Encoding"));
    ck_assert(!has(ask("HEAD /stream?200 HTTP/1.0\r\n\r\n"), "Transfer-Encoding"));
}
END_TEST

START_TEST(rfc9112_6_2_length_or_coding)
{
    static const char *const targets[] = {"/stream?200", "/stream?200=5", "/stream?404", "/a.txt",
                                          "/status?200", "/status?404"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("HEAD", targets[i], "");
        ck_assert_msg(has(output, "Content-Length") != has(output, "Transfer-Encoding"), "%s",
                      output);
    }
}
END_TEST

/* Who is too slow is told so, as far as he has said anything, and the connection ends. */
START_TEST(rfc9112_9_5_timeouts)
{
    static const char *const inputs[] = {
        "", "GET /a.txt HTTP/1.1\r\nHost: a\r\n",
        "POST /status?200 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
        fake_feed(conn, inputs[i], strlen(inputs[i]));
        fake_expire(conn);
        const char *output = fake_output(conn, NULL);
        ck_assert_int_eq(fake_verdict(conn), REEVE_CLOSE);
        if (i == 0) {
            ck_assert_str_eq(output, "");
        } else {
            ck_assert_int_eq(status_of(output), 408);
            says(output, "Connection", "close"); /* RFC 9110, 15.5.9 */
        }
        fake_close(&conn);
    }
}
END_TEST

/* What comes behind a request that closes is not answered, and not done. */
START_TEST(rfc9112_9_6_nothing_behind_close)
{
    asked = 0;
    const char *output = ask("GET /status?200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                             "GET /status?200 HTTP/1.1\r\nHost: a\r\n\r\n");
    says(output, "Connection", "close");
    ck_assert_ptr_null(strstr(output + 1, "HTTP/1.1"));
    ck_assert_uint_eq(asked, 1);
}
END_TEST

/* The version is that of the server, whatever the client's minor number is. */
START_TEST(rfc9110_2_5_version)
{
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.0\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.7\r\nHost: a\r\n\r\n")), 200);
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/3.0\r\nHost: a\r\n\r\n")), 505);
}
END_TEST

START_TEST(rfc9110_5_1_names_in_any_case)
{
    ck_assert_str_eq(content(get("GET", "/field?x-TEST", "X-test: v\r\n")), "[v]");
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.1\r\nhOST: a\r\nrANGE: bytes=0-0\r\n\r\n")),
                     206);
    ck_assert_str_eq(content(ask("POST /field?x HTTP/1.1\r\nHOST: a\r\ncontent-LENGTH: 3\r\n"
                                 "X: y\r\n\r\nabc")), "[y]");
}
END_TEST

/* A field that stands there several times has all the values: tags on two lines are one list, and
 * of what may stand there once, two are none. */
START_TEST(rfc9110_5_2_repeated_fields)
{
    char tag[200], fields[400];
    ck_assert_str_eq(content(get("GET", "/field?X", "X: a\r\nY: b\r\nx: c, d\r\nX:\r\n")),
                     "[a, c, d, ]");
    ck_assert_str_eq(content(get("GET", "/field?Y", "X: a\r\nY: b\r\nX: c\r\ny: d\r\n")),
                     "[b, d]");
    ck_assert_uint_eq(count_field(get("GET", "/a.txt", ""), "ETag", tag), 1);
    snprintf(fields, sizeof fields, "If-Match: \"x\"\r\nIf-Match: %s\r\n", tag);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", fields)), 200);
    snprintf(fields, sizeof fields, "If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", tag);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", fields)), 304);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "If-Modified-Since: " NOW_TEXT "\r\n"
                                                    "If-Modified-Since: " NOW_TEXT "\r\n")),
                     200); /* 13.1.3: more than one member */
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=0-0\r\nRange: bytes=1-1\r\n")),
                     200);
    says(get("GET", "/page.html", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n"),
         "Content-Encoding", "gzip");
    ck_assert_str_eq(content(ask("GET http://a/field?X HTTP/1.1\r\nX: a\r\nHost: b\r\nX: c\r\n"
                                 "\r\n")), "[a, c]");
}
END_TEST

/* Nothing is done before all fields are there: the last one may forbid it. */
START_TEST(rfc9110_5_3_not_before_the_last_field)
{
    static const char head[] = "GET /status?200 HTTP/1.1\r\nHost: a\r\nX: y\r\n";
    asked = 0;
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    fake_feed(conn, head, sizeof head - 1);
    ck_assert_uint_eq(asked, 0);
    ck_assert_str_eq(fake_output(conn, NULL), "");
    fake_feed(conn, "\r\n", 2);
    ck_assert_uint_eq(asked, 1);
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9110_5_5_field_values)
{
    ck_assert_str_eq(content(get("GET", "/field?X", "X:y\r\n")), "[y]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X: \t y z\t \r\n")), "[y z]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X:\r\n")), "[]");
    ck_assert_str_eq(content(get("GET", "/field?X", "X: \xc3\xa9\xff\r\n")), "[\xc3\xa9\xff]");
}
END_TEST

/* A list may hold empty elements. */
START_TEST(rfc9110_5_6_1_2_empty_elements)
{
    says(get("GET", "/a.txt", "Connection: ,, close ,\r\n"), "Connection", "close");
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Expect: , 100-continue ,,\r\n")), 200);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "Range: bytes=,0-0 , ,\r\n")), 206);
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "If-Match: , \"x\",\r\n")), 412);
    says(get("GET", "/page.html", "Accept-Encoding: ,, gzip ,\r\n"), "Content-Encoding", "gzip");
}
END_TEST

/* Every answer tells the time, once. */
START_TEST(rfc9110_6_6_1_date)
{
    static const char *const inputs[] = {
        "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", "GET /sub HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "G\x01\r\n", "\r\nX\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "PUT /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-1\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=10-\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        says(ask(inputs[i]), "Date", NOW_TEXT);
}
END_TEST

START_TEST(rfc9110_7_6_1_connection_options_in_any_case)
{
    says(get("GET", "/a.txt", "Connection: CLOSE\r\n"), "Connection", "close");
    says(ask("GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), "Connection", "keep-alive");
}
END_TEST

/* A server that does not change protocols answers as if the field were not there. */
START_TEST(rfc9110_7_8_upgrade)
{
    const char *output = get("GET", "/a.txt", "Connection: upgrade\r\nUpgrade: h2c\r\n");
    ck_assert_int_eq(status_of(output), 200);
    ck_assert(!has(output, "Upgrade"));
    ck_assert_int_eq(status_of(ask("GET /a.txt HTTP/1.0\r\nUpgrade: HTTP/2.0\r\n\r\n")), 200);
}
END_TEST

/* No length where none may be; for HEAD the one that GET would have. */
START_TEST(rfc9110_8_6_content_length)
{
    ck_assert(!has(get("GET", "/status?204", ""), "Content-Length"));
    ck_assert(!has(get("GET", "/stream?204=5", ""), "Content-Length"));
    ck_assert(!has(get("OPTIONS", "/a.txt", ""), "Content-Length"));
    ck_assert(!has(get("GET", "/a.txt", "If-None-Match: *\r\n"), "Content-Length"));
    says(get("GET", "/a.txt", ""), "Content-Length", "10");
    says(get("HEAD", "/a.txt", ""), "Content-Length", "10");
    says(get("HEAD", "/stream?200=5", ""), "Content-Length", "5");
    reeve_conn *conn = fake_open(reeve_module_descriptor.protocol);
    static const char input[] = "POST /status?200 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                                "Expect: 100-continue\r\n\r\n";
    fake_feed(conn, input, sizeof input - 1);
    ck_assert_str_eq(fake_output(conn, NULL), "HTTP/1.1 100 Continue\r\n\r\n");
    fake_close(&conn);
}
END_TEST

START_TEST(rfc9110_9_1_methods)
{
    ck_assert_int_eq(status_of(get("GET", "/a.txt", "")), 200);
    ck_assert_int_eq(status_of(get("HEAD", "/a.txt", "")), 200);
    ck_assert_int_eq(status_of(get("Get", "/a.txt", "")), 501); /* case counts */
    ck_assert_int_eq(status_of(get("BREW", "/a.txt", "")), 501);
    ck_assert_int_eq(status_of(get("DELETE", "/a.txt", "")), 405);
}
END_TEST

/* The same fields as for GET, and nothing behind them. */
START_TEST(rfc9110_9_3_2_fields_of_head)
{
    static const char *const targets[] = {"/a.txt", "/none", "/sub", "/status?404"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *whole = get("GET", targets[i], ""), *head = get("HEAD", targets[i], "");
        ck_assert_uint_eq(strlen(head), (size_t)(content(whole) - whole));
        ck_assert_int_eq(strncmp(whole, head, strlen(head)), 0);
    }
}
END_TEST

START_TEST(rfc9110_9_3_7_options)
{
    says(get("OPTIONS", "/a.txt", ""), "Allow", "GET, HEAD, OPTIONS");
    ck_assert_int_eq(status_of(get("OPTIONS", "/a.txt", "Content-Length: 3\r\n\r\nabc")), 204);
}
END_TEST

/* What was asked is not sent back: there may be credentials in it. */
START_TEST(rfc9110_9_3_8_trace)
{
    const char *output = get("TRACE", "/a.txt", "Cookie: secret\r\n");
    ck_assert_int_eq(status_of(output), 405);
    ck_assert_ptr_null(strstr(output, "secret"));
}
END_TEST

/* Nothing before the answer for a client that would take it for the answer. */
START_TEST(rfc9110_15_2_interim_answers)
{
    const char *output = get("GET", "/interim", "");
    ck_assert_int_eq(status_of(output), 103);
    says(output, "Link", "</a>");
    ck_assert(!has(output, "Content-Length"));
    ck_assert_int_eq(status_of(content(output)), 200);
    output = ask("GET /interim HTTP/1.0\r\n\r\n");
    ck_assert_int_eq(status_of(output), 200);
    ck_assert_str_eq(content(output), "text");
}
END_TEST

START_TEST(rfc9110_15_3_5_no_content)
{
    static const char *const targets[] = {"/status?204", "/stream?204", "/stream?204=5"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("GET", targets[i], "");
        ck_assert_int_eq(status_of(output), 204);
        ck_assert_str_eq(content(output), "");
    }
}
END_TEST

START_TEST(rfc9110_15_3_6_reset_content)
{
    static const char *const targets[] = {"/status?205", "/stream?205", "/stream?205=5"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const char *output = get("GET", targets[i], "");
        says(output, "Content-Length", "0");
        ck_assert(!has(output, "Transfer-Encoding"));
        ck_assert_str_eq(content(output), "");
    }
    says(get("HEAD", "/status?205", ""), "Content-Length", "0");
    ck_assert_str_eq(content(ask("GET /stream?205 HTTP/1.0\r\n\r\n")), "");
}
END_TEST

/* It says why, and what would do. */
START_TEST(rfc9110_15_6_6_versions)
{
    const char *output = ask("GET / HTTP/2.0\r\nHost: a\r\n\r\n");
    ck_assert_int_eq(status_of(output), 505);
    ck_assert_ptr_nonnull(strstr(content(output), "HTTP/1.0 and HTTP/1.1"));
}
END_TEST

UNIT_MAIN_AROUND("http-rfc", set_up, tear_down, ONCE(rfc9112_4_status_line),
                 ONCE(rfc9112_5_fields_that_are_sent), ONCE(rfc9112_6_1_coding_where_it_may_be),
                 ONCE(rfc9112_6_2_length_or_coding), ONCE(rfc9112_9_5_timeouts),
                 ONCE(rfc9112_9_6_nothing_behind_close), ONCE(rfc9110_2_5_version),
                 ONCE(rfc9110_5_1_names_in_any_case), ONCE(rfc9110_5_2_repeated_fields),
                 ONCE(rfc9110_5_3_not_before_the_last_field), ONCE(rfc9110_5_5_field_values),
                 ONCE(rfc9110_5_6_1_2_empty_elements), ONCE(rfc9110_6_6_1_date),
                 ONCE(rfc9110_7_6_1_connection_options_in_any_case), ONCE(rfc9110_7_8_upgrade),
                 ONCE(rfc9110_8_6_content_length), ONCE(rfc9110_9_1_methods),
                 ONCE(rfc9110_9_3_2_fields_of_head), ONCE(rfc9110_9_3_7_options),
                 ONCE(rfc9110_9_3_8_trace), ONCE(rfc9110_15_2_interim_answers),
                 ONCE(rfc9110_15_3_5_no_content), ONCE(rfc9110_15_3_6_reset_content),
                 ONCE(rfc9110_15_6_6_versions))
