"""What comes out of a benchmark: every measurement as a row of CSV while it runs, then medians,
ratios to the floor, and what could not hold its load, as CSV and Markdown."""
import csv
import os
import statistics

from loads import ERRORS

COLUMNS = ("round", "load", "users", "server", "family", "setup", "requests", "rate", "p50_us",
           "p99_us", "p999_us", "cpu_us", "server_cpu", "load_cpu", "foreign_cpu", "calm", *ERRORS,
           "never", "waiting", "note")
FIGURES = ("requests", "rate", "p50_us", "p99_us", "p999_us", "cpu_us", "server_cpu", "load_cpu",
           "foreign_cpu", "calm")
DISTURBED = 0.05  # share of the servers' CPU that others may use
# Beside those of targets.py: CPU per request of a thread for each connection, against epoll.
TARGET = 1.25


class Rows:
    """The measurements, in memory and in a file that is complete after each of them."""

    def __init__(self, folder):
        self.list = []
        self.file = open(os.path.join(folder, "results.csv"), "w", newline="")
        self.writer = csv.DictWriter(self.file, COLUMNS, restval="")
        self.writer.writeheader()
        self.file.flush()

    def add(self, row):
        self.list.append(row)
        self.writer.writerow({name: rounded(value) for name, value in row.items()})
        self.file.flush()


def rounded(value):
    return round(value, 3) if isinstance(value, float) else value


def failures(row):
    """What went wrong in a measurement, in words; "" where nothing did."""
    parts = [f"{row[name]} {name}" for name in ERRORS if row.get(name)]
    if row.get("never"):
        parts.append(f"{row['never']} of {row['users']} users were never served")
    if row.get("waiting"):
        parts.append(f"{row['waiting']} of {row['users']} connections had not been taken when four "
                     "fifths of the time were over")
    if row.get("note"):
        parts.append(row["note"])
    return ", ".join(parts)


def disturbances(rows):
    """Whether anybody else used the servers' CPU: at most one line."""
    shares = [row["foreign_cpu"] for row in rows if row.get("foreign_cpu") is not None]
    many = sum(share > DISTURBED for share in shares)
    if not many:
        return []
    return [f"in {many} of {len(shares)} measurements others used more than {DISTURBED:.0%} of the "
            f"servers' CPU, at worst {max(shares):.0%}: such a machine is not quiet enough"]


def ratios(rows, load, server, base):
    """CPU per request of a server in units of another one's, in each round in which both served:
    what disturbs the machine for a while disturbs both."""
    found = {(row["server"], row["round"]): row["cpu_us"]
             for row in rows if row["load"] == load and row.get("cpu_us")}
    return [cpu / found[base, turn] for (name, turn), cpu in found.items()
            if name == server and (base, turn) in found]


def medians(rows):
    """One row for each load and server, in the order in which they first appeared: figures are
    medians of the rounds, errors are added up, and cpu_ratio compares with the floor."""
    floor = next((row["server"] for row in rows if row["family"] == "floor"), None)
    groups = {}
    for row in rows:
        groups.setdefault((row["load"], row["server"]), []).append(row)
    result = []
    for group in groups.values():
        good = [row for row in group if row.get("requests")]
        out = dict(group[-1], round=f"{len(good)} of {len(group)}")
        for name in FIGURES:
            values = [row[name] for row in good if row.get(name) is not None]
            out[name] = statistics.median(values) if values else None
        rates = [row["rate"] for row in good]
        out["spread"] = ((max(rates) - min(rates)) / out["rate"]
                         if len(good) > 1 and out["rate"] else None)
        for name in ERRORS:
            out[name] = sum(row.get(name) or 0 for row in group)
        for name in ("never", "waiting"):
            out[name] = max(row.get(name) or 0 for row in group)
        out["note"] = "; ".join(dict.fromkeys(row["note"] for row in group if row.get("note")))
        against = ratios(rows, out["load"], out["server"], floor)
        out["cpu_ratio"] = statistics.median(against) if against else None
        result.append(out)
    return result


