"""Concurrency models as such: what each is made of, that all serve the same, and changing them."""
import os
import resource
import socket
import threading
from contextlib import ExitStack

from client import KEPT, ONE_EACH, Client, Load, connect, echo
from reeve import (ECHO, HTTP, MODELS, ROOT, USUAL, Failed, Skipped, built_with, check, children,
                   descendants, equal, main, scenario, thread_names, until)

ECHO_AT = "127.0.0.2:0"
# Numbers for every model: each takes those that it uses.
NUMBERS = {"workers": 2, "threads": 4, "max_threads": 4, "max_processes": 4, "queue": "per-thread",
           "queue_limit": 64}


# ---------------------------------------------------------------- processes and threads

def seen(server):
    """Of each worker: threads of the pool, other threads, and processes, as the kernel lists them."""
    found = {}
    for pid in children(server.pid):
        names = thread_names(pid)
        pool = sum(name.startswith("pool-") for name in names)
        found[pid] = {"pool": pool, "others": len(names) - pool,
                      "processes": [len(thread_names(child)) for child in children(pid)]}
    return found


def told(server):
    """The same as `reevectl status` has it."""
    status = server.json("status")
    numbers = status["numbers"]
    return {worker["pid"]: {"pool": numbers["threads"],
                            "others": worker["threads"] - numbers["threads"] + numbers["control"],
                            "processes": [1] * worker["processes"]}
            for worker in status["workers"]}


def agree(server, what):
    """What both say when they say the same."""
    look = {}

    def same():
        look.update(seen=seen(server), told=told(server))
        return look["seen"] == look["told"]
    try:
        until(same, what)
    except Failed:
        equal(look["seen"], look["told"], what)
    return list(look["seen"].values())


@scenario("ps -L agrees with status: processes and threads, idle and with connections")
def agrees(case):
    if built_with(b"__tsan_init"):
        raise Skipped("the thread sanitizer has threads of its own")
    server = case.serve(ECHO, **case.room(4))
    row, threads = case.row, server.options["threads"]
    equal(thread_names(server.pid), ["reeved"], "threads of the master")
    # A forking worker is one thread, which has to do all that there is.
    one = {"pool": threads if row.pool else 0,
           "others": (row.loops or threads) + (0 if row.process_each else 1), "processes": []}
    idle = agree(server, "idle")
    equal(idle, [one] * server.options["workers"], "idle workers")
    with ExitStack() as stack:
        for _ in range(4):
            link = stack.enter_context(connect(server.address(ECHO_AT)))
            equal(echo(link, b"held"), b"held", "a long connection")
        held = agree(server, "with four connections")
        equal(sum(worker["others"] for worker in held) - sum(worker["others"] for worker in idle),
              4 if row.thread_each else 0, "threads for four connections")
        equal(sum(len(worker["processes"]) for worker in held), 4 if row.process_each else 0,
              "processes for four connections")
    until(lambda: list(seen(server).values()) == idle, "it is as before")
    agree(server, "idle again")


@scenario("a model alone gives the numbers of its row")
def own_numbers(case):
    server = case.serve(ECHO, workers=None, threads=None)
    numbers = server.json("status")["numbers"]
    if case.row.workers:
        equal(numbers["workers"], case.row.workers, "workers")
    equal((numbers["loops"], numbers["connections"], numbers["wait"]),
          (case.row.loops or 16, case.row.connections, case.row.wait), "the other numbers")
    equal(numbers["threads"], 16 if case.row.pool else 0, "threads of the pool")


# ---------------------------------------------------------------- limits

def no_descriptors(pid):
    """Lets a process open nothing more; its limits as they were."""
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    free = min(set(range(len(used) + 1)) - used)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, limits[1]))
    return limits


@scenario("no descriptor is left: accepting pauses, what is open goes on, and it recovers")
def exhausted(case):
    # Limits of another user's process are not for everybody to set.
    server = case.serve(ECHO, user="root" if ROOT else "", **case.room(2, workers=1))
    address = server.address(ECHO_AT)
    with connect(address) as link:
        equal(echo(link, b"held"), b"held", "a connection")
        limits = {pid: no_descriptors(pid) for pid in server.pids().values()}
        with connect(address) as late:
            late.sendall(b"late")
            server.until_logged("accept-paused")
            for _ in range(20):
                equal(echo(link, b"still"), b"still", "the connection that is open")
            equal(server.status()["totals"]["open"], 1, "connections meanwhile")
            for pid, limit in limits.items():
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
            equal(late.recv(4, socket.MSG_WAITALL), b"late", "the one that had to wait")
    server.until_logged("accept-resumed")
    for tag in ("accept-paused", "accept-resumed"):
        equal(len(server.logged(tag)), 1, f"lines {tag}")


