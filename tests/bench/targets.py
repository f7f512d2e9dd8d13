"""What reeve is to reach, each target once: what is measured, the limit, and how both are found in
the results. From it come the table of all servers side by side and the verdicts.

That the hot path allocates nothing is judged by make check (tests/scenario/allocations.py)."""
import dataclasses
import statistics
import typing

import calls
import surge
import peers
import report
from life import WORKERS

MIB = 1 << 20


class Results:
    """All that was measured, for the columns `find` below."""

    def __init__(self, rows, middle, figures, asked, names):
        self.rows, self.middle, self.figures = rows, middle, figures
        self.asked, self.names = asked, names  # loads and measurements; other servers

    def column(self, load, server, figure):
        """{round: value}"""
        return {row["round"]: row[figure] for row in self.rows
                if (row["load"], row["server"]) == (load, server) and row.get(figure)}

    def each(self, above, below, factor=1.0):
        """The ratio of two (load, server, figure), round by round."""
        top, base = self.column(*above), self.column(*below)
        return [factor * top[turn] / base[turn] for turn in top if turn in base]

    def middle_of(self, what, server, figure):
        """The median of a figure; None where it was not measured."""
        values = self.figures.values(what, server, figure)
        return statistics.median(values) if values else None

    def notes(self, what, server):
        """What was not right with a server under a load or in another measurement."""
        found = [report.failures(row) for row in self.middle
                 if (row["load"], row["server"]) == (what, server)]
        return [text for text in found if text] + self.figures.notes(what, server)


@dataclasses.dataclass(frozen=True)
class Target:
    title: str
    what: str                 # the load or the measurement that must have been made
    find: typing.Callable     # (results, server): the values, one of each round
    limit: object             # a number, or a function(results) that finds one
    unit: str = ""            # "" for a ratio
    at_least: bool = False    # else at most
    ours: str = "event"       # the server of the measurement
    others: bool = False      # they are measured as well

    def most(self, results):
        return self.limit(results) if callable(self.limit) else self.limit


def floor(title, load, limit):
    return Target(title, load, lambda results, server: results.each(
        (load, server, "cpu_us"), (load, "floor", "cpu_us")), limit, others=True)


def figure(title, what, name, limit, unit, ours="event", others=False, at_least=False):
    return Target(title, what, lambda results, server: results.figures.values(what, server, name),
                  limit, unit, at_least, ours, others)


def p99(results, server):
    return list(results.column("p99-64", server, "p99_us").values())


def best_p99(results):
    """The least of the other servers' medians; None where there is none."""
    found = [p99(results, name) for name in results.names]
    return min((statistics.median(values) for values in found if values), default=None)


EIGHT = f"event {WORKERS} workers"
POOL = f"event {surge.THREADS} threads"
TARGETS = [
    # CPU time per request in units of the floor
    floor("612 B file, keep-alive, 64 connections", "keep-64", 1.10),
    floor("the same, 1000 connections", "keep-1000", 1.15),
    floor("612 B file, a connection per request", "close-100", 1.15),
    floor("64 KiB file, keep-alive", "keep-64-64k", 1.05),
    floor("1 MiB file, keep-alive, 16 connections", "keep-16-1m", 1.15),
    floor("a blocking handler that does nothing, 64 connections", "pool", 1.80),
    # in units of their own
    figure("memory per idle kept connection", "idle", "bytes", 400, "B", others=True),
    Target("p99, 64 connections, in calm moments, against the best peer", "p99-64", p99, best_p99,
           "us", others=True),
    # of reeve alone
    Target("CPU per request with access log, against without", "log",
           lambda results, _: results.each(("log", "event log", "cpu_us"),
                                           ("log", "event", "cpu_us")), 1.05, ours="event log"),
    Target("rate of a 13 B text, 16 requests at once, against one", "text-x16",
           lambda results, _: results.each(("text-x16", "event", "rate"),
                                           ("text", "event", "rate")),
           5.0, at_least=True),
    Target("two workers on two CPUs against one on one: 2 / ratio of CPU per request, since the "
           "load needs the CPUs too", "cpus",
           lambda results, _: results.each(("cpus", "event", "cpu_us"),
                                           ("cpus", "event 2 CPUs", "cpu_us"), 2.0),
           1.9, at_least=True, ours="event 2 CPUs"),
    figure(f"start until {WORKERS} workers are ready", "life", "start ms", 50, "ms", EIGHT),
    figure(f"reload with {WORKERS} workers", "life", "reload ms", 100, "ms", EIGHT),
    figure("resident memory of an idle master", "life", "master bytes", 3 * MIB, "MiB", EIGHT),
    figure("resident memory of a worker before load", "life", "worker bytes", 4 * MIB, "MiB",
           EIGHT),
    figure(f"goodput at {surge.TIMES} times capacity, of capacity", "overload",
           "goodput of capacity", 0.90, "", POOL, at_least=True),
    figure(f"p99 of who is served at {surge.TIMES} times capacity, against 3 times that without "
           "load and the queue's limit", "overload", "p99 ms", surge.most_p99, "ms", POOL),
    figure("instructions from bytes in to bytes queued", "instructions", "instructions", 1500, "in",
           "event in callgrind"),
]
NEEDED = {target.what for target in TARGETS} | {"text", "calls-keep", "calls-close"}


