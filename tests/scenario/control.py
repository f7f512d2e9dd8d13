"""reevectl: every verb, its exit codes, who may use it, and the shape of --json."""
import json
import os
import signal
import socket
import subprocess
import threading

from client import Client, Load, connect, echo, get, reset
from reeve import (BLOCKING, DEADLINE, ECHO, HTTP, POOLED, REEVECTL, SITE, WRAP, check, contains,
                   equal, main, scenario, short, until)


def typed(value, shape, where):
    """Checks names and types: a dict of them, a list of one, or a type."""
    if isinstance(shape, dict):
        check(isinstance(value, dict), f"{where} is {short(value)}")
        for name, inner in shape.items():
            check(name in value, f"{where} has no {name}: {short(value)}")
            typed(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        check(isinstance(value, list) and value, f"{where} is {short(value)}")
        for each in value:
            typed(each, shape[0], f"{where}[]")
    else:
        check(isinstance(value, shape), f"{where} is {short(value)}")


NULL = type(None)
STATUS = {
    "version": str, "pid": int, "generation": int, "model": str, "uptime": (int, float),
    "state": str, "config": str, "user": str, "rate": (int, float), "last_error": (str, NULL),
    "last_error_time": (int, NULL),
    "last_operation": (dict, NULL),
    "numbers": {"workers": int, "each": (str, NULL), "each_limit": int, "loops": int,
                "connections": int, "wait": str, "threads": int, "queue": (str, NULL),
                "control": int},
    "sizing": {"wanted": int, "why": str, "range": (dict, NULL)},
    "generations": [{"number": int, "state": str, "workers": int}],
    "workers": [{"slot": int, "pid": int, "state": str, "generation": int, "threads": int,
                 "processes": int, "busy": int, "connections": int, "requests": int, "bytes": int,
                 "restarts": int, "uptime": (int, float), "current": list}],
    "totals": {"connections": int, "open": int, "waiting": int, "requests": int, "bytes": int,
               "restarts": int}}


@scenario("status --json has every promised field, and true values")
def status(case):
    server = case.serve(HTTP + ECHO + SITE, workers=3, threads=5, max_threads=30, max_processes=40)
    for _ in range(7):
        equal(get(server.address()).status, 200, "a request")
    value = server.json("status")
    typed(value, STATUS, "status")
    equal((value["pid"], value["generation"], value["model"], value["state"]),
          (server.pid, 1, case.model, "serving"), "pid, generation, model and state")
    equal(value["config"], server.conf, "config")
    equal((value["last_operation"]["verb"], value["last_operation"]["code"]), ("start", 0),
          "what nobody but the start has asked for")
    equal([worker["slot"] for worker in value["workers"]], [0, 1, 2], "slots")
    row = case.row
    equal(value["numbers"],
          {"workers": 3, "each": None if row.each == "nothing" else row.each,
           "each_limit": 30 if row.thread_each else 40 if row.process_each else 0,
           "loops": row.loops or 5, "connections": row.connections, "wait": row.wait,
           "threads": 5 if row.pool else 0, "queue": "shared" if row.pool else None,
           "control": 0 if row.process_each else 1}, "numbers of the model")
    until(lambda: server.status()["totals"]["requests"] == 7, "seven requests are counted")
    equal(server.status()["totals"]["connections"], 7, "connections")
    check(server.status()["totals"]["bytes"] > 7 * 15, "bytes")
    until(lambda: server.status()["totals"]["open"] == 0, "their ends are seen")
    with connect(server.address("127.0.0.2:0")) as link:
        echo(link, b"x")
        equal(server.status()["totals"]["open"], 1, "open connections")


# What a server of 3 workers and 5 threads has, in words.
WORDS = {
    "iterative": "3 workers of 2 threads each: 1 loop of 1 connection, 1 for control",
    "forking": "3 workers of 1 thread each: 1 loop that accepts; one more process for each connection, "
               "at most 50 a worker",
    "prefork": "3 workers of 2 threads each: 1 loop of 1 connection, 1 for control",
    "threaded": "3 workers of 2 threads each: 1 loop that accepts, 1 for control; one more thread for "
                "each connection, at most 40 a worker",
    "prethreaded": "3 workers of 6 threads each: 5 loops of 1 connection, 1 for control",
    "worker": "3 workers of 6 threads each: 5 loops of 1 connection, 1 for control",
    "poll": "3 workers of 2 threads each: 1 loop of many connections, 1 for control",
    "epoll": "3 workers of 2 threads each: 1 loop of many connections, 1 for control",
    "event": "3 workers of 7 threads each: 1 loop of many connections, 5 in the pool (per-thread "
             "queues), 1 for control"}


@scenario("status says in words what a model is made of", models=WORDS)
def words(case):
    server = case.serve(ECHO, workers=3, threads=5, max_threads=40, max_processes=50,
                        queue="per-thread")
    contains(server.ctl("status").out, f"model          {case.model}: {WORDS[case.model]}; waits by ",
             "status")


@scenario("status shows what a thread is busy with")
def busy(case):
    server = case.serve(HTTP + 'http { site "default" { route "/" { hang { until = "over" } } } }\n',
                        modules=["http", "hang"], handler_timeout="0", loop_timeout="0")
    with Client(server.address()) as client:
        client.send("GET /the/label HTTP/1.1\r\nHost: a\r\n\r\n")
        narrow = case.model in POOLED + BLOCKING
        # It is busy a moment before it has come to the handler.
        current = until(lambda: [thread for each in server.status()["workers"]
                                 for thread in each["current"] if thread["module"] or not narrow],
                        "a busy thread")[0]
        typed(current, {"thread": (int, str), "protocol": str, "label": str, "module": str,
                        "route": str, "busy_ms": int, "lost": bool}, "current")
        equal((current["module"], current["route"]), ("hang", "/") if narrow else ("", ""),
              "whose code it runs")
        equal(current["protocol"], "http", "protocol")
        contains(current["label"], "/the/label", "label")
        equal("pid" in current, case.row.process_each, "pid")
        contains(server.ctl("status").out, "/the/label", "the table")
        server.write("over", "")
        equal(client.answer().status, 200, "the answer")
    until(lambda: not sum(each["busy"] for each in server.status()["workers"]), "idle again")


@scenario("status for people: generation, workers and totals; --watch repeats it", models=())
def table(case):
    server = case.serve()
    out = server.ctl("status").out
    for word in [str(server.pid), case.model, *map(str, server.pids().values())]:
        contains(out, word, "the table")
    watch = subprocess.Popen(WRAP + [REEVECTL, "-s", server.control, "status", "--watch"],
                             stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        seen = b""
        while seen.count(str(server.pids()[0]).encode()) < 2:
            part = os.read(watch.stdout.fileno(), 65536)
            check(part, "watch goes on")
            seen += part
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(DEADLINE)
        watch.stdout.close()


@scenario("generations, listeners, modules and version", models=())
def lists(case):
    server = case.serve(HTTP + ECHO + SITE)
    server.configure(threads=9)
    equal(server.ctl("reload").code, 0, "exit code of reload")
    value = server.json("generations")
    typed(value, {"generations": [{"number": int, "state": str, "workers": int}],
                  "operations": [{"operation": int, "verb": str, "code": int, "text": str}]},
          "generations")
    equal(value["operations"][-1]["verb"], "reload", "the latest operation")
    value = server.json("listeners")["listeners"]
    equal({each["address"]: (each["protocol"], each["origin"]) for each in value},
          {"127.0.0.1:0": ("http", "configured"), "127.0.0.2:0": ("echo", "configured")},
          "listeners")
    check(all(each["backlog"] > 0 for each in value), "backlog")
    value = server.json("modules")["modules"]
    equal({(each["kind"], each["name"]) for each in value},
          {("protocol", "echo"), ("protocol", "http"), ("handler", "static"), ("handler", "hello")},
          "modules")
    check(all(each["version"] for each in value), "their versions")
    typed(server.json("version"), {"version": str, "api": str, "protocol": int}, "version")
    for verb in ("generations", "listeners", "modules", "version", "health"):
        result = server.ctl(verb)
        equal((result.code, bool(result.out)), (0, True), f"{verb} for people ({result.text})")


@scenario("scale: more, fewer, back to the file's number by the next reload")
def scale(case):
    server = case.serve()
    with Load(server.address(), b"<h1>index</h1>\n") as load:
        load.more(20)
        before = server.pids()
        equal(server.ctl("scale", "5").code, 0, "exit code of scale 5")
        after = server.all_ready(5)
        equal({slot: after[slot] for slot in before}, before, "the first two")
        equal(server.ctl("scale", "1").code, 0, "exit code of scale 1")
        server.all_ready(1)
        load.more(20)
        for wrong in ("0", "-1", "100000", "x"):
            equal(server.ctl("scale", wrong).code, 1, f"exit code of scale {wrong}")
        server.configure(threads=6)
        equal(server.ctl("reload").code, 0, "exit code of reload")
        server.all_ready(2)
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))


