"""Probation of a new configuration, and the way back to the one before."""
import os
import signal
import threading

from client import KEPT, ONE_EACH, Closed, Client, Load, connect, echo, get
from reeve import (ECHO, HTTP, check, contains, equal, main, scenario, until)

MODULES = ["echo", "http", "static", "hello", "respond", "crash"]
GOOD = b"<h1>index</h1>\n"
ROOT = 'route "/" { static { root = "www" } }'


def site(more=""):
    return f'http {{ site "default" {{ {ROOT} {more} }} }}\n'


def says(word):
    return site(f'route "/word" {{ hello {{ text = "{word}" }} }}')


CRASH = site('route "/crash" { crash { how = "abort" } }')
BAD = site('route "/bad" { respond { status = 500 } }')


def serve(case, text=None, **options):
    return case.serve(text or HTTP + says("one"), modules=MODULES, **options)


class Reload:
    """A reload in a thread of its own, by the real reevectl."""

    def __init__(self, server, *arguments):
        self.server, self.arguments = server, arguments or ("--probation", "60")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.result = None

    def run(self):
        self.result = self.server.ctl("reload", *self.arguments)

    def begin(self):
        """Until the probation has begun."""
        self.thread.start()
        seen = until(lambda: self.server.status()["probation"] or self.result, "the probation begins")
        check(not self.result, f"no probation: {seen}")
        return self

    def end(self):
        until(lambda: self.result, "the end of the reload")
        return self.result


def states(server):
    return {each["number"]: each["state"] for each in server.status()["generations"]}


def whole(load):
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))


@scenario("a good configuration passes its probation, and no request is broken")
def passes(case):
    server = serve(case)
    address = server.address()
    with Load(address, GOOD, kind=KEPT, clients=2) as kept, \
            Load(address, GOOD, kind=ONE_EACH, clients=2) as new:
        kept.more(20)
        server.configure(HTTP + says("two"))
        reload = Reload(server, "--probation", "1")
        reload.thread.start()
        until(lambda: get(address, "/word").body == b"two", "the new one serves")
        result = reload.end()
        equal(result.code, 0, f"exit code ({result.text})")
        contains(result.text, "generation 2 serves, and has passed its probation", "the text")
        server.settled()
        equal(states(server), {2: "serving"}, "states after it")
        equal(server.status()["probation"], None, "no probation any more")
        kept.more(20)
        new.more(20)
    whole(kept)
    whole(new)


def is_lost(address, target):
    try:
        get(address, target)  # the old workers may take it in the first moment
        return False
    except (Closed, OSError):
        return True


def back(case, server, kept, new, part):
    """After the reload has failed."""
    contains(part.text, "generation 2 has failed its probation after", "the text")
    contains(part.text, "generation 1 serves again", "the text")
    contains(part.text, "the next reload reads it again", "the text")
    equal(part.code, 3, "exit code")
    equal(states(server)[1], "serving", "the one before")
    equal(get(server.address(), "/word").body, b"one", "what serves")
    contains(server.status()["last_error"], "failed its probation", "the last error")
    check(server.logged("probation-failed"), "the log says so")
    server.settled()
    kept.more(20)
    new.more(20)


@scenario("one whose module crashes is taken back: only what the crashed worker had in hand is lost")
def crashes(case):
    server = serve(case)
    server.crashes_meant = True
    address, before = server.address(), server.pids()
    with Load(address, GOOD, kind=KEPT, clients=2) as kept, \
            Load(address, GOOD, kind=ONE_EACH, clients=2) as new:
        kept.more(20)
        server.configure(HTTP + CRASH)
        reload = Reload(server).begin()
        until(lambda: is_lost(address, "/crash"), "a request crashes")
        back(case, server, kept, new, reload.end())
        equal(server.pids(), before, "the workers are those from before")
    equal((kept.refused, new.refused, kept.wrong, new.wrong), (0, 0, 0, 0), f"{kept}; {new}")
    if case.row.process_each:  # the crash is one of a connection's process
        whole(kept)
        whole(new)
    lost = kept.failed_new + kept.failed_kept + new.failed_new
    check(lost <= 4, f"what is lost was in hand ({kept}; {new})")


@scenario("one that answers 500 is taken back, and nothing is lost")
def errors(case):
    server = serve(case, probation_errors=1, probation_requests=30)
    address = server.address()
    with Load(address, GOOD, kind=KEPT, clients=2) as kept, \
            Load(address, GOOD, kind=ONE_EACH, clients=2) as new:
        kept.more(20)
        server.configure(HTTP + BAD)
        reload = Reload(server).begin()
        while not reload.result:
            check(get(address, "/bad").status in (500, 404), "the bad route, until it is gone")
        back(case, server, kept, new, reload.end())
        contains(reload.result.text, "requests were answered with 5xx", "the reason")
        check(server.status()["totals"]["errors"] >= 1, "errors are counted")
    whole(kept)
    whole(new)


