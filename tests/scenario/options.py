"""The command line of reeved: -t, -T, -V, -h, -o, and no file at all. -d is in stop.py."""
import os
import re

from client import get
from reeve import REEVECTL, WRAP, Skipped, check, contains, equal, main, run, scenario


@scenario("-t tests a good file in silence or with one word, and starts nothing", models=())
def test_good(case):
    server = case.server()
    result = server.run("-t")
    equal(result.code, 0, f"exit status ({result.text})")
    check(len(result.text.splitlines()) <= 1, f"text {result.text!r}")
    check(not os.path.exists(server.path("reeved.pid")), "no pid file")
    check(not os.path.exists(server.control), "no control socket")


@scenario("-t beside a running server tests without disturbing it", models=())
def test_beside(case):
    server = case.serve()
    server.configure(threads=7)
    equal(server.run("-t").code, 0, "exit status")
    equal(server.read("reeved.pid"), f"{server.pid}\n", "the pid file")
    equal((server.status()["generation"], get(server.address()).status), (1, 200), "the server")


@scenario("-T prints what counts, with origins, and can be read again", models=())
def effective(case):
    server = case.server(threads=7)
    result = server.run("-T", "-o", "workers=3")
    equal(result.code, 0, f"exit status ({result.text})")
    lines = {line.split("=")[0].strip(): line for line in result.out.splitlines() if "=" in line}
    contains(lines["threads"], "7", "threads")
    contains(lines["threads"], f"reeve.conf:{server.line_of('threads')}", "the origin of threads")
    contains(lines["workers"], "3", "workers")
    contains(lines["workers"], "-o", "the origin of workers")
    contains(lines["drain_timeout"], "default", "the origin of drain_timeout")
    server.write("again.conf", result.out)
    again = server.run("-T", "-c", server.path("again.conf"), conf=False)
    equal(again.code, 0, f"exit status with its own text ({again.err})")

    def values(text):
        return [line.split("#")[0].strip() for line in text.splitlines()]
    equal(values(again.out), values(result.out), "the second print")


@scenario("-V tells the version, -h the usage; a wrong option is refused with it", models=())
def usage(case):
    server = case.server()
    version = server.run("-V", conf=False)
    equal(version.code, 0, "exit status of -V")
    contains(version.out, "reeve", "the text of -V")
    check(any(each.isdigit() for each in version.out), f"a number in {version.out!r}")
    usage_text = server.run("-h", conf=False)
    equal(usage_text.code, 0, "exit status of -h")
    for option in ("-c", "-t", "-T", "-d", "-o", "-V", "-h"):
        contains(usage_text.out, option, "the text of -h")
    for short, longer in (("-V", "--version"), ("-h", "--help")):
        result = server.run(longer, conf=False)
        equal((result.code, result.out), (0, server.run(short, conf=False).out), longer)
    for words in (["-X"], ["--nonsense"], ["more"], ["-c"]):
        result = server.run(*words, conf=False)
        equal(result.code, 1, f"exit status of {words}")
        check(result.err, f"{words} is told on standard error")
    for words, code in ((["-V"], 0), (["-h"], 0), (["-X"], 1)):
        equal(run(WRAP + [REEVECTL, *words]).code, code, f"exit status of reevectl {words}")


@scenario("-o overrides the file, the last one counts", models=())
def override(case):
    server = case.server(threads=7).start("-o", "workers=3", "-o", "threads=5", "-o", "threads=6")
    numbers = server.status()["numbers"]
    equal((numbers["workers"], numbers["threads"]), (3, 6), "workers and threads")
    server.configure(threads=8, workers=9)
    server.ask("reload")
    equal(server.status()["numbers"]["threads"], 6, "threads after a reload")


@scenario("without any file the current directory is served", models=())
def no_file(case):
    usual = re.search(r"default (/\S+);", case.server().run("-h", conf=False).text).group(1)
    if os.path.exists(usual):
        raise Skipped(f"this machine has a {usual}")
    server = case.server()
    os.unlink(server.conf)
    server.launch("-o", "listen=127.0.0.1:0", "-o", f"control={server.control}",
                  conf=False, cwd=server.path("www")).ready()
    equal(get(server.address()).body, b"<h1>index</h1>\n", "index.html of the current directory")
    contains("".join(server.logged("built-in-configuration")), server.path("www"), "the log")


@scenario("the log at the start says version, sizing and addresses", models=())
def told(case):
    server = case.serve(workers=0)
    for tag in ("starting", "sizing", "listening"):
        check(server.logged(tag), f"a line {tag}")
    contains(server.logged("listening")[0], "127.0.0.1", "the address")
    equal(len(server.pids()), server.status()["numbers"]["workers"], "as many workers as it says")


if __name__ == "__main__":
    main()
