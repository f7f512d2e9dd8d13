"""Handlers that do not return: their requests are answered without them, everything else goes on, and
the worker is replaced."""
import contextlib
import json
import re
import signal
import subprocess
import time

from client import Client, get
from reeve import (DEADLINE, FORKING, HTTP, MODELS, POOLED, REEVECTL, SLOW, THREADED, WRAP, alive,
                   built_with, check, contains, equal, main, scenario, until, without_tools)

WATCHED = [name for name in MODELS if name not in THREADED + FORKING]  # by CPU time, too
ONE_EACH = [name for name in WATCHED if MODELS[name].blocking]
MANY_EACH = [name for name in WATCHED if not MODELS[name].blocking]
INSIDE = [name for name in MODELS if name not in POOLED + FORKING]  # handlers run in the loop
CROWDED = [name for name in INSIDE if not MODELS[name].blocking]  # and hold up others
SEVERAL = [name for name in INSIDE if name not in CROWDED and not MODELS[name].narrow]
MODULES = ["http", "hello", "hang"]


def site(more=""):
    return (HTTP + 'http { site "default" { route "/hello" { hello { } } '
            'route "/spin" { hang { how = "spin" } } '
            'route "/loop" { hang { how = "spin" inline = on } } '
            'route "/pause" { hang { how = "pause" } } '
            'route "/inside" { hang { how = "pause" inline = on } } '
            'route "/until" { hang { until = "until" } } ' + more + " } }\n")


def functions(stack):
    return [frame.get("function", "") for frame in stack["frames"]]


def begin(server, client, target):
    """Sends a request, and waits until it is in the hands of its handler."""
    client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: any(each["label"] == f"GET {target}" for worker in server.status()["workers"]
                      for each in worker["current"]), f"{target} is handled")


# The thread sanitizer keeps a signal back, and then shows the stack of before.
PLACE = () if built_with(b"__tsan_init") else ("hang.so+0x",)


def time_of(seconds):
    """As an option. The machine may be slow: what only waits for its CPU must not look hung."""
    return f"{int(seconds * SLOW * 1000)}ms"


def hung(case, **options):
    options = {"workers": 1, "threads": 2, "handler_timeout": time_of(0.5), **options}
    return case.serve(site(), modules=MODULES, **options)


@scenario("a handler that loops for ever: its stack, its client, its thread, its worker",
          models=POOLED)
