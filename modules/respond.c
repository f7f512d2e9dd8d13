/* respond: answers with what the configuration says: a status, fields, a text.
 *
 * All is checked while configuring, so that no request meets a mistake; only a field that http has
 * been told to write itself (its option request_id) shows when it is asked for. Loop thread; a
 * response belongs to the module and lives until the worker exits, its texts to the
 * configuration, names of fields apart.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "field.h"
#include "reeve/http.h"

struct field {
    char *name;
    const char *value;
};

struct response {
    struct response *next;
    int status;
    const char *type, *body;
    struct field *fields;
    size_t count;
};

static struct response *responses;

static int respond_handle(reeve_request *request, void *config)
{
    const struct response *response = config;
    for (size_t i = 0; i < response->count; i++)
        if (reeve_set_header(request, response->fields[i].name, response->fields[i].value) != 0)
            return -1;
    size_t length = strlen(response->body);
    if (length == 0 && response->status >= 400)
        return reeve_reply_status(request, response->status);
    return reeve_reply(request, response->status, length > 0 ? response->type : NULL,
                       response->body, length);
}

/* ---------------------------------------------------------------- configuration ----- */

/* Who else writes that field, and so what to do about it; NULL: nobody. */
static const char *written_by(const char *name)
{
    static const char core[] = "the server writes it itself: leave it out";
    static const struct {
        const char *name, *who;
    } names[] = {
        {"connection", core}, {"content-length", core}, {"date", core}, {"keep-alive", core},
        {"server", core}, {"transfer-encoding", core}, {"content-type", "write it as type"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].who;
    return NULL;
}

static int read_field(const reeve_section *section, const char *text, struct field *field)
{
    size_t length = strcspn(text, ":");
    field->name = strndup(text, length);
    if (field->name == NULL)
        return reeve_conf_error(section, "headers", "memory is short: free some and try again");
    field->value = text + length + (text[length] == ':');
    field->value += strspn(field->value, " \t");
    if (text[length] != ':' || !field_is_name(field->name) || !field_is_value(field->value))
        return reeve_conf_error(section, "headers", "\"%s\" is no header field: write it like "
                                "\"Name: value\"", text);
    const char *who = written_by(field->name);
    if (who != NULL)
        return reeve_conf_error(section, "headers", "%s cannot be set here: %s", field->name, who);
    return 0;
}

static int read_fields(const reeve_section *section, struct response *response)
{
    size_t count = reeve_conf_count(section, "headers");
    response->fields = count > 0 ? calloc(count, sizeof *response->fields) : NULL;
    if (count > 0 && response->fields == NULL)
        return reeve_conf_error(section, "headers", "memory is short: free some and try again");
    for (; response->count < count; response->count++)
        if (read_field(section, reeve_conf_item(section, "headers", response->count),
                       &response->fields[response->count]) != 0) {
            response->count++;
            return -1;
        }
    return 0;
}

static int read_response(const reeve_section *section, struct response *response)
{
    response->status = atoi(reeve_conf_string(section, "status"));
    response->type = reeve_conf_string(section, "type");
    response->body = reeve_conf_string(section, "body");
    if (!field_is_value(response->type) || strlen(response->type) > 127)
        return reeve_conf_error(section, "type", "\"%s\" is no media type: write one such as "
                                "\"text/plain; charset=utf-8\"", response->type);
    if (response->status == 204 && *response->body != '\0')
        return reeve_conf_error(section, "body", "an answer with status 204 has no body: leave it "
                                "out, or write status = 200");
    if (*response->body == '\0')
        reeve_conf_idle(section, "type", "a body");
    return read_fields(section, response);
}

static int respond_configure(const reeve_section *section, const char *route, void **config)
{
    (void)route;
    struct response *response = calloc(1, sizeof *response);
    if (response == NULL)
        return reeve_conf_error(section, NULL, "memory is short: free some and try again");
    *config = response;
    response->next = responses;
    responses = response;
    return read_response(section, response);
}

static void respond_worker_exit(void)
{
    while (responses != NULL) {
        struct response *response = responses;
        responses = response->next;
        for (size_t i = 0; i < response->count; i++)
            free(response->fields[i].name);
        free(response->fields);
        free(response);
    }
}

static const reeve_option respond_options[] = {
    {.name = "status", .type = REEVE_OPT_ENUM, .fallback = "200",
     .choices = "200|201|202|203|204|400|401|402|403|404|405|406|408|409|410|411|412|413|414|415|"
                "417|421|422|425|426|428|429|431|451|500|501|502|503|504|505|507|511",
     .help = "The status of the answer. To send clients elsewhere take the handler redirect."},
    {.name = "type", .type = REEVE_OPT_STRING, .fallback = "text/plain; charset=utf-8",
     .help = "The media type of the body."},
    {.name = "body", .type = REEVE_OPT_STRING,
     .help = "The body. If empty, a status from 400 on has the server's page for it, and any other "
             "has no body."},
    {.name = "headers", .type = REEVE_OPT_LIST,
     .help = "Further header fields, each as \"Name: value\"."},
    {.type = REEVE_OPT_END},
};

static const reeve_handler respond_handler = {
    .protocol = "http", .configure = respond_configure, .handle = respond_handle};

REEVE_CONFINED;
REEVE_MODULE(.kind = REEVE_HANDLER, .name = "respond", .version = "1.0", .options = respond_options,
             .handler = &respond_handler, .worker_exit = respond_worker_exit);
