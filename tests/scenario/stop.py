"""Starting, being the only one, and stopping."""
import os
import signal
import socket

from client import Client, connect, echo, get
from reeve import (ECHO, HTTP, SITE, alive, check, contains, descendants, equal, main, scenario,
                   until, wait_gone)

SLEEP = 'http { site "default" { route "/" { sleep { delay = "800ms" } } } }\n'


@scenario("the pid file holds the master's PID and goes at the stop, the control socket too")
def pid_file(case):
    server = case.serve()
    equal(server.read("reeved.pid"), f"{server.pid}\n", "the pid file")
    equal(server.status()["pid"], server.pid, "the PID in status")
    server.stop()
    check(not os.path.exists(server.path("reeved.pid")), "the pid file is gone")
    check(not os.path.exists(server.control), "the control socket is gone")
    check(server.logged("stopped"), "the log says so")


@scenario("a pid file of a dead server does not hinder a start", models=())
def stale(case):
    server = case.server()
    server.write("reeved.pid", f"{os.getpid()}\n")
    server.write("control.sock", "not even a socket")
    os.unlink(server.control)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(server.control)
    server.start()
    equal(server.read("reeved.pid"), f"{server.pid}\n", "the pid file")


@scenario("a second start is refused with the PID of the first", models=())
def second(case):
    server = case.serve()
    result = server.run()
    equal(result.code, 1, "exit status")
    contains(result.text, str(server.pid), "the text")
    equal(server.read("reeved.pid"), f"{server.pid}\n", "the pid file is still the first one's")
    equal(server.status()["pid"], server.pid, "the first serves on")


@scenario("TERM finishes the request in hand")
def graceful(case):
    server = case.serve(HTTP + SLEEP, modules=["http", "sleep"])
    with Client(server.address()) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: sum(each["busy"] for each in server.status()["workers"]), "the handler runs")
        server.signal(signal.SIGTERM)
        equal(client.answer().status, 200, "the request in hand")
        client.ended()
    equal(server.wait(), 0, "exit status")


@scenario("TERM with a connection that does not end: the drain deadline")
def deadline(case):
    server = case.serve(ECHO, drain_timeout="500ms")
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.signal(signal.SIGTERM)
        equal(server.wait(), 0, "exit status")


@scenario("a second TERM stops at once")
def twice(case):
    server = case.serve(ECHO, drain_timeout="5m")
    workers = server.pids().values()
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.signal(signal.SIGTERM)
        server.until_logged("stopping")
        equal(echo(link, b"still"), b"still", "it is finished in peace")
        server.signal(signal.SIGTERM)
        equal(server.wait(), 0, "exit status")
    check(not any(alive(pid) for pid in workers), "the workers are gone")


@scenario("INT stops fast")
def fast(case):
    server = case.serve(ECHO, drain_timeout="5m")
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.signal(signal.SIGINT)
        equal(server.wait(), 0, "exit status")


@scenario("QUIT waits as long as it takes, beyond the drain deadline")
def patient(case):
    server = case.serve(ECHO, drain_timeout="100ms")
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.signal(signal.SIGQUIT)
        server.until_logged("stopping")
        check(not wait_gone(server.pid, 0.4), "it waits")
        equal(echo(link, b"still"), b"still", "it is finished in peace")
    equal(server.wait(), 0, "exit status")


@scenario("stopping takes no new connections and ends idle ones")
def idle(case):
    server = case.serve(drain_timeout="5m", drain_linger="50ms")
    address = server.address()
    with Client(address) as client:
        equal(client.get("/").status, 200, "a kept connection")
        server.signal(signal.SIGTERM)
        client.ended()
    equal(server.wait(), 0, "exit status")
    try:
        connect(address).close()
        check(False, "the port still takes connections")
    except ConnectionRefusedError:
        pass


@scenario("reevectl stop returns when the server has stopped; stop --now does not wait")
def by_control(case):
    server = case.serve()
    result = server.ctl("stop")
    equal(result.code, 0, f"exit code of stop ({result.text})")
    equal(server.wait(), 0, "exit status")
    held = case.serve(ECHO, drain_timeout="5m")
    with connect(held.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        equal(held.ctl("stop", "--now").code, 0, "exit code of stop --now")
        equal(held.wait(), 0, "exit status")


@scenario("a stop in the middle of a reload stops")
def during_reload(case):
    server = case.serve(workers=4)
    for threads in (5, 6, 7):
        server.configure(threads=threads)
        server.signal(signal.SIGHUP)
    server.signal(signal.SIGTERM)
    equal(server.wait(), 0, "exit status")


@scenario("-d: the parent exits when the first generation is ready, the daemon serves", models=())
def detached(case):
    case.need_no_wrap("it keeps the caller's standard error itself")
    server = case.server(error_log="error.log")
    result = server.run("-d")
    equal((result.code, result.err), (0, ""), "exit status and text of the parent")
    pid = int(server.read("reeved.pid"))
    equal(get(server.address()).status, 200, "it serves at once")
    equal(server.status()["pid"], pid, "the PID in status")
    check(os.getsid(pid) != os.getsid(0), "a session of its own")
    equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null", "its standard input")
    equal(server.ctl("stop").code, 0, "exit code of stop")
    check(wait_gone(pid), "the daemon has ended")


@scenario("-d holds nothing of its caller's: a pipe from it ends", models=())
def detached_pipe(case):
    case.need_no_wrap("it keeps the caller's standard error itself")
    for error_log in ("error.log", "stderr"):
        server = case.server(error_log=error_log)
        # Reads to the end of both pipes, and so fails when the daemon holds one.
        equal(server.run("-d").code, 0, f"exit status with error_log = {error_log}")
        pid = int(server.read("reeved.pid"))
        equal(server.ask("health")["code"], 0, "health")
        for each in [pid, *server.pids().values()]:
            files = [os.readlink(f"/proc/{each}/fd/{fd}") for fd in (0, 1, 2)]
            check("pipe:" not in "".join(files), f"process {each} has {files}")
        equal(server.ctl("stop").code, 0, "exit code of stop")
        check(wait_gone(pid), "the daemon has ended")


@scenario("-d with a bad configuration: the parent says so and fails", models=())
def detached_bad(case):
    server = case.server(threads=0, error_log="error.log")
    result = server.run("-d")
    equal(result.code, 1, "exit status")
    contains(result.text, f"reeve.conf:{server.line_of('threads')}: threads", "the text")
    server.configure(HTTP + SITE.replace("root", "rot"), threads=2)
    result = server.run("-d")
    equal(result.code, 1, "exit status when a worker refuses")
    contains(result.text, f"reeve.conf:{server.line_of('rot =')}: ", "the text")
    check(not os.path.exists(server.path("reeved.pid")), "no pid file is left")
    until(lambda: not descendants(os.getpid()), "the daemon's process has gone")


if __name__ == "__main__":
    main()
