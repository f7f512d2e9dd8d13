/* The floor of a benchmark: the least that a server can do on this machine. An epoll loop that
 * parses nothing and answers whatever ends in an empty line with the bytes of one file.
 *
 *     floor [--close|--threads] FILE
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses and prints it. With --close every
 * connection ends after its first answer; without, a connection is registered once, edge-triggered,
 * and costs one recv and one send for each request, or as many sends as its socket asks for. With
 * --threads each connection has a thread that blocks in recv: the least that a server with blocking
 * threads can do.
 *
 * A process of its own; ends by a signal. All that is known of a connection is how much of an
 * answer is still to be sent: a request that comes in more than one part is answered when its last
 * part ends in an empty line. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 65535 /* the kernel takes net.core.somaxconn where that is less */
#define BATCH 512

#define DESCRIPTORS 65536
#define AT_ONCE 65536 /* bytes: more may not fit into a socket */

static char *answer;
static size_t answer_size;
static size_t unsent[DESCRIPTORS]; /* of an answer that did not fit into the socket at once */
static bool close_each, threads;

static void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_answer(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !(answer = malloc((size_t)st.st_size + 1)))
        die(path);
    answer_size = (size_t)st.st_size;
    if (answer_size == 0 || read(fd, answer, answer_size) != st.st_size)
        die(path);
    close(fd);
}

static int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        die("cannot listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static bool ends_request(const char *in, ssize_t n)
{
    return n >= 4 && memcmp(in + n - 4, "\r\n\r\n", 4) == 0;
}

/* Sends what is left of the answer. False: the connection cannot go on. */
static bool send_rest(int fd)
{
    ssize_t n = send(fd, answer + answer_size - unsent[fd], unsent[fd], MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN;
    unsent[fd] -= (size_t)n;
    return unsent[fd] > 0 || !close_each;
}

static bool sent(int fd)
{
    unsent[fd] = answer_size;
    return send_rest(fd);
}

/* Answers what is there. False when the connection was closed. */
static bool serve(int fd)
{
    char in[4096];
    ssize_t n = recv(fd, in, sizeof(in), 0);

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n > 0 && (!ends_request(in, n) || sent(fd)))
        return true;
    close(fd);
    return false;
}

static void *serve_alone(void *arg)
{
    int fd = (int)(intptr_t)arg;

    while (serve(fd))
        ;
    return NULL;
}

static void start_thread(int fd)
{
    pthread_attr_t attr;
    pthread_t thread;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    errno = pthread_create(&thread, &attr, serve_alone, (void *)(intptr_t)fd);
    if (errno != 0)
        die("pthread_create");
    pthread_attr_destroy(&attr);
}

/* Takes all that wait. Who has spoken already is answered before epoll hears of the connection. */
static void take(int epoll, int listener)
{
    for (;;) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};

        if (answer_size > AT_ONCE)
            event.events |= EPOLLOUT;
        event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (event.data.fd < 0) {
            if (errno != EAGAIN && errno != ECONNABORTED)
                fprintf(stderr, "floor: accept: %s\n", strerror(errno));
            return;
        }
        if (threads)
            start_thread(event.data.fd);
        else if (serve(event.data.fd) &&
                 epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
            die("epoll_ctl");
    }
}

static void go_on(int fd, unsigned events)
{
    if (unsent[fd] > 0 && events & EPOLLOUT && !send_rest(fd))
        close(fd);
    else if (events & ~(unsigned)EPOLLOUT)
        serve(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[BATCH] = {{.events = EPOLLIN}};
    int listener, epoll = epoll_create1(EPOLL_CLOEXEC);

    close_each = argc > 1 && strcmp(argv[1], "--close") == 0;
    threads = argc > 1 && strcmp(argv[1], "--threads") == 0;
    if (argc != (close_each || threads ? 3 : 2)) {
        fputs("usage: floor [--close|--threads] FILE\n", stderr);
        return 1;
    }
    read_answer(argv[argc - 1]);
    listener = events[0].data.fd = listen_anywhere();
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &events[0]) != 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);

        for (int i = 0; i < count; i++)
            if (events[i].data.fd == listener)
                take(epoll, listener);
            else
                go_on(events[i].data.fd, events[i].events);
    }
}
