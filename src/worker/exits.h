/* A module that calls exit(3) ends its worker without last words: the log says who it was. */
#ifndef WORKER_EXITS_H
#define WORKER_EXITS_H

/* Main thread: from now on, in this process. Again in one that it has forked for a connection. */
void exits_watch(void);
#endif
