"""Upgrade in place: another program takes over as the master, under the same PID, with everything
that the old one held; or it does not, and the old one goes on."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from client import KEPT, ONE_EACH, Load, connect, echo, get
from notify import Manager
from reeve import (DEADLINE, ECHO, FULL, HTTP, MODULE_PATH, REEVED, SITE, check, children,
                   contains, equal, main, run, scenario, status_field, until, wait_gone)

UPGRADES = 20 if FULL else 3
IMPOSTOR = os.path.abspath(os.environ.get("REEVE_IMPOSTOR", "tests/fault/impostor"))
CORPUS = os.path.join(os.environ.get("top_srcdir", "."), "tests/corpus/state")
WRONG = (None, "x", -7, 1 << 40, [], {}, [None], True)
INDEX = b"<h1>index</h1>\n"
VERSION = re.search(r"reeved (\S+)", run([REEVED, "-V"]).out).group(1)
NEXT = re.sub(r"[0-9]", "9", VERSION)


def inherit(case, names, text):
    """Starts the server as systemd would, with listening sockets from 3 on. Their addresses."""
    server = case.server(text)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]

    def move():
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 100) for each in sockets]
        for number, fd in enumerate(high):
            os.dup2(fd, 3 + number)
            os.close(fd)
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *server.command()], stdout=log,
            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=move, close_fds=False,
            start_new_session=True,
            env=dict(os.environ, LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names)))
    addresses = [each.getsockname() for each in sockets]
    for each in sockets:
        each.close()
    return server.ready(), addresses


def newer(server, name="reeved-next"):
    """The program with another version, which nothing but its text tells."""
    with open(REEVED, "rb") as file:
        program = file.read()
    old, new = (b"\0" + text.encode() + b"\0" for text in (VERSION, NEXT))
    path = server.write(name, program.replace(old, new))
    os.chmod(path, 0o755)
    return path


@scenario(f"{UPGRADES} upgrades under load: no request is lost, the PID stays")
def under_load(case):
    server = case.server(**case.room(8))
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment(WATCHDOG_USEC=str(int(DEADLINE * 1e6))))
        loads = upgrades(server, manager)
        server.stop()
        manager.until("STOPPING")
        equal(manager.words(), ["READY"] + ["RELOADING", "READY"] * UPGRADES + ["STOPPING"],
              "all that the service manager was told")
    for load in loads:
        equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))
    print(f"# {UPGRADES} upgrades: " + "; ".join(map(str, loads)))


def told(manager, number, asked):
    """The trace of an upgrade that has succeeded: when it began, that the new program is well, what
    serves then."""
    manager.until("READY", 1 + number)
    since = int(manager.until("MONOTONIC_USEC", number))
    check(asked <= since <= now_usec(), f"upgrade {number} began at {since}, after {asked}")
    manager.status(f"of generation {number + 1} serve")
    words = [name for _, message in list(manager.seen) for name in message]
    begin = [place for place, name in enumerate(words) if name == "RELOADING"][number - 1]
    equal(words[begin:begin + 4], ["RELOADING", "MONOTONIC_USEC", "STATUS", "WATCHDOG"],
          f"the beginning of upgrade {number}")
    times = [when for when, _ in manager.all("WATCHDOG")]
    check(max([b - a for a, b in zip(times, times[1:])], default=0) < DEADLINE,
          "the watchdog would have ended it")


def now_usec():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def upgrades(server, manager):
    pid, address = server.pid, server.address()
    with Load(address, INDEX, kind=KEPT, clients=3) as kept, \
            Load(address, INDEX, kind=ONE_EACH, clients=3) as each:
        for number in range(UPGRADES):
            kept.more(10)
            each.more(10)
            before, asked = set(server.pids().values()), now_usec()
            result = server.ctl("upgrade")
            equal(result.code, 0, f"exit code ({result.text})")
            contains(result.out, f"reeved {VERSION} -> {VERSION}: generation {number + 2} serves",
                     "the text")
            status = server.status()
            equal((status["pid"], status["generation"]), (pid, number + 2), "PID and generation")
            check(not before & set(server.pids().values()), "the workers are new ones")
            told(manager, number + 1, asked)
            if number == 0:
                server.settled()
                descriptors = server.descriptors()
        kept.more(10)
        each.more(10)
        answered = kept.good + each.good  # before: the load goes on
        requests = server.status()["totals"]["requests"]
        check(requests >= answered, f"{requests} requests counted, {answered} answered")
        server.settled()
        equal(server.descriptors(), descriptors, "descriptors of the master")
    return kept, each


@scenario("a program of another version, from another path, takes over and is upgraded in turn",
          models=())
def another(case):
    server = case.serve()
    path = newer(server)
    result = server.ctl("upgrade", "--binary", path)
    equal(result.code, 0, f"exit code ({result.text})")
    contains(result.out, f"reeved {VERSION} -> {NEXT}: generation 2 serves", "the text")
    equal(server.status()["version"], NEXT, "version of the running one")
    for pid in (server.pid, *server.pids().values()):
        equal(os.readlink(f"/proc/{pid}/exe"), path, "the program")
    result = server.ctl("upgrade")
    contains(result.out, f"reeved {NEXT} -> {NEXT}: generation 3 serves", "its own upgrade")
    result = server.ctl("upgrade", "--binary", REEVED)
    contains(result.out, f"reeved {NEXT} -> {VERSION}: generation 4 serves", "back again")
    equal(get(server.address()).body, INDEX, "it serves")


def impostor(server, name):
    """The program that does what its name says: tests/fault/impostor.c."""
    shutil.copy(IMPOSTOR, server.path(name))
    return server.path(name)


def unharmed(server, pids):
    equal(server.pids(), pids, "workers")
    equal(get(server.address()).body, INDEX, "it serves")
    equal(server.status()["version"], VERSION, "version")
    server.configure(threads=7, ready_timeout=None)
    equal(server.ask("reload")["code"], 0, "code of a reload")
    result = server.ctl("upgrade")
    equal(result.code, 0, f"exit code of a good upgrade ({result.text})")


REFUSED = {"crashes": "Aborted", "hangs": "not ended within", "is-silent": "no answer",
           "refuses": "the state has version 1, and reeved 7.0 reads 4 to 6",
           "talks": "not ended within"}


@scenario("a program that fails its self-test is refused: code 1, one line, all goes on", models=())
def refused(case):
    server = case.serve()
    server.configure(ready_timeout="2s")  # for what hangs; workers of ours may need longer, at times
    until(lambda: server.ask("reload")["code"] == 0, "a reload whose workers were quick")
    server.settled()
    pids = server.pids()
    server.write("text", "no program\n")
    os.chmod(server.write("script", "no program\n"), 0o755)
    os.mkfifo(server.path("fifo"))
    wanted = {"text": "not executable", "script": "Exec format error", "fifo": "not executable",
              "missing": "No such file", **REFUSED}
    descriptors = None
    for name, part in wanted.items():
        path = impostor(server, name) if name in REFUSED else server.path(name)
        began = int(time.time()) - 1  # the master's clock is the coarse one
        result = server.ctl("upgrade", "--binary", path)
        equal(result.code, 1, f"{name}: exit code ({result.text})")
        line = result.err.strip().splitlines()[-1]
        contains(line, path, f"{name}: its path")
        contains(line, part, f"{name}: the line")
        status = server.status()
        contains(status["last_error"], part, f"{name}: last error of status")
        check(began <= status["last_error_time"] <= time.time(), f"{name}: when that was")
        descriptors = descriptors or server.descriptors()
        equal(server.descriptors(), descriptors, f"{name}: descriptors of the master")
        equal(len(children(server.pid)), 2, f"{name}: children of the master")
    unharmed(server, pids)


@scenario("the master does not wait for a self-test that hangs", models=())
def not_blocked(case):
    server = case.serve()
    hangs = impostor(server, "hangs")
    with server.connect_control() as control, server.events() as events:
        control.sendall(f"upgrade binary={hangs}\n".encode())
        events.wait("upgrade", "tests itself")
        equal(get(server.address()).body, INDEX, "it serves")
        refusal = server.ask(f"upgrade binary={REEVED}")
        equal(refusal["code"], 1, "code of another upgrade")
        contains(refusal["text"], "under way", "its text")
        equal(server.ask("scale 3")["code"], 0, "code of another operation")
        server.signal(signal.SIGTERM)
        equal(server.wait(), 0, "exit status")
    # That the test has ended with it is looked after by whoever runs this.


@scenario("a program that cannot take over after the exec gives way to the old one", models=())
def comes_back(case):
    server = case.serve()
    pid, pids = server.pid, server.pids()
    result = server.ctl("upgrade", "--binary", impostor(server, "returns"))
    equal(result.code, 3, f"exit code ({result.text})")
    contains(result.err, f"the impostor wants to go back; reeved {VERSION} goes on", "the text")
    equal(server.status()["pid"], pid, "PID")
    unharmed(server, pids)


@scenario("the service manager hears of an upgrade that fails by the status alone", models=())
def fails_quietly(case):
    server = case.server()
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment())
        manager.until("READY")
        for name, code, part in (("crashes", 1, "Aborted"), ("returns", 3, "wants to go back")):
            result = server.ctl("upgrade", "--binary", impostor(server, name))
            equal(result.code, code, f"{name}: exit code ({result.text})")
            manager.status(part)
        equal(manager.words(), ["READY"], "what it was told")
        server.signal(signal.SIGUSR2)
        manager.until("READY", 2)
        manager.status("2 workers of generation 2 serve")
        equal(manager.words(), ["READY", "RELOADING", "READY"], "and of one that does not")


@scenario("USR2 upgrades; its result is in log and status")
def by_signal(case):
    server = case.serve()
    pids = server.pids()
    server.signal(signal.SIGUSR2)
    server.until_logged("operation", f"reeved {VERSION} -> {VERSION}: generation 2 serves")
    last = server.status()["last_operation"]
    equal((last["verb"], last["code"]), ("upgrade", 0), "last operation of status")
    check(not set(pids.values()) & set(server.pids().values()), "the workers are new ones")


@scenario("all that worked before an upgrade works after it")
def works_on(case):
    server = case.serve(ECHO + HTTP + SITE)
    address = server.address("127.0.0.2:0")
    server.ctl("log-level", "debug")
    with connect(address) as link:
        equal(echo(link, b"held"), b"held", "a connection of the old worker")
        equal(server.ctl("upgrade").code, 0, "exit code of the upgrade")
        equal(echo(link, b"still"), b"still", "it is served on")
    server.settled()
    server.crashes_meant = True
    before = server.pids()
    server.signal(signal.SIGKILL, before[0])
    after = server.all_ready(2, besides=[before[0]])
    equal(after[1], before[1], "the other slot")
    equal(server.ctl("scale", "3").code, 0, "exit code of scale")
    server.all_ready(3)
    equal(server.ctl("recycle").code, 0, "exit code of recycle")
    server.signal(signal.SIGTTOU)
    server.all_ready(2)
    server.configure(threads=7)
    equal(server.ctl("reload").code, 0, "exit code of reload")
    equal(server.address("127.0.0.2:0"), address, "the listener")
    equal(server.ctl("reload").out, "unchanged: generation 3 serves on\n", "another reload")
    equal(server.ctl("reopen-logs").code, 0, "exit code of reopen-logs")
    equal(server.read("reeved.pid").strip(), str(server.pid), "PID file")
    equal(server.ctl("stop").code, 0, "exit code of stop")
    equal(server.wait(), 0, "exit status")
    for name in ("control.sock", "control.sock.lock", "reeved.pid", "reeved.pid.lock"):
        check(not os.path.exists(server.path(name)), f"{name} is gone")


@scenario("a worker killed at once after the exec is noticed, and signals around it are not lost")
def around(case):
    server = case.serve()
    server.crashes_meant = True
    for number in range(5):
        old = server.pids()
        server.configure(threads=5 + number)
        server.signal(signal.SIGUSR2)
        server.signal(signal.SIGHUP)
        with contextlib.suppress(ProcessLookupError):  # on a busy machine it may have retired already
            server.signal(signal.SIGKILL, old[number % 2])
        texts = [f"generation {2 * number + 2} serves", f"generation {2 * number + 3} serves"]
        for text in texts:
            server.until_logged("operation", text)
        server.all_ready(2, besides=old.values())
    verbs = [each["verb"] for each in server.ask("generations")["data"]["operations"]]
    equal(sorted(verbs[-10:]), ["reload"] * 5 + ["upgrade"] * 5, "what was done")
    equal(get(server.address()).body, INDEX, "it serves")


@scenario("listeners of every kind, and inherited ones, are the same sockets after it", models=())
def sockets(case):
    text = ('listen "fd:web" { protocol = "http" }\n'
            'listen "unix:/echo.sock" { protocol = "echo" mode = 0600 }\n' + HTTP + SITE)
    with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
        check_sockets(case, text.replace("unix:", "unix:" + folder), folder)


def check_sockets(case, text, folder):
    server, (web,) = inherit(case, ["web"], text)
    before = server.listeners()
    for _ in range(2):
        equal(server.ctl("upgrade").code, 0, "exit code")
        equal(server.listeners(), before, "listeners")
        for address in (web, server.address()):
            equal(get(address).body, INDEX, f"answer at {address}")
        with connect(folder + "/echo.sock") as link:
            equal(echo(link, b"hello"), b"hello", "echo")
    # An address that was handed over can be left and taken again.
    server.configure(HTTP + SITE)
    equal(server.ctl("reload").code, 0, "exit code without the inherited one")
    server.configure('listen "fd:web" { protocol = "http" }\n' + SITE)
    equal(server.ctl("reload").code, 0, "exit code with it again")
    equal(get(web).body, INDEX, "it serves")


@scenario("a server that has detached, with logs in files", models=())
def detached(case):
    case.need_no_wrap("it keeps the caller's standard error itself")
    server = case.server(error_log="error.log")
    equal(server.run("-d").code, 0, "exit status of the parent")
    pid = int(server.read("reeved.pid"))
    with server.events() as events:
        equal(server.ctl("upgrade").code, 0, "exit code")
        events.wait("upgrade", "has taken over")
    equal(server.status()["pid"], pid, "PID")
    contains(server.read("error.log"), "has taken over", "the log")
    os.rename(server.path("error.log"), server.path("old.log"))
    equal(server.ctl("reopen-logs").code, 0, "exit code of reopen-logs")
    contains(server.read("error.log"), "logs-reopened", "the new log")
    equal(server.ctl("upgrade").code, 0, "exit code of another one")
    contains(server.read("error.log"), "has taken over", "the new log")
    equal(status_field(pid, "Name"), "reeved", "the name of the process")
    equal(server.ctl("stop").code, 0, "exit code of stop")
    check(wait_gone(pid), "it has ended")


@scenario("an upgrade asked for during a reload waits for its end", models=())
def waits(case):
    server = case.serve()
    os.mkfifo(server.path("slow.so"), 0o666)
    server.configure(modules=["echo", "http", "static", "hello", server.path("slow.so")])
    with server.connect_control() as control, server.events() as events, \
            control.makefile("rb") as answers:
        server.signal(signal.SIGHUP)
        events.wait("generation", "generation 2: new -> probing")
        control.sendall(b"upgrade\n")
        equal(server.ask("health")["code"], 0, "health meanwhile")
        with open(server.path("slow.so"), "wb"):
            pass  # an empty module: the reload is refused now
        result = next(json.loads(line) for line in answers if b'"type":"result"' in line)
    equal(result["code"], 0, f"code ({result['text']})")
    contains(result["text"], "generation 3 serves", "the text")


class Past:
    """What a master of an earlier version held, as far as its state tells: tests/corpus/state."""

    def __init__(self, case):
        self.server = server = case.server(workers=2)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(server.control)
        self.door.listen()
        self.bound = "%s:%d" % self.listener.getsockname()
        override = "module_path=" + MODULE_PATH
        head = ["reeve snapshot 1", server.conf, os.path.dirname(server.conf), "1", override]
        parts = [*head, server.read("reeve.conf"), ""]
        self.files = {"SNAPSHOT": os.memfd_create("snapshot"), "BOARD": os.memfd_create("board"),
                      "IMAGE": os.open(REEVED, os.O_RDONLY), "STATE": os.memfd_create("state"),
                      "LISTENER": self.listener.fileno(), "DOOR": self.door.fileno()}
        os.write(self.files["SNAPSHOT"], "\0".join(parts).encode())
        pid_file = server.path("reeved.pid")
        for name, path in (("CONTROL_LOCK", server.control), ("PID_FILE_LOCK", pid_file)):
            self.files[name] = os.open(path + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        words = {"CONTROL": server.control, "PID_FILE": pid_file, "CONFIG": server.conf,
                 "BOUND": self.bound, "OVERRIDE": override,
                 "CONTROL.lock": server.control + ".lock", "PID_FILE.lock": pid_file + ".lock"}
        with open(os.path.join(CORPUS, "1.json"), encoding="ascii") as file:
            self.state = self.fill(json.load(file), {**words, **self.files})

    def fill(self, value, words):
        if isinstance(value, dict):
            return {name: self.fill(each, words) for name, each in value.items()}
        if isinstance(value, list):
            return [self.fill(each, words) for each in value]
        return words.get(value, value) if isinstance(value, str) else value

    def write(self, text):
        os.ftruncate(self.files["STATE"], 0)
        os.pwrite(self.files["STATE"], text, 0)

    def rehearse(self, text):
        self.write(text)
        return run([REEVED, "--test-state", str(self.files["STATE"])],
                   pass_fds=self.files.values())

    def close(self):
        self.listener.close()
        self.door.close()
        for name in set(self.files) - {"LISTENER", "DOOR"}:
            os.close(self.files[name])


@scenario("the state of an earlier version is taken over, and goes on", models=())
def earlier(case):
    past = Past(case)
    past.write(json.dumps(past.state).encode())
    server, address = past.server, past.listener.getsockname()
    numbers = f"{past.files['STATE']}:{past.files['IMAGE']}"
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(
            ["/bin/sh", "-c", f'REEVE_SUCCEED="$$:{numbers}" exec "$@"', "sh", REEVED],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=past.files.values(),
            start_new_session=True)
    past.close()
    server.until_logged("operation", f"operation 8: reeved 0.0.9 -> {VERSION}: generation 5 serves")
    server.ready()
    status = server.settled() and server.status()
    equal((status["generation"], status["totals"]["requests"]), (5, 7000), "what went on")
    equal(get(address).body, INDEX, "the listener")
    results = server.ask("generations")["data"]["operations"]
    equal([(each["operation"], each["code"]) for each in results], [(7, 3), (8, 0)], "results")
    equal(server.ctl("upgrade", "--binary", REEVED).code, 0, "exit code of an upgrade")


def places(value, path=()):
    """The path to each member of the state."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in members:
        yield path + (name,)
        if isinstance(each, (dict, list)):
            yield from places(each, path + (name,))