@scenario("rollback during a probation: the warm generation serves again, with its own workers")
def rolled_back_warm(case):
    server = serve(case)
    address, before = server.address(), server.pids()
    with Load(address, GOOD, kind=KEPT, clients=2) as kept, \
            Load(address, GOOD, kind=ONE_EACH, clients=2) as new:
        server.configure(HTTP + says("two"))
        reload = Reload(server).begin()
        equal(states(server), {1: "warm", 2: "probation"}, "states")
        equal(server.status()["state"], "probation", "the server's state")
        until(lambda: get(address, "/word").body == b"two", "the new one serves")
        probation = server.status()["probation"]
        equal((probation["generation"], probation["warm"], probation["crashes"]), (2, 1, 0),
              "what status says")
        contains(server.ctl("status").out, "generation 1 is kept warm", "status for people")
        new.more(20)
        equal(server.ctl("rollback", "1").code, 0, "exit code of rollback")
        result = reload.end()
        equal(result.code, 3, f"exit code of the reload ({result.text})")
        contains(result.text, "taken back by 'reevectl rollback'", "its text")
        equal((states(server)[1], server.pids()), ("serving", before), "what serves")
        equal(get(address, "/word").body, b"one", "how")
        kept.more(20)
        new.more(20)
    whole(kept)
    whole(new)
    result = server.ctl("reload")
    equal((result.code, get(address, "/word").body), (0, b"two"), "the next reload reads the file")


@scenario("rollback without a probation: a new generation with the configuration from before")
def rolled_back(case):
    server = serve(case)
    address = server.address()
    for number, word in enumerate(("two", "three"), 2):
        server.configure(HTTP + says(word))
        equal(server.ctl("reload").code, 0, "exit code of a reload")
        server.settled()
    with Load(address, GOOD, kind=ONE_EACH, clients=2) as new:
        new.more(20)
        result = server.ctl("rollback")
        equal((result.code, result.out.strip()),
              (0, "generation 4 serves the configuration of generation 2; the file on disk is "
                  "unchanged: the next reload reads it again"), "result")
        equal(get(address, "/word").body, b"two", "what serves")
        equal(server.ctl("rollback").code, 0, "exit code of another")
        equal(get(address, "/word").body, b"one", "further back, and not to what was rolled back")
        equal(server.ctl("rollback", "3").code, 0, "exit code with a number")
        equal(get(address, "/word").body, b"three", "that one, although it was rolled back from")
        new.more(20)
    whole(new)
    kept = {each["number"]: each["rolled_back"] for each in server.json("generations")["kept"]}
    equal(kept, {1: False, 2: False, 3: True, 4: True, 5: True, 6: False}, "what is kept")
    contains(server.ctl("generations").out, "rolled back", "generations for people")
    equal(server.ctl("reload").out.strip(), "unchanged: generation 6 serves on", "the next reload")


@scenario("configurations to go back to outlive upgrades, which take no place among them",
          models=())
def upgraded(case):
    server = serve(case)
    for word in ("two", "three"):
        server.configure(HTTP + says(word))
        equal(server.ctl("reload").code, 0, "exit code of a reload")
    equal(server.ctl("rollback", "2").code, 0, "exit code of a rollback")
    for _ in range(2):
        equal(server.ctl("upgrade").code, 0, "exit code of an upgrade")
    kept = {each["number"]: each["rolled_back"] for each in server.json("generations")["kept"]}
    equal(kept, {1: False, 2: False, 3: True, 6: False}, "what is kept")
    equal(server.ctl("rollback").code, 0, "exit code of another rollback")
    equal(get(server.address(), "/word").body, b"one", "the last good one that is another")
    equal(server.ctl("rollback", "3").code, 0, "exit code with a number")
    equal(get(server.address(), "/word").body, b"three", "the one with that number")


@scenario("rollback to what is not there is refused by one clear line", models=("event",))
def no_way_back(case):
    server = serve(case)
    for words, line in (((), "no other good configuration is kept"),
                        (("7",), "the configuration of generation 7 is not kept; those of 1 are"),
                        (("1",), "generation 1 serves now"),
                        (("0",), "rollback takes the number of a generation"),
                        (("one",), "rollback takes the number of a generation")):
        result = server.ctl("rollback", *words)
        equal((result.code, result.err.count("\n")), (1, 1), f"exit code and lines ({result.err})")
        contains(result.err, line, "the line")
    server.configure(HTTP + says("two"))
    reload = Reload(server).begin()
    result = server.ctl("rollback", "7")
    equal(result.code, 1, "exit code")
    contains(result.err, "generation 2 is on probation; 'reevectl rollback' goes back to generation 1",
             "during a probation")
    equal(server.ctl("rollback").code, 0, "exit code")
    reload.end()
    for number in range(3, 12):
        server.configure(HTTP + says(str(number)))
        equal(server.ctl("reload").code, 0, "exit code of a reload")
    result = server.ctl("rollback", "1")
    equal(result.code, 1, "exit code")
    contains(result.err, "is not kept; those of 4, 5, 6,", "the oldest are forgotten")