@scenario("recycle replaces one worker or all, the replacement first, and loses nothing")
def recycle(case):
    server = case.serve(workers=3)
    with Load(server.address(), b"<h1>index</h1>\n") as load:
        load.more(20)
        first = server.pids()
        equal(server.ctl("recycle", "1").code, 0, "exit code of recycle 1")
        second = server.all_ready(3)
        equal((second[0], second[2]), (first[0], first[2]), "the others")
        check(second[1] != first[1], "slot 1 has another worker")
        equal([worker["slot"] for worker in server.status()["workers"]
               if worker["state"] != "retiring"], [0, 1, 2], "status lists them by slot")
        equal(server.ctl("recycle", "all").code, 0, "exit code of recycle all")
        third = server.all_ready(3)
        check(not set(second.values()) & set(third.values()), "all are new")
        equal(server.ctl("recycle", "77").code, 1, "exit code of recycle 77")
        load.more(20)
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))
    equal(server.status()["totals"]["restarts"], 0, "a recycled worker is no restart after a crash")


@scenario("check tests a file without using it", models=())
def check_file(case):
    server = case.serve()
    equal(server.ctl("check").code, 0, "exit code for the running one's file")
    bad = server.write("bad.conf", "workers = 2\nworkerz = 3\n" + HTTP + SITE)
    result = server.ctl("check", bad)
    equal(result.code, 1, f"exit code for a bad one ({result.text})")
    contains(result.text, "bad.conf:2: ", "the text")
    contains(result.text, "workers", "the nearest name")
    result = server.ctl("check", server.path("none.conf"))
    equal(result.code, 1, "exit code for none")
    contains(result.text, "none.conf", "the text")
    server.write("worker-sees.conf", server.read("reeve.conf").replace("root =", "roof ="))
    result = server.ctl("check", server.path("worker-sees.conf"))
    equal(result.code, 1, "exit code for what only a worker sees")
    equal(server.status()["generation"], 1, "generation")


