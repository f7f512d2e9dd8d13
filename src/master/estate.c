/* The state of the master, put together and taken apart; see estate.h. What belongs to generations
 * is in estate-workers.c; what is private to a part is put and taken by that part.
 *
 * Master, both images. Taking is a rehearsal too: the self-test of a new program does it all, with
 * copies of the very descriptors, and must leave no trace. So nothing is sent, logged, closed or
 * removed here. */
#include "config.h"

#include "master/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sys.h"
#include "master/carry.h"
#include "master/control.h"
#include "master/crashes.h"
#include "master/estate-workers.h"
#include "master/instance.h"
#include "master/logs.h"
#include "master/master.h"
#include "master/operation.h"
#include "master/past.h"
#include "master/quarantine.h"
#include "master/socket.h"
#include "master/stacks.h"
#include "master/state.h"
#include "share/channel.h"

#define ESTATE_KIND "reeve state"
#define SIZE_LIMIT (64u << 20)

static const struct field master_fields[] = {
    FIELD(TEXT, struct master, control),
    FIELD(TEXT, struct master, control_group),
    FIELD(TEXT, struct master, pid_file),
    FIELD(I64, struct master, started),
    FIELD(U32, struct master, last_generation),
#define X(name, board, total, each, help) FIELD(U64, struct master, retired.name),
#include "share/counters.def"
#undef X
    FIELD(U64, struct master, restarts),
    FIELD(U64, struct master, refused),
    FIELD(TEXT, struct master, last_error),
    FIELD(I64, struct master, last_error_at),
    FIELDS_END,
};
static const struct field options_fields[] = {
    FIELD(TEXT, struct options, config),
    FIELD(TEXT, struct options, binary),
    FIELD(BOOL, struct options, detach),
    FIELDS_END,
};
static const struct field board_fields[] = {
    FIELD(FD, struct board, fd),
    FIELDS_END,
};
static const struct field succession_fields[] = {
    FIELD(U32, struct succession, operation),
    FIELD(TEXT, struct succession, from),
    FIELD(TEXT, struct succession, binary),
    FIELDS_END,
};

/* ---------------------------------------------------------------- put -------------- */

static json_t *options_put(void)
{
    json_t *object = fields_put(options_fields, master.options), *list = json_array();

    for (size_t i = 0; i < master.options->override_count; i++) {
        const char *override = master.options->overrides[i];

        json_array_append_new(list, carry_bytes(override, strlen(override)));
    }
    json_object_set_new(object, "overrides", list);
    return object;
}

static json_t *board_put(void)
{
    json_t *object = fields_put(board_fields, &master.board), *list = json_array();
    char layout[BOARD_LAYOUT];

    board_layout(layout);
    json_object_set_new(object, "layout", json_string(layout));
    for (size_t i = 0; i < BOARD_SEGMENTS / 32; i++)
        json_array_append_new(list, json_integer(master.board.serving[i]));
    json_object_set_new(object, "serving", list);
    return object;
}

/* What the workers that are alive understand. */
static json_t *messages_put(void)
{
    json_t *list = json_array();

    for (int i = 0; i < MSG_TYPES; i++)
        json_array_append_new(list, json_string(msg_name((enum msg_type)i)));
    return list;
}

static json_t *estate_put(const struct succession *succession)
{
    return json_pack("{s:s,s:i,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
                     "s:o}", "kind", ESTATE_KIND, "version", ESTATE_VERSION, "program", VERSION,
                     "messages", messages_put(),
                     "succession", fields_put(succession_fields, succession),
                     "master", fields_put(master_fields, &master), "options", options_put(),
                     "board", board_put(), "instance", instance_put(), "logs", logs_put(),
                     "inherited", socket_put(), "listeners", listeners_put(),
                     "generations", generations_put(), "operations", operations_put(),
                     "control", control_put(), "crashes", crashes_put(),
                     "quarantine", quarantine_put(), "past", past_put(),
                     "slow", stacks_slow_put());
}