def write_medians(folder, middle):
    columns = COLUMNS[1:] + ("cpu_ratio", "spread")
    with open(os.path.join(folder, "medians.csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for row in middle:
            writer.writerow({name: rounded(value) for name, value in row.items()})


# ---------------------------------------------------------------- Markdown

def number(value, form):
    return "-" if value is None else format(value, form)


def time_text(us):
    if us is None:
        return "-"
    if us < 1000:
        return f"{us:.0f} us"
    return f"{us / 1000:.2f} ms" if us < 100000 else f"{us / 1000:.0f} ms"


def table(rows):
    lines = ["| server | set up | req/s | +- | p50 | p99 | p99.9 | CPU us/req | x floor | "
             "server CPU | load CPU | not right |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"]
    for row in rows:
        cells = [row["server"], row["setup"], number(row["rate"], ",.0f"),
                 number(row["spread"], ".0%"), time_text(row["p50_us"]), time_text(row["p99_us"]),
                 time_text(row["p999_us"]), number(row["cpu_us"], ".1f"),
                 number(row["cpu_ratio"], ".2f"), number(row["server_cpu"], ".0%"),
                 number(row["load_cpu"], ".0%"), failures(row)]
        lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    return lines


def ratio_text(values):
    return f"ratio {statistics.median(values):.2f} (rounds {min(values):.2f} to {max(values):.2f})"


def thread_comparison(rows, middle):
    """CPU per request of a thread for each of 64 kept connections, against epoll: lines of text."""
    found = {row["server"]: row for row in middle if row["load"] == "keep-64"}
    lines = []
    bare = ratios(rows, "keep-64", "floor threads", "floor")
    if bare:
        lines.append("two bare loops that parse nothing, a blocking thread for each connection "
                     f"against epoll: {ratio_text(bare)}")
    for name in ("prethreaded", "worker"):
        values = ratios(rows, "keep-64", name, "epoll")
        if not values:
            continue
        whole = not failures(found[name]) and not failures(found["epoll"])
        verdict = "met" if statistics.median(values) <= TARGET and whole else "missed"
        lines.append(f"{name} ({found[name]['setup']}) at 64 kept connections: "
                     f"{found[name]['cpu_us']:.2f} us of CPU per request, epoll "
                     f"{found['epoll']['cpu_us']:.2f} us: {ratio_text(values)}, target {TARGET}: "
                     f"{verdict}")
    return lines


def queue_comparison(middle):
    found = {row["server"]: row for row in middle if row["load"] == "queue" and row.get("p99_us")}
    if len(found) < 2:
        return []
    one, many = found["event shared"], found["event per-thread"]
    return [f"one queue for each thread against one shared queue: p50 {time_text(many['p50_us'])} "
            f"against {time_text(one['p50_us'])}, p99 {time_text(many['p99_us'])} against "
            f"{time_text(one['p99_us'])} ({many['p99_us'] / one['p99_us']:.2f} times), p99.9 "
            f"{time_text(many['p999_us'])} against {time_text(one['p999_us'])} "
            f"({many['p999_us'] / one['p999_us']:.2f} times)"]


def comparisons(rows, middle):
    return thread_comparison(rows, middle) + queue_comparison(middle)


def unheld(middle):
    """A line for each server and each thing that was not right with it."""
    found = {}
    for row in middle:
        if failures(row):
            found.setdefault((row["server"], failures(row)), []).append(row["load"])
    return [f"{server} at {', '.join(names)}: {text}" for (server, text), names in found.items()]


def write_markdown(folder, middle, compared, judged, loads, machine, remarks, charts):
    text = ["# Reeve: every model, side by side", "", *machine, ""]
    text += [f"- {line}" for line in remarks]
    text += judged
    text += ["", "## Compared", ""] + [f"- {line}" for line in compared or ["nothing"]]
    text += ["", "## What could not hold its load", ""]
    text += [f"- {line}" for line in unheld(middle) or ["nothing: no error in any measurement"]]
    for name in charts:
        text += ["", f"![{name}]({name})"]
    for load in loads:
        rows = [row for row in middle if row["load"] == load.name]
        if rows:
            text += ["", f"## {load.name}: {load.title}", ""] + table(rows)
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write("\n".join(text) + "\n")
