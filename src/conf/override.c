/* -o KEY=VALUE: laid over the finished tree, in the order given. The thread that parses. */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/core.h"
#include "conf/tree.h"

#define KEY_MAX 256

#define complain(conf, override, ...)                                                             \
    conf_complain(conf, (conf)->errors, (struct said){BY_OVERRIDE, 0, override}, NULL, __VA_ARGS__)

static void complain_unknown(struct conf *conf, const char *override, const reeve_section *section,
                             const char *word)
{
    const char *names[256], *near;
    size_t count = 0;
    for (size_t i = 0, n = option_count(section->options); i < n && count < 256; i++)
        if (section->options[i].name)
            names[count++] = section->options[i].name;
    near = text_nearest(word, names, count);
    if (near)
        complain(conf, override, "%s is not known; did you mean \"%s\"?", word, near);
    else
        complain(conf, override,
                 "%s is not known; see reeve.conf(5), or add its module to modules", word);
}

/* Replaces the listen sections; a second override adds to the first. */
static bool override_listen(struct conf *conf, const char *override, const char *address)
{
    reeve_section *root = conf->root, *section;
    const reeve_option *o = option_find(root->options, "listen");
    struct value *listens = &root->values[o - root->options];
    struct said said = {BY_OVERRIDE, 0, override};
    size_t kept = listens->said.origin == BY_OVERRIDE ? listens->count : 0;
    reeve_section **sections = conf_alloc(conf, (kept + 1) * sizeof(*sections));
    section = tree_make(conf, "listen", address, o->options, NULL, said);
    if (!sections || !section)
        return false;
    if (listens->count > 0) {
        size_t at = (size_t)(option_find(o->options, "protocol") - o->options);
        section->values[at] = listens->sections[0]->values[at];
    }
    if (kept > 0)
        memcpy(sections, listens->sections, kept * sizeof(*sections));
    sections[kept] = section;
    *listens = (struct value){.said = said, .sections = sections, .count = kept + 1};
    return true;
}

static void set_value(struct conf *conf, const reeve_option *o, const char *override,
                      const char *text, struct value *value)
{
    struct buf sentence = {0};
    value->said = (struct said){BY_OVERRIDE, 0, override};
    if (!value_read(conf, o, text, value, &sentence))
        complain(conf, override, "%s", buf_text(&sentence));
    buf_free(&sentence);
}

/* Why `key` cannot be set, or be followed by ".": as a line, and true. */
static bool refuse(struct conf *conf, const char *override, const reeve_option *o, bool last)
{
    if (o->type == REEVE_OPT_SECTIONS || o->type == REEVE_OPT_HANDLER)
        complain(conf, override, "%s may stand several times and cannot be set by -o; change the "
                 "file", o->name);
    else if (last && o->type == REEVE_OPT_SECTION)
        complain(conf, override, "%s is a section; name an option in it: %s.OPTION=VALUE", o->name,
                 o->name);
    else if (!last && o->type != REEVE_OPT_SECTION)
        complain(conf, override, "%s is not a section; write no \".\" after it", o->name);
    else
        return false;
    return true;
}

/* `key` is cut at its dots. False when memory is short. */
static bool apply(struct conf *conf, const char *override, char *key, const char *text)
{
    reeve_section *section = conf->root;
    for (;;) {
        size_t length = strcspn(key, ".");
        bool last = key[length] == '\0';
        key[length] = '\0';
        const reeve_option *o = option_find(section->options, key);
        if (!o) {
            /* The master knows only the core's options; a worker will say what is wrong here. */
            if (section != conf->root || conf->modules)
                complain_unknown(conf, override, section, key);
            return true;
        }
        struct value *value = &section->values[o - section->options];
        if (section == conf->root && last && strcmp(key, "listen") == 0)
            return override_listen(conf, override, text);
        if (refuse(conf, override, o, last))
            return true;
        if (last) {
            set_value(conf, o, override, text, value);
            return true;
        }
        if (value->said.origin == BY_DEFAULT)
            value->said = (struct said){BY_OVERRIDE, 0, override};
        section = value->sections[0];
        key += length + 1;
    }
}

bool override_apply(struct conf *conf, const char *override)
{
    char key[KEY_MAX];
    size_t length = strcspn(override, "=");
    if (override[length] == '\0' || length == 0 || length >= sizeof(key)) {
        complain(conf, override, "is no setting; write -o KEY=VALUE, such as -o workers=2");
        return true;
    }
    memcpy(key, override, length);
    key[length] = '\0';
    return apply(conf, override, key, override + length + 1);
}
