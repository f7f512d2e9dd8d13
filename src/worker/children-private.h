/* The inside of the children, for their files. */
#ifndef WORKER_CHILDREN_PRIVATE_H
#define WORKER_CHILDREN_PRIVATE_H
#include <sys/types.h>

#include "worker/children.h"

/* What becomes of one whose handler is late. */
enum child_stage {
    CHILD_WELL,
    CHILD_ASKED, /* where it is: it owes an answer */
    CHILD_ENDED, /* it was killed */
};

struct child {
    pid_t pid;     /* 0: this record is free */
    int channel;
    unsigned owed; /* answers to MSG_REOPENED */
    bool deaf;     /* does not take messages, and that was logged */
    struct loop *front;
    struct place place; /* that its connection takes, if the process does not leave it */

    /* children-watch.c: */
    enum child_stage stage;
    uint64_t progress; /* as of a struct watched */
    int64_t since;     /* 0: not seen yet */
    int64_t asked;
};

struct children {
    struct children_settings settings;
    int count;
    int first_fd;      /* all descriptors from here on were opened since */
    unsigned owing;    /* children that owe an answer to MSG_REOPENED */
    bool killed;       /* all were: their end is no crash */
    char *room;        /* for a message */
    unsigned *spare;   /* records, a stack */
    unsigned spare_count, made;
    struct child child[]; /* by record; 0 is not used */
};

/* children.c: listens to one that owes an answer of any kind, or no longer. False: it cannot. */
bool children_listen(struct children *children, unsigned record, bool on);
/* children-watch.c: it has said where it is. */
void children_found(struct children *children, unsigned record, const struct msg *msg);
#endif
