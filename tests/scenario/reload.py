"""Reload: a new configuration is taken whole, or the old one serves on, and nobody notices."""
import os
import shutil
import signal
import socket
import threading

from client import KEPT, ONE_EACH, PIPELINED, Client, Load, connect, echo, get
from reeve import (DEADLINE, ECHO, FULL, HTTP, MODULE_PATH, SANITIZED, SITE, TOGETHER, WRAP, check,
                   children, contains, equal, main, own_port, scenario, status_field, until,
                   wait_gone)

RELOADS, BROKEN = (200, 20) if FULL else (40, 5)
TWO = ('listen "127.0.0.1:0" { protocol = "http" }\n'
       'listen "127.0.0.3:0" { protocol = "http" }\n')


def says(word):
    return f'http {{ site "default" {{ route "/" {{ hello {{ text = "{word}" }} }} }} }}\n'


@scenario("a changed configuration serves under the next number, with other workers")
def changed(case):
    server = case.serve(HTTP + says("one"))
    before, address = server.pids(), server.address()
    equal(get(address).body, b"one", "before")
    server.configure(HTTP + says("two"))
    result = server.ctl("reload")
    equal(result.code, 0, f"exit code ({result.text})")
    contains(result.text, "2", "the generation's number in the text")
    equal(get(address).body, b"two", "at once after the reload's end")
    equal(server.status()["generation"], 2, "generation")
    check(not set(before.values()) & set(server.pids().values()), "the workers are new ones")
    server.settled()


@scenario("an unchanged configuration says so and replaces nobody")
def unchanged(case):
    server = case.serve()
    pids = server.pids()
    result = server.ctl("reload")
    equal(result.code, 0, "exit code")
    contains(result.text, "unchanged", "the text")
    equal((server.status()["generation"], server.pids()), (1, pids), "generation and workers")
    contains(server.log(), "unchanged", "the log")


@scenario("a changed content root is served")
def root(case):
    server = case.server()
    os.mkdir(server.path("other"))
    server.write("other/index.html", "other\n")
    server.start()
    server.configure(HTTP + SITE.replace('"www"', '"other"'))
    equal(server.ctl("reload").code, 0, "exit code")
    equal(get(server.address()).body, b"other\n", "the other root")


@scenario("a new listener opens, a removed one closes, the others never do")
def listeners(case):
    server = case.serve()
    first = server.address()
    with Load(first, b"<h1>index</h1>\n", kind=ONE_EACH, clients=2) as load:
        server.configure(TWO + SITE)
        equal(server.ctl("reload").code, 0, "exit code of the first")
        second = server.address("127.0.0.3:0")
        equal(server.address(), first, "the port of the one that stayed")
        equal(get(second).status, 200, "the new listener")
        server.configure(HTTP + SITE)
        equal(server.ctl("reload").code, 0, "exit code of the second")
        server.settled()
        equal(list(server.listeners()), ["127.0.0.1:0"], "listeners")
        try:
            connect(second).close()
            check(False, "the removed listener still takes connections")
        except ConnectionRefusedError:
            pass
        load.more(20)
    equal((load.refused, load.failed_new, load.wrong), (0, 0, 0), str(load))


@scenario("connections that wait in a removed listener's backlog are still answered")
def backlog(case):
    server = case.serve(TWO + SITE)
    old, address = server.pids().values(), server.address("127.0.0.3:0")
    server.configure(HTTP + SITE)
    for pid in old:
        os.kill(pid, signal.SIGSTOP)  # so that nobody takes what arrives
    clients = [Client(address).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(5)]
    with server.events() as events:
        server.signal(signal.SIGHUP)
        events.wait("generation", "generation 1: serving -> draining")
    for pid in old:
        os.kill(pid, signal.SIGCONT)
    for client in clients:
        equal(client.answer().status, 200, "who was in the backlog")
        client.link.close()
    until(lambda: list(server.listeners()) == ["127.0.0.1:0"], "the removed listener is gone")


@scenario("who is still taking an answer when its worker begins to drain may ask once more",
          models=TOGETHER)
