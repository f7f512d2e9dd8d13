"""The loads, each a row of a table, and the programs that make them: wrk where connections are
kept, our own load (load.c) for all else. Both run on a CPU that no server uses."""
import dataclasses
import functools
import json
import os
import re
import shutil
import subprocess
import time

import measure
import peers

TIMEOUT = 5      # seconds until a request has failed
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "percentiles.lua")
QUEUE_THREADS = 8
WATCHED = 60     # threads of a server; what has more waits for itself all the time
CALM_LEAST = 500 # latencies: fewer have no 99th percentile
RATE_EACH = 10000 # requests per second for each worker where a load runs on each CPU
QUEUE_USERS = 1000  # connections of the open loop: more than ever wait at once, if it can be helped


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    kind: str        # "close", "keep", "calm", "each", "burn", "sleep", "queue"
    users: int
    path: str
    title: str
    hold: int = 0    # connections that a server must hold at once: it is sized for them
    quick: bool = False
    who: tuple = ()  # the only servers, by name; else all that can
    at_once: int = 1  # requests that are sent at once (pipelining)

    @property
    def keep(self):
        return self.kind in ("keep", "calm", "each", "queue")

    @property
    def for_all(self):
        """Else for the models of reeve only: it needs our handlers."""
        return self.path.startswith("/file")


LOADS = [Load(f"close-{users}", "close", users, "/file",
              f"a connection for each request, {users} at once", quick=users in (10, 1000, 11000))
         for users in (1, 10, 100, 1000, 5000, 11000)]
LOADS += [Load(f"keep-{users}", "keep", users, "/file",
               f"{users} kept connections; servers have a thread or process for each where they "
               "need one and can have it", hold=users, quick=users == 64)
          for users in (64, 1000)]
LOADS += [
    Load("keep-64-64k", "keep", 64, "/file64k", "64 kept connections, a file of 64 KiB", hold=64),
    Load("keep-16-1m", "keep", 16, "/file1m", "16 kept connections, a file of 1 MiB", hold=16),
    Load("burn", "burn", 64, "/burn", "a handler that uses 1 ms of CPU, 64 at once, a connection "
         "for each request", quick=True),
    Load("sleep", "sleep", 64, "/sleep", "a handler that sleeps 10 ms, 64 at once, a connection "
         "for each request", quick=True),
    Load("queue", "queue", QUEUE_USERS, "/short", f"event with {QUEUE_THREADS} pool threads at "
         "80 % of its capacity, open loop: handlers sleep 1 ms, and 0.5 % of them 50 ms",
         quick=True),
    # What the targets need besides (targets.py).
    Load("p99-64", "calm", 64, "/file", "64 kept connections; latencies of those moments only in "
         "which nobody else had the CPU of the server or of the load", hold=64,
         who=("event", "floor", *peers.PEERS)),
    Load("pool", "keep", 64, "/pool", "64 kept connections, a blocking handler that does nothing, "
         "through the pool; who has no such handler serves a file of the same 6 bytes", hold=64,
         who=("event", "floor", "apache-worker")),
    Load("text", "keep", 64, "/text", "64 kept connections, a text of 13 bytes", hold=64,
         who=("event", "floor")),
    Load("text-x16", "keep", 64, "/text", "the same, 16 requests at once on each connection",
         hold=64, who=("event",), at_once=16),
    Load("log", "keep", 64, "/file", "64 kept connections, without and with an access log",
         hold=64, who=("event", "event log")),
    Load("cpus", "each", 32, "/file", "for each worker 32 kept connections, 10,000 requests a "
         "second, and a CPU; half of the load runs on either CPU, niced, and never lets it be idle",
         hold=64, who=("event", "event 2 CPUs")),
]

ERRORS = ("refused", "reset", "timeout", "bad", "short", "local", "unsent")


def have_wrk():
    return shutil.which("wrk") is not None


