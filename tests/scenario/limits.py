"""How many connections there may be: of a worker, of a client, and of what the system has."""
import contextlib
import resource
import signal
import socket

from client import Client, Closed
from reeve import (BLOCKING, DEADLINE, FORKING, HTTP, MODELS, SITE, Skipped, check, children,
                   contains, equal, main, scenario, until)

# What a connection needs is made when it comes.
GROWING = [name for name, model in MODELS.items() if not model.blocking or model.each != "nothing"]
MOVING = [name for name in MODELS if name not in BLOCKING]
UNIX = 'listen "unix:{}" {{ protocol = "http" }}\n'


def serve(case, text=HTTP + SITE, limit=4, room=16, workers=2, **options):
    """Room for more connections than a client may have, in several workers."""
    options = {**case.room(room, workers), "max_connections_per_client": limit, **options}
    return case.serve(text, **options)


class Kept:
    """Connections that are open, each asked once; all are closed in the end."""

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def more(self, address, count):
        clients = [self.stack.enter_context(Client(address)) for _ in range(count)]
        for client in clients:
            equal(client.get("/").status, 200, "a connection within the limit")
        return clients


def refused(address):
    """Is a further connection closed before it is answered?"""
    try:
        with Client(address) as client:
            return client.get("/").status != 200
    except (Closed, ConnectionResetError):
        return True


def total(server, name="refused"):
    return server.status()["totals"][name]


def from_address(source, address):
    """A connection from another address of the loopback network."""
    link = socket.socket()
    link.settimeout(DEADLINE)
    link.bind((source, 0))
    link.connect(address)
    return link


def answers(link):
    with link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return link.recv(12) == b"HTTP/1.1 200"


@scenario("a client has as many connections as it may, in all workers together, and no more")
def per_client(case):
    server = serve(case)
    address = server.address()
    with Kept() as kept:
        clients = kept.more(address, 4)
        for _ in range(3):
            check(refused(address), "a fifth connection")
        until(lambda: total(server) == 3, "the refusals are counted")
        contains(server.until_logged("client-limit")[0], "127.0.0.1 has 4 connections", "the log")
        contains(server.ctl("status").out, "3 refused: too many of one client", "reevectl status")
        check(answers(from_address("127.0.0.9", address)), "another client")
        equal(total(server, "connections"), 5, "connections that were accepted")
        clients[1].link.close()
        until(lambda: not refused(address), "room for another one")
        equal([client.get("/").status for client in clients if client is not clients[1]], [200] * 3,
              "the others, meanwhile")


@scenario("many at once, of several loops and workers: never more than it may", models=MOVING)
def at_once(case):
    server = serve(case, loops=2, workers=3, limit=7)
    address = server.address()
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            link = stack.enter_context(socket.socket())
            link.setblocking(False)
            link.connect_ex(address)
        until(lambda: total(server) + total(server, "connections") == 60, "all are decided")
        check(1 <= total(server, "open") <= 7, f"{total(server, 'open')} are open")
        equal(total(server, "open"), total(server, "connections"), "of those accepted")
    until(lambda: total(server, "open") == 0, "all are over")
    with Kept() as kept:
        kept.more(address, 7)
        check(refused(address), "an eighth")


@scenario("as many connections as ever, one after the other: each is counted out again")
def one_after_the_other(case):
    server = serve(case, limit=6)
    for _ in range(100):
        with Client(server.address()) as one, Client(server.address()) as other:
            for client in (one, other):
                answer = client.get("/", fields="Connection: close\r\n")
                equal(answer.status, 200, "one of many")
                client.ended()  # who has seen that may come again at once
    equal(total(server), 0, "refused")
    with Kept() as kept:
        until(lambda: server.status()["totals"]["open"] == 0, "all are over")
        kept.more(server.address(), 6)
        check(refused(server.address()), "a seventh")


@scenario("who is exempt, or comes by a Unix socket, may have any number")
def exempt(case):
    server = case.server(**case.room(16, 2), max_connections_per_client=2,
                         max_connections_exempt=["127.0.0.8/29"])
    path = server.path("sock")
    server.configure(HTTP + UNIX.format(path) + SITE)
    server.start()
    address = server.address()
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            with contextlib.suppress(ConnectionResetError):
                stack.enter_context(from_address("127.0.0.7", address))
            stack.enter_context(from_address("127.0.0.9", address))
        until(lambda: total(server) == 2, "two of those that are not exempt are refused")
    with Kept() as kept:
        kept.more(path, 4)
    equal(total(server), 2, "refused")


