/* The command line of reevectl: the program's own options may stand before or behind the verb; what
 * request_option() knows belongs to the verb. One thread; the options own the array of words
 * only. */
#include "config.h"

#include "ctl/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/request.h"

/* The value of -s: behind it, or the next word. */
static bool read_socket(struct options *options, const char *inside, int argc, char **argv, int *i,
                        struct buf *error)
{
    if (!inside && *i + 1 >= argc) {
        buf_printf(error, "'%s' needs the path of a socket", argv[*i]);
        return false;
    }
    options->socket = inside ? inside : argv[++*i];
    if (*options->socket)
        return true;
    buf_printf(error, "'%s' needs the path of a socket, and this one is empty", argv[*i]);
    return false;
}

/* 1: it was an option of the program; 0: it belongs to the verb; -1: a line in `error`. */
static int read_option(struct options *options, int argc, char **argv, int *i, struct buf *error)
{
    const char *word = argv[*i];

    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        options->help = true;
    else if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
        options->version = true;
    else if (strcmp(word, "--json") == 0)
        options->json = true;
    else if (strcmp(word, "--socket") == 0)
        return read_socket(options, NULL, argc, argv, i, error) ? 1 : -1;
    else if (text_starts(word, "--socket="))
        return read_socket(options, word + strlen("--socket="), argc, argv, i, error) ? 1 : -1;
    else if (text_starts(word, "-s"))
        return read_socket(options, word[2] ? word + 2 : NULL, argc, argv, i, error) ? 1 : -1;
    else if (word[0] == '-' && word[1] != '\0' && !request_option(word)) {
        buf_printf(error, "unknown option '%s'; 'reevectl -h' lists them", word);
        return -1;
    } else
        return 0;
    return 1;
}

bool options_read(struct options *options, int argc, char **argv, struct buf *error)
{
    bool own = true;

    *options = (struct options){0};
    options->words = calloc((size_t)argc + 1, sizeof *options->words);
    if (!options->words) {
        buf_adds(error, "out of memory");
        return false;
    }
    for (int i = 1; i < argc; i++) {
        int got = own ? read_option(options, argc, argv, &i, error) : 0;

        if (got < 0)
            return false;
        own = own && strcmp(argv[i], "--") != 0;
        if (got == 0)
            options->words[options->word_count++] = argv[i];
    }
    if (options->word_count > 0 && options->words[0][0] == '-' && !options->help &&
        !options->version) {
        buf_printf(error, "'%s' before a verb; 'reevectl -h' lists the options",
                   options->words[0]);
        return false;
    }
    return true;
}

void options_free(struct options *options)
{
    free(options->words);
    options->words = NULL;
}

void options_put_usage(struct buf *out)
{
    buf_printf(out,
               "Usage: reevectl [-s SOCKET] [--json] VERB\n"
               "Manages a running reeved; see reevectl(8).\n\n"
               "  -s, --socket SOCKET      the server's control socket "
               "(default: $REEVE_CONTROL, else\n"
               "                           %s)\n"
               "      --json               print JSON\n"
               "  -h, --help               print this\n"
               "  -V, --version            print the version of reevectl\n\n"
               "Verbs:\n",
               control_default_path());
    for (int i = 0; i < VERBS; i++) {
        struct buf left = {0};

        buf_printf(&left, "%s %s", verb_table[i].name, verb_table[i].arguments);
        buf_printf(out, "  %-23s  %s\n", buf_text(&left), verb_table[i].help);
        buf_free(&left);
    }
    buf_adds(out, "\nExit status: 0 done, 1 refused, 2 timed out, 3 rolled back.\n");
}
