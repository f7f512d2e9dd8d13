"""The benchmark's tools: what they count is what the server counted, what goes wrong is counted as
what it is, and the whole program leaves a table behind. No time is judged here."""
import csv
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import threading

from reeve import HTTP, SITE, Skipped, check, contains, equal, main, run, scenario, until

TOP = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", "..")
LOAD = os.path.abspath("tests/bench/load")
BENCH = os.path.join(TOP, "tests", "bench", "bench.py")
FAILURES = ("refused", "reset", "timeout", "bad", "short", "local", "unsent")


def load(address, *arguments, path="/hello"):
    done = run([LOAD, *arguments, f"{address[0]}:{address[1]}", path])
    equal(done.code, 0, f"exit status of load ({done.err})")
    return json.loads(done.out)


def no_failure(result):
    for name in FAILURES:
        equal(result[name], 0, f"requests that failed as {name} in {result}")


def counts_agree(case, *arguments):
    server = case.serve(HTTP + SITE)
    result = load(server.address(), "--seconds", "0.2", *arguments)
    no_failure(result)
    check(result["completed"] > 0 and result["measured"] <= result["completed"], f"{result}")
    check(result["p50"] <= result["p99"] <= result["p999"] <= result["max"], f"{result}")
    until(lambda: server.status()["totals"]["requests"] == result["completed"],
          f"the server has counted {result['completed']} requests")
    return result


@scenario("load: a connection for each request, from two addresses", models=("event",))
def each(case):
    result = counts_agree(case, "--users", "50", "--sources", "2", "--warm", "0.1")
    check(result["measured"] < result["completed"], "the warm-up is not measured")
    equal(result["never"], 0, "users that were never served")


@scenario("load: kept connections", models=("event",))
def kept(case):
    equal(counts_agree(case, "--users", "20", "--keep")["reopened"], 0, "connections made again")


@scenario("load: an open loop sends what is due, no more", models=("event",))
def open_loop(case):
    result = counts_agree(case, "--users", "40", "--rate", "500", "--also", "/", "--share", "0.5")
    check(40 < result["completed"] < 250, f"some 100 requests are due: {result}")


@scenario("load: of a thread that is watched only calm moments count", models=("event",))
def calm(case):
    if not os.path.exists("/proc/self/schedstat"):
        raise Skipped("the kernel does not tell how long threads wait")
    server = case.server(HTTP + SITE, workers=1)
    server.start()
    pid, = server.pids().values()
    result = load(server.address(), "--users", "20", "--keep", "--seconds", "0.2", "--watch",
                  f"/proc/{pid}/task/{pid}/schedstat")
    no_failure(result)
    check(result["completed"] > 0 and result["measured"] <= result["completed"], f"{result}")
    check(0 <= result["calm"] <= 1, f"a share of the time: {result}")
    done = run([LOAD, "--watch", "/proc/0/schedstat", "127.0.0.1:1", "/"])
    equal(done.code, 1, "exit status for a thread that is not there")
    contains(done.err, "cannot watch", "what it says")


