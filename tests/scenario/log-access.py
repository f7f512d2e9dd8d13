"""Access logs of sites, as JSON too, and the ids that requests bear."""
import json
import os
import re
import time

from client import Client, Closed, Load, ask_raw, get, reset
from reeve import HTTP, check, contains, equal, main, open_files, scenario, until

NAMES = ["time", "request_id", "peer", "site", "method", "target", "protocol", "status", "bytes",
         "seconds", "referer", "user_agent", "user"]
OWN_ID = re.compile(r"^[0-9a-f]{32}$")
FILES = 'route "/" { static { root = "www" } } route "/hello" { hello { } }'
JSON = ('http { access_log = "access.log" access_format = "json" request_id = "X-Request-ID"'
        f' site "default" {{ {FILES} }} }}\n')


def lines_of(server, number, name="access.log"):
    until(lambda: len(server.log(name).splitlines()) >= number, f"{number} lines in {name}")
    return server.log(name).splitlines()


def objects_of(server, number, name="access.log"):
    """The lines as objects; every one has the names that it must have, in their order."""
    objects = []
    for line in lines_of(server, number, name):
        check(line.isascii() and line.isprintable(), f"bytes of {line!r}")
        one = json.loads(line)
        more = [name for name in ("line", "interrupted") if name in one]
        equal(list(one), NAMES + more, "names")
        objects.append(one)
    return objects


