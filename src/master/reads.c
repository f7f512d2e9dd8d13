/* Lists of files; see reads.h. Master. The text comes from a worker: nothing is taken from it but
 * bytes up to its end. */
#include "config.h"

#include "master/reads.h"

#include <string.h>

#include "base/buf.h"

bool reads_differ(const char *before, const char *now, struct buf *name)
{
    size_t old = 0, new = 0;

    before = before ? before : "";
    now = now ? now : "";
    for (; *before || *now; before += old, now += new) {
        old = strcspn(before, "\n") + (strchr(before, '\n') != NULL);
        new = strcspn(now, "\n") + (strchr(now, '\n') != NULL);
        if (old != new || memcmp(before, now, old) != 0) {
            const char *line = *now ? now : before, *space = strchr(line, ' ');

            line = space ? space + 1 : line;
            buf_add(name, line, strcspn(line, "\n"));
            return true;
        }
    }
    return false;
}
