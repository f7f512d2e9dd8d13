/* What workers say. */
#ifndef MASTER_HEARING_H
#define MASTER_HEARING_H

struct msg;
struct worker;

/* Carries out one message. A descriptor that it takes over it sets to -1 in the message. */
void hearing(struct worker *worker, struct msg *msg);
#endif
