"""Request bodies: handlers that take them piece by piece (see tests/modules/receive.c), bodies that
nobody wants, and what a client that still sends gets to read."""
import os
import re
import signal
import socket
from contextlib import ExitStack

from client import Client, ask_raw, connect, get, reset
from reeve import SANITIZED, WRAP, check, equal, main, scenario, until

CONF = """
listen "127.0.0.1:0" { protocol = "http" }
http { %s site "default" {
    route "/loop" { receive { folder = "uploads" } }
    route "/pool" { poolreceive { folder = "uploads" } }
    route "/hello" { hello { } }
    route "/post" { post { } }
} }
"""
MODULES = ["http", "hello", "post", "receive", "poolreceive"]
BOTH = ("/loop", "/pool")
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"
MIB = 1 << 20
LARGE = 100 * MIB
GROWTH = 4096  # KiB: more than a few pieces, far less than a body


def text(length):
    return (ALPHABET * (length // 26 + 1))[:length]


def serve(case, http="", **options):
    server = case.server(CONF % http, modules=MODULES, **options)
    os.mkdir(server.path("uploads"))
    os.chmod(server.path("uploads"), 0o777)  # workers may run as nobody
    return server.start()


def files(server):
    return os.listdir(server.path("uploads"))


def no_files(server):
    until(lambda: not files(server), "no file of an upload is left")


def head(target, length, more=""):
    size = f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked"
    return f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{size}\r\n{more}\r\n".encode()


def chunked(data, size):
    parts = []
    for at in range(0, len(data), size):
        part = data[at:at + size]
        parts.append(b"%x;n=%d\r\n%s\r\n" % (len(part), at, part))
    return b"".join(parts) + b"0\r\nX-Trailer: yes\r\n\r\n"


def said(answer):
    """(bytes that came, wrong ones, KiB of growth)"""
    match = re.fullmatch(rb"(\d+) bytes, (\d+) wrong, (\d+) KiB\n", answer.body)
    check(answer.status == 200 and match, f"{answer.status} {answer.body!r}")
    return tuple(map(int, match.groups()))


@scenario("an upload comes piece by piece, whole, with a length and chunked")
def uploads(case):
    server = serve(case)
    for where in BOTH:
        with Client(server.address()) as client:
            for length in (1, 26, 65536, 65537, 3 * MIB + 1):
                data = text(length)
                answer = client.send(head(where, length) + data).answer()
                equal(said(answer)[:2], (length, 0), f"{length} bytes to {where}")
            for size in (1, 1000, 100000):
                data = text(200 * size if size == 1 else 1000000)
                answer = client.send(head(where, None) + chunked(data, size)).answer()
                equal(said(answer)[:2], (len(data), 0), f"in chunks of {size} to {where}")
            answer = client.send(head(where + "?back=1", 100000) + text(100000)).answer()
            check(answer.body == text(100000), f"the file of {where} is what was sent")
            equal(client.get(where).body, b"no body\n", "a request without body")
            equal(client.send(head(where, 0)).answer().body, b"no body\n", "an empty body")
    no_files(server)


@scenario("an upload of 100 MiB costs the worker no memory",
          models=["event", "prethreaded", "poll"])
def bounded(case):
    server = serve(case)
    part = ALPHABET * 40960  # more than a MiB, and the next begins with "a" again
    for where in BOTH:
        with Client(server.address()) as client:
            client.send(head(where, LARGE))
            left = LARGE
            while left:
                client.send(part[:left])
                left -= min(left, len(part))
            length, wrong, growth = said(client.answer())
        equal((length, wrong), (LARGE, 0), "what came")
        print(f"# {where}: 100 MiB, {growth} KiB more of memory")
        if not WRAP and not SANITIZED:
            check(growth < GROWTH, f"the memory has grown by {growth} KiB")
    no_files(server)


@scenario("who asks by Expect: 100-continue is told to go on, or what is wrong")
def expects(case):
    server = serve(case)
    expect = "Expect: 100-continue\r\n"
    go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    for where in BOTH:
        with Client(server.address()) as client:
            client.send(head(where, 5, expect))
            equal(client.take(len(go_on)), go_on, "what comes before the body")
            equal(said(client.send("abcde").answer())[:2], (5, 0), "the upload")
            client.send(head(where + "?limit=4", 5, expect))
            refused_whole(client, 413)
    with Client(server.address()) as client:
        client.send(head("/nowhere/", 5, expect))
        refused_whole(client, 404)
    no_files(server)


def refused_whole(client, status):
    """The answer says that it closes, and while it does so what the client sends does no harm."""
    answer = client.answer()
    equal(answer.status, status, "status")
    equal(answer.field("Connection"), "close", "Connection")
    client.ended()
    for _ in range(3):  # the second would fail if the first were answered by a reset
        client.send(text(1000))


@scenario("an upload may be refused at any time, and the client can read the answer")
def refusals(case):
    server = serve(case)
    for where in BOTH:
        for body in (head(f"{where}?limit=100000", 600000) + text(600000),
                     head(f"{where}?limit=100000", None) + chunked(text(600000), 5000)):
            equal(ask_raw(server.address(), body).status, 413, f"{where} beyond the limit")
        answer = ask_raw(server.address(), head(f"{where}?give_up=100000", 600000) + text(600000))
        equal(answer.status, 500, f"{where} gives up")
        equal(answer.field("Connection"), "close", "Connection")
        until(lambda: server.logged("handler-failed"), "the log says where")
        with Client(server.address()) as client:
            client.send(head(where + "?limit=50000", 600000))
            refused_whole(client, 413)
    no_files(server)


@scenario("a client that leaves in the middle leaves no file behind")
def leaves(case):
    server = serve(case)
    for where in BOTH:
        for leave in (reset, socket.socket.close):
            link = connect(server.address())
            link.sendall(head(where, 1000000) + text(100000))
            until(lambda: [os.path.getsize(server.path("uploads/" + name))
                           for name in files(server)] == [100000], "the half of it is there")
            leave(link)
            no_files(server)
        with connect(server.address()) as link:  # one that closes its half only
            link.sendall(head(where, 1000000) + text(100000))
            until(lambda: files(server), "an upload has begun")
            link.shutdown(socket.SHUT_WR)
            equal(link.recv(1000), b"", "an answer to half a request")
        no_files(server)


@scenario("TERM finishes an upload in hand; at the drain deadline no file is left behind")
def stops(case):
    server = serve(case, **case.room(1, workers=2))
    with Client(server.address()) as client:
        client.send(head("/pool", 200000) + text(100000))
        until(lambda: files(server), "the upload has begun")
        server.signal(signal.SIGTERM)
        server.until_logged("stopping")
        client.send(text(200000)[100000:])
        equal(said(client.answer())[:2], (200000, 0), "the upload")
        server.wait()
    server.configure(drain_timeout="300ms")
    server.start()
    with Client(server.address()) as client:
        client.send(head("/pool", 200000) + text(100000))
        until(lambda: files(server), "the upload has begun")
        server.signal(signal.SIGTERM)
        server.wait()
    equal(files(server), [], "files that are left")


@scenario("slow uploads hold no thread", models=["event"])
def slow(case):
    server = serve(case, workers=1, threads=2)
    with ExitStack() as stack:
        for where in BOTH:
            for _ in range(20):
                link = stack.enter_context(connect(server.address()))
                link.sendall(head(where, 1000000) + text(1000))
        until(lambda: len(files(server)) == 40, "all have begun")
        for where in BOTH:
            for _ in range(20):
                answer = ask_raw(server.address(), head(where, 10) + text(10))
                equal(said(answer)[:2], (10, 0), "another upload")
        equal(get(server.address(), "/hello").status, 200, "another client")
    no_files(server)


@scenario("what the handler takes of time is not taken from the client", models=["event", "poll"])
def slow_handler(case):
    case.need_no_wrap("the client must keep its own time")
    server = serve(case, http='body_timeout = "1s"')
    with Client(server.address()) as client:
        client.send(head("/pool?pause=700", 200))
        for i in range(0, 200, 100):
            client.send(text(200)[i:i + 100])
            until(lambda: [os.path.getsize(server.path("uploads/" + name))
                           for name in files(server)] in ([i + 100], []), "the piece was taken")
        equal(said(client.answer())[:2], (200, 0), "an upload to a slow handler")


@scenario("an upload that stands still is answered with 408, and its file is gone")
def stands_still(case):
    server = serve(case, http='body_timeout = "200ms"')
    for where in BOTH:
        with Client(server.address()) as client:
            refused_whole(client.send(head(where, 300) + text(100)), 408)
    no_files(server)


@scenario("the body of a request that is refused is thrown away, and the connection lives on")
def thrown_away(case):
    server = serve(case, http='body_limit = "1MiB"')
    with Client(server.address()) as client:
        for body in (head("/none", MIB) + text(MIB),
                     head("/none", None) + chunked(text(MIB), 70000)):
            equal(client.send(body).answer().status, 404, "a request for nothing, with a body")
        equal(client.get("/hello").body, b"hello\n", "the next request of that connection")
        client.send(head("/none", MIB + 1))
        refused_whole(client, 404)
    answer = ask_raw(server.address(), head("/none", None) + chunked(text(MIB + 100000), 70000))
    equal((answer.status, answer.field("Connection")), (404, "close"), "one beyond body_limit")


@scenario("who is refused while sending can read why")
def gentle(case):
    server = serve(case, http='body_limit = "100KiB" header_timeout = "200ms"')
    for start, status in ((head("/post", 1000000), 413),
                          (head("/post", None) + b"zz\r\n", 400),
                          (head("/post", None) + b"fffff\r\nx", 413),
                          (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400),
                          (b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", 408)):
        with Client(server.address()) as client:
            refused_whole(client.send(start), status)


@scenario("keepalive_requests: the last answer says so, and what is behind it is not answered")
def last_request(case):
    server = serve(case, http="keepalive_requests = 3")
    ask = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    with Client(server.address()) as client:
        client.send(ask * 5)
        for i in range(3):
            answer = client.answer()
            equal((answer.status, answer.body), (200, b"hello\n"), "answer")
            equal(answer.field("Connection"), "close" if i == 2 else None, f"Connection {i}")
        client.ended()
    with Client(server.address()) as client:  # those that fail count too
        for target, status in (("/none", 404), ("/hello", 200), ("/none", 404)):
            answer = client.get(target)
            equal(answer.status, status, target)
        equal(answer.field("Connection"), "close", "Connection")
        client.ended()
        for _ in range(3):
            client.send(ask)


if __name__ == "__main__":
    main()
