"""Answers in pieces, and answers that come later: see tests/modules/pieces.c."""
import select
import socket
from contextlib import ExitStack

from client import Client, Closed, ask_raw, connect, get, reset
from reeve import DEADLINE, check, equal, main, scenario

CONF = """
listen "127.0.0.1:0" { protocol = "http" }
http { site "default" {
    route "/loop" { pieces { } }
    route "/pool" { poolpieces { } }
    route "/hello" { hello { } }
    route "/blocks" { sleep { delay = "1ms" } }
    route "/long" { hang { until = "over" } }
} }
"""
MODULES = ["http", "hello", "pieces", "poolpieces", "sleep", "hang"]
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


def text(length):
    return (ALPHABET * (length // 26 + 1))[:length]


@scenario("pieces: chunked, with a length, to an old client, in the loop and in the pool")
def forms(case):
    server = case.serve(CONF, modules=MODULES)
    for where in ("/loop", "/pool"):
        with Client(server.address()) as client:
            for length in (0, 1, 32768, 32769, 3000000):
                answer = client.get(f"{where}?length={length}")
                equal(answer.field("Transfer-Encoding"), "chunked", "coding")
                check(answer.body == text(length), f"{length} bytes, chunked, by {where}")
                answer = client.get(f"{where}?length={length}&known=1")
                equal(answer.field("Content-Length"), str(length), "length")
                check(answer.body == text(length), f"{length} bytes of a known length by {where}")
            equal(client.get(f"{where}?length=100", "HEAD").status, 200, "HEAD")
        old = ask_raw(server.address(), f"GET {where}?length=100000 HTTP/1.0\r\n\r\n".encode())
        equal(old.field("Content-Length"), None, "length for HTTP/1.0")
        check(old.body == text(100000), "the body for HTTP/1.0")
    server.stop()


@scenario("pieces: who gives up ends the connection, so that nobody takes a part for the whole")
def cut_short(case):
    server = case.serve(CONF, modules=MODULES)
    for where in ("/loop", "/pool"):
        with Client(server.address()) as client:
            try:
                client.get(f"{where}?length=100000&short=1")
            except Closed:
                pass
            else:
                check(False, "a stream that was given up looks complete")
    check(server.logged("handler-failed"), "the log says where")
    server.stop()


@scenario("pieces: clients that do not read hold no thread", models=["event"])
def slow_readers(case):
    server = case.serve(CONF, modules=MODULES, threads=2, workers=1)
    with ExitStack() as stack:
        for where in ("/loop", "/pool"):
            for _ in range(20):
                link = stack.enter_context(connect(server.address()))
                link.sendall(f"GET {where}?length=100000000 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        for _ in range(20):
            equal(get(server.address(), "/hello").status, 200, "another client")
            equal(get(server.address(), "/blocks").status, 200, "one that needs the pool")
    server.stop()


@scenario("pieces: a full pool only delays a client that has closed its side", models=["event"])
def full_pool(case):
    server = case.serve(CONF, modules=MODULES, threads=1, workers=1, queue_limit=1,
                        handler_timeout="0")
    with ExitStack() as stack:
        link = stack.enter_context(connect(server.address()))
        link.sendall(b"GET /pool?length=30000000&known=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        check(select.select([link], [], [], DEADLINE)[0], "the answer has begun")
        link.shutdown(socket.SHUT_WR)
        others = [stack.enter_context(connect(server.address())) for _ in range(4)]
        for other in others:
            other.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        refused = select.select(others, [], [], DEADLINE)[0]
        check(refused and b" 503 " in refused[0].recv(65536), "the pool is full")
        server.write("over", "")
        data = b"".join(iter(lambda: link.recv(1 << 20), b""))
        check(data.partition(b"\r\n\r\n")[2] == text(30000000), "all of it, and then the end")
    server.stop()


@scenario("later: a thread of the module's answers, and nothing waits for it")
def later(case):
    server = case.serve(CONF, modules=MODULES)
    for where in ("/loop", "/pool"):
        with Client(server.address()) as client:
            for _ in range(50):
                answer = client.get(f"{where}?length=1000&known=1&later=1")
                check(answer.body == text(1000), f"an answer that came later, by {where}")
        for _ in range(20):
            link = connect(server.address())
            link.sendall(f"GET {where}?length=1000000&later=1 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            reset(link)
    equal(get(server.address(), "/hello").status, 200, "another client")
    server.stop()


if __name__ == "__main__":
    main()
