#!/usr/bin/env python3
"""Chaos: clients that check every byte, while everything is done to the server that an operator, a
bug or bad luck can do to it. What comes out is "nothing was lost", or what was, and how to see it
again.

    make chaos [CHAOS_SECONDS=60] [CHAOS_SEED=1]     acts drawn by the seed (acts.py)
    make chaos CHAOS=reloads [CHAOS_RELOADS=2000]    reloads and nothing else
    make chaos CHAOS_CLOCK=1                         with steps of the server's clock, by libfaketime
    make chaos CHAOS=plan                            prints what would be done, an act a line: when,
                                                     what, and the number that it draws from
    make chaos CHAOS=blind                           kills workers and hides that from the judge, who
                                                     must then complain: exit status 0 if he does

What must hold:
  - no connection is ever refused, and no request is ever answered with anything but what it asked for;
  - a request fails only if its connection was in the hands of a worker that was killed or crashed. That
    is looked up: before the blow the worker stands still, and the kernel tells which connections it
    holds (Judge.killed). A worker that is merely stopped loses nothing;
  - an idle connection is closed by the server only if it was such a worker's, or if workers retired
    meanwhile and it had been idle for longer than half of drain_linger (reeve.conf(5)). That is
    allowed only while a model was there whose connections cannot be moved to another worker;
    CHAOS_MOVED=0 allows it under all models, for a server that cannot move any;
  - the totals of `status` never fall, and the master is the same process to the end;
  - no line of the access log or of the error log is torn, or joined to another;
  - at the end the master has as many descriptors as after the warm-up, and no more memory than a bound;
    there are as many processes, and no zombie.

Memory, times: one process and a few threads here (the acts, the watcher, what reads the clients' words),
two more with the clients. The server is that of tests/scenario/reeve.py."""
import collections
import ctypes
import glob
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
sys.dont_write_bytecode = True

import acts  # noqa: E402
from client import Client, Closed  # noqa: E402
from clients import LARGE, content  # noqa: E402
from reeve import (DEADLINE, HTTP, MODELS, REEVECTL, ROOT, SANITIZED, SLOW, Failed, Server, check,  # noqa: E402
                   children, descendants, kill, open_files, run, stat_of, status_field, until)

SEED = int(os.environ.get("CHAOS_SEED") or 1)
SECONDS = float(os.environ.get("CHAOS_SECONDS") or 60)
RELOADS = int(os.environ.get("CHAOS_RELOADS") or 2000)
VERBOSE = os.environ.get("CHAOS_VERBOSE") == "1"
MOVED = os.environ.get("CHAOS_MOVED") != "0"
CLOCK = os.environ.get("CHAOS_CLOCK") == "1"
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
# What an act may need, and what is not tried without it.
NEEDS = {"tmpfs": "a full disk (that takes root, and mount)", "upgrade": "an upgrade",
         "clock": "steps of the clock (that takes CHAOS_CLOCK=1 and libfaketime)"}
PROCESSES = 2          # of clients
LATE = 16              # connections that a crashing worker may take in its last moment
GENERATIONS = 16
HANDLER = 6            # seconds: handler_timeout
OVERDUE = 30           # seconds after which a client that should have been let go was not
GROWTH = 1024          # KiB of memory that the master may gain
LINGER = 2.0           # seconds: half of drain_linger, which is longer than most gaps of the clients
SLACK = 0.5            # seconds between what the watcher sees and what was
CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients.py")
# What a line of the logs is.
LINES = {"access.log": re.compile(rb'127\.0\.0\.1 - - \[[^][]+\] "[^"]*" \d{3} \d+ "-" "-"'),
         "error.log": re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]{15}Z [a-z]+ \[\d+ [\w-]+\] [a-z0-9-]+: "
                                 rb"((?!\d{4}-\d\d-\d\dT[\d:.]{15}Z ).)*")}
TOTALS = ("connections", "requests", "bytes", "restarts")


# ---------------------------------------------------------------- the judge

class Blow:
    """A worker that was killed or crashed, and the connections that it held then."""

    def __init__(self, pid, ports, began, others=None):
        self.pid, self.ports, self.began, self.others = pid, set(ports), began, others
        self.late = 0  # connections beyond those, taken in the moment before the end
        self.over = time.monotonic()