def still_taking(case):
    server = case.server(drain_linger="30s", **case.room(4))
    large = bytes(range(256)) * 600
    server.write("www/large", large)
    server.start()
    client = Client.__new__(Client)
    client.link, client.data = socket.socket(), b""
    with client:
        client.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.link.settimeout(DEADLINE)
        client.link.connect(server.address())
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        client.more()  # it has begun, and most of it waits in the server
        server.configure(HTTP + SITE, threads=5)
        equal(server.ask("reload")["code"], 0, "the reload")
        answer = client.answer()
        equal((answer.status, answer.body), (200, large), "the answer that was in hand")
        if answer.field("Connection") != "close":  # as the head went out before the drain
            equal(client.get("/").status, 200, "the next one")


@scenario("an address gives way to a wider one on the same port, and back", models=())
def wider(case):
    port = own_port()
    narrow, wide = (HTTP.replace("127.0.0.1:0", f"{host}:{port}") for host in ("127.0.0.1", "0.0.0.0"))
    server = case.serve(narrow + SITE)
    for number, text in enumerate((wide, narrow, wide), 2):
        server.configure(text + SITE)
        answer = server.ask("reload")
        equal((answer["code"], answer["data"]), (0, {"generation": number}), answer["text"])
        equal(get(("127.0.0.1", port)).status, 200, "it serves")


@scenario("a listener's protocol and backlog change without closing the socket")
def protocol(case):
    server = case.serve('listen "127.0.0.1:0" { protocol = "echo" backlog = 64 }\n' + SITE)
    address = server.address()
    with connect(address) as link:
        equal(echo(link, b"echo"), b"echo", "before")
    server.configure('listen "127.0.0.1:0" { protocol = "http" backlog = 99 }\n' + SITE)
    equal(server.ctl("reload").code, 0, "exit code")
    listener = server.listeners()["127.0.0.1:0"]
    equal((server.address(), listener["protocol"], listener["backlog"]), (address, "http", 99),
          "listener")
    equal(get(address).status, 200, "after")


@scenario("a bad file: exit code 3, file:line everywhere, the old generation serves on")
def bad(case):
    server = case.serve()
    pids, address = server.pids(), server.address()
    server.configure(threads=0)
    place = f"reeve.conf:{server.line_of('threads')}: threads"
    result = server.ctl("reload")
    equal(result.code, 3, f"exit code ({result.text})")
    contains(result.text, place, "reevectl's text")
    status = server.status()
    contains(status["last_error"], place, "last error of status")
    contains(status["last_operation"]["text"], place, "last operation of status")
    last = status["last_operation"]
    equal((last["verb"], last["code"]), ("reload", 3), "result")
    equal((status["generation"], server.pids()), (1, pids), "generation and workers")
    equal(get(address).status, 200, "it serves")
    contains("\n".join(server.logged("configuration-error")), place, "the log")
    contains(server.ctl("status").out, place, "the table of reevectl status")
    server.configure(threads=5)
    equal(server.ctl("reload").code, 0, "a good file afterwards")


@scenario("an error that only a worker can see rolls back in the same way")
def bad_in_worker(case):
    server = case.serve()
    pids = server.pids()
    server.configure(HTTP + SITE.replace('root = "www"', '\nrout = "www"\n'))
    place = f"reeve.conf:{server.line_of('rout =')}: "
    result = server.ctl("reload")
    equal(result.code, 3, f"exit code ({result.text})")
    contains(result.text, place, "reevectl's text")
    contains(result.text, "root", "the nearest name is suggested")
    error = server.status()["last_error"]
    contains(error, place, "last error of status")
    equal(error, error.strip(), "last error of status, without a line's end")
    equal((server.status()["generation"], server.pids()), (1, pids), "generation and workers")
    equal(get(server.address()).status, 200, "it serves")


@scenario("an address that is taken rolls back, and opens nothing")
def taken(case):
    other, server = case.serve(), case.serve()
    port = other.address()[1]
    server.configure(HTTP + f'listen "127.0.0.1:{port}" {{ protocol = "http" }}\n' + SITE)
    result = server.ctl("reload")
    equal(result.code, 3, f"exit code ({result.text})")
    contains(result.text, f"reeve.conf:{server.line_of(str(port))}: ", "reevectl's text")
    equal(list(server.listeners()), ["127.0.0.1:0"], "listeners")
    equal(get(server.address()).status, 200, "it serves")