@scenario("the access log as JSON: one object a line")
def json_form(case):
    server = case.serve(HTTP + JSON)
    before = time.time()
    with Client(server.address()) as client:
        client.get("/hello?x=1", host="one.test",
                   fields='Referer: http://a/"b"\r\nUser-Agent: t\u00e9st/1 (a\\b)\r\n')
        client.get("/none")
        client.get("/", method="HEAD")
        first, second, third = objects_of(server, 3)  # before the connection ends
    ask_raw(server.address(), b"\x1b[31mno \"request\"\r\n\r\n")
    fourth = objects_of(server, 4)[3]
    equal([first[name] for name in NAMES[2:9]],
          ["127.0.0.1", "default", "GET", "/hello?x=1", "HTTP/1.1", 200, 6], "the first")
    equal([first[name] for name in NAMES[10:]],
          ['http://a/"b"', "t\u00e9st/1 (a\\b)", None], "its texts")
    equal([second[name] for name in ("status", "referer", "user_agent")], [404, None, None], "404")
    equal([third[name] for name in ("method", "status", "bytes")], ["HEAD", 200, 0], "HEAD")
    equal([fourth[name] for name in ("site", "method", "target", "protocol", "status", "line")],
          [None, None, None, None, 400, '\x1b[31mno "request"'], "what was no request")
    for one in (first, second, third, fourth):
        check(re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", one["time"]), one["time"])
        check(OWN_ID.match(one["request_id"]), one["request_id"])
        check(0 <= one["seconds"] <= time.time() - before + 1, f"seconds of {one}")
    equal(len({one["request_id"] for one in (first, second, third, fourth)}), 4, "different ids")


@scenario("any bytes of a client give lines that are JSON", models=())
def any_bytes(case):
    server = case.serve(HTTP + JSON)
    requests = 0
    for first in range(0x80, 0x100, 3):
        for second in (b"", b"\x80", b"\xa0\x80", b"\xbf\xbf", b"\x90\x80\x80", b"\xbf\xbf\xbf"):
            text = bytes([first]) + second
            with Client(server.address()) as client:
                client.send(b"GET /" + text + b'"\\?' + text + b" HTTP/1.1\r\nHost: a\r\n"
                            b"Referer: " + text * 3 + b"\r\n"
                            b"User-Agent: \t" + text + b"x\r\n\r\n").answer()
            requests += 1
    for raw in (b"\x00\xff\x7f\x1b]0;x\x07\r\n", b"\x16\x03\x01\x02\x00\x01\xfc\x03\x03\r\n",
                b"G\xc3\r\n", b"\xf0\x9f\x98\x80 \xe2\x80\xa8 HTTP/1.1\r\n"):
        ask_raw(server.address(), raw + b"\r\n")
        requests += 1
    objects = objects_of(server, requests)
    equal(len(objects), requests, "lines")
    texts = {one["referer"] for one in objects}
    check("\u00fb" * 3 not in texts, "a lone byte is no character")
    check("\ufffd" * 3 in texts, "a byte that is no UTF-8 is replaced")
    check({"\u0800" * 3, "\U000bffff" * 3} <= texts, "what is UTF-8 is kept")


@scenario("seconds tell how long a request took, its handler included", models=())
def seconds(case):
    server = case.serve(HTTP + 'http { access_log = "access.log" access_format = "json"'
                        ' site "default" { route "/" { sleep { delay = "200ms" } } } }\n',
                        modules=["http", "sleep"])
    get(server.address())
    took = objects_of(server, 1)[0]["seconds"]
    check(took >= 0.199, f"{took} s for a handler that sleeps for 0.2 s")


@scenario("bytes are those of the body, however it was sent", models=())
def bytes_sent(case):
    server = case.server(HTTP + 'http { access_log = "access.log" access_format = "json"'
                         ' site "default" { route "/" { static { root = "www" } }'
                         ' route "/pieces" { pieces { } } } }\n',
                         modules=["http", "static", "pieces"])
    server.write("www/large.bin", bytes(200000))
    server.start()
    with Client(server.address()) as client:
        client.get("/large.bin")
        client.get("/pieces?length=100000")
        client.get("/pieces?length=100000", method="HEAD")
        client.get("/pieces?length=70000&known=1")
        objects = objects_of(server, 4)
    equal([one["bytes"] for one in objects], [200000, 100000, 0, 70000], "bytes")


LARGE = 50000000
CUT_MODULES = ["http", "hello", "static", "pieces", "poolpieces", "sleep"]
CUT = (HTTP + 'http { access_log = "access.log" access_format = "json" site "default" {'
       ' route "/" { hello { } } route "/loop" { pieces { } } route "/pool" { poolpieces { } }'
       ' route "/www" { static { root = "www" } }'
       ' route "/sleep" { sleep { delay = "50ms" } } } }\n')


@scenario("a request whose client leaves has one line, whatever becomes of it")
def interrupted(case):
    server = case.server(CUT, modules=CUT_MODULES)
    with open(server.path("www/large.bin"), "wb") as file:
        file.truncate(LARGE)
    server.start()
    number = 0
    def left(text, end=reset, read=0):
        """What is logged of a request whose client leaves after so many bytes of the answer."""
        nonlocal number
        client = Client(server.address()).send(text)
        while len(client.data) < read:
            client.more()
        number += 1
        until(lambda: server.status()["totals"]["requests"] == number, "the request is in hand")
        end(client.link)
        one = objects_of(server, number)[-1]
        return one["target"], one["status"], one["bytes"], one.get("interrupted")
    for end in (reset, lambda link: link.close()):
        for text in ("GET /half HT", "GET /half HTTP/1.1\r\nHost: a\r\n"):
            end(Client(server.address()).send(text).link)
        equal(left("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", end),
              ("/body", 499, 0, True), "half a body")
    for target in (f"/loop?length={LARGE}", f"/pool?length={LARGE}", "/www/large.bin"):
        seen = left(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n", read=200000)
        equal((seen[:2], seen[3]), ((target, 200), True), "half an answer")
        check(199000 < seen[2] < LARGE, f"{seen[2]} bytes of {target}")
    for where in ("/loop", "/pool"):
        with Client(server.address()) as client:
            try:
                client.get(f"{where}?length=100000&short=1")
            except Closed:
                number += 1
        one = objects_of(server, number)[-1]
        equal((one["status"], one["interrupted"]), (200, True), "given up")
        check(one["bytes"] <= 98304, f"{one['bytes']} bytes of three pieces")
    seen = left("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
    check(seen in (("/sleep", 499, 0, True), ("/sleep", 200, 6, None)), f"left early: {seen}")
    get(server.address(), "/www/large.bin")
    one = objects_of(server, number + 1)[-1]
    equal((one["bytes"], one.get("interrupted")), (LARGE, None), "who stays has all of it")
    server.stop()
    equal(len(objects_of(server, number + 1)), number + 1, "lines, and none of half a head")


@scenario("a request that a stop cuts short has its line")
def stopped(case):
    server = case.serve(CUT, modules=CUT_MODULES)
    with Client(server.address()) as client:
        client.send(f"GET /loop?length={LARGE} HTTP/1.1\r\nHost: a\r\n\r\n")
        while len(client.data) < 200000:
            client.more()
        server.ctl("stop", "--now")
        server.wait()
    objects = objects_of(server, 1)
    equal([(one["status"], one.get("interrupted")) for one in objects], [(200, True)], "the line")
    check(199000 < objects[0]["bytes"] < LARGE, f"{objects[0]['bytes']} bytes")


@scenario("each site logs where and how it says, or as the section http says")
def sites(case):
    server = case.serve(HTTP + 'http { access_log = "access.log"\n'
                        f' site "default" {{ {FILES} }}\n'
                        f' site "own.test" {{ access_log = "own.log" {FILES} }}\n'
                        f' site "json.test" {{ access_format = "json" {FILES} }}\n'
                        f' site "both.test" {{ access_log = "own.log" access_format = "json"'
                        f' {FILES} }}\n'
                        f' site "off.test" {{ access_log = "" {FILES} }} }}\n')
    with Client(server.address()) as client:
        for host in ("off.test", "default", "own.test", "json.test", "both.test", "off.test",
                     "unknown.test"):
            equal(client.get(f"/hello?{host}", host=host).status, 200, host)
        common, own = lines_of(server, 3), lines_of(server, 2, "own.log")
    def asked(line):
        return json.loads(line)["site"] if line[0] == "{" else line.split()[6]
    equal([asked(line) for line in common],
          ["/hello?default", "json.test", "/hello?unknown.test"], "access.log")
    equal([asked(line) for line in own], ["/hello?own.test", "both.test"], "own.log")
    ask_raw(server.address(), b"nonsense\r\n\r\n")
    contains(lines_of(server, 4)[3], '"nonsense" 400', "what is for no site")


@scenario("logs of sites alone: what is for no site is logged nowhere, and a bad one is refused",
          models=())
def sites_alone(case):
    text = HTTP + f'http {{ site "default" {{ access_log = "own.log" {FILES} }} }}\n'
    server = case.serve(text)
    ask_raw(server.address(), b"nonsense\r\n\r\n")
    get(server.address(), "/hello")
    equal(len(lines_of(server, 1, "own.log")), 1, "lines")
    server.configure(text.replace("own.log", "nowhere/own.log"))
    answer = server.ask("reload")
    equal(answer["code"], 3, "its code")
    contains(answer["text"], f"reeve.conf:{server.line_of('nowhere')}: access_log: ",
             "file, line, option")


@scenario("reopen-logs opens the logs of all sites again, and loses no line")
def reopen(case):
    server = case.serve(HTTP + 'http { access_log = "access.log"\n'
                        f' site "default" {{ {FILES} }}\n'
                        f' site "one.test" {{ access_log = "one.log" {FILES} }}\n'
                        f' site "two.test" {{ access_log = "two.log" access_format = "json"'
                        f' {FILES} }} }}\n')
    hosts = {"access.log": "default", "one.log": "one.test", "two.log": "two.test"}
    def ask_all():
        with Client(server.address()) as client:
            for host in hosts.values():
                equal(client.get("/hello", host=host).status, 200, host)
    ask_all()
    for name in hosts:
        lines_of(server, 1, name)
        os.rename(server.path(name), server.path(name + ".1"))
    ask_all()
    for name in hosts:
        lines_of(server, 2, name + ".1")
    equal(server.ctl("reopen-logs").code, 0, "exit code")
    for pid in [server.pid, *server.pids().values()]:
        equal([path for path in open_files(pid) if path.endswith(".log.1")], [], f"files of {pid}")
    ask_all()
    for name in hosts:
        lines_of(server, 1, name)
        equal(len(server.log(name + ".1").splitlines()), 2, f"{name}.1")
        equal(len(server.log(name).splitlines()), 1, name)


@scenario("every answer bears an id of its own, unless the client has sent one")
def ids(case):
    server = case.serve(HTTP + JSON)
    def asked(fields="", target="/hello"):
        with Client(server.address()) as client:
            return client.get(target, fields=fields).field("X-Request-ID")
    check(OWN_ID.match(asked()), "an id of ours")
    equal(asked("x-request-id: abc-123.DEF~\r\n"), "abc-123.DEF~", "the client's")
    equal(asked("X-Request-ID: none\r\n", "/none"), "none", "with a 404")
    for bad in ("", "a b", "a,b", "a\"b", "a/b", "\u00e4", "x" * 129):
        check(OWN_ID.match(asked(f"X-Request-ID: {bad}\r\n")), f"instead of {bad!r}")
    equal(asked(f"X-Request-ID: {'x' * 128}\r\n"), "x" * 128, "the longest")
    check(OWN_ID.match(ask_raw(server.address(), b"nonsense\r\n\r\n").field("X-Request-ID")),
          "with an error")
    logged = [one["request_id"] for one in objects_of(server, 12)]
    check({"abc-123.DEF~", "none", "x" * 128} <= set(logged), f"the log tells the same: {logged}")


@scenario("no id is given twice, by whatever worker and thread")
def unique(case):
    server = case.serve(HTTP + JSON, **case.room(8))
    with Load(server.address(), b"<h1>index</h1>\n", target="/index.html") as load:
        load.more(400)
    server.stop()
    logged = [json.loads(line)["request_id"] for line in server.log("access.log").splitlines()]
    check(len(logged) >= load.good, f"{load.good} answers, {len(logged)} lines")
    equal(len(set(logged)), len(logged), "different ids")
    check(all(OWN_ID.match(each) for each in logged), "their form")


@scenario("a field that the id cannot stand in is refused", models=())
def bad_field(case):
    for name in ("X Id", "Content-Length", "Host", "x" * 65):
        server = case.server(HTTP + JSON.replace("X-Request-ID", name))
        result = server.run("-t")
        equal(result.code, 1, f"exit code for {name}")
        contains(result.text, "request_id: ", f"what is said of {name}")


if __name__ == "__main__":
    main()
