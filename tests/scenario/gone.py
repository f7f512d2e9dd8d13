"""Clients that are gone before their request's turn comes: nobody works for them. See
tests/modules/again.c, which says in the log that it works, and waits for a byte in a pipe."""
import contextlib
import os
import socket
import struct
import time

from client import Client, get
from gate import CONF, MODULES, gated as at_gate
from reeve import FORKING, MODELS, POOLED, THREADED, equal, main, scenario, until

ASK = "GET /again?hints=1&wait=1 HTTP/1.1\r\nHost: a\r\n\r\n"
PART = 0.5  # s: the twentieth of QUEUE_TIME that a doubtful client may wait
QUEUE_TIME = "10s"


def gated(case, **options):
    """As of gate.py, with one thread for handlers."""
    return at_gate(case, workers=1, threads=1, **options)


def ask(server, stack, times=1):
    """A client whose first request waits for its turn, or works."""
    client = stack.enter_context(Client(server.address()))
    client.send(ASK * times)
    equal(client.answer().status, 103, "hints")
    return client


def reset(client):
    client.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.link.close()


def peers(port):
    """The ports of those who are connected to this one, as the kernel has it."""
    with open("/proc/net/tcp") as file:
        rows = [[int(end.rpartition(":")[2], 16) for end in line.split()[1:3]]
                for line in list(file)[1:]]
    return {peer for own, peer in rows if own == port}


def begun(server, count):
    until(lambda: len(server.logged("again-waits")) >= count, f"{count} handlers work")
    equal(len(server.logged("again-waits")), count, "handlers that have worked")


@scenario("gone: a client that resets its connection is not worked for, whatever it has asked for",
          models=POOLED)
def resets(case):
    with gated(case, queue_time="0") as (server, gate), contextlib.ExitStack() as stack:
        first = ask(server, stack)
        begun(server, 1)
        gone = [ask(server, stack, times) for times in (1, 1, 5, 5)]
        last = ask(server, stack)
        for client in gone:
            reset(client)
        until(lambda: server.status()["totals"]["open"] == 2, "the others are closed")
        os.write(gate, b"1")
        equal(first.answer().status, 200, "the first")
        os.write(gate, b"2")
        equal(last.answer().status, 200, "who has waited behind the gone ones")
        begun(server, 2)


@scenario("gone: of a pipeline what is not begun is not worked for", models=POOLED)
def pipeline(case):
    with gated(case) as (server, gate), contextlib.ExitStack() as stack:
        first = ask(server, stack, 5)
        begun(server, 1)
        last = ask(server, stack)
        reset(first)
        until(lambda: server.status()["totals"]["open"] == 1, "it is closed")
        os.write(gate, b"12")
        equal(last.answer().status, 200, "who has waited behind it")
        begun(server, 2)


@scenario("gone: who has closed its side waits for a part of queue_time only", models=POOLED)
def closes(case):
    with gated(case, queue_time=QUEUE_TIME) as (server, gate), contextlib.ExitStack() as stack:
        first = ask(server, stack)
        begun(server, 1)
        gone, half = [ask(server, stack, times) for times in (1, 1, 5)], ask(server, stack)
        last, asked = ask(server, stack), time.monotonic()
        for client in gone:
            client.link.close()
        half.link.shutdown(socket.SHUT_WR)
        equal(get(server.address(), "/hello").status, 200, "one that comes when the ends are known")
        until(lambda: time.monotonic() - asked > PART * 1.1, "they have waited for that part")
        os.write(gate, b"1")
        equal(first.answer().status, 200, "the first")
        answer = half.answer()
        equal((answer.status, answer.field("Retry-After")), (503, "1"), "who wants an answer still")
        until(lambda: server.status()["totals"]["open"] == 2, "the gone ones are closed")
        os.write(gate, b"2")
        equal(last.answer().status, 200, "who has waited behind them")
        begun(server, 2)
        until(lambda: server.status()["totals"]["shed"] == 4, "they are counted as refused")


@scenario("gone: without a pool too, a client that has reset its connection is not worked for",
          models=[name for name in MODELS if name not in POOLED + THREADED + FORKING])
def inline(case):
    with gated(case) as (server, gate), contextlib.ExitStack() as stack:
        first = ask(server, stack)
        begun(server, 1)
        gone = [stack.enter_context(Client(server.address())) for _ in range(4)]
        last = stack.enter_context(Client(server.address()))
        for client, times in zip(gone, (1, 1, 5, 5)):
            client.send(ASK.replace("hints=1&", "") * times)
        last.send(ASK)
        ports = {client.link.getsockname()[1] for client in gone}
        for client in gone:
            reset(client)
        until(lambda: not ports & peers(server.address()[1]), "the kernel has seen the resets, if nobody else yet")
        os.write(gate, b"1")
        equal(first.answer().status, 200, "the first")
        first.link.close()  # some models have a thread for one connection only
        os.write(gate, b"2")
        equal(last.answer().status, 103, "hints for who has waited behind the gone ones")
        equal(last.answer().status, 200, "its answer")
        begun(server, 2)


@scenario("gone: who has closed its side only is served while there is little to do")
def half(case):
    server = case.serve(CONF, modules=MODULES, queue_time="1h")
    with Client(server.address()) as client:
        client.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        client.link.shutdown(socket.SHUT_WR)
        equal([client.answer().status for _ in range(3)], [200] * 3, "answers")
        client.ended()
    server.stop()


if __name__ == "__main__":
    main()
