/* The verbs of the control protocol. */
#ifndef MASTER_VERBS_H
#define MASTER_VERBS_H

struct client;

/* Carries out one request line of that client, which it may change. */
void verb_dispatch(struct client *client, char *line);
#endif