def liar(answer):
    """A server that accepts, reads something and answers so; returns its listener."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                link = listener.accept()[0]
            except OSError:
                return
            with link:
                link.recv(4096)
                if answer:
                    link.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return listener


@scenario("load: every failure is counted as what it is", models=())
def failures(_case):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    for answer, kind in ((b"", "reset"), (head[:20], "short"), (head + b"abc", "short"),
                         (head + b"abcdefg", "bad"), (b"HTTP/1.1 404 No\r\n\r\n", "bad"),
                         (b"HTTP/1.1 200 OK\r\n\r\nwho knows", "bad"),
                         (b"SSH-2.0-x\r\n\r\n", "bad")):
        listener = liar(answer)
        result = load(listener.getsockname(), "--users", "2", "--seconds", "0.1")
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        check(result[kind] >= 2 and result["completed"] == 0, f"{answer!r} as {kind}: {result}")
        equal(sum(result[name] for name in FAILURES), result[kind], f"all failures of {result}")
        equal(result["never"], 2, "users that were never served")


@scenario("load: who is told to come again is counted by itself, and whether he is told when",
          models=())
def told_later(_case):
    for more, bare in ((b"", True), (b"retry-after: 1\r\n", False)):
        # It closes, and says so: a kept one could be closed under the next request.
        listener = liar(b"HTTP/1.1 503 No\r\nConnection: close\r\n" + more +
                        b"Content-Length: 0\r\n\r\n")
        address = listener.getsockname()
        result = load(address, "--users", "2", "--rate", "100", "--seconds", "0.1", "--shed")
        closed = load(address, "--users", "2", "--rate", "100", "--seconds", "0.1")
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        path = result["paths"][0]
        no_failure(result)
        check(0 < path["shed"] == path["due"] == result["completed"], f"refused: {result}")
        equal((path["bare"], path["rate"]), (path["shed"] if bare else 0, 0), f"in {result}")
        check(closed["bad"] > 0 and closed["completed"] == 0, f"else it is a failure: {closed}")


@scenario("load: an open loop tells which path had what, and what it sent late", models=("event",))
def paths(case):
    server = case.serve(HTTP + SITE)
    result = load(server.address(), "--users", "40", "--rate", "500", "--seconds", "0.2", "--warm",
                  "0.1", "--also", "/nowhere", "--share", "0.5")
    good, bad = result["paths"]
    equal((good["failed"], bad["failed"]), (0, result["bad"]), f"failures in {result}")
    check(good["due"] > 0 and bad["due"] > 0 and bad["p99"] == 0, f"{result}")
    equal(good["due"], result["measured"], "due in the measured time, and answered")
    equal(good["due"] + good["warm"], result["completed"], "all that was answered")
    equal((good["p99"], good["max"]), (result["p99"], result["max"]), "latencies")
    alone = load(server.address(), "--users", "1", "--rate", "100000", "--seconds", "0.1")
    check(alone["late"] > 0 and alone["latest"] > 1000, f"one user cannot be everywhere: {alone}")


@scenario("load: who refuses, and who is silent", models=())
def silent(_case):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        result = load(address, "--users", "3", "--seconds", "0.1", "--timeout", "0.3")
        equal((result["timeout"], result["completed"], result["never"]), (3, 0, 3), "the silent")
    result = load(address, "--users", "3", "--seconds", "0.1")
    check(result["refused"] >= 3 and result["completed"] == 0, f"the refused: {result}")


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


@scenario("the benchmark: one model, the floor, a table", models=())
def whole(_case):
    names = "close-10,sleep,p99-64" + (",keep-64" if shutil.which("wrk") else "")
    folder = tempfile.mkdtemp(prefix="reeve-")
    try:
        # With few descriptors, so that idle connections are made before the first has been idle for
        # too long, on whatever machine.
        done = run([sys.executable, BENCH, "--models", "event", "--peers", "none", "--loads",
                    names + ",life,idle,overload", "--seconds", "0.2", "--rounds", "1", "--output",
                    folder], seconds=60, preexec_fn=few_descriptors)
        equal(done.code, 0, f"exit status of the benchmark ({done.text})")
        with open(os.path.join(folder, "results.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        expected = [(load_name, server) for load_name in names.split(",")
                    for server in ("event", "floor")]
        expected.remove(("sleep", "floor"))
        expected += [(name, "floor threads") for name in names.split(",") if name == "keep-64"]
        equal(sorted((row["load"], row["server"]) for row in rows), sorted(expected), "rows")
        for row in rows:
            disturbed = row["load"] == "p99-64" and row["note"].startswith("others used the")
            equal([row[name] for name in FAILURES + ("never", "waiting", "note")],
                  ["0"] * 9 + [row["note"] if disturbed else ""],
                  f"failures of {row['server']} at {row['load']}")
            check(int(row["requests"]) > 0 and float(row["cpu_us"]) >= 0, f"figures: {row}")
        with open(os.path.join(folder, "results.md")) as file:
            text = file.read()
        contains(text, "| event |", "the table")
        for title in ("memory per idle kept connection [idle]", "reload with 8 workers [life]",
                      "goodput at 3 times capacity, of capacity [overload]",
                      "and the queue's limit [overload]"):
            line = next((line for line in text.split("\n") if title in line), "")
            check("| met" in line or "| MISSED " in line, f"a verdict on {title}: {text}")
        with open(os.path.join(folder, "figures.csv"), newline="") as file:
            figures = {(row["server"], row["figure"]): row for row in csv.DictReader(file)}
        for key in (("event 8 workers", "start ms"), ("event 8 workers", "master bytes"),
                    ("event 8 workers", "worker bytes"), ("event 16 threads", "capacity /s"),
                    ("event 16 threads", "goodput /s"), ("event 16 threads", "p99 ms"),
                    ("event 16 threads", "p99 alone ms"), ("event 16 threads", "health p99 ms")):
            check(key in figures and float(figures[key]["value"]) > 0, f"{key} in {figures}")
        # There are few connections, which may fit into pages it has already.
        for key in (("event", "bytes"), ("floor", "bytes")):
            check(key in figures and figures[key]["value"], f"{key} in {figures}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@scenario("the benchmark: each target is judged by what was measured, and only by that", models=())
def judged(_case):
    sys.path.insert(0, os.path.dirname(BENCH))
    import measures
    import targets
    folder = tempfile.mkdtemp(prefix="reeve-")
    try:
        figures = measures.Figures(folder)
        figures.add([{"round": 1, "what": "idle", "server": "event", "figure": "bytes",
                      "value": 401, "note": ""},
                     {"round": 1, "what": "idle", "server": "h2o", "figure": "", "note": "no h2o"}])
        rows = [{"round": turn, "load": load, "server": server, "cpu_us": cpu, "p99_us": 9}
                for turn, load, server, cpu in (
                    (1, "keep-64", "floor", 10), (1, "keep-64", "event", 11),
                    (2, "keep-64", "floor", 20), (2, "keep-64", "event", 22),
                    (3, "pool", "floor", 1), (3, "pool", "event", 1.81), (1, "log", "event", 5),
                    (1, "cpus", "event", 10), (1, "cpus", "event 2 CPUs", 10))]
        sick = [{"load": "cpus", "server": "event 2 CPUs", "users": 64, "reset": 3}]
        asked = ["keep-64", "pool", "idle", "cpus", "log"]
        table = targets.judge(targets.Results(rows, sick, figures, asked, ["h2o"]))
        got = {row[0].rpartition("[")[2]: row[-1] for row in table[1:] if "p99" not in row[0]}
        equal(got, {"keep-64]": "met", "pool]": "MISSED", "idle]": "MISSED",
                    "cpus]": "MISSED: 3 reset",
                    "log]": "not measured: it needs wrk, event and what it is compared with"},
              "verdicts")
        cells = {row[0].rpartition("[")[2]: row[1:5] for row in table[1:] if "p99" not in row[0]}
        equal(cells["keep-64]"], ["1.00 (15.0 us)", "-", "1.10 (1.10 to 1.10)", "<= 1.10"],
              "figures")
        equal(cells["idle]"], ["-", "no h2o", "401 B", "<= 400 B"], "the others")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@scenario("the benchmark: a model that refuses its options is a line with the reason", models=())
def refused(_case):
    folder = tempfile.mkdtemp(prefix="reeve-")
    try:
        done = run([sys.executable, BENCH, "--models", "event", "--peers", "none", "--loads",
                    "close-10", "--seconds", "0.2", "--rounds", "1", "--output", folder,
                    "--set", "event.threads=0"], seconds=60)
        equal(done.code, 0, f"exit status of the benchmark ({done.text})")
        contains(done.out, "not held: event at close-10", "the lines at the end")
        contains(done.out, "threads", "the reason")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
