/* The rig: see rig.h. Main thread of a test, but for the loop and pool threads that it starts. The
 * pool stub is a chain of jobs under one lock, taken by RIG_POOL threads at most. */
#include "config.h"

#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, *last;
    bool ending;
    pthread_t threads[RIG_POOL];
    int count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static struct rig *the_rig;

static int pool_add(struct job *job)
{
    if (atomic_load(&the_rig->refusals) > 0) {
        atomic_fetch_sub(&the_rig->refusals, 1);
        return -1;
    }
    atomic_fetch_add(&the_rig->jobs, 1);
    pthread_mutex_lock(&pool.lock);
    job->next = NULL;
    if (pool.first)
        pool.last->next = job;
    else
        pool.first = job;
    pool.last = job;
    pthread_cond_signal(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    return 0;
}

static void *pool_main(void *arg)
{
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (!pool.first && !pool.ending)
            pthread_cond_wait(&pool.work, &pool.lock);
        struct job *job = pool.first;
        if (!job)
            break;
        pool.first = job->next;
        pthread_mutex_unlock(&pool.lock);
        job_run(job);
        job_finished(job);
        pthread_mutex_lock(&pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
    return arg;
}

static void pool_begin(int count)
{
    pool.ending = false;
    for (pool.count = 0; pool.count < count; pool.count++)
        ck_assert_int_eq(pthread_create(&pool.threads[pool.count], NULL, pool_main, NULL), 0);
}

static void pool_end(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.ending = true;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    while (pool.count > 0)
        pthread_join(pool.threads[--pool.count], NULL);
}

static void *loop_main(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void quiet(struct loop *loop)
{
    ck_assert(loop_has_stopped_accepting(loop));
    atomic_fetch_add(&the_rig->quiet, 1);
}

static void listen_on(struct rig *rig, int index)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (rig->send_buffer)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &rig->send_buffer, sizeof rig->send_buffer);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 512), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    rig->ports[index] = ntohs(address.sin_port);
    unsent_bound(fd);
    rig->listeners[index] = (struct listener){
        .fd = fd, .address = index ? "second" : "first", .protocol_name = "test",
        .protocol = rig->protocol};
}

static void loop_begin(struct rig *rig, int index)
{
    struct loop_settings settings = {
        .engine = &rig->engine,
        .connections = rig->connections,
        .wait = rig->wait,
        .record = &rig->board.own->thread[index],
        .guest_ready = index == 0 ? rig->guest_ready : NULL,
        .guest_arg = rig->guest_arg,
        .guest_fd = rig->guest_fd,
    };
    rig->loops[index] = loop_new(&settings);
    ck_assert_ptr_nonnull(rig->loops[index]);
    ck_assert_int_eq(pthread_create(&rig->threads[index], NULL, loop_main, rig->loops[index]), 0);
}

void rig_start(struct rig *rig)
{
    the_rig = rig;
    rig->loop_count = rig->loop_count ? rig->loop_count : 1;
    rig->connections = rig->connections ? rig->connections : MANY;
    for (int i = 0; i < 2; i++)
        listen_on(rig, i);
    ck_assert_int_eq(board_create(&rig->master), 0);
    ck_assert_int_eq(board_attach(&rig->board, dup(rig->master.fd), 0), 0);
    board_set_serving(&rig->master, 0, true);
    rig->engine = (struct engine){
        .listeners = rig->listeners,
        .listener_count = 2,
        .board = &rig->board,
        .send_timeout = rig->send_timeout ? rig->send_timeout : 60000,
        .send_rate = rig->send_rate,
        .drain_linger = rig->drain_linger,
        .high_water = rig->high_water ? rig->high_water : 65536,
        .low_water = rig->low_water ? rig->low_water : 16384,
        .submit = rig->pool_threads ? pool_add : NULL,
        .in_memory = rig->in_memory,
        .turn_end = rig->turn_end,
        .launch = rig->launch,
        .loop_quiet = quiet,
    };
    ck_assert_int_eq(engine_init(&rig->engine), 0);
    pool_begin(rig->pool_threads);
    for (int i = 0; i < rig->loop_count; i++)
        loop_begin(rig, i);
}

void rig_command(struct rig *rig, enum loop_command command)
{
    for (int i = 0; i < rig->loop_count; i++)
        loop_command(rig->loops[i], command);
}

void rig_end(struct rig *rig)
{
    for (int i = 0; i < rig->loop_count; i++)
        pthread_join(rig->threads[i], NULL);
    pool_end();
    if (rig->loops_joined)
        rig->loops_joined();
    for (int i = 0; i < rig->loop_count; i++)
        loop_free(&rig->loops[i]);
    ck_assert_int_eq(atomic_load(&rig->quiet), rig->loop_count);
    ck_assert_uint_eq(rig_open(rig), 0);
    ck_assert_uint_eq(board_get(&rig->board.own_share->watching), 0);
    engine_free(&rig->engine);
    for (int i = 0; i < 2; i++)
        close(rig->listeners[i].fd);
    board_close(&rig->board);
    board_close(&rig->master);
}

void rig_stop(struct rig *rig)
{
    rig_command(rig, LOOP_STOP);
    rig_end(rig);
}

/* ------------------------------------------------------------------- clients --- */

int rig_connect(struct rig *rig, int listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)rig->ports[listener]),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 20};
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void rig_put(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

void rig_put_slowly(int fd, const char *text)
{
    for (; *text; text++)
        ck_assert_int_eq(send(fd, text, 1, MSG_NOSIGNAL), 1);
}

void rig_expect(int fd, const char *text)
{
    size_t length = strlen(text), have = 0;
    char *got = calloc(1, length + 1);
    while (have < length) {
        ssize_t n = recv(fd, got + have, length - have, 0);
        ck_assert_msg(n > 0, "got '%s' instead of '%s', then %s", got, text,
                      n < 0 ? strerror(errno) : "the end");
        have += (size_t)n;
    }
    ck_assert_str_eq(got, text);
    free(got);
}

void rig_expect_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    ck_assert_msg(n == 0, "%s instead of the end", n < 0 ? strerror(errno) : "a byte");
    close(fd);
}

void rig_expect_over(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    ck_assert_msg(n == 0 || (n < 0 && errno == ECONNRESET), "the connection is alive");
    close(fd);
}

void rig_expect_silence(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&wait, 1, 100), 0);
}

void rig_reset(int fd)
{
    struct linger hard = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

unsigned rig_open(struct rig *rig)
{
    return board_get(&rig->board.own_share->connections);
}

bool rig_pause(int *rounds)
{
    poll(NULL, 0, 1);
    return ++*rounds < 10000;
}
