/* The output queue over a socket pair: every mix of pieces must come out byte for byte, however
 * little the socket takes, and every release must be called once. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/out.h"
#include "unit.h"

#define BUDGET (1 << 20)

static struct out out;
static struct out_pool pool;
static int server, client, file;
static char *sent, *got; /* what was queued, what came */
static size_t sent_length, got_length;
static int queued_releases, releases;
static char material[200000];

static void setup(void)
{
    int pair[2], small = 2048;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    server = pair[0];
    client = pair[1];
    setsockopt(server, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    file = memfd_create("test", MFD_CLOEXEC);
    for (size_t i = 0; i < sizeof material; i++)
        material[i] = (char)(i * 7 + i / 251);
    ck_assert_int_eq(write(file, material, sizeof material), sizeof material);
    sent = malloc(8 << 20);
    got = malloc(8 << 20);
    sent_length = got_length = 0;
    queued_releases = releases = 0;
    signal(SIGPIPE, SIG_IGN);
}

static void teardown(void)
{
    out_clear(&out, &pool);
    out_pool_free(&pool);
    ck_assert_int_eq(releases, queued_releases);
    close(server);
    if (client >= 0)
        close(client);
    close(file);
    free(sent);
    free(got);
}

static void released(void *arg)
{
    int *once = arg;
    ck_assert_int_eq(*once, 0);
    *once = 1;
    releases++;
}

static int *token(void)
{
    static int tokens[10000];
    ck_assert_int_lt(queued_releases, 10000);
    tokens[queued_releases] = 0;
    return &tokens[queued_releases++];
}

static void note(const char *data, size_t length)
{
    memcpy(sent + sent_length, data, length);
    sent_length += length;
}

static void copy(size_t at, size_t length)
{
    ck_assert_int_eq(out_copy(&out, &pool, material + at, length), 0);
    note(material + at, length);
}

static void borrow(size_t at, size_t length)
{
    ck_assert_int_eq(out_borrow(&out, &pool, material + at, length, released, token()), 0);
    note(material + at, length);
}

static void range(size_t at, size_t length)
{
    ck_assert_int_eq(out_file(&out, &pool, file, (off_t)at, length, released, token()), 0);
    note(material + at, length);
}

static void reserve(size_t at, size_t want, size_t length)
{
    char *room = out_reserve(&out, &pool, want);
    ck_assert_ptr_nonnull(room);
    memcpy(room, material + at, length);
    out_commit(&out, length);
    note(material + at, length);
}

static void extend(size_t at, size_t length)
{
    char *room = out_append(&out, &pool, length);
    ck_assert_ptr_nonnull(room);
    memcpy(room, material + at, length);
    note(material + at, length);
}

static void drain_client(void)
{
    ssize_t n;
    while ((n = recv(client, got + got_length, (8 << 20) - got_length, 0)) > 0)
        got_length += (size_t)n;
}

/* Flushes to the end; *blocked: how often the socket was full. */
static void flush_all(int *blocked)
{
    size_t total = 0, part;
    *blocked = 0;
    for (;;) {
        size_t before = out.queued;
        enum out_result result = out_flush(&out, &pool, server, BUDGET, &part);
        total += part;
        ck_assert_uint_eq(before - out.queued, part);
        ck_assert(result == OUT_EMPTY || result == OUT_BLOCKED || result == OUT_BUDGET);
        if (result == OUT_EMPTY)
            break;
        *blocked += result == OUT_BLOCKED;
        drain_client();
    }
    drain_client();
    ck_assert_uint_eq(total, sent_length);
    ck_assert_uint_eq(got_length, sent_length);
    ck_assert_mem_eq(got, sent, sent_length);
    ck_assert_uint_eq(out.queued, 0);
    ck_assert(!out_pending(&out));
}

START_TEST(small_pieces_share_a_block)
{
    int blocked;
    for (int i = 0; i < 40; i++)
        copy((size_t)i * 11, 17);
    reserve(300, 200, 150);
    extend(310, 60);
    ck_assert_uint_eq(out.queued, 40 * 17 + 150 + 60);
    ck_assert_ptr_eq(out.head, out.tail);
    flush_all(&blocked);
}
END_TEST

START_TEST(every_pair_and_triple)
{
    static const size_t sizes[] = {0, 1, 300, 4096, 70000};
    int blocked, times = 0;
    for (int mix = 0; mix < 5 * 5 * 5; mix++) {
        for (int i = 0, kinds = mix; i < 3; i++, kinds /= 5) {
            size_t size = sizes[times % 5];
            size_t at = (size_t)(times * 37 % 1000);
            times += 1 + i;
            switch (kinds % 5) {
            case 0: copy(at, size); break;
            case 1: borrow(at, size); break;
            case 2: range(at, size); break;
            case 3: extend(at, size); break;
            default: reserve(at, size + 5, size); break;
            }
        }
        if (mix % 5 == 4) {
            flush_all(&blocked);
            sent_length = got_length = 0;
        }
    }
    ck_assert_int_eq(releases, queued_releases);
}
END_TEST

START_TEST(partial_writes)
{
    int blocked;
    copy(0, 5000);
    borrow(10, 100000);
    for (int i = 0; i < 200; i++) /* more than one call takes */
        borrow((size_t)i, 100);
    range(777, 150000);
    copy(5, 20);
    flush_all(&blocked);
    ck_assert_int_gt(blocked, 5);
    ck_assert_int_eq(releases, queued_releases);
}
END_TEST

START_TEST(released_only_when_sent)
{
    size_t part;
    borrow(0, 100000);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_BLOCKED);
    ck_assert_uint_gt(part, 0);
    ck_assert_int_eq(releases, 0);
    out_clear(&out, &pool);
    ck_assert_int_eq(releases, 1);
    ck_assert_uint_eq(out.queued, 0);
}
END_TEST

