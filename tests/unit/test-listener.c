/* Listeners over reloads: kept while they are configured, shut and announced when they are not,
 * closed again when a trial fails. Workers are stand-ins that note what they are told. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf-help.h"
#include "master/generation.h"
#include "master/listener.h"
#include "master/state.h"
#include "master/workers.h"
#include "temp.h"
#include "unit.h"

/* ---------------------------------------------------------------- stand-ins -------- */

static struct buf told;

void worker_tell(struct worker *worker, enum msg_type type, uint32_t op, int value, int fd,
                 const char *text)
{
    (void)op;
    (void)value;
    (void)fd;
    buf_printf(&told, "%d %s %s\n", worker->slot_index, msg_name(type), text);
}

static struct msg handed;

void worker_send(struct worker *worker, const struct msg *msg)
{
    (void)worker;
    handed = *msg;
}

/* ---------------------------------------------------------------- helpers ---------- */

/* What a generation is to its listeners. */
static struct fake {
    struct generation generation;
    struct help help;
} fakes[2];
static struct worker workers[2];
static bool in_use;

static void setup(void)
{
    temp_make();
    log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_TEXT);
    for (int i = 0; i < 2; i++) {
        workers[i].slot_index = i;
        list_init(&fakes[i].generation.workers);
        list_append(&fakes[0].generation.workers, &workers[i].node);
    }
}

/* Parses what `format`, with the folder in it, says. */
static struct fake *configure(int index, const char *format)
{
    struct fake *fake = &fakes[index];
    char text[512];

    for (size_t i = 0; *format; format++)
        i += (size_t)(*format == '%' ? snprintf(text + i, sizeof(text) - i, "%s", temp_folder)
                                     : snprintf(text + i, sizeof(text) - i, "%c", *format));
    fake->help = help_parse(text, NULL, false);
    ck_assert_msg(fake->help.conf && core_read(fake->help.conf, &fake->generation.core,
                                               &fake->help.errors),
                  "%s", buf_text(&fake->help.errors));
    return fake;
}

static bool open_all(struct fake *fake)
{
    return listeners_open(&fake->generation.core, &fake->help.errors, &in_use);
}

static struct fake *serve(int index, const char *format, struct fake *old)
{
    struct fake *fake = configure(index, format);

    ck_assert_msg(open_all(fake), "%s", buf_text(&fake->help.errors));
    listeners_adopt(&fake->generation, old ? &old->generation : NULL);
    return fake;
}

static void teardown(void)
{
    listeners_close_all();
    ck_assert(list_empty(&listeners));
    for (int i = 0; i < 2; i++) {
        core_free(&fakes[i].generation.core);
        help_end(&fakes[i].help);
    }
    buf_free(&told);
    temp_remove();
}

static bool exists(const char *name)
{
    return access(temp_path(name), F_OK) == 0;
}

static struct listener *newest(void)
{
    return list_entry(listeners.prev, struct listener, node);
}

/* ---------------------------------------------------------------- tests ------------ */

START_TEST(found_by_title)
{
    const struct listener *listener;

    serve(0, "listen \"127.0.0.1:0\" { protocol = p } listen \"unix:%/a\" { protocol = q }", NULL);
    listener = newest();
    ck_assert_str_eq(listener->protocol, "q");
    ck_assert_int_eq(listener_fd(listener->title), listener->fd);
    ck_assert_int_ge(listener_fd("127.0.0.1:0"), 0);
    ck_assert_int_eq(listener_fd("127.0.0.1:1"), -1);
    ck_assert_ptr_null(strstr(list_entry(listeners.next, struct listener, node)->bound, ":0"));
    ck_assert(!listener->trial && !listener->removed && !listener->inherited);
}
END_TEST

START_TEST(reload_keeps_the_very_socket)
{
    struct fake *old = serve(0, "listen \"127.0.0.1:0\" { protocol = p }", NULL);
    int fd = listener_fd("127.0.0.1:0");

    serve(1, "listen \"127.0.0.1:0\" { protocol = q backlog = 3 }", old);
    ck_assert_int_eq(listener_fd("127.0.0.1:0"), fd);
    ck_assert_str_eq(newest()->protocol, "q");
    ck_assert_int_eq(newest()->backlog, 3);
    ck_assert_str_eq(buf_text(&told), "");
}
END_TEST

