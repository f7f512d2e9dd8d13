"""Bad input: each is one line with file, line, option and what to do, and exit status 1."""
import os
import re
import socket

from client import get
from reeve import (ECHO, HTTP, MODULE_PATH, ROOT, SITE, Skipped, check, contains, equal, main,
                   scenario)

HERE = f"/tmp/reeve-owner-{os.getpid()}.sock"

# name, what is changed, where the line is (a part of it), the option, words that must stand in it
TABLE = (
    ("an unknown option", {"text": "threds = 5\n" + HTTP + SITE}, "threds", "threds", ["threads"]),
    ("an unknown section", {"text": 'listn "127.0.0.1:0" { }\n' + SITE}, "listn", "listn",
     ["listen"]),
    ("an option of another section", {"text": HTTP + SITE.replace("root", "\nbacklog")}, "backlog",
     "backlog", []),
    ("a word for a number", {"workers": "many"}, "workers", "workers", ["number"]),
    ("a number for a list", {"text": "modules = 5\n" + HTTP + SITE, "modules": None}, "modules = 5",
     "modules", []),
    ("a bad boolean", {"text": HTTP + SITE.replace("http {", "http {\nserver_header = perhaps\n")},
     "perhaps", "server_header", []),
    ("a number out of range", {"threads": 0}, "threads", "threads", ["1"]),
    ("a number far too large", {"workers": 99999999}, "workers", "workers", []),
    ("a bad duration", {"drain_timeout": "5 parsecs"}, "drain_timeout", "drain_timeout", ["s"]),
    ("an unknown model", {"model": "evnt"}, "model", "model", ["event"]),
    ("many connections for a process each", {"model": "forking", "connections": 5}, "connections",
     "connections", ["5 contradicts the model forking", "epoll"]),
    ("many connections for a thread each", {"model": "threaded", "connections": 5}, "connections",
     "connections", ["5 contradicts the model threaded", "epoll"]),
    ("loops where each connection has a process", {"model": "forking", "loops": 2}, "loops",
     "loops", ["2 contradicts the model forking", "prethreaded"]),
    ("loops where each connection has a thread", {"model": "threaded", "loops": 2}, "loops",
     "loops", ["2 contradicts the model threaded", "prethreaded"]),
    ("epoll in the model poll", {"model": "poll", "wait": "epoll"}, "wait =", "wait",
     ["contradicts the model poll", 'model = "epoll"']),
    ("poll in the model epoll", {"model": "epoll", "wait": "poll"}, "wait =", "wait",
     ["contradicts the model epoll", 'model = "poll"']),
    ("one connection a loop beside a pool", {"connections": 1}, "connections", "connections",
     ["model event", "worker"]),
    ("more loops and threads than a worker may have", {"loops": 64, "threads": 12000}, "threads",
     "threads", ["12000", "64"]),
    ("an unknown log level", {"log_level": "loud"}, "log_level", "log_level", ["notice"]),
    ("a duplicate listener", {"text": HTTP + SITE + "\n" + HTTP.replace("0.1", "0.1") + "# end\n"},
     None, "listen", ["127.0.0.1:0"]),
    ("a missing module", {"modules": ["echo", "http", "static", "hello", "nosuch"]}, "modules",
     "modules", ["nosuch"]),
    ("a module that is not listed", {"modules": ["http", "static"]}, "hello", "hello", ["modules"]),
    ("a protocol that is not loaded", {"text": HTTP.replace('"http"', '"htp"') + SITE}, "htp",
     "protocol", ["http"]),
    ("a route without a handler", {"text": HTTP + 'http { site "default" {\nroute "/" { } } }\n'},
     "route", "route", []),
    ("a bad address", {"text": 'listen "nowhere" { protocol = "http" }\n' + SITE}, "nowhere",
     "listen", []),
    ("a port out of range", {"text": 'listen "127.0.0.1:70000" { protocol = "http" }\n' + SITE},
     "70000", "listen", ["65535"]),
    ("an address of another machine",
     {"text": 'listen "192.0.2.1:0" { protocol = "http" }\n' + SITE}, "192.0.2.1", "listen", []),
    ("a missing content root", {"text": HTTP + SITE.replace("www", "nowhere")}, "nowhere", "root",
     ["nowhere"]),
    ("an unknown user", {"user": "no-such-user"}, "user", "user", ["no-such-user"]),
    ("an unknown group for the control socket", {"control_group": "no-such-group"}, "control_group",
     "control_group", ["no-such-group", "create"]),
    ("an unknown owner of a listener",
     {"text": f'listen "unix:{HERE}" {{ protocol = "http" owner = "no-such-user" }}\n' + SITE},
     "owner", "owner", ["no-such-user", "create"]),
    ("an unknown group of a listener",
     {"text": f'listen "unix:{HERE}" {{ protocol = "http" owner = ":no-such-group" }}\n' + SITE},
     "owner", "owner", ["no-such-group", "create"]),
    ("a module that is not there", {"modules": ["http", "static", "hello", "/none/x.so"]},
     "modules", "modules", ["/none/x.so", "check the path"]),
    ("a missing quotation mark", {"text": HTTP + 'pid_file = "oops\n'}, None, "", []),
    ("a missing brace", {"text": HTTP + "http {\n site \"default\" {\n"}, None, "", []),
    ("a log file in no folder", {"error_log": "none/error.log"}, "error_log", "error_log",
     ["none"]),
)