START_TEST(budget)
{
    int big = 1 << 20;
    size_t part;
    setsockopt(server, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
    range(0, 100000);
    ck_assert_int_eq(out_flush(&out, &pool, server, 10000, &part), OUT_BUDGET);
    ck_assert_uint_eq(part, 10000);
    ck_assert_uint_eq(out.queued, 90000);
}
END_TEST

START_TEST(shrunken_file)
{
    size_t part;
    range(0, sizeof material);
    ck_assert_int_eq(ftruncate(file, 100), 0);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_SHRUNK);
    ck_assert_uint_eq(part, 100);
    ck_assert_int_eq(releases, 0);
}
END_TEST

/* ------------------------------------------------------------------- cold files --- */

static ssize_t answers[20]; /* how much is said to be in memory, one after the other */
static int asked;

static ssize_t in_memory(int fd, off_t offset, size_t length)
{
    ssize_t answer = answers[asked++];
    ck_assert_int_eq(fd, file);
    ck_assert_int_ge(offset, 0);
    ck_assert_uint_gt(length, 0);
    return answer > (ssize_t)length ? (ssize_t)length : answer;
}

static void room_in_socket(void)
{
    int big = 1 << 20;
    setsockopt(server, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
    pool.in_memory = in_memory;
    asked = 0;
}

START_TEST(cold_file)
{
    size_t part;
    int blocked;
    room_in_socket();
    answers[1] = BUDGET;
    copy(0, 100);
    range(50, 150000);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    ck_assert_uint_eq(part, 100); /* what stands before it went out */
    struct out_part cold = out_cold(&out, 1000);
    ck_assert_int_eq(cold.fd, file);
    ck_assert_int_eq(cold.offset, 50);
    ck_assert_uint_eq(cold.length, 1000);
    ck_assert_uint_eq(out_cold(&out, 1 << 20).length, 150000);
    ck_assert_int_eq(asked, 1);
    sent_length -= 100;
    drain_client();
    got_length = 0;
    memmove(sent, sent + 100, sent_length);
    flush_all(&blocked);
    ck_assert_int_eq(asked, 2);
}
END_TEST

START_TEST(cold_in_the_middle)
{
    size_t part;
    room_in_socket();
    answers[0] = 128 * 1024;
    answers[1] = 10000;
    range(7, 190000);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    ck_assert_uint_eq(part, 128 * 1024 + 10000);
    ck_assert_int_eq(asked, 3);
    ck_assert_int_eq(out_cold(&out, 1 << 20).offset, 7 + 128 * 1024 + 10000);
    ck_assert_uint_eq(out_cold(&out, 1 << 20).length, 190000 - 128 * 1024 - 10000);
}
END_TEST

/* What is known to be in memory is sent unasked, no more than that, and by further flushes too,
 * unless it has been left there for long. */
START_TEST(warm_is_not_asked_for)
{
    size_t part;
    room_in_socket();
    range(0, 200000);
    out.warm = 60000;
    ck_assert_int_eq(out_flush(&out, &pool, server, 10000, &part), OUT_BUDGET);
    ck_assert_int_eq(asked, 0);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    ck_assert_uint_eq(part, 50000);
    ck_assert_int_eq(asked, 1);
    out.warm = 60000;
    out_cool_down(&out);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    ck_assert_uint_eq(part, 0);
    ck_assert_int_eq(asked, 2);
}
END_TEST

/* What is known of one file says nothing of the next. */
START_TEST(next_file_is_asked_for)
{
    size_t part;
    room_in_socket();
    answers[0] = 5000;
    range(0, 5000);
    range(5000, 5000);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    ck_assert_uint_eq(part, 5000);
    ck_assert_int_eq(asked, 2);
}
END_TEST

/* A file that nobody can tell of is asked for once. */
START_TEST(unknown_file)
{
    int blocked;
    room_in_socket();
    answers[0] = answers[1] = -1;
    range(0, 200000);
    range(5, 100);
    flush_all(&blocked);
    ck_assert_int_eq(asked, 2);
}
END_TEST

START_TEST(shrunken_cold_file)
{
    size_t part;
    room_in_socket();
    range(0, sizeof material);
    ck_assert_int_eq(ftruncate(file, 0), 0);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_COLD);
    out.warm = sizeof material; /* as if it had been read */
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_SHRUNK);
}
END_TEST

