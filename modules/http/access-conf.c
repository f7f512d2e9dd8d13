/* What the configuration says of access logs and request ids. Main thread, while configuring; the
 * texts are the configuration's and live as long as the worker.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "settings.h"

#define NAME_MAX_LENGTH 64 /* answer.c has room for it */

int access_read(const reeve_section *section, const struct access *outer, struct access *access)
{
    const char *log = reeve_conf_string(section, "access_log");
    const char *format = reeve_conf_string(section, "access_format");
    const char *error = NULL;
    *access = *outer;
    if (*format != '\0')
        access->format = strcmp(format, "json") == 0 ? ACCESS_JSON : ACCESS_COMBINED;
    if (*log == '\0')
        access->file = NULL;
    else if (strcmp(log, "inherit") != 0) {
        access->file = reeve_logfile_open(log, &error);
        if (access->file == NULL)
            return reeve_conf_error(section, "access_log", "cannot log to \"%s\": %s; check the "
                                    "folder and its permissions", log, error);
    }
    if (access->file == NULL && outer == &settings.access) /* of a site */
        reeve_conf_idle(section, "access_format", "an access_log");
    settings.timed |= access->file != NULL && access->format == ACCESS_JSON;
    return 0;
}

int access_read_id(const reeve_section *section)
{
    static const char *const taken[] = {"connection", "content-length", "content-type", "date",
                                        "host", "keep-alive", "server", "transfer-encoding"};
    const char *name = reeve_conf_string(section, "request_id");
    size_t length = 0;
    while (name[length] != '\0' && parse_is_token(name[length]))
        length++;
    if (name[length] != '\0' || length > NAME_MAX_LENGTH)
        return reeve_conf_error(section, "request_id", "\"%s\" is not the name of a header field: "
                                "write one such as \"X-Request-ID\"", name);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(name, taken[i]) == 0)
            return reeve_conf_error(section, "request_id", "the field \"%s\" has a meaning of its "
                                    "own: write one such as \"X-Request-ID\"", name);
    settings.request_id = length > 0 ? name : NULL;
    return 0;
}
