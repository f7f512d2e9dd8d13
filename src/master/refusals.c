/* Refused system calls; see refusals.h.
 *
 * Master. A thread that has made a call waits in the kernel until it is answered, so nothing here
 * waits for anything: what is said of the thread is read from /proc and the board, and cleaned. The
 * answer is always no, whatever the worker says or writes: the master never looks at memory that
 * the arguments point to. A worker that keeps on calling is asked about no longer after MOST calls:
 * without a listener the kernel itself says no, by ENOSYS. Memory: all is part of the worker. */
#include "config.h"

#include "master/refusals.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/clean.h"
#include "master/generation.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/calls.h"
#include "share/channel.h"

#define MOST 4096 /* of one worker: each costs the master some microseconds */

/* What the kernel may write is as long as it likes: newer ones know more members. */
union question {
    struct seccomp_notif notif;
    char room[512];
};
union answer {
    struct seccomp_notif_resp resp;
    char room[512];
};

/* ---------------------------------------------------------------- telling ---------- */

/* The thread, or the process of a connection, on the board; NULL: it is another. */
static const struct board_thread *find_record(struct worker *worker, uint32_t tid)
{
    worker_count(worker);
    for (uint32_t i = 0; worker->board && i < worker->counters.records; i++) {
        const struct board_thread *thread = &worker->board->thread[i];

        if (board_get(&thread->tid) == tid || board_get(&thread->pid) == tid)
            return thread;
    }
    return NULL;
}

static void put_known(struct buf *out, const char *before, const char *text, size_t room)
{
    if (!text[0])
        return;
    buf_adds(out, before);
    clean_put(out, text, room);
}

static void put_who(struct buf *out, struct worker *worker, uint32_t tid)
{
    const struct board_thread *thread = find_record(worker, tid);
    char path[40], name[32] = "";

    snprintf(path, sizeof(path), "/proc/%u/comm", tid);
    if (sys_read_small(path, name, sizeof(name)))
        name[strcspn(name, "\n")] = '\0';
    buf_printf(out, "worker %d of generation %u (pid %d, thread ", worker->slot_index,
               worker->generation->number, (int)worker->pid);
    put_known(out, "", *name ? name : "?", sizeof(name));
    buf_printf(out, " %u", tid);
    if (thread && board_get(&thread->state) == BOARD_BUSY) {
        put_known(out, ", busy with ", thread->protocol, sizeof(thread->protocol));
        put_known(out, " ", thread->label, sizeof(thread->label));
    }
    buf_adds(out, ")");
}

static void tell(struct worker *worker, const struct seccomp_notif *notif, const char *name,
                 bool known, uint32_t count)
{
    const struct seccomp_data *data = &notif->data;
    struct buf text = {0};

    put_who(&text, worker, notif->pid);
    buf_printf(&text, " has called %s(%#llx, %#llx, %#llx), which sandbox = \"strict\" forbids: %s",
               name, (unsigned long long)data->args[0], (unsigned long long)data->args[1],
               (unsigned long long)data->args[2], known ? "EPERM" : "ENOSYS");
    if (count > 1)
        buf_printf(&text, "; %u times so far", count);
    else if (known)
        buf_printf(&text, "; sandbox_calls = { \"%s\" } allows it", name);
    say(LOG_CALL_REFUSED, "%s", buf_text(&text));
    buf_free(&text);
}

/* How often it was this call, in this worker. */
static uint32_t count_kind(struct refusals *refusals, int call)
{
    int i = 0;

    while (i < refusals->kinds && refusals->kind[i].call != call)
        i++;
    if (i == REFUSALS_CALLS)
        i--; /* the last one stands for the others too */
    else if (i == refusals->kinds)
        refusals->kind[refusals->kinds++].call = call;
    return ++refusals->kind[i].count;
}

/* ---------------------------------------------------------------- answering -------- */

static void stop_asking(struct worker *worker)
{
    reactor_unwatch(&worker->refusals.watch);
    sys_close(&worker->refusals.watch.fd);
}

