/* Names of system calls. */
#ifndef SHARE_CALLS_H
#define SHARE_CALLS_H
#include <stdbool.h>
#include <stddef.h>

/* "execve", or "number 999" where it has no name that we know; false then. */
bool call_name(int number, char *text, size_t room);
#endif
