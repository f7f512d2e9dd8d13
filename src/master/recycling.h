/* Workers that have lasted long enough are replaced. */
#ifndef MASTER_RECYCLING_H
#define MASTER_RECYCLING_H

struct worker;

/* A worker was started: its own limits are drawn. */
void recycling_draw(struct worker *worker);
/* Once a round: begins at most one replacement. */
void recycling_round(void);
#endif
