"""Workers that die, once or again and again, and a master that is killed."""
import os
import re
import signal
import time

from client import KEPT, ONE_EACH, Client, Load, get
from reeve import (HTTP, TOGETHER, alive, check, contains, equal, main, own_port, scenario,
                   stat_of, until, wait_gone)

CRASH = ('http { site "default" { route "/" { static { root = "www" } }'
         ' route "/crash" { crash { how = "abort" } } } }\n')
HANG = ('http { site "default" { route "/" { static { root = "www" } }'
        ' route "/hang" { hang { %s } } } }\n')


def kill_each(case, kind):
    server = case.serve(workers=4)
    server.crashes_meant = True
    with Load(server.address(), b"<h1>index</h1>\n", kind=kind) as load:
        load.more(20)
        began = server.pids()
        equal(sorted(began), [0, 1, 2, 3], "slots")
        for slot, pid in began.items():
            os.kill(pid, signal.SIGKILL)
            after = server.all_ready(4, besides=[pid])
            contains(server.until_logged("worker-crashed", f"(pid {pid})")[0],
                     "started again at once", f"what is done about slot {slot}")
            equal({s: p for s, p in after.items() if s > slot},
                  {s: p for s, p in began.items() if s > slot}, "the slots not yet touched")
            load.more(10)
    equal((load.refused, load.wrong), (0, 0), str(load))
    check(load.failed_new + load.failed_kept <= 4 * 4, f"only what was in hand is lost ({load})")
    status = server.status()
    equal(status["totals"]["restarts"], 4, "restarts in all")
    equal([worker["restarts"] for worker in status["workers"]], [1] * 4, "restarts of the slots")
    if not case.row.process_each:  # what an orphan goes on to answer is counted nowhere
        check(status["totals"]["requests"] >= load.good, "requests of the dead are still counted")


@scenario("kill -9 of every worker in turn under load: nothing is refused (connection per request)")
def kill_new(case):
    kill_each(case, ONE_EACH)


@scenario("kill -9 of every worker in turn under load: nothing is refused (keep-alive)")
def kill_kept(case):
    kill_each(case, KEPT)


@scenario("totals never go backwards when a worker dies")
def totals(case):
    server = case.serve(workers=2)
    server.crashes_meant = True
    with Load(server.address(), b"<h1>index</h1>\n", clients=2) as load:
        last = {}
        for turn in range(3):
            load.more(50)
            pid = server.all_ready(2)[turn % 2]
            os.kill(pid, signal.SIGKILL)
            check(wait_gone(pid), "the worker has gone")
            for _ in range(20):
                now = server.status()["totals"]
                for name in ("connections", "requests", "bytes", "restarts"):
                    check(now[name] >= last.get(name, 0),
                          f"{name}: {last.get(name)}, then {now[name]}")
                last = now
            server.all_ready(2, besides=[pid])


@scenario("a crash is told: signal, slot and what follows, in log, events and status")
def told(case):
    server = case.serve()
    server.crashes_meant = True
    pid = server.pids()[1]
    with server.events() as events:
        os.kill(pid, signal.SIGKILL)
        event = events.wait("worker-crashed", str(pid))
        check(re.search(r"SIGKILL|[Kk]illed|signal 9", event["text"]),
              f"the signal in {event['text']!r}")
        events.wait("worker-ready")
    contains(server.until_logged("worker-crashed")[0], str(pid), "the log's text")
    contains(server.status()["last_error"] or "", str(pid), "last error of status")
    server.all_ready(2)


@scenario("a handler that crashes takes one worker with it, and it comes back", models=TOGETHER)
def handler(case):
    server = case.serve(HTTP + CRASH, modules=["http", "static", "crash"])
    server.crashes_meant = True
    before = server.pids()
    with Client(server.address()) as client:
        client.send("GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
        client.ended()
    after = server.until_logged("worker-crashed") and server.all_ready(2)
    equal(len(set(before.values()) & set(after.values())), 1, "workers that lived on")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a crash loop: the delay doubles, the other slots keep their workers, the master rests",
          models=())
