"""Files that are compressed while they are sent: which, for whom, and that the bytes are right."""
import os
import random
import zlib

from client import Client, Closed, ask_raw, get
from reeve import (FULL, HTTP, SANITIZED, WRAP, Skipped, check, contains, equal, main, scenario,
                   status_field)

THEN = 784111777
WORDS = [b"reeve", b"manor", b"hand", b"\n", b" ", b"answers for", b"\xc3\xa4"]
GZIP = "Accept-Encoding: gzip\r\n"


def text(length):
    """Something that compresses as pages do."""
    chance, data = random.Random(length), bytearray()
    while len(data) < length:
        data += chance.choice(WORDS) + bytes([chance.randrange(32, 127)])
    return bytes(data[:length])


def put(server, name, data):
    server.write("www/" + name, data)
    os.utime(server.path("www/" + name), (THEN, THEN))


def site(options):
    return HTTP + ('http { site "default" { route "/" { static { root = "www"\n' + options +
                   " } } } }\n")


def serve(case, options="gzip = true", **core):
    server = case.server(site(options), **core)
    put(server, "page.html", text(10000))
    return server.start()


def tag(size, coded=False):
    return f'{"W/" if coded else ""}"{size:x}-{THEN * 10**9:x}{"-gzip" if coded else ""}"'


def unpacked(answer):
    """The text of an answer, which must be one complete stream of gzip."""
    equal(answer.field("Content-Encoding"), "gzip", "coding")
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
    data = unzip.decompress(answer.body)
    check(unzip.eof and not unzip.unused_data, "not one whole stream of gzip")
    return data