@scenario("an IPv6 client is the network of 64 bits, and IPv4 in IPv6 is IPv4", models=())
def families(case):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise Skipped(f"no IPv6 here: {error}") from None
    server = serve(case, 'listen "*:0" { protocol = "http" }\n' + SITE, limit=2)
    port = server.address("*:0")[1]
    with Kept() as kept:
        kept.more(("127.0.0.1", port), 2)
        check(refused(("127.0.0.1", port)), "a third of IPv4")
        contains(server.until_logged("client-limit")[0], "127.0.0.1 has 2 connections", "the log")
        kept.more(("::1", port), 2)
        check(refused(("::1", port)), "a third of IPv6")
        until(lambda: total(server) == 2, "both are counted")


@scenario("what a killed worker held is counted no more, what the others hold is", models=MOVING)
def killed(case):
    server = serve(case, workers=3, limit=9)
    server.crashes_meant = True
    address = server.address()
    with Kept() as kept:
        kept.more(address, 9)
        check(refused(address), "a tenth")
        slot, worker = next((slot, worker) for slot, worker in server.workers().items()
                            if worker["connections"])
        held = worker["connections"]
        server.signal(signal.SIGKILL, worker["pid"])
        server.all_ready(3, besides=[worker["pid"]])
        kept.more(address, held)
        check(refused(address), "one more than were lost")


@scenario("the process of a connection is killed: it is counted no more", models=FORKING)
def process_killed(case):
    server = serve(case, workers=1, limit=2)
    server.crashes_meant = True
    address = server.address()
    with Kept() as kept:
        kept.more(address, 2)
        check(refused(address), "a third")
        server.signal(signal.SIGKILL, children(server.pids()[0])[0])
        until(lambda: not refused(address), "room for another one")


@scenario("a reload: connections that are moved are counted where they are, none is refused",
          models=MOVING)
def moved(case):
    server = serve(case, limit=6, drain_linger="30s")
    address = server.address()
    with Kept() as kept:
        clients = kept.more(address, 6)
        for threads in (5, 6):
            server.configure(threads=threads)
            equal(server.ask("reload")["code"], 0, "the reload")
            server.settled()
            equal([client.get("/").status for client in clients], [200] * 6, "those that were moved")
            check(refused(address), "a seventh")
        server.configure(max_connections_per_client=3)
        equal(server.ask("reload")["code"], 0, "the reload to a lower limit")
        server.settled()
        equal([client.get("/").status for client in clients], [200] * 6, "they may stay")
        for client in clients[:3]:
            client.link.close()
        until(lambda: total(server, "open") == 3, "three are left")
        check(refused(address), "one more")
        clients[3].link.close()
        until(lambda: not refused(address), "a place again")


@scenario("an upgrade goes on counting", models=())
def upgraded(case):
    server = serve(case, limit=3, drain_linger="30s")
    address = server.address()
    with Kept() as kept:
        clients = kept.more(address, 3)
        check(refused(address), "a fourth")
        until(lambda: total(server) == 1, "it is counted")
        equal(server.ask("upgrade")["code"], 0, "the upgrade")
        server.settled()
        equal([client.get("/").status for client in clients], [200] * 3, "those that were moved")
        check(refused(address), "a fourth afterwards")
        until(lambda: total(server) == 2, "both are counted")


@scenario("a worker with max_connections lets further ones wait, and loses none")
def of_a_worker(case):
    server = case.serve(workers=1, max_connections=4)
    address = server.address()
    with Kept() as kept, contextlib.ExitStack() as stack:
        most = 1 if case.row.narrow else 4
        clients = kept.more(address, most)
        late = [stack.enter_context(Client(address)) for _ in range(3)]
        for client in late:
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        equal([client.get("/").status for client in clients], [200] * most, "those within")
        equal(server.workers()[0]["connections"], most, "connections of the worker")
        equal(total(server, "waiting"), 3, "those that wait, in status")
        contains(server.ctl("status").out, f"{most} open, 3 waiting, ", "status for people")
        equal([each["waiting"] for each in server.json("listeners")["listeners"]], [3], "and where")
        clients[0].link.close()
        equal([client.answer().status for client in late], [200] * 3, "those that had to wait")
    equal(total(server, "waiting"), 0, "none waits any more")
    equal(total(server), 0, "refused")


@scenario("a worker with few descriptors holds what it can, and the others wait",
          models=GROWING)
def few_descriptors(case):
    case.need_no_wrap("it needs descriptors of its own")
    options = {**case.room(100, 1), "workers": 1}
    server = case.server(**options)
    server.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    address = server.address()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for _ in range(100)]
        server.until_logged("accept-paused", "Too many open files")
        worker = server.workers()[0]
        equal(clients[0].get("/hello").status, 200, "the first one, meanwhile")
        for client in clients:  # no file: there may be no descriptor left for one
            client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        equal([client.answer().status for client in clients], [200] * 100, "answers")
        equal(server.pids()[0], worker["pid"], "the worker")
    server.until_logged("accept-resumed")


if __name__ == "__main__":
    main()
