/* Numbers as people read them. Pure functions. */
#ifndef CTL_UNITS_H
#define CTL_UNITS_H
#include <stdint.h>

struct buf;

void units_put_count(struct buf *out, int64_t count);     /* "999999", "1.234M" */
void units_put_bytes(struct buf *out, int64_t bytes);     /* "512 B", "1.5 KiB" */
void units_put_uptime(struct buf *out, int64_t seconds);  /* "45s", "3m 20s", "1d 2h" */
void units_put_ms(struct buf *out, int64_t ms);           /* "250ms", "1.5s", "2m 5s" */
void units_put_rate(struct buf *out, double per_second);  /* "0/s", "2.5/s", "1234/s" */
#endif
