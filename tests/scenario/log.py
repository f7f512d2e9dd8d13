"""The access log, the error log in both formats, and what a log rotation needs."""
import glob
import json
import os
import re
import signal
import time

from client import Client, Load, ask_raw, get
from reeve import (HTTP, SANITIZED, Skipped, check, contains, equal, main, open_files, scenario,
                   until)

ACCESS = ('http { access_log = "access.log" site "default" { route "/" { static { root = "www" } }'
          ' route "/hello" { hello { } } } }\n')
FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
DAYS = 7300  # beyond 2038
COMBINED = re.compile(r'^127\.0\.0\.1 - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
                      r'"(.*)" (\d{3}) (\d+|-) "(.*)" "(.*)"$')
LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (error|warning|notice|info|debug) "
                  r"\[\d+ [\w-]+\] [a-z-]+: \S.*$")


def access_lines(server, number, name="access.log"):
    until(lambda: len(server.log(name).splitlines()) >= number, f"{number} lines in {name}")
    return server.log(name).splitlines()


@scenario("the access log is in combined format")
def access(case):
    server = case.serve(HTTP + ACCESS)
    with Client(server.address()) as client:
        client.get("/hello?x=1", fields='Referer: http://a/"b"\r\nUser-Agent: test/1 (a\\b)\r\n')
        client.get("/none")
        client.get("/", method="HEAD")
        lines = access_lines(server, 3)  # before the connection ends
    equal(len(lines), 3, "lines")
    parts = [COMBINED.match(line) for line in lines]
    check(all(parts), f"the form of {lines}")
    equal([part.group(2) for part in parts], ["GET /hello?x=1 HTTP/1.1", "GET /none HTTP/1.1",
                                              "HEAD / HTTP/1.1"], "requests")
    equal([part.group(3) for part in parts], ["200", "404", "200"], "status")
    equal(parts[0].group(4), "6", "bytes of hello")
    check('"b"' not in parts[0].group(5), f"a quotation mark in {lines[0]!r} is escaped")
    contains(parts[0].group(6), "test/1", "the client's name")
    equal(parts[1].group(5), "-", "no referer")


@scenario("a client cannot forge lines of the access log")
def forge(case):
    server = case.serve(HTTP + ACCESS)
    ask_raw(server.address(), b"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n")
    get(server.address(), "/%0a127.0.0.1", fields="User-Agent: a\x7f\t\xff\"\r\n")
    get(server.address(), "/hello")
    until(lambda: "GET /hello" in server.log("access.log"), "the last line")
    for line in server.log("access.log").splitlines():
        check(COMBINED.match(line), f"the form of {line!r}")
        check(all(" " <= each <= "~" for each in line), f"bytes of {line!r}")


@scenario("every request of a load stands in the access log, once and whole")
def complete(case):
    server = case.serve(HTTP + ACCESS)
    with Load(server.address(), b"<h1>index</h1>\n", target="/index.html") as load:
        load.more(300)
    server.stop()
    lines = server.log("access.log").splitlines()
    check(all(COMBINED.match(line) for line in lines), "the form of all lines")
    check(len(lines) >= load.good, f"{load.good} answers, {len(lines)} lines")


@scenario("the error log: time, level, process, thread, tag, text")
def text_form(case):
    server = case.serve(log_level="debug")
    get(server.address())
    server.stop()
    lines = server.log().splitlines()
    check(len(lines) > 5, "lines at all")
    for line in lines:
        check(LINE.match(line), f"the form of {line!r}")
    check(any(f"[{server.pid} master]" in line for line in lines), "the master's lines")


@scenario("the error log as JSON: one object a line")
def json_form(case):
    server = case.serve(log_level="debug", log_format="json")
    get(server.address())
    server.stop()
    lines = [json.loads(line) for line in server.log().splitlines()]
    for line in lines:
        equal(sorted(line), ["level", "pid", "tag", "text", "thread", "time"], "names")
    check("stopped" in [line["tag"] for line in lines], "the last message")
    check(server.pid in [line["pid"] for line in lines], "the master's lines")


