/* The self-test of a program to which the master may be upgraded: a child process. */
#ifndef MASTER_TESTER_H
#define MASTER_TESTER_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Passed: `text` is the version of the program; failed: it says why. */
typedef void tester_ended(bool passed, const char *text);

/* Starts the program behind `image` with that state, for at most so many ms; `ended` is called
 * once. What carry_fd() was told stays open in it. 0, or -1 with errno. */
int tester_start(int image, int state, int64_t limit, tester_ended *ended);
bool tester_runs(void);
/* waitpid() said that this process has ended. False: it was not the test. */
bool tester_reaped(pid_t pid, int status);
#endif
