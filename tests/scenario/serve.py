"""Files and hello over HTTP: what a browser, a script and an attacker see."""
import email.utils
import os
import socket
import time

from client import Client, ask_raw, connect, get
from reeve import BLOCKING, HTTP, POOLED, WRAP, check, equal, main, scenario, until

SECRET = b"the key of the manor\n"


@scenario("a folder answers with its index, a file with its bytes and type")
def files(case):
    server = case.server()
    page, style, picture = b"<p>page</p>", b"p { color: red }", bytes(range(256)) * 64
    server.write("www/page.html", page)
    server.write("www/style.css", style)
    server.write("www/picture.png", picture)
    server.write("www/notes.txt", "plain\n")
    server.write("www/thing.unknown", "?")
    server.start()
    with Client(server.address()) as client:
        for target, body, kind in (("/", b"<h1>index</h1>\n", "text/html"),
                                   ("/index.html", b"<h1>index</h1>\n", "text/html"),
                                   ("/page.html?x=1", page, "text/html"),
                                   ("/style.css", style, "text/css"),
                                   ("/picture.png", picture, "image/png"),
                                   ("/notes.txt", b"plain\n", "text/plain"),
                                   ("/p%61ge.html", page, "text/html"),
                                   ("/thing.unknown", b"?", "application/octet-stream")):
            answer = client.get(target)
            equal((answer.status, answer.body), (200, body), target)
            equal(answer.field("Content-Type").split(";")[0], kind, f"type of {target}")


