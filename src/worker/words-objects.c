/* What is loaded into a worker, and where; see words.h. Main thread, before others are started: the
 * C library's own list cannot be walked safely in the handler of a signal. */
#include "config.h"

#include <link.h>
#include <string.h>
#include <unistd.h>

#include "share/words.h"
#include "worker/words.h"

static void note_id(struct words_object *object, const ElfW(Phdr) *header, const char *notes)
{
    const char *end = notes + header->p_memsz;

    while (end - notes > (ptrdiff_t)sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)notes;
        const char *name = notes + sizeof(*note);
        const char *data = name + ((note->n_namesz + 3) & ~3u);

        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof(ELF_NOTE_GNU) &&
            memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
            object->id_length = note->n_descsz < WORDS_ID ? note->n_descsz : WORDS_ID;
            memcpy(object->id, data, object->id_length);
            return;
        }
        notes = data + ((note->n_descsz + 3) & ~3u);
    }
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct words_area *area = arg;
    struct words_object *object = &area->object[area->objects];

    (void)size;
    if (area->objects >= WORDS_OBJECTS)
        return 1;
    *object = (struct words_object){.base = info->dlpi_addr, .start = UINT64_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uint64_t at = info->dlpi_addr + header->p_vaddr;

        if (header->p_type == PT_LOAD && at < object->start)
            object->start = at;
        if (header->p_type == PT_LOAD && at + header->p_memsz > object->end)
            object->end = at + header->p_memsz;
        if (header->p_type == PT_NOTE && header->p_align <= 4 && object->id_length == 0)
            note_id(object, header, (const char *)(uintptr_t)at);
    }
    if (info->dlpi_name && info->dlpi_name[0])
        memccpy(object->path, info->dlpi_name, '\0', WORDS_PATH - 1);
    else if (readlink("/proc/self/exe", object->path, WORDS_PATH - 1) < 0)
        strcpy(object->path, "?");
    area->objects++;
    return 0;
}

void words_list_objects(struct words_area *area)
{
    area->objects = 0;
    dl_iterate_phdr(note_object, area);
}
