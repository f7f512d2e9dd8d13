/* Listings as text. Any thread; nothing is kept.
 *
 * File names are foreign bytes: whoever may create a file chooses them. In the page they are
 * escaped, in links percent-encoded byte by byte, so that the link leads to the file whatever its
 * name's encoding; what is no UTF-8, and characters that would act on the text around them (control
 * characters, orders for the direction of writing), are shown as U+FFFD.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "../percent.h"
#include "listing.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char style[] =
    ":root{color-scheme:light dark;--ink:#22302c;--paper:#f7f4ec;--card:#fffdf7;--line:#d9d2c0;"
    "--leaf:#2f6b4f;--dim:#62665b}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e3d8;--paper:#171b19;--card:#1f2522;"
    "--line:#36403a;--leaf:#7cc49f;--dim:#98a097}}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:56rem;margin:0 auto;padding:2rem 1rem}\n"
    "h1{font-size:1.4rem;overflow-wrap:anywhere}\n"
    "table{width:100%;border-collapse:collapse;border:1px solid var(--line);"
    "background:var(--card)}\n"
    "th,td{padding:.4rem .8rem;text-align:left;border-bottom:1px solid var(--line)}\n"
    "th{color:var(--dim);font-weight:600}\n"
    "th:first-child{width:100%}\n"
    "td:first-child{overflow-wrap:anywhere}\n"
    "th:nth-child(2),td:nth-child(2){text-align:right}\n"
    "td:nth-child(n+2){white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--dim)}\n"
    "tbody tr:hover{background:var(--paper)}\n"
    "a{color:var(--leaf);text-decoration:none}\n"
    "a:hover,a:focus{text-decoration:underline}\n"
    "p{color:var(--dim)}\n";

/* ---------------------------------------------------------------- characters -------- */

/* The character that `text` begins with, in *code; its length, or 0 if it is no UTF-8. */
static size_t read_character(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms are refused */
    unsigned char first = (unsigned char)*text;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3
                                                                          : first < 0xf5  ? 4
                                                                                          : 0;
    *code = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i]; /* the NUL at the end is none either */
        if ((next & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (next & 0x3fu);
    }
    if (length > 1 && (*code < least[length] || *code > 0x10ffff ||
                       (*code >= 0xd800 && *code <= 0xdfff)))
        return 0;
    return length;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* New lines of Unicode, and orders that turn the direction of what follows: "exe.gnp" for "png". */
static bool is_deceptive(uint32_t code)
{
    return is_control(code) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

static const char *escape(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_deceptive(code) ? REPLACEMENT : NULL;
    }
}

static void put_html(FILE *out, const char *text)
{
    while (*text != '\0') {
        uint32_t code;
        size_t length = read_character(text, &code);
        const char *instead = length > 0 ? escape(code) : REPLACEMENT;
        if (instead != NULL)
            fputs(instead, out);
        else
            fwrite(text, 1, length, out);
        text += length > 0 ? length : 1;
    }
}

/* As a segment of a relative link. Byte by byte: no bound on the length of a name is known. */
static void put_url(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        char one[2] = {*text}, coded[4];
        const char *end = percent_put(coded, one, PERCENT_PLAIN);
        fwrite(coded, 1, (size_t)(end - coded), out);
    }
}

static void put_json(FILE *out, const char *text)
{
    while (*text != '\0') {
        uint32_t code;
        size_t length = read_character(text, &code);
        if (length == 0)
            fputs(REPLACEMENT, out);
        else if (is_control(code))
            fprintf(out, "\\u%04x", (unsigned)code);
        else if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (char)code);
        else
            fwrite(text, 1, length, out);
        text += length > 0 ? length : 1;
    }
}

/* ---------------------------------------------------------------- numbers ----------- */

/* "512 B", "1.5 KiB", "34 MiB". */
static void put_size(FILE *out, uint64_t size)
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)size;
    for (; value >= 1023.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1024;
    fprintf(out, "%.*f %s", unit > 0 && value < 9.95 ? 1 : 0, value, units[unit]);
}

#define TIME_ROOM 48