def forever(case):
    server = hung(case)
    old = server.pids()
    with Client(server.address()) as kept, Client(server.address()) as client:
        equal(kept.get("/hello").status, 200, "before")
        client.send("GET /spin HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.answer()
        equal(answer.status, 503, "the client is let go")
        equal(answer.field("Connection"), "close", "and its connection ends")
        client.ended()
        text = server.until_logged("handler-late")[0]
        for part in ("GET /spin", "module hang", "route /spin", *PLACE):
            contains(text, part, "the log")
        [slow] = server.json("slow")["slow"]
        for key, value in {"module": "hang", "route": "/spin", "method": "GET", "target": "/spin",
                           "peer": "127.0.0.1", "slot": 0}.items():
            equal(slow[key], value, key)
        check(slow["thread_name"] in ("pool-0", "pool-1"), slow["thread_name"])
        check("hang_spin" in functions(slow) or not PLACE, f"hang_spin in {functions(slow)}")
        shown = server.ctl("slow").out
        for part in (f"thread {slow['thread_name']}, had run for",
                     "request GET /spin, module hang", *(["hang.c:"] if PLACE else [])):
            contains(shown, part, "the slow log for people")
        equal(kept.get("/hello").status, 200, "a neighbour")
    until(lambda: server.pids() != old, "the worker is replaced")
    contains(server.until_logged("worker-tired")[0], "lost in handlers", "why")
    until(lambda: not any(alive(pid) for pid in old.values()), "the old one has ended")
    equal(get(server.address(), "/hello").status, 200, "the new one")
    equal(server.logged("worker-stuck"), [], "nobody was killed")
    equal(server.logged("worker-crashed"), [], "nobody has crashed")
    contains(server.ctl("slow", "clear").out, "1 entry is forgotten", "cleared")


@scenario("where all threads are: names, requests, stacks", models=MODELS)
def stacks(case):
    server = hung(case, threads=3, handler_timeout="0", loop_timeout="0")
    with Client(server.address()) as client:
        client.send("GET /until HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: server.workers()[0]["busy"] == 1 or case.model in FORKING, "it is handled")
        found = server.json("stacks")["stacks"]
        names = sorted(stack["thread_name"] for stack in found)
        if case.model not in FORKING:
            equal(len(found), 1 + server.workers()[0]["threads"], f"the main thread and {names}")
            [busy] = [stack for stack in found if stack.get("target")]
            equal((busy["route"], busy["target"]), ("/until", "/until"), "the busy one")
            check("hang_wait" in functions(busy), f"hang_wait in {functions(busy)}")
        check(all(stack["frames"] for stack in found), "each has frames")
        contains(server.ctl("stacks", "0").out, f"worker 0 (pid {server.pids()[0]}), thread ", "shown")
        equal(server.ctl("stacks", "1").code, 1, "a slot that is not there")
        server.write("until", "")
        equal(client.answer().status, 200, "it goes on")


@scenario("status shows lost threads, and what the longest busy ones do", models=POOLED)
def shown(case):
    server = hung(case, threads=20, handler_timeout=time_of(1.5))
    pid = server.pids()[0]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(18)]
        for number, client in enumerate(clients):
            client.send(f"GET /until?{number} HTTP/1.1\r\nHost: a\r\n\r\n")
            if number in (7, 17):  # the first eight are the longest
                until(lambda n=number: sum(each["busy"] for each in server.status()["workers"]) > n,
                      f"{number + 1} are busy")

        def lost():
            return [each for each in server.status()["workers"] if each["lost"] == 18]
        worker = until(lost, "all are lost")[0]
        server.signal(signal.SIGSTOP, pid)  # it would be replaced, and end
        equal(worker["busy"], 18, "busy threads")
        current = worker["current"]
        equal([each["busy_ms"] for each in current],
              sorted((each["busy_ms"] for each in current), reverse=True), "the longest first")
        equal(len(current), 16, "so many are listed")
        check({f"GET /until?{number}" for number in range(8)} <=
              {each["label"] for each in current}, f"the longest are among {current}")
        for each in current:
            equal((each["module"], each["route"], each["lost"]), ("hang", "/until", True),
                  "what it does")
        text = server.ctl("status").out
        contains(text, "lost           18 threads in handlers that do not return", "for people")
        check(re.search(r"^ +0  +\d+ lost +http +\S+ +hang +/until +GET /until\?0$", text, re.M),
              f"the table: {text}")
        server.signal(signal.SIGCONT, pid)
        server.write("until", "")
        for client in clients:
            equal(client.answer().status, 503, "its client is let go")
    until(lambda: not sum(each["lost"] + each["busy"] for each in server.status()["workers"]),
          "none is lost any more")


class Follower:
    """A `reevectl slow` that follows; what it says to stderr tells that it has begun."""

    def __init__(self, server, *arguments):
        self.out, self.err = server.path("followed"), server.path("follower")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                WRAP + [REEVECTL, "-s", server.control, "slow", *arguments], stdout=out, stderr=err,
                stdin=subprocess.DEVNULL, start_new_session=True)
        until(lambda: "from here on" in self.said(self.err), "it follows")

    def said(self, path):
        with open(path) as file:
            return without_tools(file.read())

    def lines(self, count):
        return until(lambda: len(self.said(self.out).splitlines()) == count and
                     self.said(self.out).splitlines(), f"{count} lines")

    def end(self):
        return self.process.wait(DEADLINE)


@scenario("reevectl slow -f prints what is new in the slow log, over an upgrade, until either end",
          models=())
