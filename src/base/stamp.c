/* Stamps of files; see stamp.h. FNV-1a, 64 bits: any mixing would do, nobody has a reason to forge
 * it. */
#include "config.h"

#include "base/stamp.h"

#include <sys/stat.h>

uint64_t stamp_mix(uint64_t stamp, const void *data, size_t length)
{
    const unsigned char *byte = data;

    for (size_t i = 0; i < length; i++)
        stamp = (stamp ^ byte[i]) * 0x100000001b3u;
    return stamp;
}

bool stamp_mix_file(uint64_t *stamp, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    *stamp = stamp_mix(*stamp, &st.st_dev, sizeof(st.st_dev));
    *stamp = stamp_mix(*stamp, &st.st_ino, sizeof(st.st_ino));
    *stamp = stamp_mix(*stamp, &st.st_size, sizeof(st.st_size));
    *stamp = stamp_mix(*stamp, &st.st_mtim, sizeof(st.st_mtim));
    return true;
}
