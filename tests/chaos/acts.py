"""What the chaos driver does to the server: a table of acts, and the plan that a seed makes of it.

The plan is made before anything begins and depends on seed and length alone: each act has its time
and a number of its own, from which it draws whatever else it has to choose. Whoever runs the same
plan again does the same things; what the machine makes of it may differ.

A row of the table says how often an act comes, whether it retires workers (idle connections of
theirs may then be closed, where they cannot be moved), and what it does. An act gets the Stage of
chaos.py and returns a few words for the report. What may be lost by it, it tells the judge."""
import collections
import errno
import os
import random
import signal
import time

from client import Client, Closed
from reeve import (DEADLINE, MODELS, POOLED, Failed, alive, check, descendants, kill, stat_of,
                   until, wait_gone)

Act = collections.namedtuple("Act", "time name number")
Row = collections.namedtuple("Row", "name weight retires needs run")
TABLE = {}
SETTLED_MODEL = "event"
# Those that hold many connections with few workers: a reload to any other would start dozens.
ROOMY = [name for name, model in MODELS.items() if not model.narrow]
WORKERS = 2
LOGS = ("access.log", "error.log")
ROOM = 128  # connections
TRYING = "a generation is being tried"  # how the master refuses what a reload forbids


def act(weight, retires=False, needs=None):
    """Declares the act of that function. `needs`: the Stage's word for what must be there."""
    def add(function):
        name = function.__name__.replace("_", "-")
        TABLE[name] = Row(name, weight, retires, needs, function)
        return function
    return add


def plan(seed, seconds, gap=0.7):
    """The acts of a run, in order."""
    rng, acts, now = random.Random(seed), [], 1.0
    rows = list(TABLE.values())
    while now < seconds - 2:
        row = rng.choices(rows, [row.weight for row in rows])[0]
        acts.append(Act(round(now, 2), row.name, rng.randrange(1 << 30)))
        now += rng.uniform(0.1, 2 * gap)
    return acts


# ---------------------------------------------------------------- configuration

def change(stage):
    """A configuration that differs in something harmless."""
    stage.version += 1
    stage.write_configuration()
    return f"configuration {stage.version}"


def reload(stage, rng):
    """By signal, whose result nobody waits for, or by reevectl."""
    if rng.random() < 0.5:
        stage.server.signal(signal.SIGHUP)
        return "HUP"
    return "reload: " + stage.control("reload", allowed=(0, 3))


@act(6, retires=True)
def hup_changed(stage, rng):
    return f"{change(stage)}, {reload(stage, rng)}"


@act(3, retires=True)  # what an earlier act has left may be new
def hup_same(stage, rng):
    os.utime(stage.server.conf)
    return reload(stage, rng)


BAD = {"syntax": "listen {{{\n", "unknown": "no_such_option = 1\n",
       "module": 'modules = { "nowhere" }\n', "root": None}


@act(4, retires=True)
def hup_bad(stage, rng):
    kind = rng.choice(sorted(BAD))
    if kind == "root":  # only a worker can see that
        stage.server.configure(stage.text().replace('"www"', '"no/such/folder"'))
    else:
        stage.server.configure(stage.text() + BAD[kind])
    if rng.random() < 0.5:
        how, before = "HUP", stage.last_operation()
        stage.server.signal(signal.SIGHUP)
        # One that began before may still be under way, and take the file that was there.
        until(lambda: stage.refused_since(before), f"a bad configuration ({kind}) is refused",
              DEADLINE * 6)
    else:
        how, (code, text) = "reload", stage.ask("reload")
        check(code == 3, f"a bad configuration ({kind}) gave code {code}: {text}")
    stage.write_configuration()
    return f"{kind}, {how}"


@act(4, retires=True)
def model(stage, rng):
    name = rng.choice(ROOMY + POOLED * 3)  # some acts need a pool
    stage.model = name
    return f"{name}, {change(stage)}, {reload(stage, rng)}"


# ---------------------------------------------------------------- workers, in order

@act(3)
def ttin(stage, _rng):
    if len(stage.server.status()["workers"]) > 5:
        return "enough of them"
    stage.server.signal(signal.SIGTTIN)
    return ""


@act(3, retires=True)
def ttou(stage, _rng):
    stage.server.signal(signal.SIGTTOU)
    return ""


@act(3, retires=True)
def scale(stage, rng):
    count = rng.randrange(1, 5)
    return f"{count}: " + stage.control(f"scale {count}", allowed=(0, 1), refusal=TRYING)


@act(4, retires=True)
def recycle(stage, rng):
    what = rng.choice(("0", "all"))
    return f"{what}: " + stage.control(f"recycle {what}", allowed=(0, 1))


@act(3, retires=True)
def term_worker(stage, rng):
    pid = any_worker(stage, rng)
    if pid:
        stage.server.signal(signal.SIGTERM, pid)
    return str(pid)


@act(2, retires=True, needs="upgrade")
def upgrade(stage, rng):
    if rng.random() < 0.5:
        stage.server.signal(signal.SIGUSR2)
        return "USR2"
    return stage.control("upgrade", allowed=(0, 1, 3))  # 3: a new worker was killed meanwhile


# ---------------------------------------------------------------- workers, by force

