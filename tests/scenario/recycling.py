"""Workers that have lasted long enough are replaced: by requests, age and memory."""
import os
import shutil
import threading

from client import KEPT, ONE_EACH, Load, get
from reeve import HTTP, MODULE_PATH, check, contains, equal, main, scenario, until, wait_gone

INDEX = b"<h1>index</h1>\n"


class Watch:
    """Asks for the status again and again: the fewest workers that were ready."""

    def __init__(self, server):
        self.server, self.fewest, self.looks = server, 1000, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def look(self):
        while not self.over.wait(0.002):
            ready = sum(each["state"] == "ready" for each in self.server.status()["workers"])
            self.fewest = min(self.fewest, ready)
            self.looks += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@scenario("by requests, under load: nothing fails, and there are never fewer workers")
def requests(case):
    # A client that the machine stops for longer than drain_linger finds its connection closed.
    server = case.serve(worker_requests=50, drain_linger="60s", drain_timeout="60s")
    before = server.pids()
    with Watch(server) as watch, Load(server.address(), INDEX, kind=ONE_EACH, clients=2) as new, \
            Load(server.address(), INDEX, kind=KEPT, clients=2) as kept:
        until(lambda: not set(server.pids().values()) & set(before.values()),
              "both workers were replaced")
        server.all_ready(2)
        for load in (new, kept):
            load.more(20)
    for load in (new, kept):
        equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0),
              str(load))
    check(watch.looks > 0, "the watch has looked")
    check(watch.fewest >= 2, f"never fewer than 2 ready workers, but {watch.fewest}")
    for pid in before.values():
        check(wait_gone(pid), "those replaced end")
    why = server.logged("worker-recycled")
    check(len(why) >= 2, f"why: {why}")
    contains(why[0], "requests (worker_requests, for it ", "the reason")
    limit = int(why[0].rpartition("for it ")[2].rstrip(")"))
    check(50 <= limit < 55, f"the limit of a worker is {limit}")


@scenario("by age, one after the other, and an event tells why", models=())
def age(case):
    server = case.serve(workers=2, worker_age="1ms", worker_jitter=0)
    with server.events() as events:
        first = events.wait("worker-recycled", "it has served for ")
        second = events.wait("worker-recycled", "it has served for ")
        equal({first["text"].split()[1], second["text"].split()[1]}, {"0", "1"},
              "the slots take turns")
        seen = [event["tag"] for event in events.seen if event["text"].find("(recycle)") > 0 or
                event["tag"] == "worker-recycled"]
        begin = seen.index("worker-recycled")  # an operation before that began before the stream
        equal(seen[begin:begin + 3], ["worker-recycled", "operation", "worker-recycled"],
              "the second begins when the first has ended")


@scenario("by memory: a worker that has grown", models=("event", "worker", "prefork"))
def memory(case):
    server = case.serve(HTTP + 'http { site "default" { route "/" { grow { step = "4MiB" } } } }\n',
                        modules=["http", "grow"], workers=2, worker_memory="96MiB", worker_jitter=0,
                        drain_linger="10ms")
    first = set(server.pids().values())
    until(lambda: get(server.address()).status == 200 and server.logged("worker-recycled"),
          "a worker has grown too much")
    contains(server.logged("worker-recycled")[0], "KiB in memory (worker_memory, for it 98304 KiB)",
             "the reason")
    gone = int(server.logged("worker-recycled")[0].partition("(pid ")[2].partition(")")[0])
    check(gone in first, "one of the first workers")
    check(wait_gone(gone), "it ends")
    server.all_ready(2, besides=[gone])


@scenario("a replacement that cannot start leaves the old worker at work", models=())
def no_replacement(case):
    server = case.server(workers=1, worker_requests=3, worker_jitter=0)
    folder = next(folder for folder in MODULE_PATH.split(":")
                  if os.path.exists(os.path.join(folder, "hello.so")))
    module = server.path("hello.so")
    shutil.copy(os.path.join(folder, "hello.so"), module)
    os.chmod(module, 0o755)
    server.configure(modules=["http", "static", module])
    server.start()
    old = server.pids()
    os.unlink(module)
    for _ in range(3):
        equal(get(server.address()).status, 200, "a request")
    server.until_logged("worker-recycled")
    server.until_logged("operation", "(recycle) ended with code 1")
    equal(get(server.address()).status, 200, "a request")
    equal(server.pids(), old, "the worker")


@scenario("off unless asked for; a reload turns it on", models=())
def off(case):
    server = case.serve(workers=1)
    for _ in range(20):
        equal(get(server.address()).status, 200, "a request")
    equal(server.logged("worker-recycled"), [], "nothing is replaced")
    server.configure(worker_requests=5)
    equal(server.ctl("reload").code, 0, "reload")
    old = server.pids()[0]
    for _ in range(10):
        equal(get(server.address()).status, 200, "a request")
    server.all_ready(1, besides=[old])
    contains(server.until_logged("worker-recycled")[0], "generation 2", "which one")


main()