def run(command, cpu, seconds, peek):
    """Runs a load to its end: (its output, its CPU seconds, what `peek` saw late in the run, how
    long it took)."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.STDOUT, preexec_fn=lambda: measure.prepare(cpu))
    try:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        seen = peek()
        out = process.communicate(timeout=seconds + 4 * TIMEOUT + 60)[0]
    finally:
        process.kill()
        process.wait()
    return out, seen, time.monotonic() - began


def wrk(load, port, seconds, cpu, peek):
    whole = max(1, round(seconds))
    out, seen, took = run(["wrk", "-t1", f"-c{load.users}", f"-d{whole}s", "--latency",
                           "--timeout", f"{TIMEOUT}s", "-s", SCRIPT,
                           f"http://127.0.0.1:{port}{load.path}", "--",
                           str(load.at_once)], cpu, whole * 0.8, peek)
    line = re.search(r"^RESULT (.*)$", out, re.M)
    if not line:
        raise RuntimeError("wrk: " + " ".join(out.split())[-300:])
    got = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", line.group(1))}
    return {"completed": got["completed"], "rate": got["completed"] * 1e6 / got["duration"],
            "p50": got["p50"], "p99": got["p99"], "p999": got["p999"], "refused": got["connect"],
            "reset": got["read"] + got["write"], "timeout": got["timeout"], "bad": got["status"],
            "waiting": seen, "took": took}


def own(program, load, port, seconds, cpu, *more):
    """Runs load.c. Where there are many users each waits for all others (some 20,000 have their
    turn in a second): in the measured time all should have some turns."""
    turn = 0 if load.keep else load.users / 20000
    seconds = max(seconds, 2 * turn if seconds < 1 else 4 * turn)
    warm = max(min(0.5, seconds / 4), seconds / 2 if turn > 0.1 else 0)
    command = [program, "--users", str(load.users), "--warm", str(warm), "--seconds", str(seconds),
               "--timeout", str(TIMEOUT), "--sources", str(1 + load.users // 5000), *more,
               f"127.0.0.1:{port}", load.path]
    out, _, took = run(command, cpu, (warm + seconds) * 0.8, lambda: 0)
    try:
        return dict(json.loads(out), took=took)
    except ValueError:
        raise RuntimeError("load: " + " ".join(out.split())[-300:]) from None


def calm(program, load, port, seconds, cpu, threads):
    """`threads`: see measure.schedules."""
    watch = ["--watch", ",".join(threads)] if 0 < len(threads) <= WATCHED else []
    got = own(program, load, port, seconds, cpu, "--keep", *watch)
    if got["measured"] < CALM_LEAST:
        got.update(p50=None, p99=None, p999=None)
    return got


def on_each(program, load, port, seconds, cpus, workers):
    """A load on each CPU, which must leave it to the server whenever that can run. An open loop
    does not sleep between two requests, so that no CPU is ever idle, and a worker has as much to do
    whether it is alone or not."""
    began, count = time.monotonic(), len(cpus)
    command = ["nice", "-n", "19", program, "--users", str(load.users * workers // count), "--rate",
               str(RATE_EACH * workers / count), "--warm", "0.2", "--seconds", str(seconds),
               "--timeout", str(TIMEOUT), f"127.0.0.1:{port}", load.path]
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  text=True, preexec_fn=functools.partial(measure.prepare, cpu))
                 for cpu in cpus]
    try:
        parts = [json.loads(process.communicate(timeout=seconds + 4 * TIMEOUT + 60)[0])
                 for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    names = ("completed", "rate", "never", *ERRORS)
    return {"p50": None, "p99": None, "p999": None, "took": time.monotonic() - began,
            **{name: sum(part[name] for part in parts) for name in names}}


def capacity(program, load, port, seconds, cpu):
    """Requests per second of the queue's mix when all threads are always busy."""
    closed = dataclasses.replace(load, users=4 * QUEUE_THREADS)
    return own(program, closed, port, seconds, cpu, "--keep", *MIX)["rate"]


MIX = ("--also", "/long", "--share", "0.005")
