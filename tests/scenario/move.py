"""Kept connections go on in other workers when theirs retires, and their clients notice nothing."""
import os
import resource
import select
import signal
import socket
import threading

from client import KEPT, Client, Closed, Load, get
from reeve import (BLOCKING, DEADLINE, FULL, HTTP, MODELS, check, contains, equal, main, scenario,
                   until, wait_gone)

MOVING = [name for name in MODELS if name not in BLOCKING]  # many connections in a loop
KEPT_OPEN = 400 if FULL else 40
MANY = 10000 if FULL else 2000
IDLE = 200
RELOADS = 44 if FULL else 6


def says(word):
    """Connections are kept for as long as the slowest machine takes to ask on all of them."""
    return ('http { keepalive_timeout = "10m" site "default" {'
            f' route "/" {{ hello {{ text = "{word}" }} }} }} }}\n')


def serve(case, text=HTTP + says("one"), **options):
    """A server that would wait for long before it closes anything."""
    options = {"drain_linger": "30s", "drain_timeout": "60s", **options}
    return case.serve(text, **options)


def ask(client, body):
    answer = client.get("/")
    equal((answer.status, answer.body, answer.field("Connection")), (200, body, None), "an answer")


def kept(address, count=KEPT_OPEN, body=b"one"):
    """So many connections that have asked one thing."""
    clients = [Client(address) for _ in range(count)]
    for client in clients:
        ask(client, body)
    return clients


def still_there(clients, body):
    for client in clients:
        ask(client, body)
        client.link.close()


@scenario("a reload: kept connections are answered by the new configuration, none is closed",
          models=MOVING)
def reload(case):
    server = serve(case)
    clients = kept(server.address())
    server.configure(HTTP + says("two"))
    equal(server.ask("reload")["code"], 0, "the reload")
    server.settled()  # long before drain_linger: nobody is left
    totals = server.status()["totals"]
    equal(totals["connections"], KEPT_OPEN, "accepted")
    equal(sum(each["moved_in"] for each in server.workers().values()), KEPT_OPEN, "moved in")
    check(totals["moved"] >= KEPT_OPEN, "moved in all")  # perhaps by another that retired too
    contains(server.until_logged("moved")[0], " connections went on in other workers, 0 ended",
             "the log")
    still_there(clients, b"two")


@scenario("recycle, scale down and kill -TERM of a worker move what it holds", models=MOVING)
def others(case):
    server = serve(case, workers=3)
    clients = kept(server.address())
    equal(server.ask("recycle all")["code"], 0, "recycle")
    equal(server.ask("scale 1")["code"], 0, "scale")
    until(lambda: len(server.status()["workers"]) == 1, "one worker is left")
    equal(server.workers()[0]["connections"], KEPT_OPEN, "connections of the last one")
    pid = server.pids()[0]
    os.kill(pid, signal.SIGTERM)
    check(wait_gone(pid), "the last one has ended")
    server.all_ready(1, besides=[pid])
    still_there(clients, b"one")


@scenario("from one model to another and back", models=MOVING)
def models(case):
    server = serve(case)
    clients = kept(server.address())
    for model in MOVING + [case.model]:
        server.configure(model=model)
        equal(server.ask("reload")["code"], 0, f"the reload to {model}")
        server.settled()
    still_there(clients, b"one")


def told(clients):
    """Each is told by a last answer, and closed. (That who does not ask is closed too: spread.)"""
    for client in clients:
        equal(client.get("/").field("Connection"), "close", "Connection of an answer meanwhile")
        client.ended()


@scenario("to a model whose threads hold a connection each: told by a last answer, then closed",
          models=MOVING)
def fallback(case):
    server = serve(case)
    clients = kept(server.address(), 4)
    server.configure(model="worker")
    equal(server.ask("reload")["code"], 0, "the reload")
    told(clients)
    server.settled()


@scenario("back from such a model to one that takes connections over", models=("worker", "threaded",
                                                                               "forking"))
def back(case):
    server = serve(case, **case.room(2 * 4))
    clients = kept(server.address(), 4)
    server.configure(model="event")
    equal(server.ask("reload")["code"], 0, "the reload")
    server.settled()
    still_there(clients, b"one")


class Keeper(threading.Thread):
    """Holds one connection, and asks now and then, until told to stop. It counts closes."""

    def __init__(self, address, over):
        super().__init__(daemon=True)
        self.client, self.over = Client(address), over
        self.good, self.wrong = 0, None

    def run(self):
        while not self.over.wait(0.02):
            try:
                ask(self.client, b"same")
                self.good += 1
            except Exception as error:  # whatever it is, it is what the scenario looks for
                self.wrong = f"{error!r} after {self.good}"
                return


@scenario(f"{RELOADS} reloads under load: nothing is broken, and no kept connection closed",
          models=MOVING)
def under_load(case):
    server = case.serve(HTTP + says("same"))
    over = threading.Event()
    with Load(server.address(), b"same", kind=KEPT, clients=16) as load:
        keepers = [Keeper(server.address(), over) for _ in range(16)]
        for keeper in keepers:
            keeper.start()
        for number in range(RELOADS):
            load.more(20)
            server.configure(threads=5 + number % 3)
            equal(server.ask("reload")["code"], 0, f"reload {number}")
        server.settled()
        over.set()
        for keeper in keepers:
            keeper.join(DEADLINE)
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))
    equal([keeper.wrong for keeper in keepers if keeper.wrong], [], "what went wrong")
    print(f"# {load}; kept: {sum(keeper.good for keeper in keepers)} good")


