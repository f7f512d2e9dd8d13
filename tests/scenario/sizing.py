"""How many workers there are: by the CPUs that may be used, and by demand."""
import contextlib
import os
import signal

from client import ONE_EACH, Load, connect, echo, get
from reeve import (ECHO, HTTP, Skipped, check, contains, equal, main, open_files,
                   scenario, until, wait_gone)

SLEEPY = HTTP + 'http { site "default" { route "/" { sleep { delay = "50ms" } } } }\n'
GROWING = ("prefork", "worker", "event")


def sizing(server):
    return server.status()["sizing"]


@scenario("workers = 0 follows the CPUs that may be used, up and down", models=("event", "worker"))
def cpus(case):
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise Skipped("one CPU")
    server = case.server(workers=0)
    server.start()
    many = len(server.all_ready(sizing(server)["wanted"]))
    if many < 2:
        raise Skipped("a quota of one CPU")
    contains(server.logged("sizing")[0], f"workers = {many}, one per usable CPU: affinity ", "the log")
    os.sched_setaffinity(server.pid, usable[:1])
    server.all_ready(1)
    contains(server.until_logged("scaled")[0],
             f"1 workers (were {many}), one per usable CPU: affinity 1, ", "the log")
    contains(sizing(server)["why"], "one per usable CPU: affinity 1, ", "status")
    equal(sizing(server)["wanted"], 1, "status")
    os.sched_setaffinity(server.pid, usable)
    server.all_ready(many)
    contains(server.ctl("status").out, f"workers = {many}, one per usable CPU: affinity ", "reevectl")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a number set by hand is left alone, until a reload", models=())
def by_hand(case):
    usable = sorted(os.sched_getaffinity(0))
    server = case.serve(workers=0)
    equal(server.ctl("scale", "5").code, 0, "scale")
    with server.events() as events:
        os.sched_setaffinity(server.pid, usable[:1])
        # Any change would have come within the rounds that this takes.
        server.configure(worker_requests=1, worker_jitter=0)
        server.all_ready(5)
        contains(sizing(server)["why"], "set by hand", "status")
        equal(server.ctl("reload").code, 0, "reload")
        events.wait("generation", "draining -> gone")
        check(not [event for event in events.seen if event["tag"] == "scaled"], "nobody changed it")
    server.all_ready(1)


def hold(case, server, stack, number):
    """Wants that many threads: by connections where each has a thread, else by requests."""
    if not case.row.blocking:
        stack.enter_context(Load(server.address(), b"slept\n", kind=ONE_EACH, clients=2 * number))
    for _ in range(number if case.row.blocking else 0):
        stack.enter_context(connect(server.address("127.0.0.2:0"))).sendall(b"x")


def ranged(case, **options):
    """One worker to begin with, of two threads where it has several."""
    server = case.serve(SLEEPY + ECHO, modules=["echo", "http", "sleep"], workers=1, threads=2,
                        workers_max=4, spare_min=1, drain_timeout="1s", **options)
    return server, sizing(server)["range"]["threads"]


@scenario("workers come with demand and go when it is over", models=GROWING)
def demand(case):
    server, width = ranged(case, spare_time="100ms", spare_max=2 if case.row.narrow else 3)
    fewest = 2 if case.row.narrow else 1  # one less, and too few would be spare
    equal(width, 1 if case.row.narrow else 2, "threads of a worker")
    with contextlib.ExitStack() as stack:
        hold(case, server, stack, 3 * width)
        pids = server.all_ready(4)
    until(lambda: len(server.status()["workers"]) == fewest, "the others are gone")
    for pid in list(pids.values())[fewest:]:
        check(wait_gone(pid), "the others have ended")
    told = server.logged("scaled")
    contains(told[0], f"2 workers (were 1), since 0 of {width} threads were spare, "
                      "less than spare_min = 1", "growth")
    # The last ones: where clients were kept from running, others may have rested before.
    rested = [text.split()[1] for text in server.logged("worker-rests")]
    equal(rested[fewest - 4:], ["3", "2", "1"][:4 - fewest], "who rests, one at a time")
    contains(server.logged("worker-rests")[0], ", more than spare_max = ", "why")
    contains(told[-1], f"{fewest} workers (were {fewest + 1}), since worker {fewest} was not needed "
                       "for 100 ms", "shrinking")
    spare = fewest * width
    contains(server.ctl("status").out, f"; now {spare} of {spare} threads spare (1 to ", "reevectl")


