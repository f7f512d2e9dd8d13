"""Connections are spread over the workers by what they hold, not by luck."""
import contextlib
import os
import signal

from client import connect, echo
from reeve import BLOCKING, ECHO, ROOMY, Failed, check, equal, main, scenario, until

ADDRESS = "127.0.0.2:0"
ATTEMPTS = 5


def held(server):
    return [worker["connections"] for worker in server.workers().values()]


def spread(case, number):
    """Four workers, each of which has room for that many connections."""
    server = case.serve(ECHO, **case.room(4 * number, workers=4))
    return server, server.address(ADDRESS)


def fairly(server, attempt):
    """A worker that the machine keeps from running takes little, and the others do not wait for it:
    where there is much else to do, one of a few attempts has to be fair."""
    seen = []
    for _ in range(ATTEMPTS):
        with contextlib.ExitStack() as links:
            attempt(links)
            counts = held(server)
        seen.append(counts)
        if max(counts) < 2 * max(1, min(counts)):
            return
        until(lambda: not any(held(server)), "all are over")
    raise Failed(f"connections {seen}")


@scenario("4 workers, 200 long connections: the busiest has less than twice the least", models=ROOMY)
def long_ones(case):
    server, address = spread(case, 100)

    def one_by_one(links):
        for number in range(200):
            link = links.enter_context(connect(address))
            check(echo(link, b"%d" % number) == b"%d" % number, "an echo")
        equal(sum(held(server)), 200, "connections")
    fairly(server, one_by_one)


@scenario("4 workers, 200 connections all at once: the busiest has less than twice the least",
          models=ROOMY)
def burst(case):
    server, address = spread(case, 100)

    def all_at_once(links):
        burst = [links.enter_context(connect(address)) for _ in range(200)]
        for link in burst:
            link.sendall(b"x")
        for link in burst:
            equal(link.recv(1), b"x", "an echo")
        equal(sum(held(server)), 200, "connections")
    fairly(server, all_at_once)


@scenario("after one worker's connections are gone it gets the next ones", models=ROOMY)
def refill(case):
    server, address = spread(case, 100)
    server.crashes_meant = True

    def some(links, count):
        for link in [links.enter_context(connect(address)) for _ in range(count)]:
            equal(echo(link, b"x"), b"x", "an echo")

    def twice(links):
        some(links, 100)
        pid = server.pids()[2]
        os.kill(pid, signal.SIGKILL)
        server.all_ready(4, besides=[pid])
        some(links, 60)
    fairly(server, twice)


@scenario("a worker without room leaves the connection to the others", models=BLOCKING)
def full(case):
    each = 1 if case.row.narrow else 2
    server, address = spread(case, each)
    links = [connect(address) for _ in range(4 * each)]
    try:
        for link in links:
            equal(echo(link, b"x"), b"x", "an echo")
        equal(held(server), [each] * 4, "connections")
        with connect(address) as waiting:
            waiting.sendall(b"late")
            links.pop().close()
            equal(waiting.recv(4), b"late", "who waits is served as soon as there is room")
    finally:
        for link in links:
            link.close()


if __name__ == "__main__":
    main()