@scenario("gzip: files of every size come back as they are, whole, in chunks or until the end")
def bytes_of(case):
    server = serve(case)
    with Client(server.address()) as client:
        for size in (1024, 1025, 16384, 40000, 65536, 65537, 1000000, 3000001):
            name, data = f"{size}.txt", text(size)
            put(server, name, data)
            answer = client.get("/" + name, fields=GZIP)
            equal(answer.field("Transfer-Encoding"), "chunked" if size > 65536 else None, name)
            check(unpacked(answer) == data, f"the bytes of {name}")
            check(len(answer.body) < size * 3 // 4, f"{len(answer.body)} bytes of {size}")
            equal(answer.field("ETag"), tag(size, coded=True), "tag")
            equal((answer.field("Vary"), answer.field("Accept-Ranges"),
                   answer.field("Last-Modified"), answer.field("Content-Type")),
                  ("Accept-Encoding", None, "Sun, 06 Nov 1994 08:49:37 GMT",
                   "text/plain; charset=utf-8"), "fields")
            check(client.get("/" + name).body == data, f"{name} as it is")
        noise = os.urandom(500000)
        put(server, "noise.txt", noise)
        check(unpacked(client.get("/noise.txt", fields=GZIP)) == noise, "what gets no smaller")
    old = ask_raw(server.address(), b"GET /1000000.txt HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
    equal(old.field("Content-Length"), None, "length for HTTP/1.0")
    check(unpacked(old) == text(1000000), "the bytes for HTTP/1.0")


# Accept-Encoding, whether it is compressed.
ACCEPTS = (
    (None, False), ("", False), ("gzip", True), ("GZIP", True), ("x-gzip", True), ("*", True),
    ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("br", False), ("identity, gzip;q=0.5", False),
    ("identity;q=0.5, gzip", True), ("*;q=0", False),
)


@scenario("gzip: for whom, and of which files (12.5.3)")
def choice(case):
    server = serve(case)
    for name in ("a.js", "a.json", "a.svg", "a.xml", "a.css", "a.wasm", "a.png", "a.gz", "a.bin"):
        put(server, name, text(5000))
    put(server, "short.txt", text(1023))
    with Client(server.address()) as client:
        for accept, packed in ACCEPTS:
            answer = client.get("/page.html", fields=f"Accept-Encoding: {accept}\r\n"
                                if accept is not None else "")
            equal(answer.field("Content-Encoding"), "gzip" if packed else None, f"{accept}")
            equal(answer.field("Vary"), "Accept-Encoding", f"Vary with {accept}")
            check((unpacked(answer) if packed else answer.body) == text(10000), f"{accept}")
        for name, fits in (("a.js", True), ("a.json", True), ("a.svg", True), ("a.xml", True),
                           ("a.css", True), ("a.wasm", True), ("a.png", False), ("a.gz", False),
                           ("a.bin", False)):
            answer = client.get("/" + name, fields=GZIP)
            equal((answer.field("Content-Encoding"), answer.field("Vary")),
                  ("gzip", "Accept-Encoding") if fits else (None, None), name)
        answer = client.get("/short.txt", fields=GZIP)
        equal((answer.field("Content-Encoding"), answer.field("Vary"), answer.field("ETag")),
              (None, "Accept-Encoding", tag(1023)), "a short file")


@scenario("gzip: HEAD has the fields that GET has (9.3.2)")
def head(case):
    server = serve(case)
    with Client(server.address()) as client:
        put(server, "long.txt", text(100000))
        for target in ("/page.html", "/long.txt"):
            for fields in ("", GZIP):
                full, bare = (client.get(target, method, fields=fields)
                              for method in ("GET", "HEAD"))
                equal([each for each in bare.fields if each[0] != "date"],
                      [each for each in full.fields if each[0] != "date"], f"{target} {fields!r}")
                equal((bare.status, bare.body), (200, b""), "HEAD")


# Fields beside Accept-Encoding: gzip, status, coding. {tag} is the tag of the compressed form.
CONDITIONS = (
    ("If-None-Match: {tag}", 304, None), ("If-None-Match: {strong}", 304, None),
    ('If-None-Match: "x", {tag}', 304, None), ("If-None-Match: *", 304, None),
    ("If-None-Match: {bare}", 200, "gzip"), ("If-Modified-Since: {date}", 304, None),
    ("If-Match: {tag}", 412, None), ("If-Match: {strong}", 412, None),
    ("If-Match: *", 200, "gzip"), ("If-Match: {bare}", 412, None),
    ("Range: bytes=0-9", 206, None), ("Range: bytes=0-9,20-29", 206, None),
    ("Range: bytes=0-9\r\nIf-Range: {bare}", 206, None),
    ("Range: bytes=0-9\r\nIf-Range: {tag}", 200, None),
    ("Range: bytes=0-9\r\nIf-Range: {strong}", 200, None),
)


@scenario("gzip: its tag is weak: good for 304, not for If-Match, If-Range or ranges (8.8.3.2)")
def conditions(case):
    server = serve(case, 'gzip = true cache_control = "max-age=60"')
    words = {"tag": tag(10000, coded=True), "strong": tag(10000, coded=True)[2:],
             "bare": tag(10000), "date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    with Client(server.address()) as client:
        for fields, status, coding in CONDITIONS:
            answer = client.get("/page.html", fields=GZIP + fields.format(**words) + "\r\n")
            equal((answer.status, answer.field("Content-Encoding")), (status, coding), fields)
            if status == 304:
                equal({name for name, _ in answer.fields} - {"server", "connection"},
                      {"date", "etag", "vary", "cache-control"}, f"fields of 304 with {fields}")
                equal(answer.field("ETag"), words["tag"], f"tag with {fields}")
            if status == 206:
                equal((answer.field("ETag"), answer.field("Vary")),
                      (words["bare"], "Accept-Encoding"), f"fields of 206 with {fields}")


@scenario("gzip: siblings come first, no-transform forbids it, by default it is off")
def others(case):
    server = serve(case, 'gzip = true precompressed = { "br", "gzip" }')
    put(server, "page.html.br", b"packed before")
    with Client(server.address()) as client:
        answer = client.get("/page.html", fields="Accept-Encoding: gzip, br\r\n")
        equal((answer.field("Content-Encoding"), answer.body), ("br", b"packed before"), "sibling")
        check(unpacked(client.get("/page.html", fields=GZIP)) == text(10000), "without sibling")
    for options in ('gzip = true cache_control = "public, No-Transform"', ""):
        answer = get(serve(case, options).address(), "/page.html", fields=GZIP)
        equal((answer.field("Content-Encoding"), answer.field("Vary"), answer.body),
              (None, None, text(10000)), options or "by default")


@scenario("gzip: types, size and level are options", models=())
def settings(case):
    server = serve(case, 'gzip = true gzip_types = { "image/*", "text/Plain" } gzip_least = 1'
                         ' gzip_level = 1')
    for name in ("a.png", "b.html", "c.txt", "empty.txt"):
        put(server, name, text(0 if name == "empty.txt" else 3000))
    with Client(server.address()) as client:
        for name, packed in (("a.png", True), ("b.html", False), ("c.txt", True),
                             ("empty.txt", False)):
            answer = client.get("/" + name, fields=GZIP)
            equal(answer.field("Content-Encoding"), "gzip" if packed else None, name)
        fast = len(client.get("/c.txt", fields=GZIP).body)
    server = serve(case, "gzip = true gzip_level = 9")
    put(server, "c.txt", text(3000))
    check(len(get(server.address(), "/c.txt", fields=GZIP).body) < fast, "level 9 is smaller")
    for options, part in (('gzip_types = { "text" }', "is no media type"),
                          ('gzip_types = { "text/" }', "is no media type"),
                          ('gzip_types = { "text/html; charset=utf-8" }', "is no media type"),
                          ('gzip_types = { "*/*" }', "is no media type"),
                          ('gzip_types = { "text/x*" }', "is no media type"),
                          ("gzip_level = 0", "write 1 to 9"), ("gzip_level = 10", "write 1 to 9"),
                          ("gzip_least = 0", "out of range")):
        server = case.server(site(options))
        result = server.run("-t")
        equal(result.code, 1, f"exit status with {options}")
        contains(result.err, part, options)


@scenario("gzip: a file that shrinks in the middle ends the connection, and looks not complete")
def shrinking(case):
    server = serve(case)
    put(server, "large.txt", os.urandom(1 << 20) * 32)  # more than all buffers on the way
    with Client(server.address()) as client:
        client.send(f"GET /large.txt HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n"
                    f"GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n")
        while b"\r\n\r\n" not in client.data:
            client.more()
        os.truncate(server.path("www/large.txt"), 100)
        contains(client.data, b"Transfer-Encoding: chunked\r\n", "the head")
        client.data = client.data.partition(b"\r\n\r\n")[2]
        try:
            client.chunks()
        except Closed:
            pass
        else:
            check(False, "the answer looks complete")
    server.until_logged("handler-failed", "its stream gave up")
    equal(get(server.address(), "/page.html").status, 200, "another client")


@scenario("gzip: a huge file takes no more memory than a small one", models=["event"])
def memory(case):
    if SANITIZED or WRAP:
        raise Skipped("other programs' memory counts too")
    server = serve(case, "gzip = true gzip_level = 1", workers=1)
    size = 4 << 30 if FULL else 128 << 20
    with open(server.path("www/huge.txt"), "wb") as file:
        file.truncate(size)
    pid, = server.pids().values()
    get(server.address(), "/page.html", fields=GZIP)
    before = int(status_field(pid, "VmHWM").split()[0])
    unzip, length = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    answer = get(server.address(), "/huge.txt", fields=GZIP)
    data = answer.body
    while data:
        length += len(unzip.decompress(data, 1 << 20))
        data = unzip.unconsumed_tail
    check(unzip.eof and length == size, f"{length} bytes of {size}")
    more = int(status_field(pid, "VmHWM").split()[0]) - before
    check(more < 2048, f"{more} KiB more")


if __name__ == "__main__":
    main()
