"""A worker that was taken over: what it can do to the master and to the other workers.

The module `hostile` (tests/modules) does what the query names, in the worker that gets the request;
its answer, if there is one, says how often the kernel let it through."""
import os
import re
import signal
import time

from client import Client, Closed, get
from reeve import (FORKING, HTTP, TOGETHER, Skipped, alive, check, contains, equal, main,
                   open_files, scenario, until)

HOSTILE = HTTP + ('http { access_log = "access.log" site "default" {'
                  ' route "/" { static { root = "www" } } route "/act" { hostile { } } } }\n')


def taken_over(case, **options):
    server = case.serve(HOSTILE, modules=["http", "static", "hostile"], **options)
    server.crashes_meant = True
    return server


def act(server, name):
    """Has a worker do it. How often it could; None when the worker ended before it answered."""
    with Client(server.address()) as client:
        try:
            answer = client.get(f"/act?{name}")
        except Closed:
            return None
    equal(answer.status, 200, f"the answer to {name}")
    return int(answer.body)


def smuggle(case, name):
    server = taken_over(case, workers=1)
    before = server.descriptors()
    through = act(server, name)
    if through == 0:  # Linux 6.16 and later: the kernel refuses the sender
        equal(server.logged("channel-bad"), [], "what the master saw")
    else:
        contains(server.until_logged("channel-bad")[0], "malformed", "the log")
        server.until_logged("worker-crashed")
        server.all_ready(1)
    equal(server.descriptors(), before, "descriptors of the master")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a worker that sends a descriptor to the master leaves none there", models=TOGETHER)
def one(case):
    smuggle(case, "one-descriptor")


@scenario("a worker that sends two descriptors in a packet leaves none there", models=TOGETHER)
def two(case):
    smuggle(case, "two-descriptors")


@scenario("a worker whose channel has ended is replaced", models=TOGETHER)
def empty(case):
    server = taken_over(case)
    before = server.pids()
    act(server, "empty")
    after = server.until_logged("worker-crashed") and server.all_ready(2)
    equal(len(set(before.values()) & set(after.values())), 1, "workers that lived on")
    equal(server.ctl("reopen-logs").code, 0, "exit code of reopen-logs")


def says_too_late(case, name):
    server = taken_over(case)
    before = server.pids()
    act(server, name.lower())
    contains(server.until_logged("channel-bad")[0], name, "the log")
    after = server.until_logged("worker-crashed") and server.all_ready(2)
    equal(len(set(before.values()) & set(after.values())), 1, "workers that lived on")
    equal(sum(worker["restarts"] for worker in server.workers().values()), 1, "restarts")


@scenario("a worker that says FAILED after READY is not believed: it is back at once",
          models=TOGETHER)
def failed(case):
    says_too_late(case, "FAILED")


@scenario("a worker that names files after READY is not believed", models=())
def files(case):
    says_too_late(case, "FILES")


@scenario("a worker that says that a process of its own has crashed must have some", models=())
def crashed(case):
    says_too_late(case, "CRASHED")


@scenario("junk in a passage is dropped, and connections are moved all the same",
          models=("poll", "epoll", "event"))
def passage(case):
    server = taken_over(case)
    with Client(server.address()) as client:
        equal(client.get("/").status, 200, "an answer")
        descriptors = {pid: len(open_files(pid)) for pid in server.pids().values()}
        check(act(server, "passage") >= 50, "it could be given")
        for _ in range(20):
            equal(get(server.address()).status, 200, "it serves")
        server.configure(threads=3)
        equal(server.ask("reload")["code"], 0, "the reload")
        server.settled()
        equal(client.get("/").status, 200, "the kept connection goes on")
    equal(len(descriptors), 2, "workers before")
    until(lambda: [len(open_files(pid)) <= max(descriptors.values())
                   for pid in server.pids().values()] == [True, True], "nothing is kept of it")
    equal(server.logged("worker-crashed"), [], "crashes")


def is_blocking(server):
    """Whether the one listener is, or its passage: the sockets that the master and all workers
    hold."""
    shared, found = set(open_files(server.pid)), []
    for pid in server.pids().values():
        shared &= {path for path in open_files(pid) if path.startswith("socket:")}
    equal(len(shared), 3, "sockets that all have")
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        try:
            if os.readlink(f"/proc/{server.pid}/fd/{fd}") not in shared:
                continue
        except FileNotFoundError:  # of a control connection that has ended
            continue
        with open(f"/proc/{server.pid}/fdinfo/{fd}") as file:
            flags = re.search(r"^flags:\s*(\d+)", file.read(), re.M).group(1)
        found.append(not int(flags, 8) & os.O_NONBLOCK)
    equal(len(found), 3, "which the master has")
    return any(found)


@scenario("a listener that a worker made blocking is mended by the next reload with a change",
          models=TOGETHER)
def block(case):
    server = taken_over(case, drain_timeout="500ms")
    check(not is_blocking(server), "the listener does not block")
    equal(act(server, "block"), 1, "listeners found")
    check(is_blocking(server), "the listener blocks")
    server.configure(threads=3)
    equal(server.ctl("reload").code, 0, "exit code of reload")
    check(not is_blocking(server), "the listener blocks no longer")
    for _ in range(4):
        equal(get(server.address()).status, 200, "it serves")


@scenario("a listener that a worker has shut down listens again", models=TOGETHER)
def deafen(case):
    server = taken_over(case)
    for times in range(1, 3):
        equal(act(server, "deafen"), 1, "listeners found")
        until(lambda: len(server.logged("listener-deaf")) == times, "the master has seen it")
        for _ in range(4):
            equal(get(server.address()).status, 200, "it serves")
    equal(server.logged("worker-crashed"), [], "crashes")


