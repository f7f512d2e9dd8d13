/* The verbs of the control protocol: one function each, found through verbs.def. Master. */
#include "config.h"

#include "master/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "master/control.h"
#include "master/crashes.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/look.h"
#include "master/muster.h"
#include "master/operation.h"
#include "master/quarantine.h"
#include "master/reload.h"
#include "master/report.h"
#include "master/rollback.h"
#include "master/stacks.h"
#include "master/state.h"
#include "master/stop.h"
#include "master/upgrade.h"
#include "master/workforce.h"

typedef void verb_f(struct client *client, const char *argument);

static void refuse(struct client *client, const char *text)
{
    control_reply(client, CONTROL_REFUSED, 0, text, NULL);
}

static void verb_STATUS(struct client *client, const char *argument)
{
    (void)argument;
    control_reply(client, CONTROL_DONE, 0, "", report_status());
}

static void verb_CHECK(struct client *client, const char *argument)
{
    struct operation *operation = look_check(argument[0] ? argument : NULL);

    control_join(client, operation, WAIT_EVER);
    operation_ack(operation);
}

/* "wait=30" */
static bool seconds_of(const char *word, const char *name, int64_t *seconds)
{
    return text_starts(word, name) && text_int(word + strlen(name), seconds) && *seconds >= 0 &&
           *seconds <= 86400;
}

/* "wait=30 probation=60", either or none; false for anything else. */
static bool reload_seconds(const char *argument, int64_t *wait, int64_t *probation)
{
    char words[CONTROL_LINE], *rest = NULL;

    *wait = WAIT_EVER;
    *probation = 0;
    snprintf(words, sizeof(words), "%s", argument);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (!seconds_of(word, "wait=", wait) && !seconds_of(word, "probation=", probation))
            return false;
    return true;
}

static void verb_RELOAD(struct client *client, const char *argument)
{
    int64_t wait, probation;

    if (!reload_seconds(argument, &wait, &probation))
        refuse(client, "reload takes wait=SECONDS and probation=SECONDS, 0 to 86400");
    else if (master.state == MASTER_STOPPING)
        refuse(client, "the server is stopping");
    else
        control_join(client, reload_request(probation * 1000), wait);
}

static void verb_ROLLBACK(struct client *client, const char *argument)
{
    struct operation *operation;
    struct buf error = {0};
    int64_t number = 0;

    if (argument[0] && (!text_int(argument, &number) || number < 1 || number > UINT32_MAX)) {
        refuse(client, "rollback takes the number of a generation, as `generations` lists them");
        return;
    }
    operation = rollback_begin((uint32_t)number, &error);
    if (operation) {
        control_join(client, operation, WAIT_EVER);
        operation_ack(operation);
    } else {
        refuse(client, buf_text(&error));
    }
    buf_free(&error);
}

static void verb_STOP(struct client *client, const char *argument)
{
    bool now = strcmp(argument, "now") == 0;
    struct operation *operation;
    int64_t drain = master.serving ? master.serving->core.drain_timeout : 1;

    if (argument[0] && !now) {
        refuse(client, "stop takes nothing, or now");
        return;
    }
    operation = operation_new(VERB_STOP);
    operation_result(operation, CONTROL_DONE, "stopping");
    control_join(client, operation, WAIT_EVER);
    stop_begin(now ? 1 : drain, operation);
    operation_ack(operation);
}

static void verb_SCALE(struct client *client, const char *argument)
{
    struct operation *operation;
    int64_t count;

    if (!text_int(argument, &count) || count < 1 || count > SLOTS_MAX) {
        refuse(client, "scale takes a number of workers, 1 to 256");
        return;
    }
    if (!master.serving || master.trial) {
        refuse(client, "a generation is being tried; ask again when the reload has ended");
        return;
    }
    operation = muster_by_hand((int)count);
    control_join(client, operation, WAIT_EVER);
    operation_ack(operation);
}

static void verb_RECYCLE(struct client *client, const char *argument)
{
    struct operation *operation;
    int64_t slot = 0;
    bool all = !argument[0] || strcmp(argument, "all") == 0;

    if (!master.serving) {
        refuse(client, "no generation serves");
        return;
    }
    if (!all && (!text_int(argument, &slot) || slot < 0 || slot >= master.serving->slot_count)) {
        refuse(client, "recycle takes the number of a slot, as in status, or all");
        return;
    }
    operation = operation_new(VERB_RECYCLE);
    control_join(client, operation, WAIT_EVER);
    workforce_recycle(operation, (int)slot, all);
}

static void verb_UPGRADE(struct client *client, const char *argument)
{
    const char *path = text_starts(argument, "binary=") ? argument + strlen("binary=") : NULL;
    struct operation *operation;

    if (path ? path[0] != '/' : argument[0]) {
        refuse(client, "upgrade takes nothing, or binary= and an absolute path");
        return;
    }
    operation = upgrade_request(path);
    control_join(client, operation, WAIT_EVER);
    operation_ack(operation);
}

static void verb_REOPEN_LOGS(struct client *client, const char *argument)
{
    struct operation *operation = operation_new(VERB_REOPEN_LOGS);

    (void)argument;
    control_join(client, operation, WAIT_EVER);
    logs_reopen(operation);
}

static void verb_GENERATIONS(struct client *client, const char *argument)
{
    (void)argument;
    control_reply(client, CONTROL_DONE, 0, "", report_generations());
}

static void verb_LISTENERS(struct client *client, const char *argument)
{
    (void)argument;
    control_reply(client, CONTROL_DONE, 0, "", report_listeners());
}