@scenario("events streams what happens", models=())
def events(case):
    server = case.serve()
    command = subprocess.Popen(WRAP + [REEVECTL, "-s", server.control, "--json", "events"],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        seen = []
        reader = threading.Thread(
            target=lambda: [seen.append(json.loads(line)) for line in command.stdout])
        reader.start()

        def streams():
            server.configure(threads=server.options["threads"] + 1)
            return server.ask("reload")["code"] == 0 and seen
        until(streams, "the first event")
        until(lambda: {"worker-ready", "generation"} <= {event["tag"] for event in seen},
              "a reload's events")
        for event in seen:
            typed(event, {"type": str, "time": str, "tag": str, "text": str}, "event")
    finally:
        command.send_signal(signal.SIGINT)
        command.wait(DEADLINE)
        reader.join(DEADLINE)
        command.stdout.close()


@scenario("a reload streams what it does before its result", models=())
def streamed(case):
    server = case.serve()
    server.configure(threads=9)
    answer = server.ask("reload")
    tags = [event["tag"] for event in answer["events"]]
    check("worker-ready" in tags, f"events {tags}")
    equal(answer["data"]["generation"], 2, "data")


@scenario("log-level changes what is logged, at once and in every process")
def log_level(case):
    server = case.serve()
    equal(server.ctl("log-level", "error").code, 0, "exit code")
    quiet = len(server.logged("worker-ready"))
    equal(server.ctl("recycle", "all").code, 0, "a recycle")
    equal(len(server.logged("worker-ready")), quiet, "lines of level info at level error")
    equal(server.ctl("log-level", "debug").code, 0, "exit code")
    equal(server.ctl("recycle", "all").code, 0, "a recycle")
    check(len(server.logged("worker-ready")) > quiet, "lines of level info at level debug")
    link = connect(server.address())
    link.sendall(b"GET")
    reset(link)
    server.until_logged("connection-error")  # of level debug, by a worker
    equal(server.ctl("log-level", "loud").code, 1, "exit code of an unknown level")


@scenario("health: 0 while it serves, 1 when it does not or is not there", models=())
def health(case):
    server = case.serve(ECHO, drain_timeout="5m")
    equal(server.ctl("health").code, 0, "exit code")
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.signal(signal.SIGTERM)
        server.until_logged("stopping")
        equal(server.ctl("health").code, 1, "exit code while it stops")
    server.wait()
    result = server.ctl("health")
    equal(result.code, 1, "exit code without a server")
    contains(result.err, server.control, "the text")


@scenario("what is not understood is refused with a hint", models=())
def unknown(case):
    server = case.serve()
    for words, hint in ((["relaod"], "reload"), (["scale"], "N"), (["status", "more"], "more"),
                        (["reload", "--wait", "soon"], "wait"), ([], "usage")):
        result = server.ctl(*words)
        equal(result.code, 1, f"exit code of {words}")
        contains(result.text.lower(), hint.lower(), f"text of {words}")
    for line in ("relaod", "scale", "scale x", "", "x" * 3000):
        equal(server.ask(line)["code"], 1, f"code of the line {line[:20]!r}")
    for junk in (b"status\0\n", b"y" * 100000 + b"\n", bytes(range(256))):
        with server.connect_control() as control:
            try:
                control.sendall(junk)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has closed before it was sent all of that
            until(lambda: server.ask("health")["code"] == 0, "the master is unimpressed")


@scenario("a client of the control socket that reads nothing does not hold the master up",
          models=())
def deaf(case):
    server = case.serve(workers=2)
    with server.connect_control() as control, server.connect_control() as half:
        half.sendall(b"stat")
        control.setblocking(False)
        for _ in range(3000):
            try:
                control.send(b"status\n")
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                break
        equal(server.ctl("status").code, 0, "exit code of another client")
        equal(get(server.address()).status, 200, "it serves")


@scenario("an answer may be of any length", models=("prethreaded",))
def long_answer(case):
    server = case.serve(threads=1000, workers=1)
    stacks = server.json("stacks")["stacks"]
    check(len(stacks) >= 1000, f"{len(stacks)} threads")
    check(len(json.dumps(stacks)) > 1 << 20, "it is long")


@scenario("a client that has shut down its side is answered all the same", models=())
def half_closed(case):
    server = case.serve()
    for verb in ("status", "stacks", "reload", "check", "recycle"):
        with server.connect_control() as control, control.makefile("rb") as answers:
            control.sendall(verb.encode() + b"\n")
            control.shutdown(socket.SHUT_WR)
            lines = [json.loads(line) for line in answers]
            equal((lines[-1]["type"], lines[-1]["code"]), ("result", 0), verb)
    with server.connect_control() as control, control.makefile("rb") as answers:
        control.sendall(b"half a request")
        control.shutdown(socket.SHUT_WR)
        equal(answers.read(), b"", "the answer to half a request")


@scenario("several requests in one connection are answered in turn", models=())
def several(case):
    server = case.serve()
    with server.connect_control() as control, control.makefile("rb") as answers:
        control.sendall(b"health\nversion\nlisteners\n")
        for what in ("health", "version", "listeners"):
            equal(json.loads(answers.readline())["type"], "result", what)


@scenario("peer credentials: a stranger is refused, the control group may read", models=())
def credentials(case):
    case.need_root()
    case.need_nobody()
    server = case.serve(control_group="nogroup")
    nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    stranger = {"user": 65533, "group": 65533, "extra_groups": []}
    for verb in ("status", "health", "listeners", "generations"):
        equal(server.ctl(verb, **nobody).code, 0, f"exit code of {verb} in the control group")
    for words in (["reload"], ["stop"], ["scale", "3"], ["recycle"], ["reopen-logs"],
                  ["log-level", "debug"]):
        result = server.ctl(*words, **nobody)
        equal(result.code, 1, f"exit code of {words} in the control group ({result.text})")
    check(server.logged("control-refused"), "refusals are logged")
    for words in (["status"], ["reload"]):
        equal(server.ctl(*words, **stranger).code, 1, f"exit code of {words} for a stranger")
    equal((server.status()["generation"], len(server.pids())), (1, 2), "nothing has changed")


@scenario("without a control group nobody but root and the owner may even read", models=())
def private(case):
    case.need_root()
    case.need_nobody()
    server = case.serve()
    result = server.ctl("status", user=65534, group=65534, extra_groups=[])
    equal(result.code, 1, "exit code")
    equal(os.stat(server.control).st_mode & 0o077 & ~0o066, 0, "mode of the socket")


if __name__ == "__main__":
    main()
