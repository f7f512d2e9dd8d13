"""The last words of a worker that crashes: what the master keeps of them, what reevectl shows, and
how what has crashed too often is kept from doing so again."""
import os
import signal

from client import Client, get
from reeve import (FORKING, HTTP, POOLED, SANITIZED, TOGETHER, Skipped, check, contains,
                   equal, main, scenario, until)

# A sanitizer would end the process in its own way.
if SANITIZED:
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
        os.environ[name] = os.environ.get(name, "") + ":handle_segv=0:handle_abort=0"
MODULES = ["http", "static", "crash"]


def site(*routes, more=""):
    return (HTTP + 'http { ' + more + ' site "default" { route "/" { static { root = "www" } } ' +
            " ".join(f'route "{path}" {{ crash {{ {options} }} }}' for path, options in routes) +
            " } }\n")


def crash(server, target):
    """Asks for that, which ends a worker; its report, as `crashes show` gives it."""
    number = len(server.ask("crashes")["data"]["crashes"]) + 1
    with Client(server.address()) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
        client.ended()
    until(lambda: server.ask(f"crashes show {number}")["code"] == 0, f"crash {number} is known")
    return server.json("crashes", "show", str(number))["crash"]


def functions(report):
    return [frame.get("function", "") for frame in report["frames"]]


@scenario("a crash is told: module, route, request, client, source line, in log, events and reevectl")
def told(case):
    server = case.serve(site(("/crash", "asked = true")), modules=MODULES)
    server.crashes_meant = True
    equal(get(server.address(), "/crash?x=2").body, b"alive\n", "what does not crash")
    equal(server.ctl("crashes").out, "no crash is known\n", "before")
    with server.events() as events:
        report = crash(server, "/crash?x=1")
        text = events.wait("crash")["text"]
    for key, value in {"number": 1, "generation": 1, "signal": "SIGSEGV", "address": "0x0",
                       "protocol": "http", "module": "crash", "site": "default",
                       "route": "/crash", "method": "GET", "target": "/crash?x=1",
                       "peer": "127.0.0.1", "complete": True}.items():
        equal(report[key], value, key)
    for part in ("crash 1: SIGSEGV at 0x0", "module crash", "route /crash", "GET /crash?x=1",
                 "client 127.0.0.1", str(report["pid"])):
        contains(text, part, "the event's text")
    equal(server.logged("crash"), [text], "in the log")
    place = report["frames"][0]
    check(place["file"].endswith("tests/modules/crash.c"), f"the source of {place}")
    check(place["line"] > 1, f"the line of {place}")
    contains(server.ctl("crashes").out, "GET /crash?x=1", "the list")
    shown = server.ctl("crashes", "show", "1").out
    for part in (f"crash.c:{place['line']}", "module   crash", "route    /crash"):
        contains(shown, part, "for people")
    tag = "connection-crashed" if case.model in FORKING else "worker-crashed"
    contains(server.until_logged(tag)[0], "killed by signal 11", "how it ended")
    equal(get(server.address()).status, 200, "it serves")


@scenario("every way to crash leaves a report", models=TOGETHER)
def ways(case):
    routes = [("/" + how, f'how = "{how}"') for how in
              ("abort", "overflow", "together", "corrupt", "jump")]
    server = case.serve(site(*routes), modules=MODULES)
    server.crashes_meant = True
    expected = {"abort": ("SIGABRT", "crash_handle", "abort"),
                "overflow": ("SIGSEGV", "crash_overflow", "overflow"),
                "together": ("SIGSEGV", "crash_", None),
                "corrupt": ("SIGSEGV", "crash_", "corrupt"),
                "jump": ("SIGSEGV", "crash_handle", "jump")}
    for how, (name, function, label) in expected.items():
        report = crash(server, "/" + how)
        equal(report["signal"], name, f"signal of {how}")
        check(any(each.startswith(function) for each in functions(report)),
              f"{function} in the stack of {how}: {functions(report)}")
        check(report["complete"], f"the report of {how} is complete")
        if label:
            contains(report["label"], label, f"what it was busy with: {how}")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a module that calls exit() is named in the log")