@scenario("a reload during a probation waits for its end and is not lost")
def reload_meanwhile(case):
    server = serve(case)
    address = server.address()
    server.configure(HTTP + says("two"))
    first = Reload(server).begin()
    server.configure(HTTP + says("three"))
    with server.events() as events:
        server.signal(signal.SIGHUP)
        events.wait("probation", "the reload waits until the probation of generation 2 has ended")
    equal(states(server), {1: "warm", 2: "probation"}, "states")
    second = Reload(server, "--wait", "0")
    second.thread.start()
    equal(second.end().code, 2, "who cannot wait is told so")
    equal(server.ctl("rollback").code, 0, "exit code of rollback")
    equal(first.end().code, 3, "exit code of the first")
    until(lambda: get(address, "/word").body == b"three", "the reload that has waited")
    equal(server.status()["generation"], 3, "its number")


@scenario("a stop during a probation ends all, and the reload is told so")
def stopped(case):
    server = serve(case)
    server.configure(HTTP + says("two"))
    reload = Reload(server).begin()
    with connect(server.address()) as link:
        link.sendall(b"GET /word HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(server.ctl("stop").code, 0, "exit code of stop")
        check(link.recv(65536).startswith(b"HTTP/1.1 200"), "what was asked for is answered")
    equal(server.wait(), 0, "exit status")
    result = reload.end()
    contains(result.text, "the server is stopping; the probation of generation 2 had not ended", "text")
    equal(result.code, 1, "exit code")


@scenario("a configuration that is the same, or refused, has no probation")
def none(case):
    server = serve(case)
    contains(server.ctl("reload", "--probation", "60").text, "unchanged", "the text")
    server.configure(HTTP + says("two") + "nonsense\n")
    equal(server.ctl("reload", "--probation", "60").code, 3, "exit code")
    equal((server.status()["probation"], server.status()["generation"]), (None, 1), "what serves")
    result = server.ctl("reload", "--probation", "soon")
    contains(result.err, "--probation: 'soon' is not a number of seconds from 0 to 86400", "a bad number")


@scenario("a worker that leaves or is recycled is no crash, and a warm one is replaced too")
def no_crash(case):
    server = serve(case)
    server.crashes_meant = True
    before = server.pids()
    server.configure(HTTP + says("two"))
    reload = Reload(server).begin()
    equal(server.ctl("recycle").code, 0, "exit code of recycle")
    leaves = server.all_ready(2)[0]
    os.kill(leaves, signal.SIGTERM)
    server.all_ready(2, besides=[leaves])
    os.kill(before[0], signal.SIGKILL)
    until(lambda: [worker for worker in server.status()["workers"] if worker["state"] == "ready" and
                   (worker["slot"], worker["generation"]) == (0, 1) and worker["pid"] != before[0]],
          "a warm one that dies is replaced")
    equal(server.status()["probation"]["crashes"], 0, "crashes that count")
    equal(server.ctl("rollback").code, 0, "exit code of rollback")
    equal(reload.end().code, 3, "exit code of the reload")
    for _ in range(20):
        equal(get(server.address(), "/word").body, b"one", "old and new workers serve")


@scenario("clients of the warm generation are shown to the new one, answer by answer")
def shown_out(case):
    server = serve(case)
    address = server.address()
    with Client(address) as client:
        equal(client.get("/word").body, b"one", "before")
        server.configure(HTTP + says("two"))
        reload = Reload(server).begin()
        until(lambda: get(address, "/word").body == b"two", "the new one serves")
        answer = client.get("/word")
        equal((answer.body, answer.field("Connection")), (b"one", "close"), "the last answer")
        client.ended()
    equal(server.ctl("rollback").code, 0, "exit code of rollback")
    reload.end()
    with Client(address) as client:
        for _ in range(2):
            answer = client.get("/word")
            equal((answer.body, answer.field("Connection")), (b"one", None), "as before")


@scenario("a listener that goes is served until the probation has passed, a new one at once")
def listeners(case):
    server = serve(case, HTTP + ECHO + says("one"))
    before = server.address("127.0.0.2:0")

    def echoes(address):
        with connect(address) as link:
            return echo(link, b"x") == b"x"

    check(echoes(before), "before")
    server.configure(HTTP + 'listen "127.0.0.3:0" { protocol = "echo" }\n' + says("two"))
    reload = Reload(server).begin()
    until(lambda: get(server.address(), "/word").body == b"two", "the new one serves")
    fresh = server.address("127.0.0.3:0")
    for _ in range(10):
        check(echoes(fresh), "the new listener")
        check(echoes(before), "the one that goes")
    equal(server.ctl("rollback").code, 0, "exit code of rollback")
    reload.end()
    equal(sorted(server.listeners()), ["127.0.0.1:0", "127.0.0.2:0"], "listeners, after it has failed")
    equal(server.address("127.0.0.2:0"), before, "the same socket")
    for _ in range(10):
        check(echoes(before), "the listener from before")
        equal(get(server.address(), "/word").body, b"one", "the other one")
    equal(server.ctl("reload", "--probation", "1").code, 0, "exit code of another reload")
    equal(sorted(server.listeners()), ["127.0.0.1:0", "127.0.0.3:0"], "listeners, after it has passed")
    check(echoes(server.address("127.0.0.3:0")), "the new listener")


if __name__ == "__main__":
    main()