/* In UTC, for people or exactly, by RFC 3339; NULL if no calendar holds the time. */
static const char *format_time(char text[TIME_ROOM], time_t time, bool exact)
{
    struct tm tm;
    if (gmtime_r(&time, &tm) == NULL)
        return NULL;
    int n = snprintf(text, TIME_ROOM, "%04ld-%02d-%02d%c%02d:%02d", tm.tm_year + 1900L,
                     tm.tm_mon + 1, tm.tm_mday, exact ? 'T' : ' ', tm.tm_hour, tm.tm_min);
    if (exact && n > 0 && n < TIME_ROOM)
        snprintf(text + n, TIME_ROOM - (size_t)n, ":%02dZ", tm.tm_sec);
    return text;
}

static void put_count(FILE *out, size_t count, const char *one, const char *many)
{
    fprintf(out, "%zu %s", count, count == 1 ? one : many);
}

/* ---------------------------------------------------------------- the page ---------- */

static void put_row(FILE *out, const struct listing_entry *entry)
{
    char time[TIME_ROOM];
    const char *slash = entry->folder ? "/" : "";
    fputs("<tr><td><a href=\"", out);
    put_url(out, entry->name);
    fprintf(out, "%s\"><bdi>", slash);
    put_html(out, entry->name);
    fprintf(out, "</bdi>%s</a></td><td", slash);
    if (!entry->folder) {
        fprintf(out, " title=\"%" PRIu64 " bytes\">", entry->size);
        put_size(out, entry->size);
    } else {
        fputs(">-", out);
    }
    fputs("</td><td>", out);
    const char *modified = format_time(time, entry->modified, false);
    fprintf(out, "%s</td></tr>\n", modified != NULL ? modified : "");
}

static void put_summary(FILE *out, const struct listing *listing)
{
    size_t folders = 0;
    uint64_t size = 0;
    for (size_t i = 0; i < listing->count; i++) {
        folders += listing->entries[i].folder;
        size += listing->entries[i].folder ? 0 : listing->entries[i].size;
    }
    fputs("<p>", out);
    put_count(out, folders, "folder", "folders");
    fputs(", ", out);
    put_count(out, listing->count - folders, "file", "files");
    fputs(", ", out);
    put_size(out, size);
    fputs("</p>\n", out);
    if (listing->cut)
        fputs("<p><strong>This folder holds more than is shown here.</strong></p>\n", out);
}

void listing_write_page(FILE *out, const struct listing *listing, const char *path, bool parent)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", out);
    put_html(out, path);
    fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<h1><bdi>", style);
    put_html(out, path);
    fputs("</bdi></h1>\n<table>\n<thead>\n<tr><th scope=\"col\">Name</th>"
          "<th scope=\"col\">Size</th><th scope=\"col\">Modified (UTC)</th></tr>\n</thead>\n"
          "<tbody>\n", out);
    if (parent)
        fputs("<tr><td><a href=\"../\">../</a></td><td>-</td><td></td></tr>\n", out);
    for (size_t i = 0; i < listing->count; i++)
        put_row(out, &listing->entries[i]);
    fputs("</tbody>\n</table>\n", out);
    put_summary(out, listing);
    fputs("</main>\n</body>\n</html>\n", out);
}

/* ---------------------------------------------------------------- JSON -------------- */

void listing_write_json(FILE *out, const struct listing *listing)
{
    fputc('[', out);
    for (size_t i = 0; i < listing->count; i++) {
        const struct listing_entry *entry = &listing->entries[i];
        fprintf(out, "%s\n{\"name\": \"", i > 0 ? "," : "");
        put_json(out, entry->name);
        fprintf(out, "\", \"type\": \"%s\", \"size\": ", entry->folder ? "directory" : "file");
        if (entry->folder)
            fputs("null", out);
        else
            fprintf(out, "%" PRIu64, entry->size);
        char text[TIME_ROOM];
        const char *modified = format_time(text, entry->modified, true);
        if (modified != NULL)
            fprintf(out, ", \"modified\": \"%s\"}", modified);
        else
            fputs(", \"modified\": null}", out);
    }
    fputs("\n]\n", out);
}