def held_by(pid, links):
    """Those of the connections whose other end this process has."""
    sockets = {name[8:-1] for name in open_files(pid) if name.startswith("socket:[")}
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    ports = {int(row[2].rpartition(":")[2], 16) for row in rows if row[9] in sockets}
    return [link for link in links if link.getsockname()[1] in ports]


@scenario("a worker that rests serves on, and is taken back when load returns", models=GROWING)
def back(case):
    server, width = ranged(case, spare_time="2s", spare_max=1 + (1 if case.row.narrow else 2))
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as kept:
        if not case.row.blocking:
            hold(case, server, stack, 3 * width)
            server.all_ready(4)
        links = [kept.enter_context(connect(server.address("127.0.0.2:0")))
                 for _ in range(4 * width if case.row.blocking else 24)]
        for link in links:
            link.sendall(b"x")
        pids = server.all_ready(4)
        for link in links:
            equal(link.recv(1), b"x", "an echo")
        mine = held_by(pids[3], links)
        check(mine, "a connection of worker 3")
        for link in links:
            if link not in mine:
                link.close()
        stack.close()
        server.until_logged("worker-rests", "worker 3 ")
        for link in mine:
            equal(echo(link, b"still"), b"still", "a connection that it has")
        hold(case, server, stack, 4 * width)
        server.until_logged("worker-back", "worker 3 ")
        server.all_ready(4)
        equal(server.pids(), pids, "the same processes")
        if case.row.blocking:
            until(lambda: server.workers()[3]["connections"] == width, "it takes connections again")
    check(not server.logged("worker-exit"), "nobody has ended")


@scenario("by hand only between workers_min and workers_max", models=())
def range_by_hand(case):
    server = case.serve(workers=2, workers_min=2, workers_max=3, spare_time="1h")

    def refused(number):
        return [text for text in server.logged("configuration-error")
                if f"{number} workers are not between" in text]

    for number in (1, 4):
        result = server.ctl("scale", str(number))
        equal(result.code, 1, "exit code")
        contains(result.text, f"{number} workers are not between workers_min = 2 and workers_max = 3",
                 "the answer")
    server.signal(signal.SIGTTOU)
    until(lambda: len(refused(1)) == 2, "TTOU was refused as well")
    server.signal(signal.SIGTTIN)
    server.all_ready(3)
    server.signal(signal.SIGTTIN)
    until(lambda: len(refused(4)) == 2, "TTIN was refused as well")
    equal(server.ctl("scale", "2").code, 0, "exit code")
    server.all_ready(2)


@scenario("a reload keeps the number that demand has made", models=GROWING)
def kept(case):
    server, width = ranged(case, spare_time="1h")
    with contextlib.ExitStack() as stack:
        hold(case, server, stack, 3 * width)
        old = server.all_ready(4)
    if case.row.blocking:
        contains(server.logged("scaled")[1], "4 workers (were 2), since 0 of ", "doubling")
    server.configure(drain_timeout="900ms")
    equal(server.ctl("reload").code, 0, "reload")
    contains(sizing(server)["why"], "workers = 4, as the generation before had", "status")
    server.all_ready(4, besides=old.values())


WRONG = [
    ({"workers": 0, "workers_min": 3, "workers_max": 2},
     "workers_min: 3 is more than workers_max = 2; write no more than that"),
    ({"workers": 9, "workers_max": 4},
     "workers: 9 to begin with is not between workers_min = 1 and workers_max = 4"),
    ({"workers_min": 2}, "workers_min: is of no use without workers_max; write that too"),
    ({"spare_max": 2}, "spare_max: is of no use without workers_max; write that too"),
    ({"workers_max": 4, "spare_min": 5, "spare_max": 8},
     "spare_max: 8 would end workers that spare_min = 5 asks for, with 4 threads a worker; write at "
     "least 9"),
]


@scenario("a range that cannot be: one line that says so", models=())
def wrong(case):
    for options, line in WRONG:
        server = case.server(**options)
        result = server.run("-t")
        equal(result.code, 1, "exit code")
        contains(result.text, line, "the complaint")
        equal(len(result.text.strip().splitlines()), 1, f"lines of {result.text!r}")


main()