static void answer(struct worker *worker, const struct seccomp_notif *notif)
{
    struct refusals *refusals = &worker->refusals;
    uint32_t count = count_kind(refusals, notif->data.nr);
    union answer no = {.resp = {.id = notif->id}};
    char name[48];
    bool known = call_name(notif->data.nr, name, sizeof(name));

    no.resp.error = known ? -EPERM : -ENOSYS;
    refusals->count++;
    master.refused++;
    if ((count & (count - 1)) == 0) /* while the thread waits: it cannot be another by now */
        tell(worker, notif, name, known, count);
    ioctl(refusals->watch.fd, SECCOMP_IOCTL_NOTIF_SEND, &no); /* or it has been killed meanwhile */
    if (refusals->count < MOST)
        return;
    say(LOG_CALL_REFUSED, "worker %d of generation %u (pid %d) was refused %d system calls: "
        "further ones are not told", worker->slot_index, worker->generation->number,
        (int)worker->pid, MOST);
    stop_asking(worker);
}

static void on_question(void *arg, uint32_t events)
{
    struct worker *worker = arg;
    union question question = {0};

    if (!(events & EPOLLIN)) {
        stop_asking(worker); /* all that the filter was for have ended */
        return;
    }
    if (ioctl(worker->refusals.watch.fd, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0)
        answer(worker, &question.notif);
    else if (errno != ENOENT && errno != EINTR) /* it was killed while it waited */
        stop_asking(worker);
}

static bool begin(struct worker *worker, int fd)
{
    worker->refusals.watch = (struct watch){.fd = fd, .ready = on_question, .arg = worker};
    return fd < 0 || reactor_watch(&worker->refusals.watch, EPOLLIN) == 0;
}

/* ---------------------------------------------------------------- from the worker -- */

void refusals_expect(struct worker *worker)
{
    worker->refusals.watch.fd = -1;
    if (worker->generation->core.strict)
        channel_expect_fd(worker->channel.fd, true);
}

/* Of seccomp, and nothing else: any other descriptor has no such question. */
static bool is_listener(int fd)
{
    __u64 id = 0;

    return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 && errno == ENOENT;
}

void refusals_hear(struct worker *worker, struct msg *msg)
{
    struct generation *generation = worker->generation;

    channel_expect_fd(worker->channel.fd, false);
    if (!generation->sandbox)
        generation->sandbox = strdup(msg->text);
    if (msg->fd >= 0 && worker->refusals.watch.fd < 0 && generation->core.strict &&
        is_listener(msg->fd)) {
        if (!begin(worker, msg->fd))
            stop_asking(worker);
        msg->fd = -1;
    }
    if (msg->fd >= 0)
        channel_close_stranger(msg->fd);
    msg->fd = -1;
}

void refusals_adopt(struct worker *worker)
{
    int fd = worker->refusals.watch.fd;

    if (fd >= 0 && !begin(worker, fd))
        stop_asking(worker);
}

void refusals_end(struct worker *worker)
{
    if (worker->refusals.watch.fd >= 0)
        stop_asking(worker);
}

/* ---------------------------------------------------------------- report ----------- */

json_t *refusals_report(const struct generation *generation)
{
    const char *account = generation ? generation->sandbox : NULL;
    const char *end = account ? strchr(account, '\n') : NULL;
    const char *text = end ? end + 1 : NULL;
    const char *note = text ? strchr(text, '\n') : NULL;
    size_t first = note ? (size_t)(note - text) : 0;
    bool files = first && memmem(text, first, "files", 5);
    bool calls = first && memmem(text, first, "calls", 5);
    const char *level = calls ? "strict" : files ? "files" : "off";

    if (!note)
        return json_null(); /* nobody is ready yet, or is of a program that did not tell */
    return json_pack("{s:s,s:b,s:b,s:o,s:I}", "level", level, "files", files, "calls", calls,
                     "note", clean_json(note + 1, 256), "refused", (json_int_t)master.refused);
}
