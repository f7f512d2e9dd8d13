/* Names for addresses; see symbols.h. reevectl, one thread.
 *
 * The paths come from a process that had lost its mind. So a file is looked at only if it is a
 * plain one, belongs to root or to the caller, and has the build-id of what was loaded then: a
 * file that was replaced since would tell wrong lines. A separate file with the debug information
 * is found as gdb finds it. */
#include "config.h"

#include "ctl/symbols.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "ctl/talk.h"

static char *debug_path; /* the usual folders */
static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .section_address = dwfl_offline_section_address,
    .debuginfo_path = &debug_path,
};

static int open_object(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
                    (st.st_uid != 0 && st.st_uid != geteuid())))
        sys_close(&fd);
    return fd;
}

static bool has_id(Dwfl_Module *module, const char *expected)
{
    const unsigned char *bits;
    GElf_Addr where;
    int length = dwfl_module_build_id(module, &bits, &where);
    char text[129] = "";

    for (int i = 0; i < length && i < 64; i++)
        snprintf(text + 2 * i, 3, "%02x", bits[i]);
    return strcmp(text, expected) == 0;
}

static void add_names(json_t *frame, Dwfl_Module *module, GElf_Addr offset)
{
    GElf_Off distance = 0;
    GElf_Sym symbol;
    const char *function =
        dwfl_module_addrinfo(module, offset, &distance, &symbol, NULL, NULL, NULL);
    Dwfl_Line *line = dwfl_module_getsrc(module, offset);
    int number = 0;
    const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;

    if (function) {
        json_object_set_new(frame, "function", json_string(function));
        json_object_set_new(frame, "distance", json_integer((json_int_t)distance));
    }
    if (file && number > 0) {
        json_object_set_new(frame, "file", json_string(file));
        json_object_set_new(frame, "line", json_integer(number));
    }
}

/* Threads stand in the same places: each is looked up once, for that takes milliseconds. */
static json_t *known; /* names of a frame, by place; the process ends with it */

static json_t *place_of(const json_t *frame)
{
    return json_sprintf("%s %s %s", json_text(frame, "build_id"), json_text(frame, "offset"),
                        json_text(frame, "object"));
}

static bool add_known(json_t *frame)
{
    json_t *place = place_of(frame), *names = json_object_get(known, json_string_value(place));

    json_decref(place);
    return names && json_object_update_missing(frame, names) == 0;
}

static void remember(const json_t *frame)
{
    json_t *place = place_of(frame);

    if (!known)
        known = json_object();
    json_object_set_new(known, json_string_value(place), json_copy((json_t *)(uintptr_t)frame));
    json_decref(place);
}

static void look_up(json_t *frame)
{
    const char *path = json_text(frame, "object");
    char *end;
    GElf_Addr offset = strtoull(json_text(frame, "offset"), &end, 16);
    int fd = path[0] == '/' ? open_object(path) : -1;
    Dwfl *dwfl = fd >= 0 ? dwfl_begin(&callbacks) : NULL;
    Dwfl_Module *module = NULL;

    if (dwfl) {
        dwfl_report_begin(dwfl);
        module = dwfl_report_elf(dwfl, path, path, fd, 0, true); /* takes fd over if it succeeds */
        dwfl_report_end(dwfl, NULL, NULL);
    }
    if (module)
        fd = -1;
    if (module && has_id(module, json_text(frame, "build_id")))
        add_names(frame, module, offset);
    dwfl_end(dwfl);
    sys_close(&fd);
}

void symbols_add(json_t *crash)
{
    json_t *frame;
    size_t i;

    json_array_foreach(json_object_get(crash, "frames"), i, frame)
        if (!add_known(frame)) {
            look_up(frame);
            remember(frame);
        }
}