def shown(value, unit):
    if unit == "us":
        return report.time_text(value)
    if unit == "MiB":
        return f"{value / MIB:.2f} MiB"
    return {"": f"{value:.2f}", "ms": f"{value:.1f} ms", "B": f"{value:.0f} B",
            "in": f"{value:.0f}"}[unit]


def cell(target, results, server):
    """What one of the others had, or in a few words why it had nothing."""
    values = target.find(results, server) if target.others else []
    if values:
        return shown(statistics.median(values), target.unit)
    notes = "; ".join(results.notes(target.what, server)) if target.others else ""
    return (notes if len(notes) < 20 else "failed") if notes else "-"


def floor_cell(target, results):
    values = results.column(target.what, "floor", "cpu_us").values()
    return f"1.00 ({statistics.median(values):.1f} us)" if values and target.unit == "" else "-"


def verdict(target, results, values):
    notes = "; ".join(results.notes(target.what, target.ours))
    most = target.most(results)
    if not values:
        return "not measured: " + (notes or "it needs wrk, event and what it is compared with")
    if most is None:
        return "not judged: no other server"
    middle = statistics.median(values)
    good = middle >= most if target.at_least else middle <= most
    return ("met" if good and not notes else "MISSED") + (f": {notes}" if notes else "")


def judge(results):
    """The table, as rows of cells, the first of them the heads."""
    rows = [["CPU per request in units of the floor, or as said", "floor", *results.names, "reeve",
             "target", "verdict"]]
    for target in TARGETS:
        if target.what not in results.asked:
            continue
        values, most = target.find(results, target.ours), target.most(results)
        ours = shown(statistics.median(values), target.unit) if values else "-"
        if len(values) > 1:
            low, high = (shown(end, target.unit) for end in (min(values), max(values)))
            ours += f" ({low} to {high})"
        limit = "-" if most is None else \
            f"{'>=' if target.at_least else '<='} {shown(most, target.unit)}"
        rows.append([f"{target.title} [{target.what}]", floor_cell(target, results),
                     *(cell(target, results, name) for name in results.names), ours, limit,
                     verdict(target, results, values)])
    return rows


def remarks(results):
    """What the table does not say."""
    missing = [name for name in peers.PEERS if name not in results.names]
    lines = ["not among the servers: " + ", ".join(missing)] if missing else []
    unasked = [target.title for target in TARGETS if target.what not in results.asked]
    lines += ["not asked for: " + "; ".join(unasked)] if unasked else []
    failed = [f"{name} [{target.what}]: {'; '.join(results.notes(target.what, name))}"
              for target in TARGETS if target.others for name in results.names
              if results.notes(target.what, name)]
    return lines + list(dict.fromkeys(failed))


def lines(results, measures):
    """The targets and the system calls, as lines of Markdown."""
    text = ["", "## Targets", "", *markdown(judge(results)), ""]
    text += [f"- {line}" for line in remarks(results)]
    for each in measures:
        table = calls.table(results.figures, each.name) if each.name.startswith("calls") else []
        if table:
            text += ["", f"## {each.name}: {each.title}", "", *markdown(table)]
    return text


def markdown(rows):
    """Rows of cells as a table that can be read as it stands."""
    if not rows:
        return []
    rows = [[cell.replace("|", "/") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
             for row in rows]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
