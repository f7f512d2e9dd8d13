/* sandbox = "strict": which system calls a worker may make (seccomp). */
#ifndef WORKER_STRICT_H
#define WORKER_STRICT_H
#include <stdbool.h>

#include "reeve/module.h"

struct strict_needs {
    const reeve_section *root; /* sandbox_calls */
    bool forks;                /* a process for each connection */
    bool runs_programs;        /* a module has said so (REEVE_OPENS_TO_RUN) */
};

/* This program, this kernel and the names in sandbox_calls allow it. False after
 * reeve_conf_error(). */
bool strict_is_possible(const reeve_section *root);
/* For good, and for all threads there are and will be. 0, or -1 with errno. `listener` is where
 * refused calls are answered (-1: nobody is asked, they fail): whoever has it can let any call
 * pass, so it is the master's alone. */
int strict_enter(const struct strict_needs *needs, int *listener);
/* In a process just forked for a connection: it forks no further, unless it runs programs, and
 * sends signals to no other process. */
int strict_enter_child(bool runs_programs);
#endif
