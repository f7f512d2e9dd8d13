"""Connections are spread over the workers by what they hold, not by luck."""
import os
import signal

from client import connect, echo
from reeve import BLOCKING, ECHO, ROOMY, check, equal, main, scenario

ADDRESS = "127.0.0.2:0"


def held(server):
    return [worker["connections"] for worker in server.workers().values()]


def spread(case, number):
    """Four workers, each of which has room for that many connections."""
    server = case.serve(ECHO, **case.room(4 * number, workers=4))
    return server, server.address(ADDRESS)


@scenario("4 workers, 200 long connections: the busiest has less than twice the least", models=ROOMY)
def long_ones(case):
    server, address = spread(case, 100)
    links = []
    try:
        for number in range(200):
            links.append(connect(address))
            check(echo(links[-1], b"%d" % number) == b"%d" % number, "an echo")
        counts = held(server)
        equal(sum(counts), 200, f"connections of {counts}")
        check(max(counts) < 2 * min(counts), f"connections {counts}")
    finally:
        for link in links:
            link.close()


@scenario("4 workers, 200 connections all at once: the busiest has less than twice the least",
          models=ROOMY)
def burst(case):
    server, address = spread(case, 100)
    links = []
    try:
        links = [connect(address) for _ in range(200)]
        for link in links:
            link.sendall(b"x")
        for link in links:
            equal(link.recv(1), b"x", "an echo")
        counts = held(server)
        equal(sum(counts), 200, f"connections of {counts}")
        check(max(counts) < 2 * min(counts), f"connections {counts}")
    finally:
        for link in links:
            link.close()


@scenario("after one worker's connections are gone it gets the next ones", models=ROOMY)
def refill(case):
    server, address = spread(case, 100)
    server.crashes_meant = True
    links = [connect(address) for _ in range(100)]
    try:
        for link in links:
            equal(echo(link, b"x"), b"x", "an echo")
        pids = server.pids()
        os.kill(pids[2], signal.SIGKILL)
        server.all_ready(4, besides=[pids[2]])
        links += [connect(address) for _ in range(60)]
        for link in links[100:]:
            equal(echo(link, b"x"), b"x", "an echo")
        counts = held(server)
        check(max(counts) < 2 * max(1, min(counts)), f"connections {counts}")
    finally:
        for link in links:
            link.close()


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
