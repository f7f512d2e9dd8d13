"""Signals to the master and to a worker. Stopping ones are in stop.py, HUP is in reload.py, USR1
in log.py."""
import os
import signal

from client import Load, connect, echo, get
from reeve import ECHO, HTTP, alive, check, equal, main, scenario, until, wait_gone


@scenario("TTIN and TTOU: one worker more, one less")
def scale(case):
    server = case.serve()
    server.signal(signal.SIGTTIN)
    server.all_ready(3)
    server.signal(signal.SIGTTOU)
    server.all_ready(2)
    server.signal(signal.SIGTTOU)
    server.all_ready(1)
    server.signal(signal.SIGTTOU)
    server.until_logged("operation", "(scale) ended with code 1")
    server.all_ready(1)
    equal(get(server.address()).status, 200, "it serves")


@scenario("WINCH and PIPE do nothing")
def ignored(case):
    server = case.serve()
    pids = server.pids()
    for number in (signal.SIGWINCH, signal.SIGPIPE, signal.SIGWINCH):
        server.signal(number)
        equal((server.ask("health")["code"], server.pids()), (0, pids), f"after {number.name}")
    equal(get(server.address()).status, 200, "it serves")


@scenario("TERM to a worker retires that worker, and another takes its slot")
def retire(case):
    server = case.serve()
    with Load(server.address(), b"<h1>index</h1>\n") as load:
        load.more(20)
        before = server.pids()
        os.kill(before[0], signal.SIGTERM)
        after = server.all_ready(2, besides=[before[0]])
        check(wait_gone(before[0]), "the old one has ended")
        load.more(20)
    equal(after[1], before[1], "the other slot")
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))
    equal(server.logged("worker-crashed"), [], "crashes in the log")


@scenario("TERM to a worker: its connections end in peace")
def retire_held(case):
    server = case.serve(ECHO, workers=1)
    old = server.pids()[0]
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        os.kill(old, signal.SIGTERM)
        server.all_ready(1, besides=[old])
        equal(echo(link, b"still"), b"still", "it goes on in the old worker")
        check(alive(old), "which is still there")
    check(wait_gone(old), "and ends with its last connection")


@scenario("a worker that is told to go while it still loads asks for its log, and goes in peace",
          models=())
def early(case):
    server = case.server(HTTP + 'http { access_log = "access.log" site "default" {'
                         ' route "/" { hello { } } } }\n', modules=["http", "hello", "hang"],
                         workers=1)
    loads = server.write("loads", "")
    server.start(env=dict(os.environ, HANG_LOAD=loads))
    os.unlink(loads)

    def states():
        return {each["pid"]: each["state"] for each in server.status()["workers"]}
    server.signal(signal.SIGTTIN)
    until(lambda: "started" in states().values(), "another worker loads")
    server.signal(signal.SIGTTOU)
    until(lambda: "retiring" in states().values(), "it is told to go")
    [pid] = [pid for pid, state in states().items() if state == "retiring"]
    server.write("loads", "")
    check(wait_gone(pid), "it has gone")
    equal(server.until_logged("worker-exit"),
          [f"worker 1 of generation 1 (pid {pid}) has ended"], "its end")
    equal(server.logged("channel-bad"), [], "what it had said wrong")


@scenario("signals for the terminal's group do not stop a worker by itself")
def group(case):
    server = case.serve()
    pids = server.pids()
    for pid in pids.values():
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE,
                       signal.SIGWINCH):
            os.kill(pid, number)
    for _ in range(8):
        equal(get(server.address()).status, 200, "it serves")
    equal(server.pids(), pids, "the workers")


@scenario("a storm of signals leaves a server that serves")
def storm(case):
    server = case.serve()
    for _ in range(30):
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGWINCH):
            server.signal(number)
    until(lambda: server.ask("reload")["code"] == 0, "a reload afterwards")
    server.all_ready(2)
    equal(get(server.address()).status, 200, "it serves")


if __name__ == "__main__":
    main()
