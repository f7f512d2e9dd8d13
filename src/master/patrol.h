/* The master's round, once a second. */
#ifndef MASTER_PATROL_H
#define MASTER_PATROL_H

void patrol_start(void); /* once, when the first generation serves */
#endif
