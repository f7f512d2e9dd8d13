/* Where something was said, and the one form of all messages: "file:line: option: what; what to
 * do". Any process; the thread that parses or configures. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/conf.h"
#include "conf/tree.h"
#include "share/snapshot.h"

static struct buf *collected; /* where reeve_conf_error adds lines, while modules configure */

void conf_collect_errors(struct buf *errors)
{
    collected = errors;
}

static void put_where(struct buf *out, const struct conf *conf, struct said said)
{
    if (said.origin == BY_OVERRIDE)
        buf_printf(out, "-o %s: ", said.override);
    else if (said.origin == BY_FILE && said.line > 0)
        buf_printf(out, "%s:%d: ", conf->snapshot->path, said.line);
    else
        buf_printf(out, "%s: ", conf->snapshot->path);
}

static void complain(const struct conf *conf, struct buf *errors, struct said said,
                     const char *option, const char *format, va_list args)
    __attribute__((format(printf, 5, 0)));

static void complain(const struct conf *conf, struct buf *errors, struct said said,
                     const char *option, const char *format, va_list args)
{
    put_where(errors, conf, said);
    if (option)
        buf_printf(errors, "%s: ", option);
    buf_vprintf(errors, format, args);
    buf_addc(errors, '\n');
}

void conf_complain(const struct conf *conf, struct buf *errors, struct said said,
                   const char *option, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(conf, errors, said, option, format, args);
    va_end(args);
}

struct said conf_said(const reeve_section *section, const char *name)
{
    const reeve_option *o = name ? option_find(section->options, name) : NULL;
    if (o) {
        const struct value *value = &section->values[o - section->options];
        if (value->said.origin != BY_DEFAULT)
            return value->said;
    }
    return section->said;
}

void conf_put_section(struct buf *out, const char *name, const char *title)
{
    buf_adds(out, name);
    if (!title)
        return;
    buf_adds(out, " \"");
    text_put_safe(out, title, strlen(title));
    buf_addc(out, '"');
}

int reeve_conf_error(const reeve_section *section, const char *name, const char *format, ...)
{
    struct buf option = {0};
    va_list args;
    if (!collected) {
        fprintf(stderr, "reeved: a module called reeve_conf_error() outside of configure\n");
        abort();
    }
    if (name)
        buf_adds(&option, name);
    else
        conf_put_section(&option, section->name, section->title);
    va_start(args, format);
    complain(section->conf, collected, conf_said(section, name), buf_text(&option), format, args);
    va_end(args);
    buf_free(&option);
    return -1;
}

/* The path as this configuration says it, whatever else is wrong there. */
bool conf_module_exists(const struct conf *conf, const char *name)
{
    struct buf errors = {0};
    struct conf *core = conf_parse(conf->snapshot, NULL, 0, &errors);
    const char *folder = core ? reeve_conf_string(conf_root(core), "module_path") : MODULE_PATH;
    bool found = false;
    while (*folder && !found) {
        char path[4096];
        size_t length = strcspn(folder, ":");
        const char *base = *folder == '/' ? "" : conf->snapshot->folder;
        snprintf(path, sizeof(path), "%s/%.*s/%s.so", base, (int)length, folder, name);
        found = access(path, R_OK) == 0;
        folder += length + (folder[length] == ':');
    }
    conf_free(&core);
    buf_free(&errors);
    return found;
}
