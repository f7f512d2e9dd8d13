"""The service manager: what it is told by datagrams (sd_notify), and what it hands over."""
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

from client import Client, connect, get
from notify import Manager
from reeve import (DEADLINE, HTTP, SITE, SLOW, Skipped, check, contains, equal, main, own_port,
                   scenario, until)


def environment_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read().decode(errors="replace").split("\0")


def trace(case, address):
    """Start, reloads of every kind, stop: what is said of each."""
    server = case.server()
    with Manager(address(server)).listen() as manager:
        server.start(env=manager.environment())
        manager.until("READY")
        contains(manager.status("serve"), "2 workers of generation 1 serve", "the first status")
        texts = (None, SITE.replace("www", "nowhere"), "nonsense {", None)
        for number, text in enumerate(texts, 1):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            server.configure(HTTP + (text or SITE), threads=4 + number)
            server.signal(signal.SIGHUP)
            manager.until("READY", 1 + number)
            since = int(manager.until("MONOTONIC_USEC", number))
            check(before <= since <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000,
                  f"the reload began at {since}, after the signal at {before}")
            if text:
                contains(manager.status("last error"), "reeve.conf:", "the status of a failure")
        server.configure()
        equal(server.ctl("reload").code, 0, "a reload by reevectl, of nothing new")
        manager.until("READY", 6)
        for pid in server.pids().values():
            wrong = [each for each in environment_of(pid)
                     if re.match("NOTIFY_|WATCHDOG_|LISTEN_", each)]
            equal(wrong, [], "what a worker has of the manager's environment")
        server.stop()
        manager.until("STOPPING")
        equal(manager.words(), ["READY"] + ["RELOADING", "READY"] * 5 + ["STOPPING"],
              "all that was said")
        statuses = [text for _, text in manager.all("STATUS")]
        check(all(len(text) < 400 for text in statuses), "a status is short")


@scenario("READY, RELOADING, STOPPING and STATUS, to a socket by path", models=("event", "forking"))
def by_path(case):
    trace(case, lambda server: server.path("notify"))


@scenario("READY, RELOADING, STOPPING and STATUS, to an abstract socket", models=())
def by_name(case):
    trace(case, lambda server: "@reeve-test-" + os.path.basename(server.folder))


@scenario("a manager that does not read delays nobody, and hears all when it does", models=())
def deaf(case):
    server = case.server()
    with Manager(server.path("notify")) as manager:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chatter:
            chatter.setblocking(False)
            try:
                chatter.connect(manager.address)
                while True:
                    chatter.send(b"NOISE=1")
            except BlockingIOError:
                pass
        server.start(env=manager.environment(WATCHDOG_USEC="100000"))
        equal(get(server.address()).status, 200, "an answer")
        server.configure(threads=6)
        equal(server.ctl("reload").code, 0, "a reload")
        equal(manager.words(), [], "heard so far")
        manager.listen()
        manager.until("READY", 2)
        equal([word for word in manager.words() if word != "NOISE"],
              ["READY", "RELOADING", "READY"], "heard in the end")
        server.stop()


@scenario("a NOTIFY_SOCKET that is none is said, and no more than that", models=())
def no_manager(case):
    for address in ("nonsense", "/" + "x" * 200, "/nowhere/at/all"):
        server = case.server().start(env=dict(os.environ, NOTIFY_SOCKET=address))
        server.until_logged("notify-failed")
        equal(get(server.address()).status, 200, "an answer")


HANG = HTTP + ('http { site "default" { route "/" { static { root = "www" } }'
               ' route "/sleep" { sleep { delay = "600s" } } } }\n')
PATIENCE = 0.4 * SLOW  # s


@scenario("the watchdog is told that all is well only while most workers make progress",
          models=("prefork",))
