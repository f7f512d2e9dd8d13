"""System calls per request, by kind: strace -c counts those of all processes of a server from
before its first request to after its last one. Who is traced is slow; what it calls for each of 64
requests at once is much the same."""
import os
import re
import shutil
import signal
import subprocess
import time

import loads
import measure as system
import servers

SECONDS = 1
ATTACH = 10  # seconds until strace must have all threads
KEEP = loads.Load("calls-keep", "keep", 64, "/file", "", hold=64)
CLOSE = loads.Load("calls-close", "close", 64, "/file", "", hold=64)
LEAST = 0.05   # calls per request: fewer of a kind are not shown
ANSWERS = ("write", "writev", "send", "sendto", "sendmsg")  # one of them at least for each answer


def grown(server):
    """All processes of a server, when no more have come for a while: Apache forks once a second."""
    found, end = [], time.monotonic() + ATTACH
    while time.monotonic() < end:
        before, found = found, system.family(server.process.pid)
        if before == found:
            break
        time.sleep(1.2 if server.name.startswith("apache") else 0.1)
    return found


def threads(pids):
    return [f"/proc/{pid}/task/{task}/status" for pid in pids for task in
            os.listdir(f"/proc/{pid}/task")]


def untraced(path):
    try:
        with open(path) as file:
            return "\nTracerPid:\t0\n" in file.read()
    except OSError:
        return False  # it has ended


def attach(pids, out):
    """An strace that has all their threads."""
    tracer = subprocess.Popen(["strace", "-qq", "-c", "-f", "-o", out] +
                              [word for pid in pids for word in ("-p", str(pid))],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + ATTACH
    while any(map(untraced, threads(pids))):
        if tracer.poll() is not None:
            raise servers.Unable("strace: " + " ".join(tracer.stderr.read().split())[-200:])
        if time.monotonic() > end:
            tracer.kill()
            raise servers.Unable(f"strace has not attached within {ATTACH} s")
        time.sleep(0.01)
    return tracer


def counted(out):
    """{kind: calls} of a summary of strace."""
    with open(out) as file:
        return {found.group(2): int(found.group(1)) for found in re.finditer(
            r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z]\w*)$", file.read(), re.M)
            if found.group(2) != "total"}


def measure(server, bench, load):
    if not shutil.which("strace"):
        raise servers.Unable("strace is not installed")
    server.start(load)
    out = os.path.join(server.folder, "calls")
    tracer = attach(grown(server), out)
    try:
        got = loads.own(bench.program, load, server.port, SECONDS, bench.cpus[1],
                        *(["--keep"] if load.keep else []))
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=ATTACH)
    if not got["completed"]:
        raise servers.Unable("no answer while it was traced")
    kinds = {kind: many / got["completed"] for kind, many in counted(out).items()}
    if sum(kinds.get(kind, 0) for kind in ANSWERS) < 0.95:
        raise servers.Unable("strace did not have all of its processes")
    return kinds


def measure_keep(server, bench):
    return measure(server, bench, KEEP)


def measure_close(server, bench):
    return measure(server, bench, CLOSE)


def table(figures, what):
    """Lines of Markdown: a row for each server, a column for each kind of call."""
    rows = {}
    for row in figures.list:
        if row["what"] == what:
            rows.setdefault(row["server"], {})[row["figure"]] = row.get("value")
    often = {}
    for row in rows.values():
        for kind, value in row.items():
            if kind and value >= LEAST:
                often[kind] = max(value, often.get(kind, 0))
    kinds = sorted(often, key=lambda kind: -often[kind])
    lines = [["server", *kinds, "all", "not right"]]
    for name, row in rows.items():
        every = sum(value for kind, value in row.items() if kind)
        lines.append([name, *(f"{row[kind]:.2f}" if row.get(kind, 0) >= LEAST else "-"
                              for kind in kinds),
                      f"{every:.2f}" if every else "-", "; ".join(figures.notes(what, name))])
    return lines if rows else []