def follow(case):
    server = hung(case, drain_timeout="1s")
    address = server.address()
    equal(get(address, "/pause").status, 503, "before")
    until(lambda: server.ask("slow")["data"]["slow"], "it is in the slow log")
    follower = Follower(server, "--follow", "--json")
    equal(get(address, "/pause?2").status, 503, "the first that is seen")
    follower.lines(1)
    equal(server.ctl("upgrade").code, 0, "exit code of the upgrade")
    equal(get(address, "/pause?3").status, 503, "another, of the new program")
    seen = [json.loads(line) for line in follower.lines(2)]
    equal([(each["number"], each["target"]) for each in seen], [(2, "/pause?2"), (3, "/pause?3")],
          "numbers and targets")
    check("pause" in functions(seen[0]), f"pause in {functions(seen[0])}")
    follower.process.send_signal(signal.SIGINT)
    equal(follower.end(), -signal.SIGINT, "ended by INT")
    follower = Follower(server, "-f")
    equal(get(address, "/pause?4").status, 503, "one for people")
    until(lambda: "request GET /pause?4, module hang, route /pause" in follower.said(follower.out),
          "it is shown")
    server.stop()
    equal(follower.end(), 1, "exit status when the master has gone")
    contains(follower.said(follower.err), "the server has gone", "what it says")


@scenario("the slow log outlives an upgrade", models=())
def upgraded(case):
    server = hung(case, drain_timeout="1s")
    equal(get(server.address(), "/pause").status, 503, "its client is let go")

    def slow():
        return server.ask("slow")["data"]["slow"]
    before = until(slow, "it is in the slow log")
    equal(server.ctl("upgrade").code, 0, "exit code of the upgrade")
    equal(slow(), before, "the slow log")
    equal(get(server.address(), "/pause").status, 503, "another")
    numbers = until(lambda: len(slow()) == 2 and [each["number"] for each in slow()],
                    "it is there too")
    equal(numbers, [1, 2], "their numbers")


@scenario("a thread that comes back is none too many, and its answer is thrown away", models=POOLED)
def back(case):
    server = hung(case, handler_timeout=time_of(1))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(2)]
        for client in clients:
            client.send("GET /until HTTP/1.1\r\nHost: a\r\n\r\n")
        equal([client.answer().status for client in clients], [503, 503], "both are let go")
        server.write("until", "")
        for client in clients:
            client.ended()
    until(lambda: len(server.logged("thread-back")) == 2, "both threads are back")
    equal([get(server.address(), "/until").status for _ in range(4)], [200] * 4, "afterwards")
    until(lambda: server.workers()[0]["threads"] == 3, "one loop and two threads are left")


@scenario("a handler that sleeps in the kernel is no other thing", models=POOLED)
def asleep(case):
    server = hung(case)
    equal(get(server.address(), "/pause").status, 503, "its client")
    contains(server.until_logged("handler-late")[0], "pause", "where it sleeps")
    equal(get(server.address(), "/hello").status, 200, "a neighbour")


@scenario("more hang than there are threads: each client is let go, neighbours are served",
          models=POOLED)
