/* For tests of whole connections: a site with a handler for each way to answer, and what is
 * expected of it: bytes in, bytes out, whole and split. One thread. */
#ifndef TESTS_SITE_H
#define TESTS_SITE_H
#include <stdbool.h>

#include "own-site.h"

#define DATE "Date: Fri, 20 Nov 2026 23:01:02 GMT\r\n"
#define HEAD_200 "HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\n"
#define HELLO HEAD_200 "Content-Length: 6\r\n\r\nhello\n"
#define HELLO_CLOSE HEAD_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n"

/* What "/big" answers. */
#define SITE_BIG 100000
extern char site_big[SITE_BIG];

/* Around each test. */
void site_open(void);
void site_close(void);
void site_feed(reeve_conn *conn, const char *text);
/* All that was answered so far; nothing is in hand. */
void site_check(reeve_conn *conn, const char *wanted);
/* The answer to `input`, however it is split, is `wanted`. */
void site_expect(const char *input, const char *wanted);
/* The same for an error page: its status, and whether the connection ends. */
void site_expect_page(const char *input, const char *status, bool closed);
#endif
