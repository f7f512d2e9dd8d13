/* src/master/crashes.c and quarantine.c: what a worker has left, in its right mind and not. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "master/crashes.h"
#include "master/generation.h"
#include "master/quarantine.h"
#include "master/state.h"
#include "master/workers.h"
#include "share/words.h"
#include "unit.h"

#define SEGMENT 3
#define PID 4711
#define DIED SIGSEGV /* as waitpid() tells it */

static struct board mine;
static struct generation generation;
static struct worker worker;
static char told[2048];
static int told_seconds, telling;

void worker_tell(struct worker *to, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text)
{
    ck_assert_ptr_eq(to, &worker);
    ck_assert_int_eq(type, MSG_QUARANTINE);
    ck_assert_uint_eq(op, 0);
    ck_assert_int_eq(fd, -1);
    snprintf(told, sizeof(told), "%s", text);
    told_seconds = value;
    telling++;
}

static void setup(void)
{
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT); /* thousands of lines */
    ck_assert_int_eq(board_create(&master.board), 0);
    ck_assert_int_eq(board_attach(&mine, dup(master.board.fd), SEGMENT), 0);
    generation = (struct generation){.number = 2};
    generation.core.crashes_kept = 4;
    generation.core.quarantine_after = 3;
    generation.core.quarantine_within = 60000;
    generation.core.quarantine_time = 600000;
    generation.core.module_budget = 0;
    worker = (struct worker){.generation = &generation, .slot_index = 1, .pid = PID, .loaded = true,
                             .segment = SEGMENT, .state = WORKER_READY};
    list_init(&master.generations);
    list_init(&generation.workers);
    list_append(&master.generations, &generation.node);
    list_append(&generation.workers, &worker.node);
    telling = 0;
}

static void teardown(void)
{
    crashes_clear();
    quarantine_clear();
    board_close(&mine);
    board_close(&master.board);
    log_open(STDERR_FILENO, LOG_TEXT);
}

/* A record as a worker leaves it. */
static struct words_record *record_of(const char *module, const char *target)
{
    struct words_record *record = &mine.own_words->record[0];

    *record = (struct words_record){.state = WORDS_DONE, .pid = PID, .tid = PID, .signal = SIGSEGV,
                                    .code = SEGV_MAPERR, .address = 16, .uptime = 5,
                                    .fingerprint = 0xabcd, .method = "GET"};
    snprintf(record->module, sizeof(record->module), "%s", module);
    snprintf(record->target, sizeof(record->target), "%s", target);
    return record;
}

static int64_t latest(void)
{
    json_t *list = crashes_list();
    const json_t *crashes = json_object_get(list, "crashes");
    const json_t *last = json_array_get(crashes, json_array_size(crashes) - 1);
    int64_t number = json_integer_value(json_object_get(last, "number"));

    json_decref(list);
    return number;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

START_TEST(frames_are_told_by_object_and_offset)
{
    struct words_record *record = record_of("hello", "/x");
    struct words_object *object = &mine.own_words->object[0];
    json_t *shown;
    const json_t *frames;

    *object = (struct words_object){.start = 0x1000, .end = 0x2000, .base = 0x800, .id_length = 2,
                                    .id = {0xab, 0x01}, .path = "/lib/x.so"};
    mine.own_words->objects = 1;
    record->frames = 3;
    record->frame[0] = 0x1000;
    record->frame[1] = 0x1fff;
    record->frame[2] = 0x2000;
    crashes_take(&worker, DIED);
    shown = crashes_show(latest());
    frames = json_object_get(json_object_get(shown, "crash"), "frames");
    ck_assert_uint_eq(json_array_size(frames), 3);
    ck_assert_str_eq(text_of(json_array_get(frames, 0), "object"), "/lib/x.so");
    ck_assert_str_eq(text_of(json_array_get(frames, 0), "offset"), "0x800");
    ck_assert_str_eq(text_of(json_array_get(frames, 0), "build_id"), "ab01");
    ck_assert_str_eq(text_of(json_array_get(frames, 1), "offset"), "0x17ff");
    ck_assert_str_eq(text_of(json_array_get(frames, 2), "address"), "0x2000");
    ck_assert_ptr_null(json_object_get(json_array_get(frames, 2), "object"));
    json_decref(shown);
}
END_TEST

#ifdef HAVE_SECCOMP
#define CALL "mount"
#else
#define CALL NULL
#endif
START_TEST(a_sigsys_is_told_by_its_system_call)
{
    struct words_record *record = record_of("hello", "/x");
    json_t *shown;
    const json_t *crash;

    record->signal = SIGSYS;
    record->code = 1; /* SYS_SECCOMP */
    record->address = SYS_mount;
    crashes_take(&worker, SIGSYS);
    shown = crashes_show(latest());
    crash = json_object_get(shown, "crash");
    ck_assert_pstr_eq(text_of(crash, "system_call"), CALL);
    json_decref(shown);
    record->code = SI_USER; /* then the number means nothing */
    crashes_take(&worker, SIGSYS);
    shown = crashes_show(latest());
    ck_assert_ptr_null(text_of(json_object_get(shown, "crash"), "system_call"));
    json_decref(shown);
}
END_TEST

START_TEST(a_record_of_another_process_is_none)
{
    json_t *shown;

    record_of("hello", "/x")->pid = PID + 1;
    crashes_take(&worker, DIED);
    shown = crashes_show(latest());
    ck_assert_str_eq(text_of(json_object_get(shown, "crash"), "signal"), "SIGSEGV");
    ck_assert_ptr_null(json_object_get(json_object_get(shown, "crash"), "tid"));
    json_decref(shown);
}
END_TEST

/* Whatever stands there, the master can tell it, and is not harmed. */
START_TEST(garbage_does_no_harm)
{
    unsigned char *bytes = (unsigned char *)mine.own_words;
    uint32_t state = 1u + (uint32_t)_i;
    json_t *shown;
    char *text;

    for (size_t i = 0; i < sizeof(*mine.own_words); i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = _i % 3 == 0 ? 0xff : _i % 3 == 1 ? (unsigned char)(state >> 24) : 'A';
    }
    for (int i = 0; i < WORDS_RECORDS; i++) {
        mine.own_words->record[i].pid = PID;
        mine.own_words->record[i].state = WORDS_DONE;
    }
    crashes_take(&worker, DIED);
    crashes_take_process(&worker, PID);
    shown = crashes_show(latest());
    ck_assert_ptr_nonnull(shown);
    text = json_dumps(shown, 0);
    ck_assert_ptr_nonnull(text);
    free(text);
    json_decref(shown);
    shown = quarantine_list();
    text = json_dumps(shown, 0);
    ck_assert_ptr_nonnull(text);
    free(text);
    json_decref(shown);
}
END_TEST

START_TEST(the_third_crash_is_one_too_many)
{
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(telling, 0);
        record_of("hello", "/x?y");
        crashes_take(&worker, DIED);
        record_of("hello", "/other");
        if (i == 1)
            crashes_take(&worker, DIED);
    }
    ck_assert_int_eq(telling, 1);
    ck_assert_int_eq(told_seconds, 600);
    ck_assert_str_eq(told, "000000000000abcd hello GET /x?y");
    quarantine_brief(&worker);
    ck_assert_int_eq(telling, 2);
    ck_assert_uint_eq(quarantine_clear(), 1);
    ck_assert_int_eq(told_seconds, 0);
    quarantine_brief(&worker);
    ck_assert_int_eq(telling, 3);
}
END_TEST