def many(case):
    server = hung(case, drain_timeout="2s")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(10)]
        for client in clients:
            client.send("GET /pause HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(get(server.address(), "/hello").status, 200, "a neighbour meanwhile")
        equal([client.answer().status for client in clients], [503] * 10, "all are let go")
    equal(get(server.address(), "/hello").status, 200, "afterwards")


@scenario("a worker with a lost thread drains what is innocent and ends", models=POOLED)
def drain(case):
    server = hung(case, handler_timeout=time_of(0.5))
    with Client(server.address()) as client:
        client.send("GET /pause HTTP/1.1\r\nHost: a\r\n\r\n")
        server.signal(signal.SIGTERM)
        equal(client.answer().status, 503, "the client of a worker that drains")
    equal(server.wait(), 0, "the server ends")
    equal(server.logged("worker-stuck"), [], "nobody was killed")


@scenario("a worker that was stopped and goes on hangs in nothing", models=MODELS)
def stopped(case):
    server = hung(case, handler_timeout=time_of(2))
    pid = server.pids()[0]
    with Client(server.address()) as client:
        begin(server, client, "/until")
        server.signal(signal.SIGSTOP, pid)
        goes_on = time.monotonic() + 3 * SLOW
        until(lambda: time.monotonic() > goes_on, "it is stopped for longer than handler_timeout")
        server.write("until", "")
        server.signal(signal.SIGCONT, pid)
        equal(client.answer().status, 200, "the request")
    equal(server.logged("handler-late"), [], "nothing was late")


@scenario("without a pool: a handler that does not return, its stack, its client, another worker",
          models=INSIDE)
def inside(case):
    server = hung(case, loop_timeout="0", drain_timeout="60s")
    server.crashes_meant = case.model in CROWDED
    for how in ("spin", "pause"):
        old = server.pids()
        with Client(server.address()) as client:
            client.send(f"GET /{how}?{how} HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = client.answer()
            equal(answer.status, 503, "the client is let go")
            equal(answer.field("Connection"), "close", "and its connection ends")
            client.ended()
        text = server.until_logged("handler-late", f"GET /{how}?{how}")[0]
        for part in ("module hang", f"route /{how}", "its client was let go", *PLACE):
            contains(text, part, "the log")
        [slow] = until(lambda: [each for each in server.json("slow")["slow"]
                                if each["target"] == f"/{how}?{how}"], "it is in the slow log")
        equal((slow["module"], slow["route"]), ("hang", f"/{how}"), "the slow log")
        check(slow["thread_name"].startswith("loop-"), slow["thread_name"])
        until(lambda: server.pids() and server.pids() != old, "the worker is replaced")
        until(lambda: not any(alive(pid) for pid in old.values()), "the old one has ended")
        equal(get(server.address(), "/hello").status, 200, "the new one")
    contains(server.until_logged("worker-tired")[0], "lost in handlers", "why")
    equal(server.logged("worker-stuck"), [], "the master has killed nobody")
    if case.model in CROWDED:
        contains(server.until_logged("handler-late", "SIGABRT")[0], "others wait", "the last means")
        report = until(lambda: server.ask("crashes")["data"]["crashes"], "the crash is known")[0]
        equal(report["route"], "/spin", "what it hung in")
    else:
        equal(server.logged("worker-crashed"), [], "nobody has crashed")


@scenario("without a pool: status shows who is lost, and neighbours go on", models=SEVERAL)
def neighbours(case):
    server = hung(case, threads=3, handler_timeout=time_of(3), loop_timeout="0")
    with Client(server.address()) as kept, Client(server.address()) as client:
        equal(kept.get("/hello").status, 200, "before")
        begin(server, client, "/until")
        equal(kept.get("/hello").status, 200, "a neighbour")
        equal(get(server.address(), "/hello").status, 200, "a new one")
        equal(client.answer().status, 503, "the client is let go")
        busy = until(lambda: [each for worker in server.status()["workers"]
                              for each in worker["current"] if worker["lost"] == each["lost"] == 1],
                     "it is lost")[0]
        equal((busy["module"], busy["route"], busy["label"]), ("hang", "/until", "GET /until"),
              "what it is at")
        server.write("until", "")
        contains(server.until_logged("thread-back")[0], "loop-", "it is back")
    until(lambda: not sum(each["lost"] for each in server.status()["workers"]),
          "none is lost any more")


@scenario("status shows whose code holds up a loop of many connections", models=MANY_EACH)
def place(case):
    server = case.serve(site('route "/within" { hang { until = "until" inline = on } }'),
                        modules=MODULES, workers=1, handler_timeout="60s", loop_timeout="0")
    with Client(server.address()) as client:
        client.send("GET /within?long HTTP/1.1\r\nHost: a\r\n\r\n")

        def told():
            return [each for worker in server.status()["workers"] for each in worker["current"]
                    if each["route"]]
        [busy] = until(told, "whose it is")
        equal((busy["module"], busy["route"], busy["label"], busy["protocol"]),
              ("hang", "/within", "GET /within?long", "http"), "what it is at")
        server.write("until", "")
        equal(client.answer().status, 200, "it goes on")
    with Client(server.address()) as client:
        server.ask("status")
        equal(client.get("/hello").status, 200, "another")
    until(lambda: not any(worker["current"] for worker in server.status()["workers"]),
          "nothing is left")


@scenario("a handler that was said not to block, and sleeps: its connection is cut", models=INSIDE)
def misled(case):
    server = hung(case, loop_timeout="0", drain_timeout="60s")
    server.crashes_meant = case.model in CROWDED
    old = server.pids()
    with Client(server.address()) as client:
        client.send("GET /inside HTTP/1.1\r\nHost: a\r\n\r\n")
        client.ended()
    text = server.until_logged("handler-late", "GET /inside")[0]
    contains(text, "its connection was cut", "the log")
    until(lambda: server.pids() and server.pids() != old, "the worker is replaced")
    until(lambda: not any(alive(pid) for pid in old.values()), "the old one has ended")
    equal(get(server.address(), "/hello").status, 200, "the new one")


@scenario("forking: a process that does not come back is ended, its worker goes on", models=FORKING)
def process(case):
    server = hung(case, loop_timeout="0")
    old = server.pids()
    with Client(server.address()) as kept:
        equal(kept.get("/hello").status, 200, "before")
        for how in ("spin", "pause", "inside"):
            with Client(server.address()) as client:
                client.send(f"GET /{how} HTTP/1.1\r\nHost: a\r\n\r\n")
                client.ended()
            text = server.until_logged("handler-late", f"GET /{how} ")[0]
            for part in ("module hang", f"route /{how}", "its connection is cut, its process",
                         *PLACE):
                contains(text, part, "the log")
            equal(kept.get("/hello").status, 200, "a neighbour")
    until(lambda: server.status()["workers"][0]["processes"] == 0, "their processes have gone")
    found = until(lambda: len(server.json("slow")["slow"]) == 3 and server.json("slow")["slow"],
                  "all are in the slow log")
    equal([each["route"] for each in found], ["/spin", "/pause", "/inside"], "the slow log")
    check("hang_spin" in functions(found[0]) or not PLACE, f"{functions(found[0])}")
    equal(get(server.address(), "/hello").status, 200, "a new one")
    equal(server.logged("connection-crashed"), [], "nobody has crashed")
    equal(server.ask("crashes")["data"]["crashes"], [], "no report of a crash")
    equal(server.pids(), old, "the worker")


@scenario("forking: a process that was stopped and goes on hangs in nothing", models=FORKING)
def stopped_process(case):
    server = hung(case, handler_timeout=time_of(2))
    with Client(server.address()) as client:
        begin(server, client, "/until")
        [current] = server.status()["workers"][0]["current"]
        server.signal(signal.SIGSTOP, current["pid"])
        goes_on = time.monotonic() + 3 * SLOW
        until(lambda: time.monotonic() > goes_on, "it is stopped for longer than handler_timeout")
        server.write("until", "")
        server.signal(signal.SIGCONT, current["pid"])
        equal(client.answer().status, 200, "the request")
    equal(server.logged("handler-late"), [], "nothing was late")


@scenario("a loop that makes no progress: its stack, another worker, SIGABRT", models=MANY_EACH)
def loop(case):
    server = hung(case, loop_timeout=time_of(0.2), handler_timeout="0")
    server.crashes_meant = True
    old = server.pids()
    with Client(server.address()) as client:
        client.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
        text = server.until_logged("loop-stuck")[0]
        for part in ("GET /loop", "module hang", *PLACE):
            contains(text, part, "the warning")
        client.ended()
    contains(server.until_logged("worker-tired")[0], "without ending its turn", "why")
    until(lambda: server.pids() and server.pids() != old, "the worker is replaced")
    equal(get(server.address(), "/hello").status, 200, "the new one")
    server.until_logged("loop-stuck", "SIGABRT")
    report = until(lambda: server.ask("crashes")["data"]["crashes"], "the crash is known")[0]
    equal(report["route"], "/loop", "what it hung in")


@scenario("a loop for one connection that makes no progress: another worker, and no haste",
          models=ONE_EACH)
def lonely(case):
    server = hung(case, loop_timeout=time_of(0.2), handler_timeout="0", drain_timeout="1s")
    server.crashes_meant = True
    old = server.pids()
    with Client(server.address()) as client:
        client.send("GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
        contains(server.until_logged("loop-stuck")[0], "GET /loop", "the warning")
        until(lambda: server.pids() and server.pids() != old, "the worker is replaced")
        equal(get(server.address(), "/hello").status, 200, "the new one")
        client.ended()
    server.until_logged("worker-stuck")


if __name__ == "__main__":
    main()
