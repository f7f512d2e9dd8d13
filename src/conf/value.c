/* Values as written in the file -> values as used. One converter for each type, each with the
 * sentence that says what to write instead. The thread that parses; memory of the conf. */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/tree.h"
#include "share/snapshot.h"

static void put_quoted(struct buf *out, const char *text)
{
    buf_addc(out, '"');
    text_put_safe(out, text, strlen(text));
    buf_addc(out, '"');
}

/* Always false, so that converters can return it. */
static bool wrong(struct buf *sentence, const char *text, const char *rest)
{
    put_quoted(sentence, text);
    buf_adds(sentence, rest);
    return false;
}

static bool read_bool(const char *text, struct value *value, struct buf *sentence)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"true", true}, {"yes", true}, {"on", true},
                 {"false", false}, {"no", false}, {"off", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i].word) == 0) {
            value->number = words[i].value;
            return true;
        }
    }
    return wrong(sentence, text, " is neither true nor false; write true or false");
}

static void put_number(struct buf *out, enum reeve_option_type type, int64_t number)
{
    if (type == REEVE_OPT_SIZE)
        text_put_size(out, number);
    else if (type == REEVE_OPT_DURATION)
        text_put_duration(out, number);
    else
        buf_printf(out, "%" PRId64, number);
}

static bool in_range(const reeve_option *o, const char *text, int64_t number, struct buf *sentence)
{
    if ((o->min == 0 && o->max == 0) || (number >= o->min && number <= o->max))
        return true;
    wrong(sentence, text, " is out of range; write ");
    put_number(sentence, o->type, o->min);
    buf_adds(sentence, " to ");
    put_number(sentence, o->type, o->max);
    return false;
}

static bool read_number(const reeve_option *o, const char *text, struct value *value,
                        struct buf *sentence)
{
    if (o->type == REEVE_OPT_INT && !text_int(text, &value->number))
        return wrong(sentence, text, " is not a whole number; write digits only");
    if (o->type == REEVE_OPT_SIZE && !text_size(text, &value->number))
        return wrong(sentence, text, " is not a size; write bytes, or a number with a unit such as "
                                     "64KiB or 10MiB");
    if (o->type == REEVE_OPT_DURATION && !text_duration(text, &value->number))
        return wrong(sentence, text, " is not a time; write seconds, or a number with a unit such "
                                     "as 250ms, 30s, 5m or 1h");
    return in_range(o, text, value->number, sentence);
}

static bool read_mode(const char *text, struct value *value, struct buf *sentence)
{
    size_t digits = strspn(text, "01234567");
    if (digits == 0 || digits > 4 || text[digits])
        return wrong(sentence, text, " are not permissions; write them in octal, such as \"0660\"");
    value->number = 0;
    for (size_t i = 0; i < digits; i++)
        value->number = value->number * 8 + (text[i] - '0');
    return true;
}

static void put_choices(struct buf *out, const char *choices, const char *word)
{
    const char *names[64];
    char room[1024], *save = NULL;
    size_t count = 0;
    if (strlen(choices) >= sizeof(room))
        return;
    strcpy(room, choices);
    for (char *name = strtok_r(room, "|", &save); name && count < 64;
         name = strtok_r(NULL, "|", &save))
        names[count++] = name;
    const char *near = text_nearest(word, names, count);
    if (near)
        buf_printf(out, " (did you mean \"%s\"?)", near);
    buf_adds(out, "; write ");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s\"%s\"", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
}

static bool read_enum(const reeve_option *o, const char *text, struct buf *sentence)
{
    /* The default may be a word that is no choice, "" for "as something else says". */
    if (text_is_choice(o->choices, text) || strcmp(text, o->fallback ? o->fallback : "") == 0)
        return true;
    wrong(sentence, text, " is not known");
    put_choices(sentence, o->choices, text);
    return false;
}

/* Relative paths are relative to the folder of the configuration. NULL when memory is short. */
static const char *read_path(struct conf *conf, const reeve_option *o, const char *text)
{
    struct buf path = {0};
    if (*text == '/' || *text == '\0' || (o->choices && text_is_choice(o->choices, text)))
        return conf_strdup(conf, text);
    while (text_starts(text, "./"))
        text += 2;
    buf_adds(&path, conf->snapshot->folder);
    if (strcmp(text, ".") != 0 && *text)
        buf_printf(&path, "%s%s", strcmp(buf_text(&path), "/") == 0 ? "" : "/", text);
    const char *copy = path.failed ? NULL : conf_strdup(conf, buf_text(&path));
    buf_free(&path);
    return copy;
}

bool value_read(struct conf *conf, const reeve_option *o, const char *text, struct value *value,
                struct buf *sentence)
{
    switch (o->type) {
    case REEVE_OPT_BOOL:
        return read_bool(text, value, sentence);
    case REEVE_OPT_INT:
    case REEVE_OPT_SIZE:
    case REEVE_OPT_DURATION:
        return read_number(o, text, value, sentence);
    case REEVE_OPT_MODE:
        return read_mode(text, value, sentence);
    case REEVE_OPT_PATH:
        value->string = read_path(conf, o, text);
        break;
    case REEVE_OPT_ENUM:
        if (!read_enum(o, text, sentence))
            return false;
        value->string = conf_strdup(conf, text);
        break;
    case REEVE_OPT_STRING:
        value->string = conf_strdup(conf, text);
        break;
    case REEVE_OPT_LIST:
        if (value_read_list(conf, text, value))
            return true;
        break;
    case REEVE_OPT_END:
    case REEVE_OPT_SECTION:
    case REEVE_OPT_SECTIONS:
    case REEVE_OPT_HANDLER:
        buf_adds(sentence, "is a section, not a value");
        return false;
    }
    if (o->type != REEVE_OPT_LIST && value->string)
        return true;
    buf_adds(sentence, "memory is short");
    return false;
}

bool value_read_list(struct conf *conf, const char *text, struct value *value)
{
    size_t room = 1;
    char *copy = conf_strdup(conf, text), *save = NULL;
    for (const char *at = text; *at; at++)
        room += *at == ',';
    value->items = conf_alloc(conf, room * sizeof(char *));
    value->count = 0;
    if (!copy || !value->items)
        return false;
    for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        item += strspn(item, " \t");
        for (size_t length = strlen(item); length > 0 && strchr(" \t", item[length - 1]);)
            item[--length] = '\0';
        if (*item)
            value->items[value->count++] = item;
    }
    return true;
}