def watchdog(case):
    server = case.server(HANG, modules=["http", "static", "sleep"], workers=3)
    server.crashes_meant = True
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment(WATCHDOG_USEC=str(int(PATIENCE * 1e6))))
        manager.until("WATCHDOG", 10)
        busy = [Client(server.address())]
        busy[0].send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: [each for each in server.workers().values() if each["busy"]], "one is busy")
        manager.until("WATCHDOG", len(manager.all("WATCHDOG")) + 10) # two of three do
        equal(server.logged("watchdog"), [], "complaints so far")
        for _ in range(2):
            busy.append(Client(server.address()))
            busy[-1].send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
        # Once: who is slow to send his request may find that one less is complained of already.
        server.until_logged("watchdog", " of 3 workers make progress; unless that changes")
        for pid in server.pids().values():
            server.signal(signal.SIGKILL, pid)
        server.until_logged("watchdog-well")
        server.all_ready(3)
        manager.until("WATCHDOG", len(manager.all("WATCHDOG")) + 4)
        times = [when for when, _ in manager.all("WATCHDOG")]
        check(max(b - a for a, b in zip(times, times[1:])) > PATIENCE / 2,
              "nothing was said while they hung")
        for client in busy:
            client.link.close()


@scenario("stopped workers do not count against the watchdog", models=("event", "prefork"))
def stopped(case):
    server = case.server(workers=2)
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment(WATCHDOG_USEC=str(int(PATIENCE * 1e6))))
        pids = list(server.pids().values())
        for pid in pids:
            server.signal(signal.SIGSTOP, pid)
        manager.until("WATCHDOG", len(manager.all("WATCHDOG")) + 12)
        for pid in pids:
            server.signal(signal.SIGCONT, pid)
        equal(server.logged("watchdog"), [], "complaints")


@scenario("a watchdog that is meant for another process is not served", models=())
def not_ours(case):
    server = case.server()
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment(WATCHDOG_USEC="50000", WATCHDOG_PID="1"))
        server.configure(threads=6)
        equal(server.ctl("reload").code, 0, "a reload")
        manager.until("READY", 2)
        equal(manager.all("WATCHDOG"), [], "words of the watchdog")


@scenario("systemd-notify's barrier: what it sends beside ours is no hindrance", models=())
def barrier(case):
    if not shutil.which("systemd-notify"):
        raise Skipped("there is no systemd-notify here")
    server = case.server()
    with Manager(server.path("notify")).listen() as manager:
        server.start(env=manager.environment())
        done = subprocess.run(["systemd-notify", "STATUS=of a script"], env=manager.environment(),
                              timeout=DEADLINE * 2, check=False, capture_output=True)
        equal(done.returncode, 0, f"exit code of systemd-notify ({done.stderr})")
        manager.until("BARRIER")
        manager.status("of a script")


@scenario("systemd-socket-activate hands over its socket, and the environment ends there",
          models=())
def activated(case):
    if not shutil.which("systemd-socket-activate"):
        raise Skipped("there is no systemd-socket-activate here")
    address = ("127.0.0.1", own_port())
    server = case.server('listen "fd:web" { protocol = "http" }\n' + SITE)
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"{address[0]}:{address[1]}", "--fdname=web",
             *server.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
    until(lambda: connect(address), "the socket is open").close() # that starts it
    server.ready()
    equal(get(address).status, 200, "an answer")
    for pid in [server.pid, *server.pids().values()]:
        if pid != server.pid:
            equal([each for each in environment_of(pid) if each.startswith("LISTEN_")], [],
                  "what a worker has of it")


@scenario("s6-svscan starts it again after kill -9 of the master, at the same address", models=())
def supervised(case):
    case.need_no_wrap("it is started by a script")
    if not shutil.which("s6-svscan"):
        raise Skipped("there is no s6-svscan here")
    address = ("127.0.0.1", own_port())
    server = case.server(HTTP.replace("127.0.0.1:0", "%s:%d" % address) + SITE)
    os.makedirs(server.path("scan/reeve"))
    run = server.write("scan/reeve/run",
                       "#!/bin/sh\nexec " + shlex.join(server.command()) + " 2>&1\n")
    os.chmod(run, 0o755)
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(["s6-svscan", server.path("scan")], stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL, start_new_session=True)
    server.ready()
    for _ in range(3):
        before = server.status()["pid"]
        server.signal(signal.SIGKILL, before)
        until(lambda killed=before: server.status()["pid"] != killed, "another master")
        server.ready()
        equal(get(address).status, 200, "an answer")


if __name__ == "__main__":
    main()
