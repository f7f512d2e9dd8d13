/* Between the files of the orders; see orders.h. */
#ifndef WORKER_ORDERS_PRIVATE_H
#define WORKER_ORDERS_PRIVATE_H
#include "worker/orders.h"

/* orders.c: the one place where the state changes */
void orders_move(struct orders *orders, enum orders_state to);
/* Finishes what is in hand, at most for so long; 0: as long as it takes. */
void orders_drain(struct orders *orders, int64_t deadline_ms);
void orders_master_gone(struct orders *orders);

/* orders-messages.c: a message is there, or the end of the channel */
void orders_hear(struct orders *orders);
/* Acknowledges what is done by now. */
void orders_settle(struct orders *orders);
#endif
