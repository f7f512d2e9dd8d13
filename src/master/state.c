/* What the parts of the master share; see state.h. */
#include "config.h"

#include "master/state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/sys.h"
#include "master/master.h"

struct master master = {.generations = {&master.generations, &master.generations}};
static say_follower *follower;

void say_follow(say_follower *follow)
{
    follower = follow;
}

void say(enum log_tag tag, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    log_line(log_tags[tag].level, log_tags[tag].tag, buf_text(&text));
    if (follower)
        follower(tag, buf_text(&text));
    buf_free(&text);
}

void master_set_error(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    free(master.last_error);
    master.last_error = strndup(text, length);
    master.last_error_at = clock_time();
}

void master_complain(const char *text)
{
    if (sys_write_all(master.options->complaint_fd, text, strlen(text)) < 0)
        log_errno(LOG_SYSTEM, "nobody reads why the start failed");
}

void master_check_finished(void)
{
    if (master.state == MASTER_STOPPING && list_empty(&master.generations))
        master.finished = true;
}