@scenario("what was sent while the worker began to drain is answered, by whomever", models=MOVING)
def raced(case):
    server = serve(case)
    clients, old = kept(server.address()), server.pids().values()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    with server.events() as events:
        server.configure(HTTP + says("two"))
        server.signal(signal.SIGHUP)
        events.wait("generation", "generation 1: serving -> draining")
    for pid in old:
        os.kill(pid, signal.SIGCONT)
    for client in clients:
        answer = client.answer()
        equal((answer.status, answer.field("Connection")), (200, None), "the answer")
    server.settled()
    still_there(clients, b"two")


@scenario("a client that has closed its half, or is gone, is no trouble", models=MOVING)
def halves(case):
    server = serve(case)
    clients, old = kept(server.address(), 12), server.pids().values()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    for client in clients[:4]:
        client.link.shutdown(socket.SHUT_WR)
    for client in clients[4:8]:
        client.link.close()
    server.configure(HTTP + says("two"))
    with server.events() as events:
        server.signal(signal.SIGHUP)
        events.wait("generation", "generation 1: serving -> draining")
    for pid in old:
        os.kill(pid, signal.SIGCONT)
    for client in clients[:4]:
        client.ended()
    server.settled()
    still_there(clients[8:], b"two")
    until(lambda: server.status()["totals"]["open"] == 0, "nothing is left open")


@scenario("a listener that is gone, or speaks another protocol now: told, then closed",
          models=MOVING)
def gone(case):
    two = 'listen "127.0.0.3:0" { protocol = "http" }\n'
    server = serve(case, HTTP + two + says("one"))
    removed, stays = kept(server.address("127.0.0.3:0"), 3), kept(server.address(), 3)
    server.configure(HTTP + says("one"))
    equal(server.ask("reload")["code"], 0, "the reload")
    told(removed)
    server.settled()
    for client in stays:
        ask(client, b"one")
    server.configure(HTTP.replace('"http"', '"echo"') + says("one"))
    equal(server.ask("reload")["code"], 0, "the reload to echo")
    told(stays)
    server.settled()
    server.configure(HTTP + says("two"))
    equal(server.ask("reload")["code"], 0, "the reload back to http")
    clients = kept(server.address(), 3, b"two")
    server.configure(HTTP + says("three"))
    equal(server.ask("reload")["code"], 0, "a further reload")
    server.settled()
    still_there(clients, b"three")


def takes_one_more(client):
    try:
        answer = client.get("/")
    except Closed:
        return False
    equal((answer.status, answer.field("Connection")), (200, "close"), "the last answer")
    client.ended()
    return True


@scenario("many that cannot move are closed little by little, each without a word", models=MOVING)
def spread(case):
    server = serve(case, drain_linger="3s", workers=1)
    clients, poller = kept(server.address(), IDLE), select.poll()
    for client in clients:
        poller.register(client.link, select.POLLIN)
    server.signal(signal.SIGTERM)
    check(poller.poll(DEADLINE * 1000), "none is closed")
    while clients and not takes_one_more(clients.pop()):
        pass  # closed already
    check(clients, "all were closed in the same turn of the loop")
    for client in clients:
        equal(client.link.recv(1), b"", "what comes before the end, which is no reset")
        client.link.close()
    equal(server.wait(), 0, "exit status")


@scenario("over a unix socket", models=MOVING)
def unix(case):
    server = case.server(drain_linger="30s", drain_timeout="60s")
    server.configure(HTTP.replace("127.0.0.1:0", "unix:" + server.path("http.sock")) + says("one"))
    server.start()
    clients = kept(server.path("http.sock"), 8)
    server.configure(server.text.replace("one", "two"))
    equal(server.ask("reload")["code"], 0, "the reload")
    server.settled()
    still_there(clients, b"two")


@scenario("the client's address, and the number of its requests, go with the connection",
          models=MOVING)
def known(case):
    text = HTTP + says("one").replace("{", '{ access_log = "access.log" keepalive_requests = 3', 1)
    server = serve(case, text)
    client = Client.__new__(Client)
    client.link, client.data = socket.socket(), b""
    client.link.settimeout(DEADLINE)
    client.link.bind(("127.0.0.9", 0))
    client.link.connect(server.address())
    with client:
        ask(client, b"one")
        for _ in range(2):
            server.configure(text.replace("one", "two"), threads=3)
            equal(server.ask("reload")["code"], 0, "the reload")
            server.settled()
            text = text.replace("one", "two") + "\n"
            server.configure(text)
        ask(client, b"two")
        equal(client.get("/").field("Connection"), "close", "Connection of the third answer")
        client.ended()
    lines = until(lambda: len(server.read("access.log").splitlines()) == 3 and
                  server.read("access.log").splitlines(), "three lines in the access log")
    check(all(line.startswith("127.0.0.9 ") for line in lines), f"addresses in {lines}")


@scenario(f"{MANY} kept connections at once, or half as many as descriptors are allowed",
          models=("event",))
def many(case):
    most = min(MANY, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    server = serve(case, drain_linger="60s")
    clients = kept(server.address(), most)
    before = server.descriptors()
    server.configure(HTTP + says("two"))
    equal(server.ask("reload")["code"], 0, "the reload")
    equal(get(server.address()).body, b"two", "a new connection meanwhile")
    server.settled()
    equal(sum(each["moved_in"] for each in server.workers().values()), most, "moved in")
    equal(server.descriptors(), before, "descriptors of the master")
    still_there(clients, b"two")


@scenario("a stop of the server tells them, and leaves none in between", models=MOVING)
def stop(case):
    server = serve(case, drain_linger="50ms")
    clients = kept(server.address(), 8)
    server.signal(signal.SIGTERM)
    for client in clients:
        client.ended()
    equal(server.wait(), 0, "exit status")


main()