@scenario("while one listener is dead, the other ones serve on, and workers drain", models=TOGETHER)
def deafen_one(case):
    server = case.server(HOSTILE, modules=["http", "static", "hostile"])
    path = server.path("first.sock")
    server.configure(f'listen "unix:{path}" {{ protocol = "http" }}\n' + HOSTILE)
    server.start()
    equal(get(path).status, 200, "an answer of the first")
    equal(act(server, "deafen-unix"), 1, "listeners found")
    for _ in range(20):
        equal(get(server.address()).status, 200, "it serves")
    server.configure(threads=3)
    equal(server.ask("reload")["code"], 0, "the reload")
    server.settled()
    for _ in range(4):
        equal(get(server.address()).status, 200, "it serves after the reload")


@scenario("a connection's process that was taken over reaches neither the master nor a listener",
          models=FORKING)
def in_child(case):
    server = taken_over(case)
    workers, before = server.pids(), server.descriptors()
    with Client(server.address()) as other:
        for name in ("one-descriptor", "two-descriptors", "empty", "failed"):
            act(server, name)
            equal(other.get("/").status, 200, f"another connection, after {name}")
        equal(act(server, "block"), 0, "listeners found")
        check(not is_blocking(server), "the listener does not block")
    equal((server.pids(), server.descriptors()), (workers, before), "workers, and descriptors")
    for tag in ("channel-bad", "worker-crashed"):
        equal(server.logged(tag), [], f"lines {tag}")
    equal(server.ctl("reopen-logs").code, 0, "exit code of reopen-logs")


@scenario("a worker that scribbles on its part of the board shows no nonsense, and goes with it")
def scribble(case):
    server = taken_over(case, workers=1)
    pid = server.pids()[0]
    get(server.address())
    equal(act(server, "scribble"), 4, "it wrote its share, records, last words, counters")
    status = server.status()
    for where in (status["totals"], *status["workers"]):
        for name in ("open", "connections", "requests", "bytes"):
            check(0 <= where.get(name, 0) < 1 << 50, f"{name} is {where.get(name)}")
    check(len(status["workers"][0]["current"]) <= 16, "threads")
    equal(get(server.address()).status, 200, "it serves")
    os.kill(pid, signal.SIGKILL)
    server.all_ready(1, besides=[pid])
    equal((server.workers()[0]["connections"], get(server.address()).status), (0, 200),
          "connections of the next one, and an answer")


def kernel():
    """As numbers that can be compared."""
    return [int(part) for part in re.findall(r"\d+", os.uname().release)[:2]]


@scenario("a worker cannot have its part of the board grow over another's", models=TOGETHER)
def grow(case):
    if kernel() < [6, 10]:
        raise Skipped("the kernel cannot seal memory")
    case.need_no_wrap("it does not know the call")
    for sandbox in ("files", "off"):
        server = taken_over(case, sandbox=sandbox)
        pids = server.pids()
        equal(act(server, "grow"), 0, f"how often it could, with sandbox = {sandbox}")
        equal((get(server.address()).status, server.pids()), (200, pids), "an answer, and workers")
        equal(server.ask("reload")["code"], 0, "a reload that changes nothing")


@scenario("a worker of an ordinary user's server does not command the master", models=())
def commands(case):
    case.need_root()
    case.need_nobody()
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    server = case.server(HOSTILE, modules=["http", "static", "hostile"])
    for folder, _, names in os.walk(server.folder):
        for path in [folder] + [os.path.join(folder, name) for name in names]:
            os.chown(path, 65534, 65534)
    server.launch(**nobody).ready()
    equal(act(server, "control=" + server.control), 0, "how often it could")
    contains(server.until_logged("control-refused")[0], "log-level", "the log")
    equal(server.ctl("log-level", "info", **nobody).code, 0, "exit code for the owner")
    equal(server.ctl("log-level", "info").code, 0, "exit code for root")


@scenario("a worker has no terminal and no standard input of its caller's")
def session(case):
    server = case.server()
    try:
        master, terminal = os.openpty()
    except OSError as error:
        raise Skipped(f"this machine has no terminals to give: {error}") from None
    try:
        server.launch(stdin=terminal).ready()
        equal(os.readlink(f"/proc/{server.pid}/fd/0"), os.ttyname(terminal), "the master's input")
        for pid in server.pids().values():
            equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null", "standard input")
            equal(os.getsid(pid), pid, "its session")
    finally:
        os.close(terminal)
        os.close(master)


@scenario("a worker that stands still: reopen-logs gives up on it, everything else goes on",
          models=())
def stands_still(case):
    server = taken_over(case)
    stopped = server.pids()[0]
    os.kill(stopped, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with server.connect_control() as control, control.makefile("rb") as answers:
            control.sendall(b"reopen-logs\n")
            equal(server.ask("health")["code"], 0, "health meanwhile")
            equal(server.ask("log-level info")["code"], 0, "log-level meanwhile")
            contains(server.ctl("status").out, str(stopped), "status meanwhile")
            result = server.ctl("reopen-logs")
            lines = answers.readline()
            while b'"result"' not in lines:
                lines = answers.readline()
        took = time.monotonic() - began
        equal(result.code, 2, f"exit code of reopen-logs ({result.text})")
        contains(result.text, str(stopped), "the text")
        contains(lines.decode(), '"code":2', "the answer to the first")
        check(took > 8, f"it has waited for {took:.1f} s")
        check(alive(stopped), "it is not killed for that")
        equal(server.ask("health")["code"], 0, "health")
    finally:
        os.kill(stopped, signal.SIGCONT)
    equal(server.ctl("reopen-logs").code, 0, "exit code when it goes on")
    equal(server.pids()[0], stopped, "the worker")


if __name__ == "__main__":
    main()