@scenario("beyond 2038 all goes on: dates of answers and logs, a reload, an upgrade", models=())
def later(case):
    case.need_no_wrap("it preloads a library of its own")
    if not FAKETIME or SANITIZED:
        raise Skipped("no libfaketime here, or a sanitizer that will not have it")
    # Not the clock that timers go by: the kernel waits by it.
    server = case.server(HTTP + ACCESS).start(
        env=dict(os.environ, LD_PRELOAD=FAKETIME[0], FAKETIME=f"+{DAYS}d",
                 FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1"))
    year = time.strftime("%Y", time.gmtime(time.time() + DAYS * 86400))
    for number, verb in enumerate((None, "reload", "upgrade"), 1):
        server.configure(threads=4 + number)
        if verb:
            equal(server.ctl(verb).code, 0, f"exit code of {verb}")
        answer = get(server.address())
        equal(answer.status, 200, "an answer")
        contains(answer.field("Date"), f" {year} ", "its date")
        contains(access_lines(server, number)[-1], f"/{year}:", "its line in the access log")
    check(server.log().startswith(year + "-"), f"the error log: {server.log()[:80]!r}")


@scenario("the error log goes to a file when told to")
def to_file(case):
    server = case.serve(error_log="error.log")
    check(server.logged("starting", "error.log"), "the first message")
    server.stop()
    check(server.logged("stopped", "error.log"), "the last message")


def rotate(case, reopen):
    """As logrotate does: rename, reopen, compress."""
    server = case.serve(HTTP + ACCESS, error_log="error.log", log_level="info")
    with Load(server.address(), b"<h1>index</h1>\n") as load:
        load.more(50)
        for name in ("access.log", "error.log"):
            os.rename(server.path(name), server.path(name + ".1"))
        load.more(20)
        reopen(server)
        for pid in [server.pid, *server.pids().values()]:
            old = [path for path in open_files(pid) if path.endswith(".log.1")]
            equal(old, [], f"old files that process {pid} still holds")
        size = os.stat(server.path("access.log.1")).st_size
        new = len(server.log("access.log").splitlines())
        load.more(50)
        equal(os.stat(server.path("access.log.1")).st_size, size, "size of the old file")
        access_lines(server, new + 10)
    server.stop()
    lines = server.log("access.log.1").splitlines() + server.log("access.log").splitlines()
    check(all(COMBINED.match(line) for line in lines), "the form of all lines")
    check(len(lines) >= load.good, f"{load.good} answers, {len(lines)} lines")
    contains(server.log("error.log"), "reopen-logs", "the new error log")
    equal((load.refused, load.failed_new, load.failed_kept), (0, 0, 0), str(load))


@scenario("reevectl reopen-logs returns when the last old file is closed; no line is lost")
def reopen(case):
    rotate(case, lambda server: equal(server.ctl("reopen-logs").code, 0, "exit code"))


@scenario("USR1 reopens the logs")
def usr1(case):
    def send(server):
        server.signal(signal.SIGUSR1)
        until(lambda: (server.status()["last_operation"] or {}).get("verb") == "reopen-logs",
              "the result in status")
        equal(server.status()["last_operation"]["code"], 0, "its code")
    rotate(case, send)


@scenario("a reload moves the error log of master and new workers, and sets their level")
def moves(case):
    server = case.serve(HTTP + ACCESS, error_log="first.log", log_level="info")
    server.ask("log-level error")
    server.configure(error_log="second.log", log_level="debug")
    equal(server.ask("reload")["code"], 0, "the reload")
    old = server.path("first.log")
    for pid in [server.pid, *server.pids().values()]:
        check(old not in open_files(pid), f"process {pid} does not hold the old file")
    check(server.logged("worker-loaded", "second.log"), "the new workers log there, from their first line")
    server.stop()
    check(server.logged("stopped", "second.log"), "the master's last line")


@scenario("a reload with an error log that cannot be opened is refused, and the old one serves on", models=())
def cannot_move(case):
    server = case.serve(HTTP + ACCESS, error_log="first.log")
    server.configure(error_log="nowhere/second.log")
    answer = server.ask("reload")
    equal(answer["code"], 3, "its code")
    contains(answer["text"], f"reeve.conf:{server.line_of('error_log')}: error_log: ", "file, line, option")
    check(server.path("first.log") in open_files(server.pid), "the master holds the old file")
    equal(get(server.address()).status, 200, "it serves")


@scenario("control, its group and pid_file stay as they were at the start, and the log says so", models=())
def unchangeable(case):
    server = case.serve(HTTP + ACCESS)
    server.configure(pid_file="other.pid")
    equal(server.ask("reload")["code"], 0, "the reload")
    check(server.until_logged("restart-needed"), "a warning")
    check(not os.path.exists(server.path("other.pid")), "no other pid file")


@scenario("a log file that cannot be opened again stays in use, and reopen-logs says so")
def reopen_fails(case):
    server = case.server()
    os.mkdir(server.path("logs"))
    server.configure(HTTP + ACCESS.replace("access.log", "logs/access.log"))
    server.start()
    os.rename(server.path("logs"), server.path("moved"))
    result = server.ctl("reopen-logs")
    check(result.code in (1, 3), f"exit code {result.code}")
    contains(result.text, "logs/access.log", "the text")
    get(server.address())
    access_lines(server, 1, "moved/access.log")
    check(server.logged("log-open-failed"), "the log says so")
    os.rename(server.path("moved"), server.path("logs"))
    equal(server.ctl("reopen-logs").code, 0, "exit code when the folder is back")


@scenario("lines that no disk has room for are told in the error log and by status")
def full(case):
    server = case.serve(HTTP + ACCESS.replace("access.log", "/dev/full"))
    equal(get(server.address()).status, 200, "it serves")
    contains(server.until_logged("log-lost")[0], "/dev/full: ", "which file")
    until(lambda: server.status()["totals"]["log_lost"] > 0, "status counts the bytes")
    contains(server.ctl("status").out, "of log lines lost", "for people")


@scenario("log lines survive kill -9 of their worker once the answer was given and read")
def survive(case):
    server = case.serve(HTTP + ACCESS, workers=1)
    server.crashes_meant = True
    for number in range(5):
        equal(get(server.address(), f"/hello?{number}").status, 200, "a request")
    access_lines(server, 5)
    os.kill(server.pids()[0], signal.SIGKILL)
    server.until_logged("worker-crashed")
    server.all_ready(1)
    get(server.address(), "/hello?last")
    equal(len(access_lines(server, 6)), 6, "lines, also of the new worker")


if __name__ == "__main__":
    main()