static void verb_MODULES(struct client *client, const char *argument)
{
    (void)argument;
    control_reply(client, CONTROL_DONE, 0, "", report_modules());
}

/* "", "show 3" or "clear". */
static void verb_CRASHES(struct client *client, const char *argument)
{
    char text[64];
    int64_t number;
    json_t *crash;

    if (!argument[0]) {
        control_reply(client, CONTROL_DONE, 0, "", crashes_list());
    } else if (strcmp(argument, "clear") == 0 && client->access < CHANGE) {
        refuse(client, "only root and the owner may clear them; control_group may read");
    } else if (strcmp(argument, "clear") == 0) {
        snprintf(text, sizeof(text), "%u crashes are forgotten", crashes_clear());
        control_reply(client, CONTROL_DONE, 0, text, NULL);
    } else if (!text_starts(argument, "show ") || !text_int(argument + 5, &number)) {
        refuse(client, "crashes takes nothing, show and the number of a crash, or clear");
    } else if (!(crash = crashes_show(number))) {
        refuse(client, "there is no crash with that number; crashes lists them");
    } else {
        control_reply(client, CONTROL_DONE, 0, "", crash);
    }
}

static void verb_QUARANTINE(struct client *client, const char *argument)
{
    char text[64];

    if (!argument[0] || strcmp(argument, "list") == 0) {
        control_reply(client, CONTROL_DONE, 0, "", quarantine_list());
    } else if (strcmp(argument, "clear") != 0) {
        refuse(client, "quarantine takes nothing, list, or clear");
    } else if (client->access < CHANGE) {
        refuse(client, "only root and the owner may clear it; control_group may read");
    } else {
        snprintf(text, sizeof(text), "%u are served again", quarantine_clear());
        control_reply(client, CONTROL_DONE, 0, text, NULL);
    }
}

/* "" or the number of a slot. */
static void verb_STACKS(struct client *client, const char *argument)
{
    struct operation *operation;
    int64_t slot = -1;

    if (argument[0] && (!text_int(argument, &slot) || slot < 0 || slot >= SLOTS_MAX)) {
        refuse(client, "stacks takes nothing, or the number of a slot, as in status");
        return;
    }
    operation = operation_new(VERB_STACKS);
    control_join(client, operation, WAIT_EVER);
    if (!stacks_ask(operation, (int)slot))
        operation_result(operation, CONTROL_REFUSED, "there is no such worker; see status");
    operation_ack(operation);
}

static void verb_SLOW(struct client *client, const char *argument)
{
    unsigned forgotten;
    char text[64];

    if (!argument[0]) {
        control_reply(client, CONTROL_DONE, 0, "", stacks_slow());
    } else if (strcmp(argument, "follow") == 0) {
        control_follow_slow(client);
    } else if (strcmp(argument, "clear") != 0) {
        refuse(client, "slow takes nothing, --follow, or clear");
    } else if (client->access < CHANGE) {
        refuse(client, "only root and the owner may clear it; control_group may read");
    } else {
        forgotten = stacks_forget();
        snprintf(text, sizeof(text), "%u %s forgotten", forgotten,
                 forgotten == 1 ? "entry is" : "entries are");
        control_reply(client, CONTROL_DONE, 0, text, NULL);
    }
}

static void verb_EVENTS(struct client *client, const char *argument)
{
    (void)argument;
    control_follow(client);
}

static void verb_LOG_LEVEL(struct client *client, const char *argument)
{
    enum reeve_level level;
    struct operation *operation;

    if (!log_level_parse(argument, &level)) {
        refuse(client, "log-level takes one of error, warning, notice, info, debug");
        return;
    }
    operation = operation_new(VERB_LOG_LEVEL);
    logs_set_level(level);
    operation_result(operation, CONTROL_DONE, "the log level is %s", argument);
    control_join(client, operation, WAIT_EVER);
    operation_ack(operation);
}

static void verb_HEALTH(struct client *client, const char *argument)
{
    (void)argument;
    if (master.state == MASTER_SERVING && generation_ready_count(master.serving) > 0)
        control_reply(client, CONTROL_DONE, 0, "healthy", NULL);
    else
        control_reply(client, CONTROL_REFUSED, 0,
                      master.state == MASTER_SERVING ? "no worker is ready" : "not serving", NULL);
}

static void verb_VERSION(struct client *client, const char *argument)
{
    (void)argument;
    control_reply(client, CONTROL_DONE, 0, "", report_version());
}

static const struct {
    const char *name;
    enum control_access access;
    verb_f *run;
} verbs[VERBS] = {
#define X(symbol, name, arguments, access, help) {name, access, verb_##symbol},
#include "share/verbs.def"
#undef X
};

void verb_dispatch(struct client *client, char *line)
{
    size_t length = strcspn(line, " \r");
    const char *argument = line + length + (line[length] == ' ');

    line[strcspn(line, "\r")] = '\0';
    for (int i = 0; i < VERBS; i++) {
        if (strlen(verbs[i].name) != length || strncmp(verbs[i].name, line, length) != 0)
            continue;
        if (verbs[i].access > client->access) {
            say(LOG_CONTROL_REFUSED, "%s was asked for without the right to change", verbs[i].name);
            refuse(client, "only root and the owner may do that; control_group may read");
        } else {
            verbs[i].run(client, argument);
        }
        return;
    }
    refuse(client, "there is no such verb; reevectl --help lists them");
}
