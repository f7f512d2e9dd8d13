/* The header fields that rule framing and routing. Part of the parser, see parse.h. */
#ifndef HTTP_FIELDS_H
#define HTTP_FIELDS_H
#include "parse.h"

/* What the parser must know, and the function of fields.c that takes it from the value. */
#define FIELDS(X)                                                                                  \
    X("host", field_host)                                                                          \
    X("content-length", field_length)                                                              \
    X("transfer-encoding", field_coding)                                                           \
    X("connection", field_connection)                                                              \
    X("expect", field_expect)                                                                      \
    X("if-none-match", field_condition)                                                            \
    X("if-modified-since", field_condition)                                                        \
    X("if-match", field_condition)                                                                 \
    X("if-unmodified-since", field_condition)                                                      \
    X("range", field_condition)

/* Most fields are none of these, which the parse_name_bit() of their names tells. */
static inline uint64_t fields_bits(void)
{
#define X(text, function) | parse_name_bit(text, sizeof(text) - 1)
    return 0 FIELDS(X);
#undef X
}

/* Takes from a field what the parser must know, if it is one of these. False: the head is bad,
 * status and reason are set. */
bool fields_read(struct parse *parse, const char *data, const struct parse_field *field);
#endif
