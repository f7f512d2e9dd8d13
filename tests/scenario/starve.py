"""Short of descriptors, memory, threads, disk: a worker serves what it has accepted, the rest waits;
nothing exits, nothing spins, and when it is over all is as before."""
import contextlib
import os
import shutil
import subprocess

from client import Client, Closed, get
from reeve import (DEADLINE, HTTP, SANITIZED, SLOW, Failed, Skipped, alive, check, contains,
                   cpu_time, descendants, equal, main, scenario, until)

SITE = 'http { access_log = "access.log" site "default" { route "/" { static { root = "www" cache_bytes = 0 } } } }\n'
FILES = 60
LIMIT = 64       # descriptors
SPINS = 0.6      # of a moment in which nothing is to be done


def body(number):
    """The first few are large: these are sent by sendfile."""
    return f"file {number}\n".encode() * (200 if number >= 4 else 40000)


def server_of(case, **options):
    server = case.server(HTTP + SITE, **options)
    for number in range(FILES):
        server.write(f"www/{number}.txt", body(number))
    return server


def few(case):
    """As many connections as there are descriptors, where the model does not say less."""
    if case.row.thread_each or case.row.process_each:
        return case.room(200, workers=1)
    if case.row.narrow:
        return {"workers": 2}
    return {"workers": 1, "threads": 4}


def ask(client, number):
    client.send(f"GET /{number}.txt HTTP/1.1\r\nHost: a\r\n\r\n")


@scenario(f"{LIMIT} descriptors: who was accepted gets a file, the others wait for their turn")
def reserve(case):
    server = server_of(case, **few(case))
    prlimit = shutil.which("prlimit")
    if not prlimit:
        raise Skipped("prlimit is not installed")
    if SANITIZED:
        raise Skipped("a sanitizer needs descriptors of its own")
    server.command = lambda *rest, command=server.command, **how: (
        [prlimit, f"--nofile={LIMIT}"] + command(*rest, **how))
    server.start()
    address = server.address()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for _ in range(FILES)]
        if not case.row.blocking or case.row.thread_each or case.row.process_each:
            contains(server.until_logged("accept-paused")[0], "Too many open files", "the log")
        for number, client in enumerate(clients):
            ask(client, number)
        for number, client in enumerate(clients):  # in the order in which they came
            answer = client.answer()
            equal((answer.status, answer.body), (200, body(number)), f"answer {number}")
            client.link.close()
    equal(get(address, "/0.txt").status, 200, "an answer afterwards")
    if server.logged("accept-paused"):
        server.until_logged("accept-resumed")


# ---------------------------------------------------------------- calls that fail

# What fails, by which error: all the names that a C library may use for it.
FAULTS = {"accept4": "EMFILE", "openat,openat2": "EMFILE", "write,writev": "ENOSPC",
          "sendfile": "ENOMEM", "epoll_ctl": "ENOMEM", "?clone,?clone3,?fork,?vfork": "EAGAIN",
          "mmap": "ENOMEM"}
if SANITIZED:
    del FAULTS["mmap"]  # the sanitizer's own allocator ends the process then


SEEN = ("accept4", "sendfile")  # by all models, whoever calls: strace counts by threads


def tasks(pids):
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found += [f"/proc/{pid}/task/{task}/status" for task in os.listdir(f"/proc/{pid}/task")]
    return found


def is_traced(path):
    try:
        with open(path) as file:
            return "\nTracerPid:\t0\n" not in file.read()
    except OSError:
        return True  # it has ended


class Injected:
    """While it lasts, these calls fail in all workers and what they fork."""

    def __init__(self, server, faults, when):
        self.pids = [pid for pid in descendants(server.pid) if alive(pid)]
        self.out = server.path("strace")
        self.command = ["strace", "-f", "-qq", "-o", self.out, "-e",
                        "trace=" + ",".join(faults), "-e", "signal=none"]
        for names, error in faults.items():
            self.command += ["-e", f"inject={names}:error={error}:when={when}"]
        for pid in self.pids:
            self.command += ["-p", str(pid)]

    def __enter__(self):
        self.tracer = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def attached():
            if self.tracer.poll() is not None:
                raise Skipped("strace: " + " ".join(self.tracer.stderr.read().split())[-200:])
            return all(map(is_traced, tasks(self.pids)))
        try:
            until(attached, "strace has all threads")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.tracer.poll() is None:
            self.tracer.terminate()  # it detaches first
        self.tracer.communicate(timeout=DEADLINE)

    def count(self):
        with open(self.out, errors="replace") as file:
            return file.read().count("(INJECTED)")


def try_all(address, clients, patience=0.5 * SLOW):
    """Asks on as many connections; returns how many got what they had asked for. What fails may, but
    no answer may be wrong."""
    good = 0
    for number in range(clients):
        try:
            with Client(address, patience) as client:
                ask(client, number % FILES)
                answer = client.answer()
        except (Closed, OSError):
            continue
        except Failed as failure:
            contains(str(failure), "no answer in time", "what went wrong")
            continue
        check((answer.status, answer.body) == (200, body(number % FILES)) or answer.status >= 500,
              f"answer {number}: {answer.status} {answer.body[:40]!r}")
        good += answer.status == 200
    return good


@scenario("calls that fail now and then, or all of the time: nothing exits, nothing spins, and the"
          " service is back")
def injected(case):
    case.need_no_wrap("strace cannot watch what it emulates")
    if not shutil.which("strace"):
        raise Skipped("strace is not installed")
    server = server_of(case, **few(case))
    server.crashes_meant = server.refusals_meant = True  # of what is forked for a connection
    server.start()
    address = server.address()
    equal(try_all(address, 10, DEADLINE), 10, "good answers before")
    pids = server.pids()
    for names, error in FAULTS.items():
        with Injected(server, {names: error}, when="2+3") as injected:
            until(lambda: try_all(address, 12) + 1 and (injected.count() or names not in SEEN),
                  f"{names} fails")
        until(lambda: get(address, "/0.txt").body == body(0), f"served again after {names}")
        equal(server.pids(), pids, f"workers after {names}")
    with Injected(server, FAULTS, when="1+") as injected, contextlib.ExitStack() as stack:
        for number in range(4):
            ask(stack.enter_context(Client(address)), number)
        until(lambda: injected.count() > 4, "calls fail")
        before = sum(map(cpu_time, pids.values()))
        began = os.times().elapsed
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.5)
        took = sum(map(cpu_time, pids.values())) - before
        passed = os.times().elapsed - began
        check(took < SPINS * passed, f"the workers have computed for {took:.2f} s of {passed:.2f} s")
    until(lambda: get(address, "/0.txt").body == body(0), "served again")
    equal(try_all(address, 10, DEADLINE), 10, "good answers afterwards")
    equal(server.pids(), pids, "workers")
    if server.logged("accept-paused"):
        server.until_logged("accept-resumed")


if __name__ == "__main__":
    main()
