/* Starting a process: fork, then the running image again. */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H
#include <stdint.h>
#include <sys/types.h>

int spawn_open(void); /* keeps a descriptor of the running image; 0 or -1 with errno */
int spawn_image(void); /* that descriptor */
/* A worker process on that channel end (stays the caller's). The pid, or -1 with errno. */
pid_t spawn_worker(int channel, uint32_t generation, int slot);
#endif
