/* Answers: from what was said to bytes in the output queue. Loop thread. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H
#include "request.h"

/* The reason phrase; NULL if the status is none that may be sent. */
const char *answer_reason(int status);
/* Never has content, whatever is said (RFC 9110, 15.3.5, 15.3.6 and 15.4.5). */
bool answer_is_bare(int status);
/* Makes the answer the standard page of `status`, with one sentence more unless `why` is NULL. The
 * page is kept in the answer. False: memory is short. */
bool answer_page(struct answer *answer, int status, const char *why);
/* Queues the answer. False: memory is short, the connection must end. What the answer owns goes to
 * the engine, or stays until answer_reset(). */
bool answer_send(struct request *request, reeve_conn *conn);
/* Queues an interim answer with the fields that were set. False: memory is short, nothing was
 * queued. */
bool answer_interim(const struct answer *answer, reeve_conn *conn, int status);
/* The parts of a head, written to where there is answer_head_room(): from the status line, with the
 * date right behind it, to what frames the body; then what concerns this request alone, and the
 * empty line. Return the end. */
char *answer_put_head(char *at, const struct answer *answer, struct answer_date *date);
void answer_write_date(struct answer_date *date, int64_t now);
static inline char *answer_put_date(char *at, struct answer_date *date)
{
    int64_t now = reeve_time();
    if (now != date->second)
        answer_write_date(date, now);
    memcpy(at, date->field, ANSWER_DATE);
    return at + ANSWER_DATE;
}
char *answer_put_own(char *at, struct request *request);
/* Of fields that the core adds for this request alone there are none. */
static inline bool answer_is_plain(const struct request *request)
{
    return !request->close && request->parse.minor > 0 && settings.request_id == NULL;
}
size_t answer_head_room(const struct answer *answer);
#define ANSWER_SMALL 32768 /* up to here a body is copied behind its head */
/* Forgets it and what it owns. */
void answer_reset(struct answer *answer);
/* All of it is queued: lets go of what only made it. */
void answer_lighten(struct answer *answer);
#endif
