/* The files that modules read while they are configured, by name and stamp; see conf.h.
 *
 * Worker (or `reeved -t`), main thread. Memory: the process's. What must hold: however many files
 * there are and however long their names, the list fits into one message to the master. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/stamp.h"
#include "base/text.h"
#include "conf/conf.h"
#include "reeve/module.h"

#define LIST_MAX 16384 /* bytes; of what goes beyond, one stamp stands for all */

static struct {
    struct buf lines; /* "STAMP NAME", safe to show */
    size_t more;      /* files that have no line */
    uint64_t stamp;   /* of these */
} reads;

void reeve_conf_reads(const char *path)
{
    uint64_t stamp = STAMP_START;
    struct buf line = {0};

    stamp_mix_file(&stamp, path);
    buf_printf(&line, "%016" PRIx64 " ", stamp);
    text_put_safe(&line, path, strlen(path));
    buf_addc(&line, '\n');
    if (strstr(buf_text(&reads.lines), buf_text(&line)))
        ; /* read by several */
    else if (reads.lines.length + line.length <= LIST_MAX)
        buf_add(&reads.lines, line.data, line.length);
    else
        reads.stamp = stamp_mix(reads.more++ == 0 ? STAMP_START : reads.stamp, line.data,
                                line.length);
    buf_free(&line);
}

void conf_put_reads(struct buf *out)
{
    buf_adds(out, buf_text(&reads.lines));
    if (reads.more > 0)
        buf_printf(out, "%016" PRIx64 " one of %zu further files\n", reads.stamp, reads.more);
}
