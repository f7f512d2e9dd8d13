/* Unit tests of src/ctl/client.c and src/ctl/talk.c against a server played by the test: a thread
 * that accepts one connection, reads one request line and writes a script, as it is told. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sys.h"
#include "ctl/client.h"
#include "ctl/talk.h"
#include "unit.h"

struct server {
    char folder[64], path[96];
    int fd;
    pthread_t thread;
    const char *script;
    size_t piece;    /* bytes a write; 0: all at once */
    bool keep_open;  /* until the client closes */
    char got[256];
};

static void server_open(struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(server->folder, "/tmp/reeve-test-ctl.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(server->folder));
    snprintf(server->path, sizeof server->path, "%s/s", server->folder);
    strcpy(address.sun_path, server->path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(server->fd, 0);
    ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server->fd, 1), 0);
}

static void read_request(struct server *server, int fd)
{
    size_t length = 0;
    ssize_t n = 1;

    while (n > 0 && !memchr(server->got, '\n', length) && length < sizeof server->got - 1) {
        n = read(fd, server->got + length, sizeof server->got - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
}

static void *server_run(void *arg)
{
    struct server *server = arg;
    int fd = accept(server->fd, NULL, NULL);
    size_t length = strlen(server->script);
    size_t piece = server->piece ? server->piece : length;
    char rest;

    if (fd < 0)
        return NULL;
    read_request(server, fd);
    for (size_t done = 0; done < length; done += piece)
        if (sys_write_all(fd, server->script + done,
                          length - done < piece ? length - done : piece) != 0)
            break;
    while (server->keep_open && read(fd, &rest, 1) > 0)
        ;
    close(fd);
    return NULL;
}

static void server_start(struct server *server, const char *script)
{
    server->script = script;
    server_open(server);
    ck_assert_int_eq(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_end(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->fd);
    unlink(server->path);
    rmdir(server->folder);
}

static int events;

static void count_event(const json_t *event, void *arg)
{
    ck_assert_str_eq(json_text(event, "type"), "event");
    ck_assert_ptr_eq(arg, &events);
    events++;
}

/* Plays one request against the script. */
static int play(struct server *server, const char *const *words, size_t count, int64_t limit,
                json_t **result, struct buf *error)
{
    struct client client;
    struct request request;
    int code;

    events = 0;
    ck_assert(request_build(&request, (char *const *)words, count, error));
    if (limit)
        request.limit = limit;
    ck_assert_msg(client_connect(&client, server->path, error), "%s", buf_text(error));
    code = talk(&client, &request, count_event, &events, result, error);
    client_close(&client);
    request_free(&request);
    server_end(server);
    return code;
}

#define EVENT "{\"type\":\"event\",\"time\":\"t\",\"tag\":\"a\",\"text\":\"b\"}\n"
#define RESULT(code) "{\"type\":\"result\",\"code\":" #code ",\"operation\":1,\"text\":\"x\"}\n"

static const struct {
    const char *words[3];
    const char *script;
    size_t piece;
    bool keep_open;
    int code, events;
    bool result;
    const char *error; /* a part, or NULL: none */
} cases[] = {
    {{"status"}, RESULT(0), 0, true, 0, 0, true, NULL},
    {{"status"}, RESULT(0), 1, true, 0, 0, true, NULL},
    {{"reload"}, EVENT EVENT RESULT(3), 0, true, 3, 2, true, NULL},
    {{"reload"}, EVENT EVENT RESULT(3), 1, true, 3, 2, true, NULL},
    {{"reload"}, RESULT(2) RESULT(0), 0, true, 2, 0, true, NULL},
    {{"health"}, RESULT(1), 0, true, 1, 0, true, NULL},
    {{"health"}, RESULT(99), 0, true, 1, 0, true, NULL},
    {{"health"}, RESULT(-1), 0, true, 1, 0, true, NULL},
    {{"status"}, "", 0, false, 1, 0, false, "closed the connection"},
    {{"status"}, "{\"type\":\"res", 0, false, 1, 0, false, "closed the connection"},
    {{"status"}, "HTTP/1.1 400 Bad Request\r\n", 0, true, 1, 0, false, "not JSON"},
    {{"status"}, "[1]\n", 0, true, 1, 0, false, "not JSON"},
    {{"status"}, "\n", 0, true, 1, 0, false, "not JSON"},
    {{"events"}, EVENT EVENT, 0, false, 1, 2, false, "the server has gone"},
    {{"stop"}, "", 0, false, 0, 0, false, NULL},
    {{"stop"}, EVENT RESULT(0) EVENT, 0, false, 0, 2, true, NULL},
    {{"stop"}, RESULT(1), 0, true, 1, 0, true, NULL},
};

START_TEST(test_talk)
{
    struct server server = {.piece = cases[_i].piece, .keep_open = cases[_i].keep_open};
    struct buf error = {0};
    json_t *result = NULL;
    int code;

    server_start(&server, cases[_i].script);
    code = play(&server, cases[_i].words, 1, 0, &result, &error);
    ck_assert_int_eq(code, cases[_i].code);
    ck_assert_int_eq(events, cases[_i].events);
    ck_assert_int_eq(result != NULL, cases[_i].result);
    if (cases[_i].error)
        ck_assert_msg(strstr(buf_text(&error), cases[_i].error) != NULL, "%s", buf_text(&error));
    else
        ck_assert_str_eq(buf_text(&error), "");
    json_decref(result);
    buf_free(&error);
}
END_TEST

START_TEST(test_request_arrives)
{
    const char *words[] = {"reload", "--wait", "7"};
    struct server server = {.keep_open = true};
    struct buf error = {0};
    json_t *result = NULL;

    server_start(&server, RESULT(0));
    ck_assert_int_eq(play(&server, words, 3, 0, &result, &error), 0);
    ck_assert_str_eq(server.got, "reload wait=7\n");
    json_decref(result);
}
END_TEST

/* A server that says nothing: the client gives up by itself, neither early nor much too late. */
START_TEST(test_deadline)
{
    const char *words[] = {"reload"};
    struct server server = {.keep_open = true};
    struct buf error = {0};
    json_t *result = NULL;
    int64_t begin = clock_fresh_ms();

    server_start(&server, EVENT "{\"type\":");
    ck_assert_int_eq(play(&server, words, 1, 200, &result, &error), 2);
    ck_assert_int_ge(clock_fresh_ms() - begin, 200);
    ck_assert_ptr_null(result);
    ck_assert_ptr_nonnull(strstr(buf_text(&error), "no answer"));
    ck_assert_int_eq(events, 1);
    buf_free(&error);
}
END_TEST

static void connect_fails(const char *path, const char *part)
{
    struct client client;
    struct buf error = {0};

    ck_assert(!client_connect(&client, path, &error));
    ck_assert_msg(strstr(buf_text(&error), part) != NULL, "%s", buf_text(&error));
    ck_assert_msg(strstr(buf_text(&error), path) != NULL, "%s", buf_text(&error));
    ck_assert_ptr_null(strchr(buf_text(&error), '\n'));
    ck_assert_int_eq(client.fd, -1);
    buf_free(&error);
}

START_TEST(test_connect_says_why)
{
    struct server server = {.fd = -1};
    char long_path[200];

    server_open(&server);
    close(server.fd); /* the socket file stays */
    connect_fails(server.path, "left behind");
    unlink(server.path);
    connect_fails(server.path, "is reeved running?");
    rmdir(server.folder);
    memset(long_path, '/', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    connect_fails(long_path, "at most");
}
END_TEST

UNIT_MAIN("ctl-client", EACH(test_talk, cases), ONCE(test_request_arrives), ONCE(test_deadline),
          ONCE(test_connect_says_why))
