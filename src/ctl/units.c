/* Numbers as people read them: counts, bytes, times, rates. reevectl, one thread; the caller owns
 * the buffer. What a script needs exactly it takes from --json, so these may round. */
#include "config.h"

#include "ctl/units.h"

#include "base/buf.h"

static void put_scaled(struct buf *out, double value, double step, const char *const *names,
                       int digits)
{
    while (value >= step && names[1]) {
        value /= step;
        names++;
    }
    buf_printf(out, "%.*f%s", digits, value, names[0]);
}

void units_put_count(struct buf *out, int64_t count)
{
    static const char *const names[] = {"M", "G", "T", NULL};

    if (count < 1000000)
        buf_printf(out, "%lld", (long long)count);
    else
        put_scaled(out, (double)count / 1e6, 1000, names, 3);
}

void units_put_bytes(struct buf *out, int64_t bytes)
{
    static const char *const names[] = {" KiB", " MiB", " GiB", " TiB", " PiB", NULL};

    if (bytes < 1024)
        buf_printf(out, "%lld B", (long long)bytes);
    else
        put_scaled(out, (double)bytes / 1024, 1024, names, 1);
}

/* The two largest units: more would not be read, less would hide that something is young. */
void units_put_uptime(struct buf *out, int64_t seconds)
{
    static const struct {
        int64_t length;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    const int last = 3;
    int i = 0;

    if (seconds < 0)
        seconds = 0;
    while (i < last && seconds < units[i].length)
        i++;
    buf_printf(out, "%lld%s", (long long)(seconds / units[i].length), units[i].name);
    seconds %= units[i].length;
    if (i < last && seconds >= units[i + 1].length)
        buf_printf(out, " %lld%s", (long long)(seconds / units[i + 1].length), units[i + 1].name);
}

void units_put_ms(struct buf *out, int64_t ms)
{
    if (ms < 1000)
        buf_printf(out, "%lldms", (long long)(ms < 0 ? 0 : ms));
    else if (ms < 60000)
        buf_printf(out, "%.1fs", (double)ms / 1000);
    else
        units_put_uptime(out, ms / 1000);
}

void units_put_rate(struct buf *out, double per_second)
{
    if (per_second < 0.05)
        buf_adds(out, "0/s");
    else if (per_second < 10)
        buf_printf(out, "%.1f/s", per_second);
    else
        buf_printf(out, "%.0f/s", per_second);
}
