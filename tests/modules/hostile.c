/* hostile: a handler that does what code could do that has taken over a worker. The query of the
 * request names the act; the answer says how often the kernel let it through. For scenarios that
 * prove that the master and the other workers hold out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "reeve/http.h"
#include "share/channel.h"

#define CHANNEL 3
#define TIMES 50
#define DESCRIPTORS 1024

/* What channel.c puts before each message. */
struct head {
    uint32_t magic, type, op;
    int32_t value;
};

/* One well-formed message with `count` descriptors behind it. */
static int send_to(int fd, uint32_t magic, enum msg_type type, size_t count)
{
    struct head head = {magic, type, 0, 0};
    struct iovec part = {&head, sizeof head};
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&packet);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
        memset(CMSG_DATA(cmsg), 0, count * sizeof(int)); /* standard input, so many times */
    }
    return sendmsg(fd, &packet, MSG_NOSIGNAL) < 0 ? 0 : 1;
}

static int send_message(enum msg_type type, size_t count)
{
    return send_to(CHANNEL, 0x52564331u, type, count);
}

/* What is no connection, into all passages: a packet socket that is not the channel is one of their
 * two ends. */
static int passage(void)
{
    int through = 0;
    for (int fd = CHANNEL + 1; fd < DESCRIPTORS; fd++) {
        int type = 0;
        socklen_t length = sizeof type;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_SEQPACKET)
            continue;
        for (size_t i = 0; i < TIMES; i++)
            through += send_to(fd, i % 2 ? 0x52565031u : 0, MSG_ACK, i % 3);
        send(fd, "", 0, MSG_NOSIGNAL);
    }
    return through;
}

static int smuggle(size_t count)
{
    int through = 0;
    for (int i = 0; i < TIMES; i++)
        through += send_message(MSG_ACK, count);
    return through;
}

static int smuggle_one(void)
{
    return smuggle(1);
}

static int smuggle_two(void)
{
    return smuggle(2);
}

/* The end of the channel, as the master sees it, while the worker lives on. */
static int empty(void)
{
    return send(CHANNEL, "", 0, MSG_NOSIGNAL) == 0;
}

static int failed(void)
{
    return send_message(MSG_FAILED, 0);
}

static int files(void)
{
    return send_message(MSG_FILES, 0);
}

static int crashed(void)
{
    return send_message(MSG_CRASHED, 0);
}

/* The flag belongs to the socket, so to all workers and the master. */
static int block(void)
{
    int found = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        int listens = 0;
        socklen_t length = sizeof listens;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens)
            found += fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0;
    }
    return found;
}

/* Whoever connects is refused, by all workers. */
static int deafen_all(bool unix_only)
{
    int found = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        int listens = 0, domain = 0;
        socklen_t length = sizeof listens;
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens &&
            (!unix_only || domain == AF_UNIX))
            found += shutdown(fd, SHUT_RDWR) == 0;
    }
    return found;
}

static int deafen(void)
{
    return deafen_all(false);
}

static int deafen_unix(void)
{
    return deafen_all(true);
}

/* The race with those who write there is the act itself, not a finding. */
__attribute__((no_sanitize("thread"))) static void vandalise(volatile char *at, const char *end)
{
    while (at < end)
        *at++ = (char)0xff;
}

/* All ones into all shared memory that is writable: the worker's own part of the board. */
static int scribble(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int found = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        char *rest;
        char *start = (char *)(uintptr_t)strtoull(line, &rest, 16);
        char *end = (char *)(uintptr_t)strtoull(rest + 1, &rest, 16);
        if (strncmp(rest, " rw-s", 5) != 0 || !strstr(line, "memfd:"))
            continue;
        vandalise(start, end);
        found++;
    }
    if (maps)
        fclose(maps);
    return found;
}

/* What the kernel maps behind a part of the board when it is asked to go on in the file, or anywhere
 * of it. How often it did. */
static int grow(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    char *part[8];
    size_t length[8], count = 0;
    int found = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        char *rest;
        char *start = (char *)(uintptr_t)strtoull(line, &rest, 16);
        char *end = (char *)(uintptr_t)strtoull(rest + 1, &rest, 16);
        if (strncmp(rest, " rw-s", 5) != 0 || !strstr(line, "memfd:") || count == 8)
            continue;
        part[count] = start;
        length[count++] = (size_t)(end - start);
    }
    for (size_t i = 0; i < count; i++) {
        /* from nothing: that copies what is shared */
        if (mremap(part[i], 0, length[i] + 4096, MREMAP_MAYMOVE) != MAP_FAILED)
            found++;
        if (mremap(part[i], length[i], length[i] + 4096, MREMAP_MAYMOVE) != MAP_FAILED)
            found++;
        if (syscall(SYS_remap_file_pages, part[i], 4096, 0, 0, 0) == 0)
            found++;
    }
    if (maps)
        fclose(maps);
    return count ? found : -1;
}

/* Asks the master of a server that runs as an ordinary user, as that user. 1: it has obeyed. */
static int control(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), obeyed = 0;
    char line[4096] = "";
    size_t length = 0;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, "log-level debug\n", 16, MSG_NOSIGNAL) == 16) {
        shutdown(fd, SHUT_WR);
        for (ssize_t n; (n = read(fd, line + length, sizeof line - 1 - length)) > 0;)
            length += (size_t)n;
        obeyed = strstr(line, "\"type\":\"result\",\"code\":0") != NULL;
    }
    close(fd);
    return length ? obeyed : -1;
}

static const struct {
    const char *name;
    int (*act)(void);
} acts[] = {
    {"one-descriptor", smuggle_one}, {"two-descriptors", smuggle_two}, {"empty", empty},
    {"failed", failed},              {"block", block},                 {"scribble", scribble},
    {"files", files},                {"passage", passage},
    {"crashed", crashed},            {"grow", grow},                  {"deafen", deafen},
    {"deafen-unix", deafen_unix},
};

static int hostile_handle(reeve_request *request, void *config)
{
    (void)config;
    if (strncmp(reeve_query(request), "control=", 8) == 0)
        return reeve_reply(request, 200, "text/plain",
                           control(reeve_query(request) + 8) == 0 ? "0" : "1", 1);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        char text[16];
        if (strcmp(reeve_query(request), acts[i].name) != 0)
            continue;
        int n = snprintf(text, sizeof text, "%d", acts[i].act());
        return reeve_reply(request, 200, "text/plain", text, (size_t)n);
    }
    return reeve_reply_status(request, 404);
}

static const reeve_handler hostile = {.protocol = "http", .handle = hostile_handle};

REEVE_MODULE(.kind = REEVE_HANDLER, .name = "hostile", .version = "1.0", .handler = &hostile);
