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
        until(lambda: self.server.status()["probation"] or self.result, "the probation begins")
        check(self.server.status()["probation"], f"no probation: {self.result}")
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
        reload = Reload(server, "--probation", "2").begin()
        equal(states(server), {1: "warm", 2: "probation"}, "states")
        equal(server.status()["state"], "probation", "the server's state")
        equal(get(address, "/word").body, b"two", "what serves")
        probation = server.status()["probation"]
        equal((probation["generation"], probation["warm"], probation["crashes"]), (2, 1, 0),
              "what status says")
        contains(server.ctl("status").out, "generation 1 is kept warm", "status for people")
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
        try:
            get(address, "/crash")
            check(False, "the request that crashes is answered")
        except (Closed, OSError):
            pass
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


if __name__ == "__main__":
    main()
