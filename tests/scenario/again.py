"""Requests whose handler is asked again in the pool, what leaves before and behind the answer: see
tests/modules/again.c."""
import os

from client import Client, Closed, get
from gate import CONF, MODULES, gated
from reeve import POOLED, check, contains, equal, main, scenario


@scenario("again: the second call runs in the pool, and so does its stream")
def second_call(case):
    server = case.serve(CONF, modules=MODULES)
    where = b"pool" if case.row.pool else b"loop"
    with Client(server.address()) as client:
        for _ in range(20):
            answer = client.get("/again")
            equal((answer.status, answer.body), (200, where), "where the second call runs")
            equal(answer.field("X-First"), None, "a field of the first call")
            answer = client.get("/again?stream=1")
            equal((answer.status, answer.body), (200, where), "where more() runs")
            equal(answer.trailers, [("x-where", where.decode())], "the trailer field")
        client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /again HTTP/1.1\r\nHost: a\r\n\r\n" * 20)
        for _ in range(20):
            equal(client.answer().body, b"hello\n", "one in the loop")
            equal(client.answer().body, where, "one in the pool")
        equal(client.get("/again", "HEAD").status, 200, "HEAD")
    server.stop()


@scenario("again: hints leave before the slow part, in every model")
def hints(case):
    with gated(case) as (server, gate), Client(server.address()) as client:
        client.send("GET /again?hints=1&wait=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        early = client.answer()
        equal((early.status, early.reason), (103, "Early Hints"), "the first answer")
        equal(early.fields, [("link", "</style.css>; rel=preload")], "its fields")
        equal(client.data, b"", "nothing more before the gate is open")
        os.write(gate, b"1")
        answer = client.answer()
        equal((answer.status, answer.field("Link")), (200, None), "the second answer")
        client.send("GET /again?hints=1 HTTP/1.0\r\n\r\n")
        equal(client.answer().status, 200, "a client of HTTP/1.0 gets no hints")
        client.ended()


@scenario("again: who waits in the pool delays nobody, and a full pool is told", models=POOLED)
def full(case):
    ask = "GET /again?hints=1&wait=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    with gated(case, workers=1, threads=1, queue_limit=1) as (server, gate), \
            Client(server.address()) as waits, Client(server.address()) as queued, \
            Client(server.address()) as third:
        waits.send(ask)
        equal(waits.answer().status, 103, "hints")
        server.until_logged("again-waits")
        queued.send(ask)
        equal(queued.answer().status, 103, "hints of the next one")
        answer = third.get("/again")
        equal((answer.status, answer.field("Retry-After"), answer.field("X-First")),
              (503, "1", None), "where the pool has no room")
        equal(third.get("/hello").status, 200, "one that needs no pool")
        os.write(gate, b"12")
        for client in (waits, queued):
            equal(client.answer().status, 200, "who had waited")
        equal(third.get("/again").status, 200, "when there is room again")


@scenario("again: a client that leaves meanwhile harms nobody")
def leaving(case):
    with gated(case) as (server, gate):
        with Client(server.address()) as client:
            client.send("GET /again?hints=1&wait=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            equal(client.answer().status, 103, "hints")
            server.until_logged("again-waits")
        os.write(gate, b"1")
        equal(get(server.address(), "/again").status, 200, "the next client")


@scenario("again: what a handler does wrong is one 500 and a line")
def wrong(case):
    server = case.serve(CONF, modules=MODULES)
    for query, said in (("twice=1", "returned -1 without an answer"),
                        ("wrong=1", "although it had asked to be asked again")):
        with Client(server.address()) as client:
            answer = client.get(f"/again?{query}")
            equal(answer.status, 500, query)
            equal(client.get("/hello").body, b"hello\n", "the next request")
        contains(server.log(), said, f"the log of {query}")
        contains(server.log(), "handler again of route /again in site default", "who it was")
    server.stop()


if __name__ == "__main__":
    main()
