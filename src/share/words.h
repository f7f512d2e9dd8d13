/* The last words of a process that a signal kills: a part of the board, one for each worker.
 *
 * Written by the worker: the table of loaded objects before it is ready, a record by the handler
 * of the signal. The processes that a worker of the model forking makes share its part: each takes
 * a record of its own. Read by the master when the process has ended (by board_words_read, which
 * copies), and by nobody else. A reader trusts nothing here: texts may lack their end, numbers may
 * be any. */
#ifndef SHARE_WORDS_H
#define SHARE_WORDS_H
#include <stdatomic.h>
#include <stdint.h>

#define WORDS_OBJECTS 96 /* program, libraries, modules */
#define WORDS_PATH 240
#define WORDS_ID 20      /* bytes of a build-id */
#define WORDS_FRAMES 64
#define WORDS_RECORDS 8  /* processes of a worker that may die before the master has read */
#define WORDS_NAME 32
#define WORDS_ROUTE 128
#define WORDS_TARGET 1024

enum words_state {
    WORDS_NONE,  /* nobody has died */
    WORDS_BEGUN, /* signal and address stand, the rest perhaps */
    WORDS_DONE,
};

struct words_object {
    uint64_t start, end; /* of what is mapped */
    uint64_t base;       /* added to the addresses in the file */
    uint32_t id_length;
    unsigned char id[WORDS_ID];
    char path[WORDS_PATH];
};

struct words_record {
    _Atomic uint32_t state; /* enum words_state */
    uint32_t pid, tid;
    int32_t signal, code;
    int32_t thread;         /* its record on the board, -1: the main thread or an unknown one */
    uint32_t frames;
    uint64_t address;       /* that could not be reached, for the signals that have one; of SIGSYS:
                             * the system call */
    int64_t time;           /* seconds since the epoch */
    int64_t uptime;         /* ms since the worker began */
    uint64_t fingerprint;   /* see fingerprint.h; 0: no request */
    uint64_t frame[WORDS_FRAMES]; /* addresses, innermost first, each in the call */
    char name[16];          /* of the thread */
    char protocol[WORDS_NAME], peer[48], label[88];
    char module[WORDS_NAME], site[64], route[WORDS_ROUTE], method[WORDS_NAME];
    char target[WORDS_TARGET];
};

struct words_area {
    _Alignas(4096) _Atomic uint32_t taken; /* records, counted on beyond their number */
    uint32_t objects;
    struct words_object object[WORDS_OBJECTS];
    struct words_record record[WORDS_RECORDS];
};
#endif