def reload_under_load(case, kind):
    server = case.serve(HTTP + says("same"))
    with Load(server.address(), b"same", kind=kind, clients=4) as load:
        load.more(20)
        for number in range(8):
            server.configure(threads=5 + number)
            answer = server.ask("reload")
            equal(answer["code"], 0, f"reload {number}: {answer['text']}")
            load.more(10)
    equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))


@scenario("reloads under keep-alive load lose no request")
def under_kept(case):
    reload_under_load(case, KEPT)


@scenario("reloads under a connection per request lose none")
def under_new(case):
    reload_under_load(case, ONE_EACH)


@scenario("reloads under pipelined load lose no request")
def under_pipelined(case):
    reload_under_load(case, PIPELINED)


def weight(server):
    """What the master holds: descriptors, memory in KiB, children."""
    return (server.descriptors(), int(status_field(server.pid, "VmRSS").split()[0]),
            len(children(server.pid)))


@scenario(f"{RELOADS} reloads in a row under load, {BROKEN} of them broken")
def many(case):
    server = case.serve(HTTP + says("same"), drain_timeout="5s")
    with Load(server.address(), b"same", kind=ONE_EACH, clients=2) as load:
        before = None
        for number in range(1, RELOADS + 1):
            broken = number % (RELOADS // BROKEN) == 0
            server.configure(threads=0 if broken else 4 + number % 7)
            answer = server.ask("reload")
            equal(answer["code"], 3 if broken else 0, f"code of reload {number}: {answer['text']}")
            if broken:
                contains(answer["text"], f"reeve.conf:{server.line_of('threads')}: ", "the text")
            if number == RELOADS // BROKEN + 1:
                server.settled()  # by now every kind of operation has been done once
                before = weight(server)
        server.settled()
        load.more(20)
        until(lambda: len(children(server.pid)) == 2, "old workers are gone")
        after = weight(server)
    equal((load.refused, load.failed_new, load.wrong), (0, 0, 0), str(load))
    equal(server.status()["generation"], 1 + RELOADS - BROKEN, "generation")
    equal((after[0], after[2]), (before[0], before[2]), "descriptors and children of the master")
    # A sanitizer keeps freed memory for a while, valgrind has its own.
    check(SANITIZED or WRAP or after[1] - before[1] < 1024,
          f"memory of the master: {before[1]} KiB, then {after[1]} KiB")


@scenario("a module that was built anew is taken by a reload of the same file")
def rebuilt(case):
    server = case.serve(HTTP + SITE, modules=["http", "static", "hello"])
    found = [folder for folder in MODULE_PATH.split(":") if os.path.exists(f"{folder}/hello.so")]
    shutil.copy(f"{found[0]}/hello.so", server.path("hello.so"))
    server.configure(modules=["http", "static", server.path("hello.so")])
    equal(server.ask("reload")["data"]["generation"], 2, "generation with the module of its own")
    equal(server.ask("reload")["data"]["generation"], 2, "generation when nothing has changed")
    shutil.copy(f"{found[0]}/hello.so", server.path("new.so"))
    os.rename(server.path("new.so"), server.path("hello.so"))
    equal(server.ask("reload")["data"]["generation"], 3, "generation with the new file")


@scenario("a worker respawned after the file was edited runs the accepted bytes")
def snapshot(case):
    server = case.serve(HTTP + says("accepted"))
    server.crashes_meant = True
    server.write("reeve.conf", "this is { no configuration at all\n")
    for slot, pid in server.pids().items():
        os.kill(pid, signal.SIGKILL)
        server.all_ready(2, besides=[pid])
    for _ in range(8):
        equal(get(server.address()).body, b"accepted", "what the new workers serve")


@scenario("many reloads at once become few, and each gets its answer")
def coalesce(case):
    server = case.serve(HTTP + says("one"))
    server.configure(HTTP + says("two"))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.ask("reload")))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    equal([answer["code"] for answer in answers], [0] * 20, "codes")
    check(server.status()["generation"] <= 3, f"generation {server.status()['generation']}")
    equal(get(server.address()).body, b"two", "what is served")


