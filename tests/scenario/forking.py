"""A process for each connection: what its death costs, and what the worker's death does to it."""
import os
import signal
from contextlib import ExitStack

from client import Client, connect, echo, get
from reeve import (ECHO, FORKING, HTTP, alive, check, children, contains, equal, main, scenario,
                   until, wait_gone)

ECHO_AT = "127.0.0.2:0"
CRASH = ('http { site "default" { route "/" { static { root = "www" } }'
         ' route "/crash" { crash { how = "abort" } } } }\n')


def held(server, stack, number):
    """Long connections, and the processes that serve them, in the same order."""
    links, processes = [], []
    for _ in range(number):
        links.append(stack.enter_context(connect(server.address(ECHO_AT))))
        equal(echo(links[-1], b"held"), b"held", "a long connection")
        processes += [pid for worker in server.pids().values() for pid in children(worker)
                      if pid not in processes]
        equal(len(processes), len(links), "processes for the connections")
    return links, processes


@scenario("kill -9 of a connection's process costs that connection, and is told", models=FORKING)
def killed(case):
    server = case.serve(ECHO)
    workers = server.pids()
    with ExitStack() as stack, server.events() as events:
        links, processes = held(server, stack, 3)
        os.kill(processes[1], signal.SIGKILL)
        equal(links[1].recv(1), b"", "the end of its connection")
        event = events.wait("connection-crashed", f"process {processes[1]}")
        contains(event["text"], "signal 9", "the event")
        contains(event["text"], "echo", "the event")
        for link in (links[0], links[2]):
            equal(echo(link, b"still"), b"still", "another connection")
        status = server.status()
        contains(status["last_error"] or "", str(processes[1]), "last error of status")
        equal((status["totals"]["open"], status["totals"]["restarts"]), (2, 0),
              "open connections, and restarts")
        with connect(server.address(ECHO_AT)) as link:
            equal(echo(link, b"new"), b"new", "a new connection")
    equal(len(server.logged("connection-crashed")), 1, "lines in the log")
    equal(server.pids(), workers, "the workers")


@scenario("a handler that crashes costs its connection, and no worker", models=FORKING)
def handler(case):
    server = case.serve(HTTP + CRASH, modules=["http", "static", "crash"])
    workers = server.pids()
    with Client(server.address()) as other:
        equal(other.get("/").status, 200, "another connection")
        with Client(server.address()) as client:
            client.send("GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
            client.ended()
        contains(server.until_logged("connection-crashed")[0], "signal 6", "the log")
        equal(other.get("/").status, 200, "the other connection")
    equal((server.pids(), server.logged("worker-crashed")), (workers, []), "the workers")


@scenario("kill -9 of the worker: its connections' processes finish what they have, and go",
          models=FORKING)
def worker_killed(case):
    server = case.serve(HTTP + ECHO + CRASH.replace("crash { how = \"abort\" }", "hello { }"),
                        workers=1, drain_timeout="5m", drain_linger="50ms")
    server.crashes_meant = True
    worker = server.pids()[0]
    with ExitStack() as stack:
        links, processes = held(server, stack, 2)
        kept = stack.enter_context(Client(server.address()))
        equal(kept.get("/").status, 200, "a kept connection")
        os.kill(worker, signal.SIGKILL)
        server.all_ready(1, besides=[worker])
        kept.ended()  # it was idle
        for link in links:
            equal(echo(link, b"still"), b"still", "a long connection goes on")
        equal(get(server.address()).status, 200, "a new connection")
        check(all(alive(pid) for pid in processes), "the processes are there")
        until(lambda: server.status()["totals"]["open"] == 0, "the new worker has no connection")
    for pid in processes:
        check(wait_gone(pid), f"process {pid} ends with its connection")


@scenario("kill -9 of the worker: the drain deadline is that of its processes too", models=FORKING)
def worker_killed_late(case):
    server = case.serve(ECHO, workers=1, drain_timeout="300ms")
    server.crashes_meant = True
    worker = server.pids()[0]
    with ExitStack() as stack:
        links, processes = held(server, stack, 2)
        os.kill(worker, signal.SIGKILL)
        for link, pid in zip(links, processes):
            equal(link.recv(1), b"", "the end of a long connection")
            check(wait_gone(pid), f"process {pid} has ended")
    server.all_ready(1, besides=[worker])


if __name__ == "__main__":
    main()