def loop(case):
    server = case.serve(workers=3)
    server.crashes_meant = True
    kept = {slot: pid for slot, pid in server.pids().items() if slot != 1}
    told, took = [], 0
    with server.events() as events:
        pid = server.pids()[1]
        for _ in range(6):
            killed = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            told.append(events.wait("worker-crashed", f"(pid {pid})")["text"])
            pid = until(lambda: server.pids().get(1), "slot 1 is back")
            took = time.monotonic() - killed
    check(told[0].endswith("; started again at once"), f"the first time: {told[0]}")
    delays = [int(re.search(r"; started again in (\d+) ms$", text)[1]) for text in told[1:]]
    equal(delays, [delays[0] << times for times in range(5)], "the delay doubles")
    check(took >= delays[-1] / 1000, f"it was back after {took:.2f} s, not {delays[-1]} ms")
    after = {slot: each for slot, each in server.pids().items() if slot != 1}
    equal(after, kept, "the other slots")
    equal(get(server.address()).status, 200, "it serves")


@scenario("kill -9 of the master: a worker whose handler does not return ends none the less", models=())
def never_returns(case):
    server = case.server(HTTP + HANG % "", modules=["http", "static", "hang"],
                         drain_timeout="200ms", workers=1)
    server.start()
    worker = server.pids()[0]
    with Client(server.address()) as client:
        client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: server.status()["workers"][0]["busy"], "the handler runs")
        server.status_meant = None
        server.signal(signal.SIGKILL)
        server.wait()
        check(wait_gone(worker), "the worker has ended")


@scenario("a module that crashes while it is configured: -t, check, reload and start say so", models=())
def unfit(case):
    server = case.serve(HTTP + CRASH, modules=["http", "static", "crash"])
    server.crashes_meant = True
    server.configure(HTTP + CRASH.replace('"abort"', '"configure"'))
    result = server.run("-t")
    equal(result.code, 1, "exit status of -t")
    contains(result.text, "a module crashed", "its text")
    for verb, code in (("check", 1), ("reload", 3)):
        answer = server.ask(verb)
        equal(answer["code"], code, f"code of {verb}")
        contains(answer["text"], "killed by signal 6", f"text of {verb}")
    equal(get(server.address()).status, 200, "the old generation serves")


@scenario("a worker that stops in the middle of its start does not hold the others up")
def stopped(case):
    server = case.serve(workers=2)
    server.crashes_meant = True
    pid = server.pids()[0]
    os.kill(pid, signal.SIGSTOP)
    # The kernel wakes one worker for a connection: not one that has no time left to take it.
    until(lambda: all(stat_of(f"{pid}/task/{thread}")[0] == "T"
                      for thread in os.listdir(f"/proc/{pid}/task")), "all its threads stand still")
    try:
        for _ in range(4):
            equal(get(server.address()).status, 200, "the other worker serves")
    finally:
        os.kill(pid, signal.SIGKILL)
    server.all_ready(2, besides=[pid])


@scenario("kill -9 of the master: workers finish what they hold and exit; a new one starts at once")
def master(case):
    address = ("127.0.0.1", own_port())
    fixed = HTTP.replace("127.0.0.1:0", "%s:%d" % address) + HANG % 'until = "over"'
    modules = ["http", "static", "hang"]
    server = case.serve(fixed, modules=modules, handler_timeout="0", loop_timeout="0")
    workers = server.pids().values()
    with Client(address) as client:
        client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: sum(each["busy"] for each in server.status()["workers"]), "the handler runs")
        server.status_meant = None
        server.signal(signal.SIGKILL)
        server.wait()
        second = case.server(fixed, modules=modules, control=server.control,
                             pid_file=server.path("reeved.pid"))
        second.control = server.control
        second.start()
        equal(get(address).status, 200, "the new one serves")
        server.write("over", "")
        equal(client.answer().status, 200, "the request in hand")
        client.ended()
    for pid in workers:
        check(wait_gone(pid), f"worker {pid} has ended")
    check("master-gone" in server.log(), "the workers said why")
    equal(server.read("reeved.pid").strip(), str(second.pid), "the pid file")


if __name__ == "__main__":
    main()