START_TEST(peer_gone)
{
    size_t part;
    close(client);
    client = -1;
    copy(0, 10);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_FAILED);
    ck_assert_int_eq(errno, EPIPE);
    out_clear(&out, &pool);
    range(0, 10);
    ck_assert_int_eq(out_flush(&out, &pool, server, BUDGET, &part), OUT_FAILED);
}
END_TEST

START_TEST(random_mix)
{
    int blocked;
    srand((unsigned)_i + 1);
    for (int round = 0; round < 20; round++) {
        for (int i = rand() % 30; i >= 0; i--) {
            size_t at = (size_t)rand() % 10000;
            size_t size = (size_t)(rand() % 4 ? rand() % 600 : rand() % 60000);
            switch (rand() % 5) {
            case 0: copy(at, size); break;
            case 1: borrow(at, size); break;
            case 2: range(at, size); break;
            case 3: extend(at, size); break;
            default: reserve(at, size + (size_t)rand() % 100, size); break;
            }
        }
        flush_all(&blocked);
        sent_length = got_length = 0;
    }
}
END_TEST

UNIT_MAIN_AROUND("out", setup, teardown, ONCE(small_pieces_share_a_block),
                 ONCE(every_pair_and_triple), ONCE(partial_writes), ONCE(released_only_when_sent),
                 ONCE(budget), ONCE(shrunken_file), ONCE(cold_file), ONCE(cold_in_the_middle),
                 ONCE(warm_is_not_asked_for), ONCE(next_file_is_asked_for), ONCE(unknown_file),
                 ONCE(shrunken_cold_file), ONCE(peer_gone), TIMES(random_mix, 10))