int estate_write(const struct succession *succession)
{
    json_t *state = estate_put(succession);
    char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
    int fd = text ? memfd_create("reeve-state", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;

    json_decref(state);
    if (!text)
        errno = ENOMEM;
    if (fd >= 0 && (sys_write_all(fd, text, strlen(text)) < 0 ||
                    fcntl(fd, F_ADD_SEALS,
                          F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0))
        sys_close(&fd);
    carry_fd(fd);
    free(text);
    return fd;
}

/* ---------------------------------------------------------------- take ------------- */

static bool options_take(const json_t *object, struct buf *error)
{
    static struct options options;
    const json_t *list = json_object_get(object, "overrides");

    options = (struct options){.ready_fd = -1, .complaint_fd = STDERR_FILENO};
    if (!carry_list(object, "overrides", &options.override_count, error) ||
        !fields_take(options_fields, object, &options, "command line", error))
        return false;
    options.overrides = calloc(options.override_count + 1, sizeof(char *));
    if (!options.overrides)
        abort();
    for (size_t i = 0; i < options.override_count; i++) {
        size_t length;

        options.overrides[i] = carry_bytes_take(json_array_get(list, i), &length);
        if (!options.overrides[i]) {
            buf_adds(error, "the state's overrides are no texts\n");
            return false;
        }
    }
    master.options = &options;
    return true;
}

/* A board that is laid out in another way goes on to be written by its old workers, and is looked
 * at no more; new workers get a new one. */
static bool board_take(const json_t *object, struct buf *error)
{
    const char *layout = json_string_value(json_object_get(object, "layout"));
    const json_t *list = json_object_get(object, "serving");
    struct board old = {.fd = -1};
    char ours[BOARD_LAYOUT];
    bool same;

    board_layout(ours);
    same = layout && strcmp(layout, ours) == 0;
    if (!fields_take(board_fields, object, &old, "board", error))
        return false;
    if ((same ? board_adopt(&master.board, old.fd) : board_create(&master.board)) < 0) {
        buf_printf(error, "the board cannot be used: %s\n", strerror(errno));
        return false;
    }
    for (size_t i = 0; same && i < BOARD_SEGMENTS / 32; i++)
        master.board.serving[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    workers_see_board(same);
    return true;
}

/* The workers that are alive go on to speak as they have learned it. */
static bool messages_fit(const json_t *list, struct buf *error)
{
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (name && i < MSG_TYPES && strcmp(name, msg_name((enum msg_type)i)) == 0)
            continue;
        buf_printf(error, "the workers that run speak in another way (message %s); restart the "
                          "server instead\n", name ? name : "?");
        return false;
    }
    return true;
}

bool estate_fits(const json_t *state, struct buf *error)
{
    const char *kind = json_string_value(json_object_get(state, "kind"));
    json_int_t version = json_integer_value(json_object_get(state, "version"));

    if (!kind || strcmp(kind, ESTATE_KIND) != 0) {
        buf_adds(error, "this is not the state of a reeved\n");
        return false;
    }
    if (version < ESTATE_OLDEST || version > ESTATE_VERSION) {
        buf_printf(error, "the state has version %lld, and reeved %s reads %d to %d; restart the "
                          "server instead\n", (long long)version, VERSION, ESTATE_OLDEST,
                   ESTATE_VERSION);
        return false;
    }
    return messages_fit(json_object_get(state, "messages"), error);
}

static bool parts_take(const json_t *state, struct succession *succession, struct buf *error)
{
    return estate_fits(state, error) &&
           fields_take(succession_fields, json_object_get(state, "succession"), succession,
                       "succession", error) &&
           fields_take(master_fields, json_object_get(state, "master"), &master, "master",
                       error) &&
           options_take(json_object_get(state, "options"), error) &&
           board_take(json_object_get(state, "board"), error) &&
           instance_take(json_object_get(state, "instance"), error) &&
           logs_take(json_object_get(state, "logs"), error) && socket_take(state, error) &&
           listeners_take(state, error) && generations_take(state, error) &&
           operations_take(json_object_get(state, "operations"), error) &&
           control_take(json_object_get(state, "control"), error);
}

static json_t *estate_read(int fd, struct buf *error)
{
    struct buf text = {0};
    char room[65536];
    json_t *state = NULL;
    json_error_t why;
    ssize_t n;

    while (text.length < SIZE_LIMIT && (n = pread(fd, room, sizeof(room), (off_t)text.length)) > 0)
        buf_add(&text, room, (size_t)n);
    state = json_loadb(buf_text(&text), text.length, JSON_ALLOW_NUL, &why);
    if (!state)
        buf_printf(error, "the state is no JSON: %s\n", why.text);
    buf_free(&text);
    return state;
}

bool estate_take(int fd, struct succession *succession, struct buf *error)
{
    json_t *state = estate_read(fd, error);
    bool ok = state && parts_take(state, succession, error);

    if (ok) {
        crashes_restore(json_object_get(state, "crashes"));
        quarantine_restore(json_object_get(state, "quarantine"));
        past_restore(json_object_get(state, "past"));
        stacks_slow_restore(json_object_get(state, "slow"));
    }
    json_decref(state);
    if (ok && !(master.control && master.control_group && master.pid_file)) {
        buf_adds(error, "the state does not say where the control socket is\n");
        ok = false;
    }
    master.state = MASTER_SERVING;
    return ok;
}