class Judge:
    """Says of each failure whether it may be, and why. It is told of all that may cause one."""

    def __init__(self, moved=MOVED, linger=LINGER):
        self.moved, self.linger = moved, linger * 0.9
        self.blows = []
        self.retiring = []     # [begin, end] of times in which workers retired; end None: still
        self.blocking = []     # the same, of models that cannot move a connection
        self.wrong = []        # what must not be
        self.allowed = {}      # why -> how many
        self.zero = time.monotonic()  # what the times of acts count from
        self.lock = threading.Lock()

    def killed(self, pid, ports):
        """Called before the worker is killed, while it stands still."""
        self.blows.append(Blow(pid, ports, time.monotonic()))

    def crashed(self, pid, ports, others, began):
        """Between the look and its end a crashing worker has run: it may have taken further
        connections, though none that `others` held."""
        self.blows.append(Blow(pid, ports, began, set(others)))

    def fault(self, text):
        with self.lock:
            self.wrong.append(text)

    def blow_for(self, failure):
        for blow in self.blows:
            if failure["born"] <= blow.began <= failure["time"] and failure["port"] in blow.ports:
                return "held by a worker that was killed or crashed"
        for blow in self.blows:
            fresh = failure["first"] is None or failure["first"] > blow.began
            # An idle client sees its end only when it looks; what counts is that nothing answered it
            # after the blow.
            end = failure["last"] if failure["what"] == "closed" else failure["time"]
            if (blow.others is not None and failure["port"] not in blow.others and fresh and
                    blow.began <= failure["time"] and end <= blow.over + SLACK and blow.late < LATE):
                blow.late += 1
                return "taken by a worker while it crashed"
        return None

    def retired(self, since, until_then):
        """Did workers retire in that time whose connections could not be moved?"""
        times = self.blocking if self.moved else self.retiring
        return any(begin <= until_then and (end is None or end >= since) for begin, end in times)

    def reason(self, failure):
        """Why this may be; None if it may not."""
        if failure["what"] not in ("broken", "closed"):
            return None
        blow = self.blow_for(failure)
        if blow:
            return blow
        end = failure["time"] if failure["what"] == "closed" else failure["asked"]
        if (failure["answers"] and not failure["received"] and
                end - failure["last"] > self.linger and self.retired(failure["last"], end)):
            return ("idle connections of retired workers closed" if failure["what"] == "closed" else
                    "requests that crossed such a close")
        return None

    def hear(self, failure):
        why = self.reason(failure)
        with self.lock:
            if why:
                if VERBOSE:
                    say(f"  allowed, {why}: {json.dumps(failure)}")
                self.allowed[why] = self.allowed.get(why, 0) + 1
            else:
                self.wrong.append("request: " + json.dumps(failure) + self.around(failure))

    def around(self, failure):
        """When that was in the run, and what else was done to workers then."""
        blows = [f"{'kill' if blow.others is None else 'crash'} {blow.pid} "
                 f"{blow.began - self.zero:.2f} to {blow.over - self.zero:.2f}" for blow in self.blows
                 if blow.began - 1 < failure["time"] and failure.get("last", 0) < blow.over + 1]
        times = [f"{name} {failure[name] - self.zero:.2f}" for name in ("born", "asked", "last", "time")
                 if failure.get(name)]
        return f" (at {', '.join(times)}; blows near: {', '.join(blows) or 'none'})"


class Blind(Judge):
    """One who is not told of what was killed: what is lost by that must then be wrong."""

    def killed(self, pid, ports):
        pass


BLIND_PLAN = [acts.Act(1.0 + 0.4 * number, "kill-worker", number) for number in range(6)]


# ---------------------------------------------------------------- the stage