def any_worker(stage, rng):
    pids = sorted(worker["pid"] for worker in stage.server.status()["workers"])
    return rng.choice(pids) if pids else 0


def stopped(pid):
    """Do all threads of the process stand still?"""
    try:
        return all(stat_of_task(pid, task) in "Tt" for task in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return not alive(pid)


def stat_of_task(pid, task):
    with open(f"/proc/{pid}/task/{task}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def halt(pid):
    """Stops a process, and returns when it stands still. False if there is none."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    until(lambda: stopped(pid), f"process {pid} stands still")
    return alive(pid)


@act(5)
def kill_worker(stage, rng):
    """What it holds is looked at while it stands still, so that it is known what may be lost."""
    pid = any_worker(stage, rng)
    if not pid or not halt(pid):
        return "nobody"
    ports = stage.held([pid] + descendants(pid))
    stage.judge.killed(pid, ports)
    kill(pid)
    check(wait_gone(pid), f"worker {pid} has not ended by SIGKILL")
    return f"{pid}, {len(ports)} connections"


@act(4)
def stop_worker(stage, rng):
    pid = any_worker(stage, rng)
    if not pid or not halt(pid):
        return "nobody"
    seconds = rng.uniform(0.1, 1.5)
    time.sleep(seconds)
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        raise Failed(f"worker {pid} ended while it was stopped") from None
    return f"{pid} for {seconds:.1f} s"


@act(3)
def crash(stage, rng):
    """A handler crashes. It stops its process first, see tests/modules/halt.c."""
    with Client(stage.address) as client:
        client.send(f"GET /crash?{rng.randrange(1 << 20)} HTTP/1.1\r\nHost: localhost\r\n\r\n")

        def reached():
            for pid in descendants(stage.server.pid):
                stat = stat_of(pid)
                if stat and stat[0] == "T":
                    return pid
            return -1 if client_has_answer(client) else 0
        pid = until(reached, "the crashing handler is reached", DEADLINE * 3)
        if pid < 0:
            answer = client.answer()
            check(answer.status == 503, f"the crashing route answered {answer.status}")
            stage.quarantined += 1
            return "in quarantine"
        until(lambda: stopped(pid), f"process {pid} stands still")
        mine = [pid] + descendants(pid)
        ports = stage.held(mine)
        others = stage.held(each for each in descendants(stage.server.pid) if each not in mine)
        began = time.monotonic()
        os.kill(pid, signal.SIGCONT)
        check(wait_gone(pid), f"worker {pid} did not crash")
        stage.judge.crashed(pid, ports, others, began)
        try:
            client.ended()
        except Failed as error:
            raise Failed(f"the client of a crashed handler: {error}") from None
    return f"{pid}, {len(ports)} connections"


def client_has_answer(client):
    client.link.setblocking(False)
    try:
        client.more()
        return True
    except BlockingIOError:
        return False
    except Closed:
        raise Failed("the crashing request was lost before its handler was reached") from None
    finally:
        client.link.settimeout(DEADLINE)


@act(2)
def hang(stage, rng):
    """Handlers that hang for a while hold up nobody else, and are answered."""
    number = rng.randrange(1, 4)
    stage.hang(number)
    return f"{number} handlers"


@act(2, retires=True)
def stuck(stage, rng):
    """A handler that does not come back: its client is let go, its thread is lost, and at last its
    worker is replaced, unless the thread is back before."""
    status = stage.server.status()
    if not MODELS[status["model"]].pool or status["state"] != "serving":
        return "no pool"  # nobody would let the client go
    return stage.stuck(status["generation"], patient=rng.random() < 0.5)


# ---------------------------------------------------------------- files

@act(4)
def rotate(stage, rng):
    stage.look_at_logs(".1")  # before they are replaced
    for name in LOGS:
        if os.path.exists(stage.log(name)):
            os.rename(stage.log(name), stage.log(name + ".1"))
    if rng.random() < 0.5:
        stage.server.signal(signal.SIGUSR1)
        return "USR1"
    return "reopen-logs: " + stage.control("reopen-logs", allowed=(0, 2))


@act(5)
def replace_file(stage, rng):
    name = rng.choice(("small.txt", "middle.txt"))
    stage.files[name] += 1
    stage.put_file(name, stage.files[name])
    return f"{name} {stage.files[name]}"


@act(2, needs="tmpfs")
def full_disk(stage, rng):
    """The disk of the logs, nothing else, is full for a while."""
    seconds = rng.uniform(0.3, 1.5)
    path = stage.log("filler")
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError as error:
            check(error.errno == errno.ENOSPC, f"filling the disk: {error}")
        time.sleep(seconds)
    os.unlink(path)
    return f"for {seconds:.1f} s"


@act(2, needs="clock")
def step_clock(stage, rng):
    """The server's wall clock jumps; what counts time by it would stand still, or run out."""
    seconds = rng.choice((-1, 1)) * rng.choice((5, 3600, 86400 * 400))
    stage.step_clock(seconds)
    return f"to {seconds:+} s"


def room(name, workers=WORKERS):
    """Options with which one worker of that model can hold all connections of a run, so that nobody
    waits for a place when the others are gone."""
    return {**{key: None for key in ("threads", "max_threads", "max_processes")},
            **MODELS[name].room(ROOM, 1), "workers": workers}