def one_line(server, result, part, option, words):
    """Exactly one line names the file; it holds all that is promised."""
    equal(result.code, 1, f"exit status ({result.text})")
    told = [line for line in result.text.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT", line)]
    equal(len(told), 1, f"lines beside the log in {result.text!r}")
    place = re.match(re.escape(server.conf) + r":(\d+): (.*)$", told[0])
    check(place, f"no file:line in {told[0]!r}")
    if part is not None:
        equal(int(place.group(1)), server.line_of(part), f"the line's number in {told[0]!r}")
    for word in [option, *words]:
        contains(place.group(2), word, "the line")
    check(place.group(2).count('listen "') <= 1, f"{told[0]!r} names the listener once")


def declare(name, change, part, option, words):
    @scenario(f"bad input: {name}", models=())
    def bad(case):
        if name == "an unknown user":
            case.need_root()
        server = case.server(**dict({"text": HTTP + SITE}, **change))
        one_line(server, server.run(), part, option, words)
        check(not os.path.exists(server.path("reeved.pid")), "no pid file is left")
        # What depends on the machine as it is now is not part of the test of a file.
        if name not in ("an address of another machine", "a log file in no folder"):
            one_line(server, server.run("-t"), part, option, words)


for row in TABLE:
    declare(*row)


@scenario("bad input: every wrong value of a file is told at once", models=())
def several(case):
    for parts, change in ((("threads", "log_level"), {"threads": 0, "log_level": "loud"}),):
        server = case.server(**dict({"text": HTTP + SITE}, **change))
        result = server.run("-t")
        equal(result.code, 1, "exit status")
        for part in parts:
            contains(result.text, f"reeve.conf:{server.line_of(part)}: {part}", "the text")


@scenario("bad input: a port in use", models=())
def port(case):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        server = case.server(HTTP.replace(":0", f":{number}") + SITE)
        one_line(server, server.run(seconds=40), str(number), "listen", ["in use"])


@scenario("bad input: a port that needs root", models=())
def low_port(case):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
        first = int(file.read())
    if ROOT or first <= 81:
        raise Skipped("this user may bind port 81")
    server = case.server(HTTP.replace(":0", ":81") + SITE)
    one_line(server, server.run(), ":81", "listen", ["root"])


@scenario("bad input: no such file, an unreadable file, a folder", models=())
def files(case):
    server = case.server()
    for path, word in ((server.path("none.conf"), "none.conf"), (server.folder, server.folder)):
        result = server.run("-c", path, conf=False)
        equal(result.code, 1, f"exit status for {path}")
        lines = [line for line in result.text.splitlines() if word in line]
        equal(len(lines), 1, f"lines in {result.text!r}")
    if ROOT:
        return
    os.chmod(server.conf, 0)
    result = server.run()
    equal(result.code, 1, "exit status for an unreadable file")
    contains(result.text, "reeve.conf", "the text")


def abi(module, words):
    @scenario(f"bad input: a module with another interface ({module})", models=())
    def refused(case):
        if not any(os.path.exists(f"{folder}/{module}.so") for folder in MODULE_PATH.split(":")):
            raise Skipped(f"no {module}.so was built")
        server = case.server(modules=["echo", "http", "static", "hello", module])
        one_line(server, server.run(), "modules", "modules", [module, *words])


for each in (("abi-magic", []), ("abi-major", ["interface"]), ("abi-minor", ["interface"])):
    abi(*each)


@scenario("bad input: a file that is no module", models=())
def no_module(case):
    server = case.server(modules=["echo", "http", "static", "hello", "junk"])
    server.write("junk.so", "this is no shared object\n")
    result = server.run("-o", f"module_path={server.folder}:{MODULE_PATH}")
    one_line(server, result, "modules", "modules", ["junk"])


@scenario("bad input by -o names the option and the command line", models=())
def override(case):
    server = case.server()
    for value, word in (("threads=0", "threads"), ("threds=5", "threads"), ("threads", "=")):
        result = server.run("-o", value)
        equal(result.code, 1, f"exit status of -o {value}")
        told = [line for line in result.text.splitlines() if line.startswith("-o ")]
        equal(len(told), 1, f"lines about it in {result.text!r}")
        contains(told[0], word, "the line")
    # What only the start can find out: an address that cannot be bound.
    server.configure(SITE)
    result = server.run("-o", "listen=192.0.2.1:0")
    equal(result.code, 1, "exit status of an address of another machine")
    contains(result.text, "-o listen=192.0.2.1:0", "the text")
    check("reeve.conf:" not in result.text.replace("configuration " + server.conf, ""),
          f"no place in the file in {result.text!r}")


@scenario("comments, included quotes and empty sections are understood", models=())
def good(case):
    server = case.serve("# a comment with { braces\n" + ECHO +
                        "/* more } of it */ // and { this\n" +
                        'http { site "default" { route "/a\\"b" { hello { } }\n'
                        ' route "/" { hello { text = "{ # not a comment }" } } } }\n' + HTTP)
    equal(get(server.address()).body, b"{ # not a comment }", "the text")


if __name__ == "__main__":
    main()