# ---------------------------------------------------------------- service

EVERYTHING = HTTP + ECHO + ('listen "unix:FOLDER/web.sock" { protocol = "http" }\n'
                            'listen "unix:FOLDER/echo.sock" { protocol = "echo" }\n'
                            'http { site "default" { route "/" { static { root = "www" } }'
                            ' route "/hello" { hello { } }'
                            ' route "/sleep" { sleep { delay = "5ms" } } } }\n')
ANSWERS = {"/": b"<h1>index</h1>\n", "/hello": b"hello\n", "/sleep": b"slept\n"}


def everything(case, **options):
    """A server with all of that; where it speaks HTTP, and where it echoes."""
    server = case.server(modules=["echo", "http", "static", "hello", "sleep"], **options)
    server.configure(EVERYTHING.replace("FOLDER", server.folder))
    server.start()
    return server, ([server.address(), server.path("web.sock")],
                    [server.address(ECHO_AT), server.path("echo.sock")])


@scenario("TCP and unix, echo, files, hello and a blocking handler, in one server")
def all_at_once(case):
    server, (web, plain) = everything(case, **case.room(6))
    for address in web:
        with Client(address) as client:
            for target, body in ANSWERS.items():
                answer = client.get(target)
                equal((answer.status, answer.body), (200, body), f"{target} at {address}")
    with ExitStack() as open_now:
        links = [open_now.enter_context(connect(address)) for address in plain]
        clients = [open_now.enter_context(Client(address)) for address in web * 2]
        for client in clients:
            client.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        for link in links:
            equal(echo(link, b"beside"), b"beside", "an echo beside handlers that block")
        for client in clients:
            equal(client.answer().body, ANSWERS["/sleep"], "an answer of a handler that blocks")
            equal(client.get("/").body, ANSWERS["/"], "the next one of the same connection")


class Echoes(threading.Thread):
    """Short echo conversations, one after the other, until told to stop."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.good, self.over, self.error = address, 0, False, None

    def run(self):
        try:
            while not self.over:
                with connect(self.address) as link:
                    for turn in range(10):
                        data = b"%d of %d" % (turn, self.good)
                        equal(echo(link, data), data, "an echo")
                self.good += 1
        except (Failed, OSError) as error:
            self.error = error

    def more(self, number):
        goal = self.good + number
        until(lambda: self.good >= goal or self.error, f"{number} more conversations")
        check(not self.error, f"echo at {self.address}: {self.error!r}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.join()


@scenario("one word changes the model, by reload and under load, through all of them in a circle",
          models=())
def circle(case):
    server, (web, plain) = everything(case, **NUMBERS)
    names = list(MODELS)
    first = names.index(USUAL) + 1  # after the one that serves now
    with ExitStack() as running:
        loads = [running.enter_context(Load(address, ANSWERS[target], target, kind, clients=2,
                                           each=10))
                 for address in web
                 for target, kind in (("/", KEPT), ("/hello", ONE_EACH), ("/sleep", KEPT))]
        echoes = [running.enter_context(Echoes(address)) for address in plain]
        for number, model in enumerate(names[first:] + names[:first], 2):
            server.configure(model=model)
            answer = server.ask("reload")
            equal((answer["code"], answer["data"]), (0, {"generation": number}),
                  f"to {model}: {answer['text']}")
            equal(server.status()["model"], model, "the model that serves")
            for each in loads:
                each.more(5)
            for each in echoes:
                each.more(2)
    for each in loads:
        equal((each.refused, each.failed_new, each.failed_kept, each.wrong), (0, 0, 0, 0), str(each))
    server.settled()
    until(lambda: descendants(server.pid) == sorted(server.pids().values()),
          "no process is left over")


if __name__ == "__main__":
    main()
