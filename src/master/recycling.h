/* Workers that have lasted long enough are replaced. */
#ifndef MASTER_RECYCLING_H
#define MASTER_RECYCLING_H

/* Once a round: begins at most one replacement. */
void recycling_round(void);
#endif