START_TEST(mode_is_changed_and_nonblocking_restored)
{
    struct fake *old = serve(0, "listen \"unix:%/a\" { mode = 0600 }", NULL);
    struct stat st;
    int fd = newest()->fd;

    fcntl(fd, F_SETFL, 0); /* a worker gone mad */
    serve(1, "listen \"unix:%/a\" { mode = 0666 }", old);
    ck_assert_int_eq(stat(temp_path("a"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0666);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
}
END_TEST

START_TEST(removed_one_is_shut_announced_and_closed_later)
{
    struct fake *old = serve(0, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }", NULL);
    char title[64], expected[256];
    int fd;

    snprintf(title, sizeof(title), "unix:%s", temp_path("a"));
    fd = listener_fd(title);
    serve(1, "listen \"unix:%/b\" { }", old);
    ck_assert(!exists("a") && exists("b"));
    snprintf(expected, sizeof(expected), "0 REMOVED %s\n1 REMOVED %s\n", title, title);
    ck_assert_str_eq(buf_text(&told), expected);
    ck_assert_int_eq(listener_fd(title), -1);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0); /* the old workers empty its backlog */
    listeners_close_removed();
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
    ck_assert_ptr_eq(listeners.next, listeners.prev);
}
END_TEST

START_TEST(removed_one_leaves_the_path_to_its_next_owner)
{
    struct fake *old = serve(0, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }", NULL);

    serve(1, "listen \"unix:%/b\" { }", old);
    temp_write(temp_path("a"), "another's by now");
    listeners_close_removed();
    ck_assert(exists("a"));
}
END_TEST

START_TEST(title_that_comes_back_is_opened_anew)
{
    struct fake *first = serve(0, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }", NULL);
    struct fake *second = serve(1, "listen \"unix:%/b\" { }", first);

    core_free(&first->generation.core);
    help_end(&first->help);
    serve(0, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }", second);
    ck_assert(exists("a"));
    listeners_close_removed(); /* of the first one */
    ck_assert(exists("a"));
    ck_assert(!newest()->removed);
}
END_TEST

START_TEST(failed_trial_leaves_nothing_open)
{
    struct fake *trial;

    serve(0, "listen \"unix:%/a\" { }", NULL);
    trial = configure(1, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }\n"
                         "listen \"unix:%/none/c\" { }");
    ck_assert(!open_all(trial));
    ck_assert_ptr_nonnull(strstr(buf_text(&trial->help.errors), "(built-in):2: "));
    ck_assert_ptr_nonnull(strstr(buf_text(&trial->help.errors), "the folder does not exist"));
    ck_assert(!in_use);
    ck_assert(exists("a") && !exists("b"));
    ck_assert_ptr_eq(listeners.next, listeners.prev);
}
END_TEST

START_TEST(abandoned_trial_leaves_nothing_open)
{
    serve(0, "listen \"unix:%/a\" { }", NULL);
    ck_assert(open_all(configure(1, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }")));
    ck_assert(newest()->trial && exists("b"));
    listeners_abandon();
    ck_assert(exists("a") && !exists("b"));
}
END_TEST

START_TEST(address_in_use_is_told_apart)
{
    temp_write(temp_path("b"), "");
    ck_assert(!open_all(configure(0, "listen \"unix:%/b\" { } listen \"unix:%/none/c\" { }")));
    ck_assert(in_use);
    configure(1, "listen \"unix:%/a\" { }");
    ck_assert(open_all(&fakes[1]));
    ck_assert(!in_use);
}
END_TEST

START_TEST(shutting_all)
{
    serve(0, "listen \"unix:%/a\" { } listen \"unix:%/b\" { }", NULL);
    listeners_shut_all();
    ck_assert(!exists("a") && !exists("b"));
    ck_assert_int_ge(fcntl(newest()->fd, F_GETFD), 0);
}
END_TEST

UNIT_MAIN_AROUND("listener", setup, teardown, ONCE(found_by_title),
                 ONCE(reload_keeps_the_very_socket), ONCE(mode_is_changed_and_nonblocking_restored),
                 ONCE(removed_one_is_shut_announced_and_closed_later),
                 ONCE(removed_one_leaves_the_path_to_its_next_owner),
                 ONCE(title_that_comes_back_is_opened_anew),
                 ONCE(failed_trial_leaves_nothing_open), ONCE(abandoned_trial_leaves_nothing_open),
                 ONCE(address_in_use_is_told_apart), ONCE(shutting_all))