@scenario("HUP reloads, and says the result in log and status")
def hup(case):
    server = case.serve(HTTP + says("one"))
    server.configure(HTTP + says("two"))
    server.signal(signal.SIGHUP)
    until(lambda: server.status()["generation"] == 2, "the new generation")
    until(lambda: server.status()["last_operation"]["text"] == "generation 2 serves",
          "its result in status")
    equal(server.status()["last_operation"]["code"], 0, "its code")
    check(server.until_logged("operation"), "the result in the log")
    equal(get(server.address()).body, b"two", "what is served")


def slow_module(server):
    """A module that is a pipe: who loads it waits until somebody opens the other end."""
    os.mkfifo(server.path("slow.so"), 0o666)
    os.chmod(server.path("slow.so"), 0o666)
    server.configure(modules=["echo", "http", "static", "hello", server.path("slow.so")])


@scenario("reload --wait ends with code 2 when the time is over, and the reload goes on", models=())
def wait(case):
    server = case.serve()
    slow_module(server)
    result = server.ctl("reload", "--wait", "1")
    equal(result.code, 2, f"exit code ({result.text})")
    equal(server.status()["state"], "reloading", "state")
    equal(get(server.address()).status, 200, "the old generation serves meanwhile")
    with open(server.path("slow.so"), "wb"):
        pass  # an empty module: the reload is refused now
    last = until(lambda: (server.status()["last_operation"] or {}).get("code") == 3 and
                 server.status()["last_operation"], "the result in status")
    contains(last["text"], f"reeve.conf:{server.line_of('modules')}: modules", "the result's text")


@scenario("a worker that is not ready in time is killed, and the reload rolled back", models=())
def late(case):
    server = case.serve()
    slow_module(server)
    server.configure(ready_timeout="500ms")
    pids = server.pids()
    result = server.ctl("reload")
    equal(result.code, 3, f"exit code ({result.text})")
    check(server.logged("worker-late"), "the log says so")
    equal((server.status()["generation"], server.pids()), (1, pids), "generation and workers")
    until(lambda: len(children(server.pid)) == 2, "the late worker is gone")


@scenario("a request in hand ends under the old generation, within the drain deadline")
def in_hand(case):
    server = case.serve(HTTP + 'http { site "default" { route "/" { hang { until = "over" } } } }\n',
                        modules=["http", "hang", "hello"], handler_timeout="0", loop_timeout="0")
    with Client(server.address()) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: sum(each["busy"] for each in server.status()["workers"]), "the handler runs")
        server.configure(HTTP + says("new"))
        with server.events() as events:
            server.signal(signal.SIGHUP)
            events.wait("generation", "generation 1: serving -> draining")
            if case.row.pool or case.row.thread_each or case.row.process_each:
                events.wait("operation", "(reload) ended with code 0")
            else:  # while its loop is busy a worker cannot say that it drains, but does what comes next
                equal(server.ctl("reopen-logs").code, 0, "exit code of what all workers have heard")
        equal(get(server.address()).body, b"new", "a new connection meanwhile")
        server.write("over", "")
        answer = client.answer()
        equal(answer.status, 200, "the request in hand")
        if case.row.blocking:
            equal(answer.field("Connection"), "close", "Connection")
            client.ended()
        else:
            equal(client.get("/").body, b"new", "the connection goes on in the new generation")
    server.until_logged("operation", "(reload) ended with code 0")


@scenario("the drain deadline cuts what does not end")
def cut(case):
    server = case.serve(ECHO + HTTP + SITE, drain_timeout="500ms")
    old = server.pids().values()
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"held"), b"held", "a long connection")
        server.configure(threads=6)
        equal(server.ctl("reload").code, 0, "exit code")
        try:
            equal(link.recv(1), b"", "the end of the long connection")
        except ConnectionResetError:
            pass
    for pid in old:
        check(wait_gone(pid), f"worker {pid} has ended")
    server.settled()


if __name__ == "__main__":
    main()
