"""Models in which a connection holds its thread or process: their threads can be interrupted, and
what is beyond their bound waits."""
import select
import signal
from contextlib import ExitStack, contextmanager

from client import Client, connect, echo, get
from reeve import BLOCKING, ECHO, HTTP, SITE, check, contains, equal, main, scenario, until

ECHO_AT = "127.0.0.2:0"
HELD = 4  # connections that fill every place there is


def end_of(link):
    """The server ends the connection; by RST if it pleases."""
    try:
        equal(link.recv(1), b"", "the end of a connection")
    except ConnectionResetError:
        pass


@contextmanager
def idle_everywhere(server):
    """Kept connections, all idle, on every thread."""
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(server.address())) for _ in range(HELD)]
        for client in clients:
            equal(client.get("/").status, 200, "a request of a connection that is kept")
        yield clients


@contextmanager
def held_everywhere(server):
    """Connections that the server would never end by itself, on every thread."""
    with ExitStack() as stack:
        links = [stack.enter_context(connect(server.address(ECHO_AT))) for _ in range(HELD)]
        for link in links:
            equal(echo(link, b"held"), b"held", "a long connection")
        yield links


@scenario("idle connections on all threads: a reload and a recycle end them, and settle",
          models=BLOCKING)
def idle(case):
    server = case.serve(drain_timeout="5m", drain_linger="50ms", **case.room(HELD))
    with idle_everywhere(server) as clients:
        server.configure(log_level="debug")
        equal(server.ctl("reload").code, 0, "exit code of reload")
        equal(get(server.address()).status, 200, "a new connection")
        for client in clients:
            client.ended()
    server.settled()
    with idle_everywhere(server) as clients:
        equal(server.ctl("recycle", "all").code, 0, "exit code of recycle")
        equal(get(server.address()).status, 200, "a new connection")
        for client in clients:
            client.ended()
    with idle_everywhere(server) as clients:
        server.signal(signal.SIGTERM)
        for client in clients:
            client.ended()
        equal(server.wait(), 0, "exit status")


@scenario("held connections on all threads: the drain deadline of a reload cuts them",
          models=BLOCKING)
def deadline(case):
    server = case.serve(ECHO, drain_timeout="200ms", **case.room(HELD))
    with held_everywhere(server) as links:
        server.configure(log_level="debug")
        equal(server.ctl("reload").code, 0, "exit code of reload")
        for link in links:
            end_of(link)
    server.settled()


@scenario("held connections on all threads: stop --now ends them, and the server", models=BLOCKING)
def now(case):
    server = case.serve(ECHO, drain_timeout="5m", **case.room(HELD))
    with held_everywhere(server) as links:
        equal(server.ctl("stop", "--now").code, 0, "exit code of stop --now")
        for link in links:
            end_of(link)
        equal(server.wait(), 0, "exit status")


@scenario("time ends connections that hold a thread: idle, silent from the first, slow headers",
          models=BLOCKING)
def timeouts(case):
    server = case.serve(HTTP + SITE.replace("{", '{ keepalive_timeout = "100ms"'
                                            ' header_timeout = "100ms"', 1), **case.room(3))
    for _ in range(2):  # the threads are free again afterwards
        with ExitStack() as stack:
            address = server.address()
            with server.stands_still():
                kept, slow, silent = [stack.enter_context(Client(address)) for _ in range(3)]
                kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                slow.send("GET / HTTP/1.1\r\nHost:")
            equal(kept.answer().status, 200, "a request of a connection that is kept")
            equal(slow.answer().status, 408, "the answer to a header that does not end")
            for client in (kept, slow, silent):
                client.ended()


@scenario("beyond the bound connections wait, are not refused, and are served in their turn",
          models=BLOCKING)
def bound(case):
    most = 1 if case.row.narrow and case.row.workers == 1 else 2
    server = case.serve(ECHO, **case.room(most, workers=1))
    address = server.address(ECHO_AT)
    with ExitStack() as stack:
        held = [stack.enter_context(connect(address)) for _ in range(most)]
        for link in held:
            equal(echo(link, b"held"), b"held", "a long connection")
        waiting = [stack.enter_context(connect(address)) for _ in range(4)]
        for number, link in enumerate(waiting):
            link.sendall(b"%d" % number)
        for number, link in enumerate(waiting):
            for each in held:
                equal(echo(each, b"still"), b"still", "a connection that is served")
            equal(server.status()["totals"]["open"], most, "connections that are served")
            check(not any(readable(each) for each in waiting[number:]), "the others wait")
            held.pop(0).close()
            equal(link.recv(1), b"%d" % number, "who waited longest is next")
            held.append(link)


@scenario("listeners take turns: a busy one does not keep the other waiting", models=BLOCKING)
def turns(case):
    server = case.serve(HTTP + ECHO + SITE, **case.room(1, workers=1))
    with ExitStack() as stack:
        first = stack.enter_context(connect(server.address(ECHO_AT)))
        equal(echo(first, b"held"), b"held", "a long connection")
        busy = [stack.enter_context(Client(server.address())) for _ in range(5)]
        for client in busy:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        other = stack.enter_context(connect(server.address(ECHO_AT)))
        other.sendall(b"x")
        first.close()
        before = 0
        while True:
            until(lambda: select.select([other, busy[0].link], [], [], 0)[0], "one is served")
            if select.select([other], [], [], 0)[0]:
                break
            busy.pop(0).link.close()
            before += 1
        check(before <= 1, f"{before} of the busy listener's were served before it")


def readable(link):
    link.setblocking(False)
    try:
        link.recv(1)
        return True
    except BlockingIOError:
        return False
    finally:
        link.settimeout(10)


if __name__ == "__main__":
    main()
