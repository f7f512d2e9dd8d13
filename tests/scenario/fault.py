"""Fault loops: the n-th fork, execveat, mmap, ... fails, for n = 1, 2, ... until the fault no
longer fires. Nothing is lost but that one operation. The shim is tests/fault/fault.c."""
import errno
import mmap
import os
import re
import struct
from contextlib import ExitStack

from client import ONE_EACH, Client, Load, get
from reeve import (FORKING, HTTP, MODELS, REEVED, SANITIZED, SITE, SLOW, THREADED, USUAL, Failed,
                   Skipped, check, children, contains, equal, main, run, scenario, until)

SHIM = os.path.abspath(os.environ.get("REEVE_FAULT_SHIM", "tests/fault/.libs/fault.so"))
MASTER, WORKER = 1, 2
LAYOUT = "=IIIIiIII32s"
MOST = 1000  # calls of one kind in one operation: more is a loop that does not end


def numbers(name):
    """Which calls are to fail, one after the other. Memory is asked for often: where everything is
    slow, one call in seven has to do."""
    return range(1, MOST, 7 if SLOW > 1 and name.endswith("alloc") else 1)


class Fault:
    """The page that shim and scenario share."""

    def __init__(self, server):
        self.path = server.write("fault.page", bytes(4096))
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def arm(self, name, first, error, role=MASTER, last=None):
        self.page[:64] = struct.pack(LAYOUT, 0, role, first, last or first, error, 0, 0, 0,
                                     name.encode())
        self.page[:4] = struct.pack("=I", 1)

    def disarm(self):
        self.page[:4] = bytes(4)

    @property
    def fired(self):
        return struct.unpack_from(LAYOUT, self.page)[6]

    def environment(self):
        link = os.path.join(os.path.dirname(self.path), "fault.so")
        if not os.path.exists(link):
            os.symlink(SHIM, link)  # LD_PRELOAD cannot hold a path with a space
        return {"LD_PRELOAD": link, "REEVE_FAULT": self.path,
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def server_with_fault(case, text=HTTP + SITE, **options):
    server = case.server(text, **options)
    fault = Fault(server)
    if not os.path.exists(SHIM):
        raise Skipped(f"{SHIM} was not built")
    probe = run([REEVED, "-V"], env=fault.environment())
    if probe.code:
        raise Skipped(f"reeved does not run with a preloaded library: {probe.err.strip()[:80]}")
    fault.server = server
    return server, fault


def start(server, fault):
    server.start(env=dict(os.environ, **fault.environment()))


# What a reload of the master calls, and an error that each really gives. Memory is not among them:
# libConfuse 3.3 aborts by itself when it is short, in the master too.
RELOAD_FAULTS = (("fork", errno.EAGAIN), ("socketpair", errno.EMFILE),
                 ("memfd_create", errno.ENFILE), ("mmap", errno.ENOMEM),
                 ("open", errno.EMFILE), ("sendmsg", errno.ENOBUFS))


def reload_fault(name, error):
    @scenario(f"a reload with the n-th {name} of the master failing loses nothing but itself",
              models=())
    def loop(case):
        server, fault = server_with_fault(case, workers=2)
        server.crashes_meant = True  # a worker that lost its start is told as one
        start(server, fault)
        server.configure(threads=5)
        equal(server.ask("reload")["code"], 0, "a reload without a fault")
        server.settled()
        fds, fired = server.descriptors(), 0
        for number in numbers(name):
            server.configure(drain_timeout=f"{10000 + number}ms")
            fault.arm(name, number, error)
            answer = server.ask("reload")
            fault.disarm()
            check(answer["code"] in (0, 1, 3), f"code {answer['code']} at call {number}")
            check(answer["code"] == 0 or answer["text"], f"a text at call {number}")
            equal(get(server.address()).status, 200, f"an answer after call {number} failed")
            server.all_ready(2)
            if not fault.fired:
                break
            fired += 1
        check(not fault.fired, f"{name} is called without end")
        check(fired, f"no {name} in a reload: this test tests nothing")
        equal(server.ask("reload")["code"], 0, "a reload afterwards")
        server.settled()
        until(lambda: len(children(server.pid)) == 2, "no worker too many")
        equal(server.descriptors(), fds, "descriptors of the master")


for each in RELOAD_FAULTS:
    reload_fault(*each)


# Old program, self-test and new program count as one. What fails behind the exec brings the old one
# back, or fails the new generation.
UPGRADE_FAULTS = RELOAD_FAULTS + (("execveat", errno.ENOMEM), ("epoll_create1", errno.EMFILE),
                                  ("signalfd", errno.EMFILE))


def upgrade_fault(name, error):
    @scenario(f"an upgrade with the n-th {name} of the master failing loses nothing but itself",
              models=())
    def loop(case):
        server, fault = server_with_fault(case, workers=2)
        server.crashes_meant = True
        start(server, fault)
        equal(server.ask("upgrade")["code"], 0, "an upgrade without a fault")
        server.settled()
        fds = server.descriptors()
        with Load(server.address(), b"<h1>index</h1>\n", kind=ONE_EACH, clients=2) as load:
            for number in numbers(name):
                fault.arm(name, number, error)
                answer = server.ask("upgrade")
                fault.disarm()
                check(answer["code"] in (0, 1, 3), f"code {answer['code']} at call {number}")
                contains(answer["text"], "reeved", f"the text at call {number}")
                server.all_ready(2)
                if not fault.fired:
                    break
                load.more(2)
        check(number > 1, f"no {name} in an upgrade: this test tests nothing")
        if name != "sendmsg":  # a worker that could not be told is killed, with what it has in hand
            equal((load.refused, load.failed_new, load.wrong), (0, 0, 0), str(load))
        equal(server.ask("upgrade")["code"], 0, "an upgrade afterwards")
        server.settled()
        until(lambda: len(children(server.pid)) == 2, "no worker too many")
        equal(server.descriptors(), fds, "descriptors of the master")


for each in UPGRADE_FAULTS:
    upgrade_fault(*each)


@scenario("an upgrade whose new workers cannot start: the old ones serve on, code 3", models=())
def upgrade_without_workers(case):
    server, fault = server_with_fault(case)
    start(server, fault)
    pids = server.pids()
    fault.arm("fork", 2, errno.EAGAIN)  # the first is for the self-test
    answer = server.ask("upgrade")
    fault.disarm()
    equal((answer["code"], server.pids()), (3, pids), f"code and workers ({answer['text']})")
    contains(answer["text"], "the old ones serve on", "the text")
    equal(get(server.address()).status, 200, "it serves")
    equal(server.ask("upgrade")["code"], 0, "code of the next one")


@scenario("a worker whose execveat fails: the reload is rolled back, with the reason", models=())
def exec_fails(case):
    server, fault = server_with_fault(case)
    server.crashes_meant = True
    start(server, fault)
    pids = server.pids()
    server.configure(threads=6)
    # The child between fork and exec still has the master's command line and so its role.
    fault.arm("execveat", 1, errno.ENOMEM)
    answer = server.ask("reload")
    fired = fault.fired
    fault.disarm()
    equal(fired, 1, "the fault fired")
    if answer["code"] == 0:  # started again: nothing was lost at all
        server.all_ready(2, besides=pids.values())
    else:
        equal((answer["code"], server.pids()), (3, pids), f"code and workers ({answer['text']})")
        check(answer["text"], "the reason")
    equal(get(server.address()).status, 200, "it serves")


START_FAULTS = (("fork", errno.EAGAIN), ("execveat", errno.ENOMEM), ("socketpair", errno.EMFILE),
                ("memfd_create", errno.ENFILE), ("mmap", errno.ENOMEM), ("socket", errno.EMFILE),
                ("listen", errno.EADDRINUSE), ("signalfd", errno.EMFILE),
                ("epoll_create1", errno.EMFILE), ("rename", errno.EROFS))


def start_fault(name, error):
    @scenario(f"a start with the n-th {name} of the master failing ends with a line and status 1,"
              " or serves", models=())
    def loop(case):
        server, fault = server_with_fault(case)
        server.crashes_meant = True
        failed = 0
        for number in numbers(name):
            server.write("log", b"")
            fault.arm(name, number, error)
            server.launch(env=dict(os.environ, **fault.environment()))

            def decided():
                return server.process.poll() is not None or server.ask("health")["code"] == 0
            until(decided, f"it serves or ends, with call {number} failing")
            status = server.process.poll()
            fired = fault.fired
            fault.disarm()
            if status is None:
                equal(get(server.address()).status, 200, "it serves")
                server.stop()
                status = server.process.returncode
                equal(status, 0, "exit status at the stop")
            else:
                equal(status, 1, f"exit status with call {number} failing")
                check(server.log().strip(), f"a line with call {number} failing")
                failed += 1
            check(not os.path.exists(server.path("reeved.pid")), "no pid file is left")
            if not fired:
                return
        raise Failed(f"{name} is called without end")


for each in START_FAULTS:
    start_fault(*each)


def accept_fault(error, models):
    @scenario(f"accept fails by {errno.errorcode[error]}: accepting pauses, and recovers",
              models=models)
    def accept(case):
        server, fault = server_with_fault(case)
        start(server, fault)
        address = server.address()
        fault.arm("accept4", 1, error, role=WORKER, last=6)
        with Load(address, b"<h1>index</h1>\n", kind=ONE_EACH, clients=2) as load:
            load.more(50)
        check(fault.fired >= 1, "the fault fired")
        fault.disarm()
        equal((load.refused, load.failed_new, load.wrong), (0, 0, 0), str(load))
        contains(server.until_logged("accept-paused")[0], os.strerror(error), "the log")
        server.until_logged("accept-resumed")


accept_fault(errno.EMFILE, MODELS)
for each in (errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
    accept_fault(each, (USUAL, "worker"))


@scenario("a client that has gone between arrival and accept is no failure")
def aborted(case):
    server, fault = server_with_fault(case)
    start(server, fault)
    fault.arm("accept4", 1, errno.ECONNABORTED, role=WORKER, last=4)
    with Load(server.address(), b"<h1>index</h1>\n", kind=ONE_EACH, clients=2) as load:
        load.more(20)
    equal((load.refused, load.failed_new, load.wrong), (0, 0, 0), str(load))


# What a worker calls for each connection in the models that make something for it.
LAUNCH_FAULTS = (("fork", errno.EAGAIN, FORKING), ("socketpair", errno.EMFILE, FORKING),
                 ("pthread_create", errno.EAGAIN, THREADED))


def launch_fault(name, error, models):
    @scenario(f"{name} fails for a connection: it is kept until it can be served", models=models)
    def kept(case):
        server, fault = server_with_fault(case, **case.room(4, workers=1))
        start(server, fault)
        with ExitStack() as stack:
            first = stack.enter_context(Client(server.address()))
            equal(first.get("/").status, 200, "a connection before that")
            fault.arm(name, 1, error, role=WORKER, last=3)
            others = [stack.enter_context(Client(server.address())) for _ in range(3)]
            for client in others:
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            contains(server.until_logged("accept-paused")[0], "no thread or process", "the log")
            equal(first.get("/").status, 200, "the first connection, meanwhile")
            for client in others:
                equal(client.answer().status, 200, "a connection that had to wait")
            equal(fault.fired, 3, "calls that failed")
            fault.disarm()
            server.until_logged("accept-resumed")
        for tag in ("accept-paused", "accept-resumed"):
            equal(len(server.logged(tag)), 1, f"lines {tag}")


for each in LAUNCH_FAULTS:
    launch_fault(*each)


WORKER_FAULTS = (("dlopen", errno.ENOENT), ("pthread_create", errno.EAGAIN), ("mmap", errno.ENOMEM),
                 ("epoll_create1", errno.EMFILE), ("eventfd", errno.EMFILE),
                 ("calloc", errno.ENOMEM), ("realloc", errno.ENOMEM))


def worker_fault(name, error):
    @scenario(f"the n-th {name} of a starting worker fails: the reload says why, the old one"
              " serves on", models=("worker",) if name == "pthread_create" else ("event",))
    def loop(case):
        if name.endswith("alloc") and SANITIZED:
            raise Skipped("libConfuse 3.3 itself crashes when memory is short; a sanitizer says so")
        if name == "realloc" and os.environ.get("REEVE_SANDBOX") == "strict":
            raise Skipped("libseccomp 2.5 itself makes half a filter when memory is short")
        server, fault = server_with_fault(case, workers=1)
        server.crashes_meant = True
        start(server, fault)
        refused = 0
        for number in numbers(name):
            server.configure(drain_timeout=f"{10000 + number}ms")
            fault.arm(name, number, error, role=WORKER)
            answer = server.ask("reload")
            fired = fault.fired
            fault.disarm()
            check(answer["code"] in (0, 3), f"code {answer['code']} at call {number}")
            if answer["code"]:
                refused += 1
                check(answer["text"].strip(), f"a text at call {number}")
                check(name.endswith("alloc") or not re.search("signal|exited", answer["text"]),
                      f"call {number} failed and the worker crashed: {answer['text']}")
                contains(server.status()["last_error"], answer["text"].splitlines()[0][:40],
                         "last error")
            equal(get(server.address()).status, 200, f"an answer after call {number} failed")
            server.all_ready(1)
            if not fired:
                break
        check(refused, f"no {name} in a start: this test tests nothing")
        if name == "dlopen":
            equal(refused, 4, "reloads that failed: one for each module")


for each in WORKER_FAULTS:
    worker_fault(*each)


if __name__ == "__main__":
    main()