@scenario("a state that does not fit is refused by a line", models=())
def malformed(case):
    past = Past(case)
    good = json.dumps(past.state)
    contains(past.rehearse(good.encode()).out, f"upgrade: ready: {VERSION}", "the good one")
    wanted = {"": "no JSON", "{": "no JSON", "[]": "not the state", "{}": "not the state",
              good.replace('"version": 1', '"version": 99'): "has version 99, and reeved",
              good.replace('"messages": []', '"messages": ["SHOUT"]'): "message SHOUT",
              good.replace('"serving"', '"probing"'): "neither serves",
              good.replace('"generations"', '"generation"'): "no generation"}
    for text, part in wanted.items():
        result = past.rehearse(text.encode())
        equal(result.code, 1, f"exit status ({result.text})")
        contains(result.err, part, "the line")
    for number, path in enumerate(places(past.state)):
        for value in WRONG if FULL else WRONG[number % 4::4]:
            state = json.loads(good)
            place = state
            for name in path[:-1]:
                place = place[name]
            place[path[-1]] = value
            result = past.rehearse(json.dumps(state).encode())
            check(result.code in (0, 1), f"{path} is {value}: {result.code} {result.text}")
            check(result.code == 0 or result.err.count("\n") == 1,
                  f"{path} is {value}: {result.err!r}")
    past.close()


if __name__ == "__main__":
    main()
