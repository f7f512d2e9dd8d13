/* Fuzzes listings: each line of the input is the name of a file. Whatever it is, the page and the
 * JSON are built as they are for a plain name, are UTF-8, and the link leads to the file. Run by
 * fuzz.sh and replay.c.
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>

#include "../../modules/http/path.h"
#include "../../modules/static/listing.h"
#include "text.h"

static char *write_page(char *names[], size_t count)
{
    struct listing_entry entries[FUZZ_TEXTS] = {{.name = NULL}};
    struct listing listing = {.entries = entries, .count = count};
    char *text = NULL;
    size_t length;
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct listing_entry){.name = names[i], .folder = i % 2 > 0};
    FILE *out = open_memstream(&text, &length);
    listing_write_page(out, &listing, names[0], true);
    fputc('\1', out);
    listing_write_json(out, &listing);
    fclose(out);
    return text;
}

/* All that gives the page and the JSON their form. */
static char *marks_of(const char *text)
{
    char *marks = malloc(strlen(text) + 1), *at = marks;
    bool json = false;
    for (; *text != '\0'; text++) {
        json |= *text == '\1';
        if (json && *text == '\\')
            text++;
        else if (strchr(json ? "\"\n" : "<>\"'\n", *text) != NULL)
            *at++ = *text;
    }
    *at = '\0';
    return marks;
}

static void check_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t more = *at < 0x80 ? 0 : *at < 0xe0 ? 1 : *at < 0xf0 ? 2 : 3;
        assert(more == 0 || (*at >= 0xc2 && *at < 0xf5));
        assert((at[0] != 0xe0 || at[1] >= 0xa0) && (at[0] != 0xed || at[1] < 0xa0));
        assert((at[0] != 0xf0 || at[1] >= 0x90) && (at[0] != 0xf4 || at[1] < 0x90));
        for (at++; more > 0; more--)
            assert((*at++ & 0xc0) == 0x80);
    }
}

/* The links, behind that to the folder above. */
static void check_links(const char *page, char *names[], size_t count)
{
    static const char link[] = "<a href=\"";
    const char *at = strstr(page, link) + 1;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, link) + sizeof link - 1;
        size_t length = strcspn(at, "\""), decoded_length;
        char *decoded = malloc(length + 2);
        if (path_decode(at, length, decoded, &decoded_length)) { /* no "." or ".." */
            const char *slash = i % 2 > 0 ? "/" : "";
            size_t name = strlen(names[i]);
            assert(decoded_length == 1 + name + strlen(slash));
            assert(memcmp(decoded + 1, names[i], name) == 0);
            assert(strcmp(decoded + 1 + name, slash) == 0);
        }
        free(decoded);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char *plain[FUZZ_TEXTS] = {"a", "a", "a", "a", "a", "a", "a", "a"};
    struct fuzz_texts texts = fuzz_split(bytes, size, FUZZ_TEXTS);
    size_t count = 0;
    bool name = true;
    while (count < FUZZ_TEXTS && name) { /* no file is called "", "." or "..", or has a slash */
        const char *text = texts.text[count];
        name = *text != '\0' && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
               strchr(text, '/') == NULL;
        count += name;
    }
    if (count > 0) {
        char *page = write_page(texts.text, count), *other = write_page(plain, count);
        char *marks = marks_of(page), *wanted = marks_of(other);
        assert(strcmp(marks, wanted) == 0);
        check_utf8(page);
        check_links(page, texts.text, count);
        free(marks);
        free(wanted);
        free(page);
        free(other);
    }
    fuzz_free(&texts);
    return 0;
}
