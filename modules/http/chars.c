/* What each byte of a head may be part of: one table for the whole parser. Constant. */
#include "config.h"

#include "chars.h"
#include "parse.h"

const unsigned char chars_classes[256] = {
    ['\t'] = CHARS_VALUE,
    [' '] = CHARS_VALUE,
    ['!'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['"'] = CHARS_VALUE | CHARS_TARGET,
    ['#'] = CHARS_TOKEN | CHARS_VALUE, /* a fragment is never sent */
    ['$'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['%'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['&'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['\''] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['('] = CHARS_VALUE | CHARS_TARGET,
    [')'] = CHARS_VALUE | CHARS_TARGET,
    ['*'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['+'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    [','] = CHARS_VALUE | CHARS_TARGET,
    ['-'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['.'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['/'] = CHARS_VALUE | CHARS_TARGET,
    ['0' ... '9'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    [':'] = CHARS_VALUE | CHARS_TARGET,
    [';'] = CHARS_VALUE | CHARS_TARGET,
    ['<'] = CHARS_VALUE | CHARS_TARGET,
    ['='] = CHARS_VALUE | CHARS_TARGET,
    ['>'] = CHARS_VALUE | CHARS_TARGET,
    ['?'] = CHARS_VALUE | CHARS_TARGET,
    ['@'] = CHARS_VALUE | CHARS_TARGET,
    ['A' ... 'Z'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['['] = CHARS_VALUE | CHARS_TARGET,
    ['\\'] = CHARS_VALUE | CHARS_TARGET,
    [']'] = CHARS_VALUE | CHARS_TARGET,
    ['^'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['_'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['`'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['a' ... 'z'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['{'] = CHARS_VALUE | CHARS_TARGET,
    ['|'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    ['}'] = CHARS_VALUE | CHARS_TARGET,
    ['~'] = CHARS_TOKEN | CHARS_VALUE | CHARS_TARGET,
    [0x80 ... 0xff] = CHARS_VALUE | CHARS_TARGET, /* UTF-8 as some clients send it, unencoded */
};

bool parse_is_token(char c)
{
    return chars_is(c, CHARS_TOKEN);
}

bool parse_is_value(char c)
{
    return chars_is(c, CHARS_VALUE);
}

size_t parse_token_length(const char *data, size_t length)
{
    return chars_span(data, length, CHARS_TOKEN);
}