def leaves(case):
    if SANITIZED:
        raise Skipped("a sanitizer has its own say at exit()")
    server = case.serve(site(("/leave", 'how = "exit"')), modules=MODULES)
    server.crashes_meant = True
    with Client(server.address()) as client:
        client.send("GET /leave?now HTTP/1.1\r\nHost: a\r\n\r\n")
        text = server.until_logged("module-exit")[0]
    contains(text, "the module crash has called exit(), which ends this process: route /leave, "
             "request GET /leave?now", "the log")
    tag = "connection-crashed" if case.model in FORKING else "worker-crashed"
    contains(server.until_logged(tag)[0], "exited with status 7", "the master's line")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a thread of the pool tells what it was asked for", models=POOLED)
def pool(case):
    server = case.serve(site(("/crash", "pool = true")), modules=MODULES)
    server.crashes_meant = True
    report = crash(server, "/crash?pool")
    check(report["thread_name"].startswith("pool-"), f"the thread: {report['thread_name']}")
    check(report["thread"] >= 1, f"its record on the board: {report['thread']}")
    equal([report[key] for key in ("module", "route", "target", "peer")],
          ["crash", "/crash", "/crash?pool", "127.0.0.1"], "what it did")


@scenario("lines of the access log that wait in memory are written by the thread that crashes")
def access_log(case):
    server = case.serve(site(("/crash", ""), more='access_log = "access.log"'), modules=MODULES)
    server.crashes_meant = True
    with Client(server.address()) as client:
        client.send("GET /?before HTTP/1.1\r\nHost: a\r\n\r\nGET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
        client.ended()
    until(lambda: "GET /?before" in server.read("access.log"), "the line is written")


@scenario("so many are kept as crashes_kept says; they are numbered on, and can be forgotten", models=())
def kept(case):
    server = case.serve(site(("/crash", "")), modules=MODULES, crashes_kept=2)
    server.crashes_meant = True
    for number in (1, 2, 3):
        with Client(server.address()) as client:
            client.send("GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
            client.ended()
        server.until_logged("crash", f"crash {number}:")
    numbers = lambda: [each["number"] for each in server.json("crashes")["crashes"]]
    equal(numbers(), [2, 3], "those that are kept")
    gone = server.ctl("crashes", "show", "1")
    equal((gone.code, gone.err), (1, "there is no crash with that number; crashes lists them\n"),
          "the first")
    equal(server.ctl("crashes", "show", "x").code, 1, "exit code for no number")
    equal(server.ctl("crashes", "show", "1", "2").code, 1, "exit code for a word too many")
    equal(server.ctl("crashes", "clear").out, "2 crashes are forgotten\n", "clear")
    equal(numbers(), [], "after that")


def heard(server):
    """Every worker has read what the master had sent it before."""
    equal(server.ctl("reopen-logs").code, 0, "reopen-logs")


def suspects(server):
    return {(each["kind"], each["target"]): each["seconds_left"] > 0
            for each in server.json("quarantine")["suspects"]}


@scenario("a request that has crashed workers three times is refused, everything else is served")
def quarantine(case):
    server = case.serve(site(("/crash", "asked = true")), modules=MODULES)
    server.crashes_meant = True
    address = server.address()
    for number in (1, 2, 3):
        equal(suspects(server).get(("request", "/crash?x=1"), False), False, f"before {number}")
        equal(crash(server, "/crash?x=1")["number"], number, "crashes")
    contains(server.until_logged("quarantine")[0],
             "request GET /crash?x=1 of module crash has crashed 3 times", "the log")
    equal(suspects(server), {("request", "/crash?x=1"): True, ("module", ""): False}, "suspects")
    contains(server.ctl("quarantine").out, "GET /crash?x=1", "for people")
    told = server.ctl("status").out
    contains(told, "3 known, the last ", "status")
    contains(told, "SIGSEGV in module crash, route /crash; 'reevectl crashes' lists them", "status")
    contains(told, "1 request refused after crashes; 'reevectl quarantine' lists them", "status")
    server.all_ready(2)
    heard(server)
    for _ in range(8):
        answer = get(address, "/crash?x=1")
        equal(answer.status, 503, "that request")
        check(0 < int(answer.field("Retry-After")) <= 600, f"Retry-After {answer.fields}")
        equal(get(address, "/crash?x=2").body, b"alive\n", "another of the same route")
        equal(get(address).status, 200, "another route")
    # Workers that come later know of it too.
    equal(server.ctl("recycle").code, 0, "recycle")
    equal(get(address, "/crash?x=1").status, 503, "after all workers were replaced")
    server.configure(server.text + "# changed\n")
    equal(server.ctl("reload").code, 0, "reload")
    equal(get(address, "/crash?x=1").status, 503, "in the next generation")
    equal(server.ctl("quarantine", "clear").out, "1 is served again\n", "clear")
    equal(suspects(server), {}, "after that")
    heard(server)
    equal(crash(server, "/crash?x=1")["number"], 4, "it crashes again")


@scenario("what is kept of crashes and who is in quarantine outlive an upgrade", models=())
def upgraded(case):
    server = case.serve(site(("/crash", "asked = true")), modules=MODULES, quarantine_after=1)
    server.crashes_meant = True
    crash(server, "/crash?x=1")
    server.until_logged("quarantine")
    before = server.json("crashes", "show", "1")
    equal(server.ctl("upgrade").code, 0, "exit code of the upgrade")
    equal(server.json("crashes", "show", "1"), before, "the crash")
    heard(server)
    equal(get(server.address(), "/crash?x=1").status, 503, "what is in quarantine")
    equal(get(server.address(), "/crash?x=2").status, 200, "what is not")
    equal(server.ctl("quarantine", "clear").out, "1 is served again\n", "clear")
    heard(server)
    equal(crash(server, "/crash?x=1")["number"], 2, "the next one")


@scenario("what is in quarantine comes out when its time is over", models=())
def over(case):
    server = case.serve(site(("/crash", "asked = true")), modules=MODULES, quarantine_after=1,
                        quarantine_time="1s")
    server.crashes_meant = True
    crash(server, "/crash?x=1")
    server.until_logged("quarantine-over", "/crash?x=1")
    heard(server)
    equal(crash(server, "/crash?x=1")["number"], 2, "it crashes again")


@scenario("quarantine can be turned off; crashes long ago do not count", models=())
def off(case):
    server = case.serve(site(("/crash", "asked = true")), modules=MODULES, quarantine_after=0,
                        module_budget=0)
    server.crashes_meant = True
    for number in range(1, 5):
        equal(crash(server, "/crash?x=1")["number"], number, "crashes")
    equal(server.logged("quarantine"), [], "in the log")
    equal(get(server.address(), "/crash?x=2").status, 200, "its module")


@scenario("a module beyond its budget is disabled: its routes answer 503, the others serve", models=())
def budget(case):
    server = case.serve(site(("/crash", ""), ("/other", "asked = true")), modules=MODULES,
                        module_budget=4, quarantine_after=3)
    server.crashes_meant = True
    for number in range(1, 5):
        crash(server, f"/crash?{number}")
    contains(server.until_logged("quarantine")[0], "module crash has crashed 4 times", "the log")
    server.all_ready(2)
    heard(server)
    for target in ("/crash?5", "/other"):
        equal(get(server.address(), target).status, 503, target)
    equal(get(server.address()).status, 200, "another module")


@scenario("a worker that is killed has not crashed", models=())
def killed(case):
    server = case.serve()
    server.crashes_meant = True
    pid = server.pids()[0]
    server.signal(signal.SIGKILL, pid)
    server.until_logged("worker-crashed")
    equal(server.json("crashes")["crashes"], [], "crashes")


@scenario("a signal from outside leaves a report too", models=())
def sent(case):
    server = case.serve()
    server.crashes_meant = True
    pid = server.pids()[0]
    server.signal(signal.SIGABRT, pid)
    server.until_logged("crash", "SIGABRT")
    report = server.json("crashes", "show", "1")["crash"]
    equal((report["pid"], report["thread_name"]), (pid, "reeved"), "who")


if __name__ == "__main__":
    main()