@scenario("every answer has a Date, a file its Last-Modified")
def dates(case):
    server = case.serve()
    os.utime(server.path("www/index.html"), (784111777, 784111777))
    before = time.time()
    answer = get(server.address())
    equal(answer.field("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT", "Last-Modified")
    date = email.utils.parsedate_to_datetime(answer.field("Date")).timestamp()
    check(before - 2 < date <= time.time(), f"Date is {answer.field('Date')}")
    check(get(server.address(), "/none").field("Date"), "an error has a Date too")


@scenario("HEAD answers as GET does, without the body")
def head(case):
    server = case.serve()
    with Client(server.address()) as client:
        for target in ("/", "/hello", "/none"):
            full, bare = client.get(target), client.get(target, method="HEAD")
            equal(bare.status, full.status, f"status of HEAD {target}")
            for name in ("Content-Length", "Content-Type", "Last-Modified"):
                equal(bare.field(name), full.field(name), f"{name} of HEAD {target}")
        equal(client.get("/hello").status, 200, "the connection lives on")


@scenario("what is not there is 404, what may not be done is 405 with Allow")
def missing(case):
    server = case.server()
    os.mkdir(server.path("www/empty"))
    server.start()
    with Client(server.address()) as client:
        for target in ("/none", "/index.html/more", "/none/at/all", "/empty/"):
            answer = client.get(target)
            check(answer.status in (403, 404), f"{target}: {answer.status}")
            check(answer.body, f"{target}: an error page for people")
    for method in ("DELETE", "PUT", "POST"):
        answer = ask_raw(server.address(), f"{method} /index.html HTTP/1.1\r\nHost: a\r\n"
                         "Content-Length: 0\r\n\r\n")
        equal(answer.status, 405, f"{method} of a file")
        equal({name.strip() for name in answer.field("Allow").split(",")}, {"GET", "HEAD", "OPTIONS"},
              "Allow")


@scenario("a folder without its slash is sent to the one with it")
def folder(case):
    server = case.server()
    os.mkdir(server.path("www/sub"))
    server.write("www/sub/index.html", "sub\n")
    server.start()
    answer = get(server.address(), "/sub?x=1")
    equal(answer.status, 301, "/sub")
    check(answer.field("Location").endswith("/sub/?x=1"), f"Location {answer.field('Location')}")
    equal(get(server.address(), "/sub/").body, b"sub\n", "/sub/")


@scenario("a connection is kept for many requests, and closed when the client asks")
def keep_alive(case):
    server = case.serve()
    with Client(server.address()) as client:
        for _ in range(200):
            equal(client.get("/hello").status, 200, "a kept request")
        answer = client.get("/", fields="Connection: close\r\n")
        equal(answer.field("Connection"), "close", "Connection")
        client.ended()
    equal(server.status()["totals"]["connections"], 1, "connections that the server counted")


@scenario("HTTP/1.0 is answered and closed, or kept when asked to")
def old_version(case):
    server = case.serve()
    with Client(server.address()) as client:
        client.send("GET /hello HTTP/1.0\r\n\r\n")
        equal(client.answer().status, 200, "an old client")
        client.ended()
    with Client(server.address()) as client:
        for _ in range(3):
            client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = client.answer()
            equal((answer.status, (answer.field("Connection") or "").lower()), (200, "keep-alive"),
                  "an old client that keeps its connection")


@scenario("pipelined requests are answered in their order")
def pipelined(case):
    server = case.server()
    for number in range(50):
        server.write(f"www/{number}.txt", f"file {number}\n" * number)
    server.start()
    with Client(server.address()) as client:
        client.send("".join(f"GET /{number}.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                            for number in range(50)))
        for number in range(50):
            equal(client.answer().body, f"file {number}\n".encode() * number, f"answer {number}")


@scenario("a request may come one byte at a time")
def slowly(case):
    server = case.serve()
    with Client(server.address()) as client:
        client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in (b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
                     b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
            client.send(bytes([byte]))
        equal(client.answer().status, 200, "the first")
        equal(client.answer().body, b"<h1>index</h1>\n", "the second")


@scenario("a large file arrives byte for byte, also by a slow reader")
def large(case):
    server = case.server()
    data = os.urandom(1 << 20) * 12
    server.write("www/large.bin", data)
    server.start()
    with Client(server.address()) as client:
        client.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        for _ in range(2):
            check(client.get("/large.bin").body == data, "the bytes of a large file")


MALFORMED = (
    (b"GET / HTTP/1.1\r\n\r\n", 400, "no Host"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two Hosts"),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "a space in Host"),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two spaces"),
    (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a control character"),
    (b"GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a target without slash"),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "a space before the colon"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nBad\r\n\r\n", 400, "a header without colon"),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400, "a folded header"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400, "NUL in a header"),
    (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a bad escape"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "a bad length"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "a negative length"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400,
     "two lengths"),
    (b"hello\r\n\r\n", 400, "no HTTP at all"),
    (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "an unknown method"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x, chunked\r\n\r\n", 501,
     "an unknown coding"),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "another version"),
    (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505, "another version"),
)


@scenario("malformed requests get 400, 501 or 505 and the connection is closed")
def malformed(case):
    server = case.serve()
    for request, status, what in MALFORMED:
        with Client(server.address()) as client:
            client.send(request)
            equal(client.answer().status, status, what)
            if status == 400:
                client.ended()
    equal(get(server.address()).status, 200, "a good request afterwards")


@scenario("limits: a long line is 414, long or many headers are 431, a large body is 413")
def limits(case):
    server = case.serve()
    address = server.address()
    equal(get(address, "/" + "x" * 2000).status, 404, "a line within the limit")
    for request, status, what in (
            ("GET /" + "x" * 70000 + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "a long line"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 70000 + "\r\n\r\n", 431, "a long header"),
            ("GET / HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n" * 5000 + "\r\n", 431, "many headers"),
            ("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413,
             "a large body")):
        equal(ask_raw(address, request).status, status, what)
    equal(get(address).status, 200, "a good request afterwards")


@scenario("a request's body is taken, and is not the next request")
def body(case):
    server = case.serve()
    with Client(server.address()) as client:
        inner = b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" %
                    (len(inner), inner))
        equal(client.answer().status, 200, "the first")
        equal(client.get("/").body, b"<h1>index</h1>\n", "the next")


@scenario("no path leads out of the root")
def escapes(case):
    server = case.server()
    server.write("secret", SECRET)
    os.mkdir(server.path("www/sub"))
    os.symlink("../secret", server.path("www/link"))
    os.symlink(server.path("secret"), server.path("www/sub/absolute"))
    os.symlink("..", server.path("www/up"))
    os.symlink("../index.html", server.path("www/sub/inside"))
    server.start()
    for target in ("/../secret", "/sub/../../secret", "/%2e%2e/secret", "/%2E%2E/secret",
                   "/.%2e/secret",
                   "/..%2fsecret", "/%2e%2e%2fsecret", "/sub/..%2f..%2fsecret", "//../secret",
                   "/..%5csecret", "/..\\secret", "/%252e%252e/secret", "/link", "/sub/absolute",
                   "/up/secret", "/up/www/index.html/../../secret", "/%00", "/index.html%00",
                   "/../secret%00.html", "/./../secret", "/sub/%2e%2e/%2e%2e/secret"):
        answer = get(server.address(), target)
        check(answer.status in (400, 403, 404), f"{target}: {answer.status}")
        check(SECRET not in answer.body, f"{target} gives the secret away")
    equal(get(server.address(), "/sub/../index.html").status, 200, "dots that stay inside")
    if not WRAP:  # valgrind has no openat2, and then no link is followed at all
        equal(get(server.address(), "/sub/inside").status, 200, "a link that stays inside")


@scenario("a file that may not be read is 403, a pipe is no file")
def unreadable(case):
    server = case.server()
    server.write("www/private.txt", "mine")
    os.chmod(server.path("www/private.txt"), 0)
    os.mkfifo(server.path("www/pipe"))
    server.start()
    check(get(server.address(), "/pipe").status in (403, 404), "a named pipe is refused at once")
    equal(get(server.address(), "/private.txt").status, 403, "an unreadable file")


@scenario("hello says what it was told to say")
def hello(case):
    server = case.serve(HTTP + 'http { site "default" { route "/" {'
                        ' hello { text = "Good day\\n" } } } }\n')
    answer = get(server.address(), "/anything")
    equal((answer.status, answer.body), (200, b"Good day\n"), "the answer")
    equal(answer.field("Content-Type").split(";")[0], "text/plain", "its type")


@scenario("sites are chosen by Host, routes by the longest prefix")
def sites(case):
    def says(word):
        return f'{{ hello {{ text = "{word}" }} }}'
    server = case.serve(HTTP + 'http {\n'
                        f' site "default" {{ route "/" {says("default")} }}\n'
                        f' site "one.test" {{ route "/" {says("one")} route "/a" {says("one a")}'
                        f' route "/a/b" {says("one a b")} }}\n'
                        f' site "two.test" {{ names = {{ "2.test" }}'
                        f' route "/" {says("two")} }} }}\n')
    with Client(server.address()) as client:
        for host, target, want in (("one.test", "/", "one"), ("ONE.test", "/a", "one a"),
                                   ("one.test:8080", "/a/", "one a"), ("one.test", "/ab", "one"),
                                   ("one.test", "/a/b/c", "one a b"), ("one.test", "/a/x", "one a"),
                                   ("two.test", "/a", "two"), ("2.test", "/", "two"),
                                   ("other.test", "/a", "default"), ("localhost", "/", "default"),
                                   ("one.test", "http://two.test/a", "two"),
                                   ("other.test", "http://ONE.test:81/a/x", "one a"),
                                   ("", "http://2.test.", "two"),
                                   ("two.test", "http://other.test/", "default")):
            equal(client.get(target, host=host).body.decode(), want, f"{host}{target}")


@scenario("a file that changes is served as it is now")
def changed(case):
    server = case.serve()
    equal(get(server.address()).body, b"<h1>index</h1>\n", "before")
    server.write("new", "a longer text than before\n")
    os.rename(server.path("new"), server.path("www/index.html"))
    until(lambda: get(server.address()).body == b"a longer text than before\n", "the new text")


@scenario("clients that leave in the middle harm nobody")
def leaving(case):
    server = case.server()
    server.write("www/large.bin", b"x" * (8 << 20))
    server.start()
    pids = server.pids()
    for start in (b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\n",
                  b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n"):
        for _ in range(20):
            link = connect(server.address())
            link.sendall(start)
            link.close()
    equal(get(server.address()).status, 200, "the next client")
    until(lambda: server.status()["totals"]["open"] == 0, "no connection is held")
    equal(server.pids(), pids, "the workers")


def busy(server):
    return sum(worker["busy"] for worker in server.workers().values())


@scenario("a sleeping handler never delays another connection", models=POOLED + BLOCKING)
def sleeping(case):
    server = case.serve(HTTP + 'http { site "default" { route "/" { hello { } }'
                        ' route "/sleep" { hang { until = "over" } } } }\n',
                        modules=["http", "hello", "hang"], handler_timeout="0", loop_timeout="0",
                        **dict({"threads": 4}, **case.room(5, workers=1)))
    address = server.address()
    sleepers = [Client(address) for _ in range(4)]
    for sleeper in sleepers:
        sleeper.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: busy(server) >= 4, "four handlers sleep")
    with Client(address) as client:
        for _ in range(100):
            equal(client.get("/hello").status, 200, "another connection")
    check(busy(server) >= 4, "the others were answered while the handlers slept")
    server.write("over", "")
    for sleeper in sleepers:
        equal(sleeper.answer().status, 200, "a sleeper's answer")
        sleeper.link.close()


if __name__ == "__main__":
    main()
