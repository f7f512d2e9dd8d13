/* What the master hands to a worker before START: everything a worker has. */
#ifndef WORKER_HANDOVER_H
#define WORKER_HANDOVER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/board.h"
#include "share/passage.h"

struct handed_listener {
    int fd;
    struct passage passage; /* -1: it has none */
    char *address;
};

struct handover {
    int channel;
    struct board board;
    struct snapshot *snapshot;
    int log_fd; /* -1: syslog */
    bool have_log;
    int level; /* of the log, over the configuration's; -1: none */
    struct handed_listener *listeners;
    size_t listener_count;
    uint32_t generation;
    int slot;
};

/* Receives messages until START. False when the master is gone or what it sent makes no sense; then
 * the process should exit, nobody is there to be told. */
bool handover_receive(struct handover *handover, int channel);
/* Frees what is not in use elsewhere: the listeners' descriptors are the crew's. */
void handover_free(struct handover *handover);
/* The listener of that address, or NULL. */
struct handed_listener *handover_listener(struct handover *handover, const char *address);
#endif
