/* The header fields that rule framing and routing. Part of the parser, see parse.h. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H
#include "parse.h"

/* Takes from a field what the parser must know; most fields are none of its business, which the
 * parse_name_bit() of its name tells. False: the head is bad, status and reason are set. */
bool fields_read(struct parse *parse, const char *data, const struct parse_field *field,
                 uint64_t bit);
#endif
