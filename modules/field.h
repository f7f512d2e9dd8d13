/* What a field of an answer may be, for modules that let the configuration say some. Pure. */
#ifndef MODULES_FIELD_H
#define MODULES_FIELD_H
#include <stdbool.h>
#include <string.h>

/* A token (RFC 9110, 5.6.2). */
static inline bool field_is_name(const char *text)
{
    static const char characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

/* No control character but the tab (RFC 9110, 5.5). */
static inline bool field_is_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}
#endif