/* A new configuration that crashes while it is read says nothing against a module that serves. */
START_TEST(who_has_not_served_is_not_blamed)
{
    worker.loaded = false;
    for (int i = 1; i <= 30; i++) {
        record_of("hello", "/x?y");
        crashes_take(&worker, DIED);
    }
    ck_assert_int_eq(telling, 0);
    ck_assert_uint_eq(quarantine_clear(), 0);
}
END_TEST

START_TEST(a_module_has_a_budget_of_its_own)
{
    char target[16];

    generation.core.module_budget = 5;
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(telling, 0);
        snprintf(target, sizeof(target), "/%d", i);
        record_of("hello", target)->fingerprint = (uint64_t)i;
        crashes_take(&worker, DIED);
    }
    ck_assert_int_eq(telling, 1);
    ck_assert_str_eq(told, "0000000000000000 hello  ");
}
END_TEST

static const char *const not_sent[][2] = {{"", "/x"}, {"he llo", "/x"}, {"hello", "/x y"},
                                          {"hello", ""}, {"hello", "/\n"}};

START_TEST(what_no_request_can_hold_is_not_blamed)
{
    for (int i = 0; i < 4; i++) {
        record_of(not_sent[_i][0], not_sent[_i][1]);
        crashes_take(&worker, DIED);
    }
    ck_assert_int_eq(telling, 0);
}
END_TEST

START_TEST(a_flood_of_suspects_leaves_room)
{
    char target[16];

    for (int i = 1; i <= 1000; i++) {
        snprintf(target, sizeof(target), "/%d", i % 400);
        record_of("hello", target)->fingerprint = (uint64_t)i % 400 + 1;
        crashes_take(&worker, DIED);
    }
    for (int i = 0; i < 3; i++) {
        record_of("hello", "/last")->fingerprint = 4000;
        crashes_take(&worker, DIED);
    }
    ck_assert_str_eq(told, "0000000000000fa0 hello GET /last");
}
END_TEST

UNIT_MAIN_AROUND("crashes", setup, teardown, ONCE(frames_are_told_by_object_and_offset),
                 ONCE(a_sigsys_is_told_by_its_system_call),
                 ONCE(a_record_of_another_process_is_none), TIMES(garbage_does_no_harm, 60),
                 ONCE(the_third_crash_is_one_too_many),
                 ONCE(who_has_not_served_is_not_blamed), ONCE(a_module_has_a_budget_of_its_own),
                 EACH(what_no_request_can_hold_is_not_blamed, not_sent),
                 ONCE(a_flood_of_suspects_leaves_room))