class Stage:
    """The server, its files, and what the acts share."""

    def __init__(self, judge):
        self.judge = judge
        self.server = Server(acts.SETTLED_MODEL, "chaos")
        self.server.crashes_meant = True
        self.model, self.version = acts.SETTLED_MODEL, 0
        self.quarantined = self.released = 0
        self.files = {name: 0 for name in ("small.txt", "middle.txt", LARGE)}
        self.threads, self.sticking = [], None
        self.failures = []  # of get(): judged at the end, when all blows are known
        self.lines = {name: 0 for name in LINES}  # looked at
        self.has = set()
        self.prepare()

    def prepare(self):
        for name in ("logs", "up"):
            os.mkdir(self.server.path(name))
        os.chmod(self.server.path("up"), 0o777)
        if mount_tmpfs(self.server.path("logs")):
            self.has.add("tmpfs")
        if "upgrade" in run([REEVECTL, "--help"]).out:
            self.has.add("upgrade")
        for name in self.files:
            self.put_file(name, 0)
        self.write_configuration()
        self.server.start(env=dict(os.environ, **calm_sanitizers(), **self.clock()))
        self.address = self.server.address()

    def clock(self):
        """What a server that believes in a clock of ours needs in its environment."""
        if not CLOCK or not FAKETIME:
            return {}
        self.has.add("clock")
        self.step_clock(0)
        return {"LD_PRELOAD": FAKETIME[0], "FAKETIME_TIMESTAMP_FILE": self.server.path("clock"),
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step_clock(self, seconds):
        self.server.write("clock.new", f"{seconds:+d}s\n")
        os.rename(self.server.path("clock.new"), self.server.path("clock"))

    def log(self, name):
        return self.server.path(os.path.join("logs", name))

    def put_file(self, name, version):
        """In the way that is safe: beside it, then renamed over it."""
        self.server.write("www/.new", content(name, version))
        os.rename(self.server.path("www/.new"), self.server.path("www/" + name))

    def text(self):
        return HTTP + f"""http {{
            access_log = "logs/access.log"
            keepalive_timeout = "120s"
            site "default" {{
                route "/" {{ static {{ root = "www" }} }}
                route "/hello" {{ hello {{ text = "configuration {self.version}" }} }}
                route "/mirror" {{ mirror {{ }} }}
                route "/receive" {{ receive {{ folder = "up" }} }}
                route "/poolreceive" {{ poolreceive {{ folder = "up" }} }}
                route "/hang" {{ sleep {{ delay = "1500ms" }} }}
                route "/stuck" {{ hang {{ until = "stuck.over" }} }}
                route "/crash" {{ halt {{ }} }}
            }}
        }}
        """

    def write_configuration(self):
        self.server.configure(
            self.text(), model=self.model, error_log="logs/error.log", log_level="info",
            generations_limit=GENERATIONS, drain_timeout="90s", drain_linger=f"{int(2 * LINGER * 1000)}ms",
            handler_timeout=f"{HANDLER}s",
            modules=["http", "static", "hello", "mirror", "receive", "poolreceive", "sleep", "hang",
                     "halt"],
            **acts.room(self.model))

    def ask(self, request):
        answer = self.server.ask(request)
        return answer["code"], answer["text"]

    def control(self, request, allowed, refusal=""):
        """Speaks to the master, as reevectl does; any code but those allowed is a failure."""
        code, text = self.ask(request)
        check(code in allowed and (code != 1 or refusal in text), f"{request}: code {code}, {text}")
        return f"code {code} {text.splitlines()[0] if text else ''}"

    def operations(self):
        return self.server.ask("generations")["data"]["operations"]

    def last_operation(self):
        return max((each["operation"] for each in self.operations()), default=0)

    def refused_since(self, number):
        """Has a reload been refused that ended after that operation?"""
        return any(each["operation"] > number and each["verb"] == "reload" and each["code"] == 3
                   for each in self.operations())

    def look_at_logs(self, suffix="", ended=False):
        """Is each line whole? One that is just being written is only when it has `ended`."""
        for name, whole in LINES.items():
            try:
                with open(self.log(name + suffix), "rb") as file:
                    *lines, last = file.read().split(b"\n")
            except FileNotFoundError:
                continue
            self.lines[name] += len(lines)
            if ended and last:
                lines.append(last + b" (without an end)")
            for line in lines:
                if not whole.fullmatch(line):  # or what a sanitizer has found: stderr goes there
                    self.judge.fault(f"{name}{suffix}: a torn line: {line[:300]!r}")

    def held(self, pids):
        """The clients' ports of the connections that these processes hold."""
        return held_ports(pids, self.address[1])

    def get(self, target):
        """The answer of a handler that takes its time; None if its worker was killed meanwhile."""
        link = {"kind": target, "what": "broken", "answers": 0, "received": 0, "first": None}
        try:
            with Client(self.address, 60) as client:
                link.update(born=time.monotonic(), port=client.link.getsockname()[1])
                link.update(asked=link["born"], last=link["born"])
                return client.get(target)
        except Closed as error:
            self.failures.append({**link, "time": time.monotonic(), "error": str(error)})
        except (Failed, OSError) as error:
            self.judge.fault(f"{target}: {error!r}")
        return None

    def begin(self, target):
        self.threads.append(threading.Thread(target=target))
        self.threads[-1].start()
        return self.threads[-1]

    def hang(self, number):
        def one():
            answer = self.get("/hang")
            if answer and (answer.status, answer.body) != (200, b"slept\n"):
                self.judge.fault(f"a hanging handler: {answer.status} {answer.body[:80]}")
        for _ in range(number):
            self.begin(one)

    def stuck(self, generation, patient):
        """`patient`: the handler is let go only when its worker has been replaced for it."""
        over = self.server.path("stuck.over")

        def one():
            release = threading.Timer(OVERDUE, self.server.write, ("stuck.over", b""))
            release.start()  # else a model without pool, come in between, would hang for ever
            answer = self.get("/stuck")
            if answer and answer.status == 503:
                self.released += 1
            elif answer and self.server.status()["generation"] == generation:
                self.judge.fault(f"a handler that does not return: {answer.status} after {OVERDUE} s")
            if patient:
                time.sleep(HANDLER)
            release.cancel()
            self.server.write("stuck.over", b"")
        if self.sticking and self.sticking.is_alive():
            return "one already"
        if os.path.exists(over):
            os.unlink(over)
        self.sticking = self.begin(one)
        return "until its worker is replaced" if patient else "until its client is let go"


def calm_sanitizers():
    """Crashes are meant here: the program's own handler shall tell of them, as it does without them."""
    names = ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS") if SANITIZED else ()
    return {name: os.environ.get(name, "") + ":handle_segv=0" for name in names}


def held_ports(pids, port):
    """The remote ports of the sockets with that local port, of these processes (proc(5))."""
    inodes = set()
    for pid in pids:
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        except OSError:
            pass  # has ended: what it held is lost or with others
    ports = set()
    with open("/proc/net/tcp") as file:
        for line in file:
            fields = line.split()
            if fields[9] in inodes and fields[1].endswith(f":{port:04X}"):
                ports.add(int(fields[2].rpartition(":")[2], 16))
    return ports


def mount_tmpfs(path):
    """A disk of 8 MiB, seen by us alone, which goes with us. False if that is not allowed."""
    libc = ctypes.CDLL(None)
    if not ROOT or libc.unshare(0x00020000) != 0:  # CLONE_NEWNS
        return False
    private = libc.mount(None, b"/", None, (1 << 18) | 16384, None)  # MS_PRIVATE | MS_REC
    return private == 0 and libc.mount(b"none", path.encode(), b"tmpfs", 0, b"size=8m") == 0


# ---------------------------------------------------------------- who looks on

class Watcher(threading.Thread):
    """Asks for `status` again and again: totals never fall, and when do workers retire?"""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.over = stage, threading.Event()
        self.last, self.polls, self.dirty_until = {}, 0, 0.0

    def run(self):
        while not self.over.wait(0.1):
            try:
                self.look(self.stage.server.status())
            except Exception as error:  # no answer is a failure too
                self.stage.judge.fault(f"status: {error!r}")

    def look(self, status):
        self.polls += 1
        judge = self.stage.judge
        for name in TOTALS:
            value = status["totals"][name]
            if value < self.last.get(name, 0):
                judge.fault(f"totals: {name} fell from {self.last[name]} to {value}")
            self.last[name] = value
        if status["generation"] < self.last.get("generation", 0):
            judge.fault(f"the generation fell to {status['generation']}")
        self.last["generation"] = status["generation"]
        # At rest only when nothing is under way that will retire somebody.
        still = (status["state"] == "serving" and len(status["generations"]) == 1 and
                 all(worker["state"] == "ready" for worker in status["workers"]))
        self.note(still, status)

    def note(self, still, status):
        now = time.monotonic()
        judge = self.stage.judge
        if not still:
            self.begin(judge.retiring, now)
            model = MODELS.get(self.stage.model)
            if model.blocking or status["model"] in MODELS and MODELS[status["model"]].blocking:
                self.begin(judge.blocking, now)
        elif now > self.dirty_until:
            for times in (judge.retiring, judge.blocking):
                if times and times[-1][1] is None:
                    times[-1][1] = now + SLACK

    @staticmethod
    def begin(times, now):
        if not times or times[-1][1] is not None:
            times.append([now - SLACK, None])

    def act_begins(self):
        self.dirty_until = time.monotonic() + 1
        self.begin(self.stage.judge.retiring, time.monotonic())


class Listener(threading.Thread):
    """Counts what the master says of itself (`events`), and knows what it must never say."""

    NEVER = ("channel-bad", "worker-late", "worker-stuck", "worker-start-failed", "drain-deadline",
             "too-many-generations", "no-memory", "system")

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.over, self.tags = stage, threading.Event(), {}

    def run(self):
        while not self.over.is_set():
            try:
                self.follow()
            except OSError:
                time.sleep(0.05)  # an upgrade may close it; or all is over

    def follow(self):
        with self.stage.server.connect_control() as control, control.makefile("rb") as lines:
            control.settimeout(None)
            control.sendall(b"events\n")
            for line in lines:
                event = json.loads(line)
                tag = event.get("tag")
                self.tags[tag] = self.tags.get(tag, 0) + 1
                if tag in self.NEVER and not self.over.is_set():
                    self.stage.judge.fault(f"event {tag}: {event['text']}")

    def __str__(self):
        return ", ".join(f"{tag} {number}" for tag, number in sorted(self.tags.items()) if tag)


class Clients:
    """One process of clients, and a thread that hears what it has to say."""

    def __init__(self, stage, seed):
        host, port = stage.address
        self.judge, self.figures = stage.judge, None
        self.process = subprocess.Popen(
            [sys.executable, CLIENTS, host, str(port), str(seed)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.failures = []
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            record = json.loads(line)
            if record["type"] == "figures":
                self.figures = record
            else:
                self.failures.append(record)

    def stop(self):
        self.process.stdin.close()
        self.thread.join(120)
        if self.process.poll() is None and not self.figures:
            self.judge.fault("clients did not end")
            self.process.kill()
        self.process.wait()
        if not self.figures:
            self.judge.fault(f"clients ended with status {self.process.returncode}")
            self.figures = {"good": 0, "connections": 0, "told": 0, "bytes": 0, "kinds": {},
                            "latency": {}}
        for failure in self.failures:  # by now the judge knows all that happened
            self.judge.hear(failure)


# ---------------------------------------------------------------- leaks

def zombies(pid):
    return [name for name in os.listdir("/proc")
            if name.isdigit() and stat_of(name) == ("Z", pid)]


def rest(stage):
    """Everything back to where it began, and at rest."""
    stage.model = acts.SETTLED_MODEL
    stage.version += 1
    stage.write_configuration()
    def reloaded():
        code, text = stage.ask("reload")
        return code == 0 or None
    until(reloaded, "the last configuration is taken", DEADLINE * 6)
    until(lambda: len(stage.server.status()["generations"]) == 1, "old generations are gone",
          DEADLINE * 10)
    stage.server.all_ready(acts.WORKERS)


def holdings(stage):
    pid = stage.server.pid
    number, kinds = stage.server.descriptors(), open_kinds(pid)
    return {"descriptors": number - kinds.pop(FOREIGN, 0), "files": kinds, "processes": len(children(pid)),
            "zombies": len(zombies(pid)), "threads": int(status_field(pid, "Threads")),
            "KiB": int(status_field(pid, "VmRSS").split()[0])}


def open_kinds(pid):
    """What its descriptors are, without what tells two of a kind from one another."""
    return collections.Counter(re.sub(r"\[\d+\]|\d+$", "", path) for path in open_files(pid))


FOREIGN = "/dev/shm/faketime_shm_"  # libfaketime keeps it open in what is executed after it has begun


def compare(judge, before, after):
    for name in ("descriptors", "processes", "zombies", "threads"):
        if after[name] != before[name]:
            more, fewer = after["files"] - before["files"], before["files"] - after["files"]
            judge.fault(f"leak: {name} of the master: {before[name]}, at the end {after[name]}; "
                        f"more: {dict(more)}, fewer: {dict(fewer)}")
    if after["KiB"] > before["KiB"] + GROWTH and not SANITIZED:  # whose own memory grows
        judge.fault(f"leak: memory of the master: {before['KiB']} KiB, at the end {after['KiB']} KiB")


# ---------------------------------------------------------------- the run

def say(text):
    print(text, flush=True)


def warm_up(stage):
    """Once everything that makes the master take memory that it keeps."""
    rng = random.Random(0)
    for name in ("hup-changed", "scale", "rotate", "recycle", "hup-bad", "kill-worker"):
        acts.TABLE[name].run(stage, rng)
    rest(stage)


def perform(stage, watcher, plan):
    """Does what is planned, each at its time or as soon as the one before has ended."""
    counts, began = {}, time.monotonic()
    stage.judge.zero = began
    for act in plan:
        row = acts.TABLE[act.name]
        if row.needs and row.needs not in stage.has:
            counts[f"{act.name} (not possible here)"] = counts.get(
                f"{act.name} (not possible here)", 0) + 1
            continue
        time.sleep(max(0, began + act.time - time.monotonic()))
        if row.retires:
            watcher.act_begins()
        at = time.monotonic() - began
        try:
            text = row.run(stage, random.Random(act.number))
        except Exception as error:  # an act that cannot be done is a finding
            text = f"FAILED: {error}"
            where = "" if isinstance(error, Failed) else traceback.format_exc()
            stage.judge.fault(f"act {act.name} at {act.time}: {error!r} {where}")
        counts[act.name] = counts.get(act.name, 0) + 1
        say(f"  {at:7.2f}  {act.name:14} {text}")
        if stage.server.process.poll() is not None:
            stage.judge.fault(f"the master ended with status {stage.server.process.returncode}")
            break
    for thread in stage.threads:
        thread.join(DEADLINE * 6)
    return counts


def reloads(stage, number):
    """Reloads and nothing else, one after the other; memory is looked at on the way."""
    middle = None
    for count in range(1, number + 1):
        # More at once than generations_limit would be stopped with what they have in hand.
        until(lambda: len(stage.server.status()["generations"]) < GENERATIONS, "old ones have gone",
              DEADLINE * 6)
        stage.version += 1
        stage.write_configuration()
        code, text = stage.ask("reload")
        check(code == 0, f"reload {count}: code {code}, {text}")
        if count == number // 2:
            middle = status_field(stage.server.pid, "VmRSS")
        if count % 100 == 0:
            say(f"  {count} reloads, the master has {status_field(stage.server.pid, 'VmRSS')}")
    say(f"  memory after half of them: {middle}")
    return {"reload": number}


def percentile(latency, part):
    total, seen = sum(latency.values()), 0
    for ms in sorted(latency):
        seen += latency[ms]
        if seen >= total * part:
            return ms
    return 0


def report(counts, clients, judge, before, after, stage):
    latency, kinds = {}, {}
    for one in clients:
        for ms, number in one.figures["latency"].items():
            latency[int(ms)] = latency.get(int(ms), 0) + number
        for kind, number in one.figures["kinds"].items():
            kinds[kind] = kinds.get(kind, 0) + number

    def total(name):
        return sum(one.figures[name] for one in clients)
    say("acts: " + ", ".join(f"{name} {number}" for name, number in sorted(counts.items())))
    say(f"requests answered, every byte checked: {total('good')} ("
        + ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
        + f"), {total('bytes') >> 20} MiB, {total('connections')} connections")
    say(f"latency: p50 {percentile(latency, 0.5)} ms, p99 {percentile(latency, 0.99)} ms, longest "
        f"{max(latency, default=0)} ms")
    say(f"told to close by an answer: {total('told')}")
    for why, number in sorted(judge.allowed.items()):
        say(f"allowed: {number} {why}")
    say(f"crashes refused by quarantine: {stage.quarantined}; clients of a stuck handler let go: "
        f"{stage.released}")
    say("lines of logs, each whole: " + ", ".join(f"{name} {number}"
                                                  for name, number in stage.lines.items()))
    for when, what in (("before", before), ("after", after)):
        say(f"master {when}: " + ", ".join(f"{name} {number}" for name, number in what.items()
                                           if name != "files"))
    missing = [what for word, what in NEEDS.items() if word not in stage.has]
    if missing:
        say("not tried: " + ", ".join(missing))
    if total("good") < 100:
        judge.fault(f"only {total('good')} requests were answered: that shows nothing")


def chaos(mode, seed, seconds, judge, plan):
    """One run. What was wrong is with the judge afterwards."""
    stage = Stage(judge)
    clients, watcher, listener = [], Watcher(stage), Listener(stage)
    try:
        warm_up(stage)
        before = holdings(stage)
        watcher.start()
        listener.start()
        clients = [Clients(stage, seed * PROCESSES + number) for number in range(PROCESSES)]
        counts = (reloads(stage, RELOADS) if mode == "reloads" else perform(stage, watcher, plan))
        rest(stage)
        time.sleep(SLACK)
        for one in clients:
            one.stop()
        for failure in stage.failures:
            judge.hear(failure)
        watcher.over.set()
        watcher.join()
        listener.over.set()
        until(lambda: stage.server.status()["totals"]["open"] == 0 or None, "all is closed", DEADLINE * 3)
        for suffix in (".1", ""):
            stage.look_at_logs(suffix, ended=True)
        after = holdings(stage)
        after["descriptors"] -= 1  # the listener's
        compare(judge, before, after)
        totals = stage.server.status()["totals"]
        report(counts, clients, judge, before, after, stage)
        say(f"events: {listener}")
        say(f"totals of the server: {totals}; {watcher.polls} looks at them")
    except Exception as error:  # whatever breaks the run is a finding
        judge.fault(f"{error!r} {traceback.format_exc()}")
    finally:
        watcher.over.set()
        listener.over.set()
        for one in clients:
            if one.process.poll() is None:
                one.process.kill()
        for fault in stage.server.finish(orderly=not judge.wrong):
            judge.fault(fault)
        left = descendants(os.getpid())
        if left and not judge.wrong:
            judge.fault(f"processes left behind: {left}")
        for pid in left:
            kill(pid)
    return stage


def verdict(judge, seed, seconds, mode, stage):
    if not judge.wrong:
        say(f"chaos: nothing was lost (seed {seed})")
        shutil.rmtree(stage.server.folder, ignore_errors=True)
        return 0
    say(f"chaos: {len(judge.wrong)} things are wrong")
    for text in judge.wrong[:200]:
        say("  " + text)
    log = stage.log("error.log")
    if os.path.exists(log):
        say("the end of the error log:")
        with open(log, errors="replace") as file:
            say("".join(file.readlines()[-60:]))
    say(f"again: make chaos CHAOS={mode} CHAOS_SEED={seed} CHAOS_SECONDS={seconds:g}")
    return 1


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else "acts"
    if mode not in ("acts", "reloads", "plan", "blind"):
        sys.exit(f"chaos.py: what is {mode!r}? acts, reloads, plan or blind")
    plan = {"reloads": [], "blind": BLIND_PLAN}.get(mode, acts.plan(SEED, SECONDS))
    lines = [f"  {act.time:7.2f}  {act.name:14} {act.number}" for act in plan]
    # The same sum: the same acts, whoever has drawn them.
    said = f", plan {zlib.crc32(chr(10).join(lines).encode()):08x}" if mode != "reloads" else ""
    say(f"chaos: {mode}, seed {SEED}, {SECONDS:g} s, {len(plan)} acts{said}")
    if mode == "plan":
        say("\n".join(lines))
        return 0
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: nothing can hide
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    judge = Blind() if mode == "blind" else Judge()
    stage = chaos(mode, SEED, SECONDS, judge, plan)
    if mode == "blind":
        seen = [text for text in judge.wrong if text.startswith("request: ")]
        say(f"chaos: the judge was blind, and complained of {len(seen)} requests")
        return 0 if seen and len(seen) == len(judge.wrong) else 1
    return verdict(judge, SEED, SECONDS, mode, stage)


if __name__ == "__main__":
    sys.exit(main())
