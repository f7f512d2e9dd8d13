"""More requests than the pool can do: some are refused soon, the others are served soon, and what
needs no pool goes on."""
import contextlib

from client import Client, get
from reeve import HTTP, POOLED, check, contains, equal, main, scenario, until

MODULES = ["http", "hello", "sleep"]
CONF = HTTP + """
http { site "default" {
    route "/hello" { hello { } }
    route "/sleep" { sleep { delay = "20ms" } }
    route "/health" { priority = on sleep { delay = "1ms" } }
} }
"""
CLIENTS = 80   # at once, a request each: 1.6 s of work for one thread


@scenario("overload: who would wait too long is refused, the others are served", models=POOLED)
def burst(case):
    server = case.serve(CONF, modules=MODULES, workers=1, threads=1, queue_time="200ms")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(CLIENTS)]
        for client in clients:
            client.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(get(server.address(), "/hello").status, 200, "what needs no pool")
        equal(get(server.address(), "/health").status, 200, "what goes first")
        answers = [client.answer() for client in clients]
        served = sum(answer.status == 200 for answer in answers)
        refused = [answer for answer in answers if answer.status == 503]
        equal(served + len(refused), CLIENTS, "answers")
        check(served >= 2, f"{served} were served")
        check(refused, "nobody was refused")
        equal({answer.field("Retry-After") for answer in refused}, {"1"}, "Retry-After")
        until(lambda: server.status()["totals"]["shed"] == len(refused), "the refusals are counted")
        line = server.until_logged("shedding", "more to do than 1 threads")[0]
        contains(line, "by queue_time (200 ms, and 10 ms while", "what can be turned")
        equal([client.get("/hello").status for client in clients], [200] * CLIENTS,
              "on the same connections")
        equal(clients[-1].get("/sleep").status, 200, "when all is over")


@scenario("overload: with queue_time 0 all wait as long as it takes", models=POOLED)
def patient(case):
    server = case.serve(CONF, modules=MODULES, workers=1, threads=1, queue_time="0")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(30)]
        for client in clients:
            client.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        equal([client.answer().status for client in clients], [200] * 30, "all are served")
    equal(server.status()["totals"]["shed"], 0, "none is counted")


if __name__ == "__main__":
    main()
