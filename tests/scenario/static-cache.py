"""Ready answers of static files: given without a look at the disk, and never older than they may be.
That no file is read shows in the kernel's count of a worker's read calls, in which sockets do not
count."""
import os
import zlib

from client import Client, get
from reeve import HTTP, Skipped, check, equal, main, scenario, until

HOT = 50


def site(options=""):
    return HTTP + ('http { site "default" { route "/" { static { root = "www"\n' + options +
                   " } } } }\n")


def reads(server):
    """Calls by which the workers have read files so far."""
    total = 0
    for pid in server.pids().values():
        try:
            with open(f"/proc/{pid}/io") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("syscr"))
        except PermissionError:
            raise Skipped("the counts of a worker of another user are not to be seen") from None
    return total


def is_hot(server, target, fields):
    """Are so many requests answered with next to no reading? Once a second it is looked again."""
    before = reads(server)
    with Client(server.address()) as client:
        for _ in range(HOT):
            equal(client.get(target, fields=fields).status, 200, target)
    return reads(server) - before < HOT // 2


def heat(server, target, fields=""):
    until(lambda: is_hot(server, target, fields), f"{target} is answered from memory")


@scenario("a file at rest is answered from memory, the same as from the disk",
          models=("event", "prethreaded"))
def same(case):
    server = case.server(site('headers = { "X-Own: 1" } cache_control = "max-age=60"'), workers=1)
    server.write("www/page.html", b"page\n" * 100)
    server.write("www/index.html", b"index\n")
    server.start()
    cold = get(server.address(), "/page.html")
    heat(server, "/page.html")
    heat(server, "/")
    with Client(server.address()) as client:
        hot = client.get("/page.html")
        equal([each for each in hot.fields if each[0] != "date"],
              [each for each in cold.fields if each[0] != "date"], "fields")
        equal(hot.body, cold.body, "body")
        bare = client.get("/page.html", method="HEAD")
        equal((bare.status, bare.field("Content-Length"), bare.body), (200, "500", b""), "HEAD")
        equal(client.get("/").body, b"index\n", "the index")
        tag = f'If-None-Match: {hot.field("ETag")}\r\n'
        equal(client.get("/page.html", fields=tag).status, 304, "a condition")
        part = client.get("/page.html", fields="Range: bytes=0-3\r\n")
        equal((part.status, part.body), (206, b"page"), "a part")
        equal(client.get("/page.html", method="POST").status, 405, "POST")
        last = client.get("/page.html", fields="Connection: close\r\n")
        equal((last.body, last.field("Connection")), (cold.body, "close"), "the last one")
    equal(get(server.address(), "/page.html?query").body, cold.body, "with a query")


@scenario("a change shows within a second or two: new bytes, a new file, none", models=("event",))
def change(case):
    server = case.server(site(), workers=1)
    for name in ("written", "replaced", "removed", "closed"):
        server.write("www/" + name, b"old")
    server.start()
    for name in ("written", "replaced", "removed", "closed"):
        heat(server, "/" + name)
    server.write("www/written", b"new")
    server.write("www/new", b"newer")
    os.rename(server.path("www/new"), server.path("www/replaced"))
    os.unlink(server.path("www/removed"))
    os.rename(server.path("www/closed"), server.path("www/.closed"))
    with Client(server.address()) as client:
        until(lambda: client.get("/written").body == b"new", "what was written")
        until(lambda: client.get("/replaced").body == b"newer", "what replaced it")
        until(lambda: client.get("/removed").status == 404, "nothing any more")
        until(lambda: client.get("/closed").status == 404, "hidden now")


@scenario("a path with a slash and one without are two, and so are a page and what stands in for it",
          models=("event",))
def paths(case):
    server = case.server(site('fallback = "/app.html"'), workers=1)
    server.write("www/app.html", b"app\n")
    os.makedirs(server.path("www/folder"))
    server.write("www/folder/index.html", b"folder\n")
    server.start()
    page = "Accept: text/html\r\n"
    heat(server, "/folder/")
    heat(server, "/app.html")
    with Client(server.address()) as client:
        for _ in range(3):
            equal(client.get("/folder").status, 301, "without the slash")
            answer = client.get("/no/such/page", fields=page)
            equal((answer.status, answer.body), (200, b"app\n"), "for a page")
            equal(client.get("/no/such/page").status, 404, "for anything else")


@scenario("each client gets the form that it takes", models=("event",))
def forms(case):
    text = b"some text that is long enough to be worth it\n" * 200
    server = case.server(site('gzip = true precompressed = { "br" }'), workers=1)
    server.write("www/page.txt", text)
    server.write("www/both.txt", text)
    server.write("www/both.txt.br", b"not really brotli")
    server.start()
    for coding in ("", "gzip", "br", "br, gzip", "gzip, br;q=0.5", "identity"):
        heat(server, "/page.txt", f"Accept-Encoding: {coding}\r\n" if coding else "")
        heat(server, "/both.txt", f"Accept-Encoding: {coding}\r\n" if coding else "")
    with Client(server.address()) as client:
        for coding, page, both in (("gzip", "gzip", "gzip"), ("br", None, "br"),
                                   ("gzip, br;q=0.5", "gzip", "br"), ("identity", None, None)):
            for target, wanted in (("/page.txt", page), ("/both.txt", both)):
                answer = client.get(target, fields=f"Accept-Encoding: {coding}\r\n")
                equal(answer.field("Content-Encoding"), wanted, f"{target} for {coding}")
                equal(answer.field("Vary"), "Accept-Encoding", "Vary")
                body = zlib.decompress(answer.body, 31) if wanted == "gzip" else answer.body
                equal(body, b"not really brotli" if wanted == "br" else text, "bytes")


@scenario("a larger file stays open, and not for longer than it is the file", models=("event",))
def large(case):
    data = bytes(range(256)) * 1000
    server = case.server(site(), workers=1)
    server.write("www/large", data)
    server.start()

    def descriptors(name):
        links = []
        for pid in server.pids().values():
            for fd in os.listdir(f"/proc/{pid}/fd"):
                try:
                    links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
                except FileNotFoundError:
                    pass
        return sum(link.split(" ")[0].endswith(name) for link in links)

    with Client(server.address()) as client:
        def kept():
            equal(client.get("/large").body, data, "bytes")
            # Who has answered once more has closed what only the first answer needed.
            equal(client.get("/none").status, 404, "no file")
            return descriptors("/www/large") == 1
        until(kept, "the file is kept open")
        for _ in range(3):
            equal(client.get("/large").body, data, "bytes")
        equal(descriptors("/www/large"), 1, "descriptors of the file")
        os.unlink(server.path("www/large"))
        until(lambda: client.get("/large").status == 404, "it is gone")
        server.write("www/other", b"x")
        equal(client.get("/other").status, 200, "another one")


@scenario("cache_bytes = 0 keeps nothing", models=("event",))
def off(case):
    server = case.server(site("cache_bytes = 0"), workers=1)
    server.write("www/page", b"page")
    server.write("www/other", b"other")
    os.utime(server.path("www/page"), (1, 1))
    server.start()
    with Client(server.address()) as client, Client(server.address()) as second:
        for _ in range(2):
            equal(client.get("/page").body, b"page", "bytes")
        before = reads(server)
        for _ in range(HOT):
            equal(second.get("/page").body, b"page", "bytes")
        check(reads(server) - before >= HOT, "each request reads its file")


main()
