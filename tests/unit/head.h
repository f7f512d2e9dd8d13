/* For tests of the parser: heads of requests, and what becomes of them. One thread. */
#ifndef TESTS_HEAD_H
#define TESTS_HEAD_H
#include <stddef.h>

#include "../../modules/http/parse.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

/* Small ones: a line of 64 bytes, 200 bytes of 4 fields. */
extern const struct parse_limits limits;
/* What is being parsed. */
extern struct parse parse;
extern struct parse_field fields[PARSE_FIELDS_MAX];

/* Goes on with the head of which so much is there; *used: its length, when it is complete. */
enum parse_result head_parse(const struct parse_limits *most, const char *data, size_t length,
                             size_t *used);
/* The same with `limits`, and a copy of exactly these bytes: sanitizers see a read behind them. */
enum parse_result head_feed(const char *data, size_t length, size_t *used);
/* All of it at once, in two pieces at each place, and byte by byte. */
void head_expect(const char *data, size_t length, enum parse_result wanted, int status);
/* All of it at once; it is complete and good. */
void head_good(const char *data);
#endif
