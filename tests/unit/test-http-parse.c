/* Which heads of requests are good: whole and split at every byte, the same result. */
#include "config.h"

#include <string.h>

#include "head.h"
#include "unit.h"

struct row {
    const char *data;
    int status; /* 0: good, -1: not complete */
};

static void judge(const struct row *row)
{
    head_expect(row->data, strlen(row->data),
           row->status == 0  ? PARSE_DONE
           : row->status < 0 ? PARSE_MORE
                             : PARSE_BAD,
           row->status);
}

/* A test for each row of NAME_rows. */
#define JUDGE(name)                                                                                \
    START_TEST(name)                                                                               \
    {                                                                                              \
        judge(&name##_rows[_i]);                                                                   \
    }                                                                                              \
    END_TEST
#define ROWS(name) EACH(name, name##_rows)

/* Line ends, white space before the first field, what is no HTTP at all. */
static const struct row rfc9112_2_2_message_parsing_rows[] = {
    {GET "\r\n", 0},
    {"", -1},
    {"G", -1},
    {GET, -1},
    {GET "\r", -1},
    {"\r\nGET / HTTP/1.1\r\n\r\n", 400}, /* the connection skips empty lines, not the parser */
    {"\x16\x03\x01\x02", 400},
    {"GET / HTTP/1.1\n\n", 400},
    {"GET / HTTP/1.1\r\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
    {GET "X: a\rb\r\n\r\n", 400},
    {GET "X: a\r\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
};
JUDGE(rfc9112_2_2_message_parsing)

static const struct row rfc9112_2_3_version_rows[] = {
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0},
    {"GET / http/1.1\r\n\r\n", 400},
    {"GET / HTTP/11\r\n\r\n", 400},
    {"GET / HTTP/1.10\r\n\r\n", 400},
    {"GET / HTTP/1,1\r\n\r\n", 400},
    {"GET / HTTP/a.1\r\n\r\n", 400},
    {"GET / HTTP/2.0\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\n\r\n", 505},
};
JUDGE(rfc9112_2_3_version)

static const struct row rfc9112_3_request_line_rows[] = {
    {"M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {" GET / HTTP/1.1\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\n\r\n", 400},
    {"GET /  HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\n\r\n", 400},
    {"GET\t/ HTTP/1.1\r\n\r\n", 400},
    {"GET / / HTTP/1.1\r\n\r\n", 400},
    {"GET /\r\n\r\n", 400},
    {"GET\r\n\r\n", 400},
    {"G@T / HTTP/1.1\r\n\r\n", 400},
    {"GET /a#b HTTP/1.1\r\n\r\n", 400},
    {"GET /a\x01 HTTP/1.1\r\n\r\n", 400},
    {"GET /a\x7f HTTP/1.1\r\n\r\n", 400},
    /* a line of 64 bytes; one of 65; one without end; a method that is too long itself */
    {"GET /123456789012345678901234567890123456789012345678 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"GET /123456789012345678901234567890123456789012345678901 HTTP/1.1\r\nHost: a\r\n\r\n", 414},
    {"GET /12345678901234567890123456789012345678901234567890123456789012345678901234", 414},
    {"GET1234567890123456789012345678901234567890123456789012345678901 / HTTP/1.1\r\n\r\n", 501},
    {"GET12345678901234567890123456789012345678901234567890123456789012345678901234567", 501},
};
JUDGE(rfc9112_3_request_line)

/* Host may be empty, never malformed; that it is the right one is not the parser's business. */
static const struct row rfc9112_3_2_host_rows[] = {
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost:\ta:80 \t\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost: a:b\r\n\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\n\r\n", 400},
    {"GET http://a/ HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
};
JUDGE(rfc9112_3_2_host)

static const struct row rfc9112_5_field_syntax_rows[] = {
    {GET "X: \xc3\xa4\tb\r\n\r\n", 0},
    {GET "X:\r\nY:  \r\n\r\n", 0},
    {GET ": b\r\n\r\n", 400},
    {GET "X\r\n\r\n", 400},
    {GET "X y: b\r\n\r\n", 400},
    {GET "X\xc3: b\r\n\r\n", 400},
    {GET "X: a\x01\r\n\r\n", 400},
    {GET "X: a\x7f\r\n\r\n", 400},
};
JUDGE(rfc9112_5_field_syntax)

static const struct row rfc9112_5_1_space_before_colon_rows[] = {
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {GET "X\t: a\r\n\r\n", 400},
};
JUDGE(rfc9112_5_1_space_before_colon)

static const struct row rfc9112_5_2_folding_rows[] = {
    {GET "X: a\r\n b\r\n\r\n", 400},
    {GET "X: a\r\n\tb\r\n\r\n", 400},
    {GET "X: a\r\n \r\n\r\n", 400},
};
JUDGE(rfc9112_5_2_folding)

static const struct row rfc9112_6_1_transfer_encoding_rows[] = {
    {POST "Transfer-Encoding: Chunked\r\n\r\n", 0},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: gzip;q=1\t, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: identity, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
};
JUDGE(rfc9112_6_1_transfer_encoding)

/* Chunked must be the last coding, and be there; else nobody knows where the body ends. */
static const struct row rfc9112_6_3_chunked_last_rows[] = {
    {POST "Transfer-Encoding: gzip\r\n\r\n", 400},
    {POST "Transfer-Encoding: identity\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunkedx\r\n\r\n", 400},
    {POST "Transfer-Encoding: x chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
    {POST "Transfer-Encoding:\r\n\r\n", 400},
    {POST "Transfer-Encoding: ,chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked,\r\n\r\n", 400},
};
JUDGE(rfc9112_6_3_chunked_last)

static const struct row rfc9112_6_3_content_length_rows[] = {
    {POST "Content-Length: 0005\r\n\r\n", 0},
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", 400},
    {POST "Content-Length: 5, 5\r\n\r\n", 400},
    {POST "Content-Length: +5\r\n\r\n", 400},
    {POST "Content-Length: -5\r\n\r\n", 400},
    {POST "Content-Length: 0x5\r\n\r\n", 400},
    {POST "Content-Length: 5 5\r\n\r\n", 400},
    {POST "Content-Length: 5;\r\n\r\n", 400},
    {POST "Content-Length: \"5\"\r\n\r\n", 400},
    {POST "Content-Length:\r\n\r\n", 400},
};
JUDGE(rfc9112_6_3_content_length)

static const struct row rfc9112_7_1_chunked_has_no_parameters_rows[] = {
    {POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked ; a=\"b\"\r\n\r\n", 400},
};
JUDGE(rfc9112_7_1_chunked_has_no_parameters)

/* At most 4 fields. */
static const struct row rfc9110_5_4_field_limits_rows[] = {
    {GET "A: 1\r\nB: 1\r\nC: 1\r\n\r\n", 0},
    {GET "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", 431},
};
JUDGE(rfc9110_5_4_field_limits)

START_TEST(rfc9112_2_2_nul)
{
    static const char line[] = "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char field[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
    head_expect(line, sizeof line - 1, PARSE_BAD, 400);
    head_expect(field, sizeof field - 1, PARSE_BAD, 400);
}
END_TEST

UNIT_MAIN("http-parse", ROWS(rfc9112_2_2_message_parsing), ONCE(rfc9112_2_2_nul),
          ROWS(rfc9112_2_3_version), ROWS(rfc9112_3_request_line), ROWS(rfc9112_3_2_host),
          ROWS(rfc9112_5_field_syntax), ROWS(rfc9112_5_1_space_before_colon),
          ROWS(rfc9112_5_2_folding), ROWS(rfc9112_6_1_transfer_encoding),
          ROWS(rfc9112_6_3_chunked_last), ROWS(rfc9112_6_3_content_length),
          ROWS(rfc9112_7_1_chunked_has_no_parameters), ROWS(rfc9110_5_4_field_limits))
