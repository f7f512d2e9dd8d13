"""What is measured of a server besides its loads: a table of measurements, and how one is taken.

A measurement starts its server itself and gives figures by name. Each is a row of figures.csv."""
import collections
import csv
import os
import subprocess

import calls
import idle
import instructions
import life
import surge
import reeve
import report
import servers

COLUMNS = ("round", "what", "server", "figure", "value", "note")

# servers(bench): those that are measured; run(server, bench): {figure: value}, and in "" what was
# not right although there are figures.
Measure = collections.namedtuple("Measure", "name title servers run each_round quick")


def compared(bench):
    """Reeve's default model, the floor and the other servers."""
    return [server for server in bench.roster.values()
            if server.name in ("event", "floor") or server.family == "peer"]


MEASURES = [
    Measure("life", f"start and reload with {life.WORKERS} workers, memory before load",
            life.servers_of, life.measure, True, True),
    Measure("overload", f"a pool of {surge.THREADS} threads whose handlers sleep "
            f"{surge.DELAY} ms, asked for {surge.TIMES} times what it can do",
            surge.servers_of, surge.measure, True, True),
    Measure("idle", f"private memory for each of {idle.CONNECTIONS} idle kept connections",
            compared, idle.measure, False, False),
    Measure("calls-keep", "system calls per request, 64 kept connections", compared,
            calls.measure_keep, False, False),
    Measure("calls-close", "system calls per request, a connection for each request, 64 at once",
            compared, calls.measure_close, False, False),
    Measure("instructions", "instructions from bytes in to bytes queued (callgrind)",
            instructions.servers_of, instructions.measure, False, False),
]


class Figures:
    """All figures, in memory and in a file that is complete after each of them."""

    def __init__(self, folder):
        self.list = []
        self.file = open(os.path.join(folder, "figures.csv"), "w", newline="")
        self.writer = csv.DictWriter(self.file, COLUMNS, restval="")
        self.writer.writeheader()

    def add(self, rows):
        self.list += rows
        for row in rows:
            self.writer.writerow({name: report.rounded(value) for name, value in row.items()})
        self.file.flush()

    def values(self, what, server, figure):
        return [row["value"] for row in self.list
                if (row["what"], row["server"], row["figure"]) == (what, server, figure)]

    def notes(self, what, server):
        return list(dict.fromkeys(row["note"] for row in self.list if row["note"] and
                                  (row["what"], row["server"]) == (what, server)))


def take(measure, server, bench, number):
    """The rows of one measurement: one for each figure, and one for what was not right."""
    figures, notes = {}, []
    try:
        figures = measure.run(server, bench)
        notes += filter(None, [figures.pop("", "")])
    except servers.Unable as reason:
        notes.append(str(reason))
    except (OSError, RuntimeError, subprocess.SubprocessError, reeve.Failed) as error:
        notes.append(f"{type(error).__name__}: {error}")
    finally:
        wrong = server.stop()
    row = {"round": number, "what": measure.name, "server": server.name, "note": ""}
    rows = [dict(row, figure=name, value=value) for name, value in figures.items()]
    text = "; ".join(notes + ([wrong] if wrong else []))
    return rows + ([dict(row, figure="", note=text)] if text else [])


def in_words(rows):
    return ", ".join(f"{row['figure']} {row['value']:,.2f}" if row["figure"] else f"! {row['note']}"
                     for row in rows)
