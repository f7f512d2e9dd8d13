"""Files over HTTP to the letter of RFC 9110: validators, preconditions, ranges, codings, fields."""
import os
import re

from client import Client, Closed, get
from reeve import HTTP, check, contains, equal, main, scenario

THEN = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
TAG = f'"a-{THEN * 10**9:x}"'  # of 10 bytes
TEXT = b"0123456789"


def site(options=""):
    return HTTP + ('http { site "default" { route "/" { static { root = "www"\n' + options +
                   " } } } }\n")


def put(server, name, data=TEXT, then=THEN):
    server.write("www/" + name, data)
    os.utime(server.path("www/" + name), (then, then))


def serve(case, options=""):
    server = case.server(site(options))
    put(server, "ten.txt")
    return server.start()


def ask(client, fields="", target="/ten.txt", method="GET"):
    return client.get(target, method=method, fields=fields)


@scenario("a file has a strong ETag and a Last-Modified, the same on every host (8.8)")
def validators(case):
    server = serve(case)
    put(server, "copy.txt")
    put(server, "other.txt", TEXT, THEN + 1)
    os.utime(server.path("www/other.txt"), ns=(0, THEN * 10**9 + 1))
    with Client(server.address()) as client:
        answer = ask(client)
        equal((answer.status, answer.body), (200, TEXT), "the file")
        equal((answer.field("ETag"), answer.field("Last-Modified")), (TAG, DATE), "validators")
        equal(answer.field("Accept-Ranges"), "bytes", "Accept-Ranges")
        equal(ask(client, target="/copy.txt").field("ETag"), TAG, "the tag of an equal copy")
        other = ask(client, target="/other.txt")
        equal((other.field("ETag"), other.field("Last-Modified")),
              (f'"a-{THEN * 10**9 + 1:x}"', DATE), "validators a nanosecond later")
        for name in ("Vary", "Cache-Control", "Content-Encoding"):
            equal(answer.field(name), None, name)
        bare = ask(client, method="HEAD", fields="Range: bytes=0-1\r\n")
        equal(bare.status, 200, "HEAD knows no ranges (14.2)")
        equal([each for each in bare.fields if each[0] != "date"],
              [each for each in answer.fields if each[0] != "date"], "fields of HEAD")


@scenario("Last-Modified is never later than Date (8.8.2.1)")
def future(case):
    server = serve(case)
    put(server, "ten.txt", TEXT, 4000000000)
    answer = get(server.address(), "/ten.txt")
    equal(answer.field("Last-Modified"), answer.field("Date"), "Last-Modified")


# Fields, status. The order is that of 13.2.2.
CONDITIONS = (
    (f"If-None-Match: {TAG}", 304),
    (f"If-None-Match: W/{TAG}", 304),
    (f'If-None-Match: "x", {TAG}', 304),
    ("If-None-Match: *", 304),
    ('If-None-Match: "x"', 200),
    (f"If-Modified-Since: {DATE}", 304),
    (f"If-Modified-Since: {BEFORE}", 200),
    ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", 304),
    ("If-Modified-Since: Sun Nov  6 08:49:37 1994", 304),
    ("If-Modified-Since: sometimes", 200),
    (f'If-None-Match: "x"\r\nIf-Modified-Since: {DATE}', 200),
    (f"If-Match: {TAG}", 200),
    ("If-Match: *", 200),
    (f"If-Match: W/{TAG}", 412),
    ('If-Match: "x"', 412),
    (f"If-Unmodified-Since: {DATE}", 200),
    (f"If-Unmodified-Since: {BEFORE}", 412),
    (f"If-Match: {TAG}\r\nIf-Unmodified-Since: {BEFORE}", 200),
    (f'If-Match: "x"\r\nIf-None-Match: {TAG}', 412),
    (f"If-Match: {TAG}\r\nIf-None-Match: {TAG}", 304),
    (f"If-None-Match: {TAG}\r\nRange: bytes=0-1", 304),
    ('If-Match: "x"\r\nRange: bytes=20-', 412),
)


@scenario("preconditions are answered with 304, 412 or the file (13.2.2)")
def conditions(case):
    server = serve(case, 'cache_control = "max-age=60" precompressed = { "gzip" }')
    with Client(server.address()) as client:
        for fields, status in CONDITIONS:
            for method in ("GET", "HEAD"):
                answer = ask(client, fields + "\r\n", method=method)
                equal(answer.status, status, f"{method} with {fields}")
            if status == 304:
                names = {name for name, _ in answer.fields} - {"server", "connection"}
                equal(names, {"date", "etag", "vary", "cache-control"}, "fields of 304 (15.4.5)")
        equal(ask(client, 'If-Match: "x"\r\n', "/none").status, 404, "nothing there (13.2.1)")


# Range, what comes, which Content-Range. Files of ten bytes.
RANGES = (
    ("bytes=0-3", TEXT[:4], "bytes 0-3/10"),
    ("bytes=5-", TEXT[5:], "bytes 5-9/10"),
    ("bytes=-3", TEXT[7:], "bytes 7-9/10"),
    ("bytes=-30", TEXT, "bytes 0-9/10"),
    ("bytes=8-99999999999999999999999", TEXT[8:], "bytes 8-9/10"),
    ("bytes=0-3,2-5", TEXT[:6], "bytes 0-5/10"),
    ("bytes=0-3,20-", TEXT[:4], "bytes 0-3/10"),
)


@scenario("one range is answered with 206 and those bytes (14.2, 15.3.7.1)")
def one_range(case):
    server = serve(case)
    with Client(server.address()) as client:
        for field, body, where in RANGES:
            answer = ask(client, f"Range: {field}\r\n")
            equal((answer.status, answer.body, answer.field("Content-Range")), (206, body, where),
                  field)
            equal((answer.field("ETag"), answer.field("Content-Type")),
                  (TAG, "text/plain; charset=utf-8"), f"fields with {field}")
        for field in ("bytes=4-2", "bytes=x", "lines=0-1", "bytes 0-1", "bytes="):
            answer = ask(client, f"Range: {field}\r\n")
            equal((answer.status, answer.body, answer.field("Content-Range")), (200, TEXT, None),
                  f"{field} is ignored")
        for field in ("bytes=10-", "bytes=10-20,30-", "bytes=-0",
                      "bytes=99999999999999999999999-"):
            answer = ask(client, f"Range: {field}\r\n")
            equal((answer.status, answer.field("Content-Range")), (416, "bytes */10"), field)
        put(server, "many.txt", bytes(2000))
        many = ",".join(f"{2 * number}-{2 * number}" for number in range(900))
        equal(ask(client, f"Range: bytes={many}\r\n", "/many.txt").status, 200, "absurd ranges")
        put(server, "empty.txt", b"")
        for field in ("bytes=0-", "bytes=-1", "bytes=5-"):
            answer = ask(client, f"Range: {field}\r\n", "/empty.txt")
            equal((answer.status, answer.body), (200, b""), f"{field} of an empty file")


@scenario("If-Range: the range if nothing has changed, else the whole (13.1.5)")
def if_range(case):
    server = serve(case)
    with Client(server.address()) as client:
        for value, status in ((TAG, 206), (DATE, 206), (f"W/{TAG}", 200), ('"x"', 200),
                              (BEFORE, 200), ("Sun, 06 Nov 1994 08:49:38 GMT", 200), ("x", 200)):
            answer = ask(client, f"Range: bytes=0-3\r\nIf-Range: {value}\r\n")
            equal((answer.status, answer.body), (status, TEXT[:4] if status == 206 else TEXT),
                  f"If-Range: {value}")
            answer = ask(client, f"Range: bytes=20-\r\nIf-Range: {value}\r\n")
            equal(answer.status, 416 if status == 206 else 200, f"{value} , behind the end")


def parts_of(answer):
    """(Content-Type, Content-Range, bytes) of each part."""
    kind = re.fullmatch(r"multipart/byteranges; boundary=(\S+)", answer.field("Content-Type"))
    check(kind, f"type {answer.field('Content-Type')}")
    mark = b"--" + kind[1].encode()
    check(answer.body.startswith(mark + b"\r\n"), "the first boundary")
    check(answer.body.endswith(b"\r\n" + mark + b"--\r\n"), "the last boundary")
    parts = []
    for part in answer.body[len(mark) + 2:-len(mark) - 6].split(b"\r\n" + mark + b"\r\n"):
        head, _, data = part.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        parts.append((lines[0].partition(": ")[2], lines[1].partition(": ")[2], data))
    return parts


@scenario("several ranges come as parts, in the order asked for (15.3.7.2)")
def several_ranges(case):
    server = serve(case)
    large = os.urandom(300000)
    put(server, "large.bin", large)
    with Client(server.address()) as client:
        answer = ask(client, "Range: bytes=8-9,0-1,20-\r\n")
        equal((answer.status, answer.field("Content-Range"), answer.field("ETag")),
              (206, None, TAG), "the answer")
        equal(parts_of(answer), [("text/plain; charset=utf-8", "bytes 8-9/10", b"89"),
                                 ("text/plain; charset=utf-8", "bytes 0-1/10", b"01")], "parts")
        answer = ask(client, "Range: bytes=0-29999,270000-\r\n", "/large.bin")
        equal(parts_of(answer),
              [("application/octet-stream", "bytes 0-29999/300000", large[:30000]),
               ("application/octet-stream", "bytes 270000-299999/300000", large[270000:])],
              "large parts")
        answer = ask(client, "Range: bytes=0-149999,150010-\r\n", "/large.bin")
        equal([each[1:] for each in parts_of(answer)],
              [("bytes 0-149999/300000", large[:150000]),
               ("bytes 150010-299999/300000", large[150010:])], "nearly all of it")


@scenario("a sparse file of 5 GiB: its length, and ranges near its end")
def huge(case):
    server = serve(case)
    size, end = 5 << 30, b"the very end\n"
    with open(server.path("www/huge.bin"), "wb") as file:
        file.truncate(size)
        file.seek(size - len(end))
        file.write(end)
    with Client(server.address()) as client:
        equal(ask(client, "", "/huge.bin", "HEAD").field("Content-Length"), str(size), "length")
        first = size - len(end)
        for field in (f"bytes={first}-", f"bytes=-{len(end)}", f"bytes={first}-{size * 9}"):
            answer = ask(client, f"Range: {field}\r\n", "/huge.bin")
            equal((answer.status, answer.body, answer.field("Content-Range")),
                  (206, end, f"bytes {first}-{size - 1}/{size}"), field)
        answer = ask(client, f"Range: bytes={size - 100000}-\r\n", "/huge.bin")
        check(answer.body == bytes(100000 - len(end)) + end, "a range that is sent as a file")
        answer = ask(client, f"Range: bytes=0-0,{size - 4}-\r\n", "/huge.bin")
        equal([each[1:] for each in parts_of(answer)],
              [(f"bytes 0-0/{size}", b"\0"), (f"bytes {size - 4}-{size - 1}/{size}", end[-4:])],
              "parts far from each other")
        answer = ask(client, f"Range: bytes=0-9999999,{size - 10000000}-\r\n", "/huge.bin")
        first, second = (each[2] for each in parts_of(answer))
        check(first == bytes(10000000) and second == bytes(10000000 - len(end)) + end,
              "large parts far from each other")
        answer = ask(client, f"Range: bytes={size}-\r\n", "/huge.bin")
        equal((answer.status, answer.field("Content-Range")), (416, f"bytes */{size}"), "beyond")


@scenario("a file that shrinks while it is sent ends the connection, never in a wrong length")
def shrinking(case):
    server = serve(case)
    size = 64 << 20  # more than all buffers on the way
    with open(server.path("www/large.bin"), "wb") as file:
        file.truncate(size)
        with Client(server.address()) as client:
            client.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n"
                        "GET /ten.txt HTTP/1.1\r\nHost: a\r\n\r\n")
            while b"\r\n\r\n" not in client.data:
                client.more()
            file.truncate(0)
            contains(client.data, b"Content-Length: %d\r\n" % size, "what was promised")
            got = 0
            try:
                client.data = client.data.partition(b"\r\n\r\n")[2]
                while True:
                    got += len(client.data)
                    check(not client.data.strip(b"\0"), "bytes that are not of the file")
                    client.data = b""
                    client.more()
            except Closed:
                pass
            check(got < size, "the connection ended before the promised length")
    equal(get(server.address(), "/ten.txt").body, TEXT, "another client")


@scenario("OPTIONS tells the methods, others are refused with them (9.3.7)")
def options(case):
    server = serve(case)
    with Client(server.address()) as client:
        answer = ask(client, method="OPTIONS")
        equal((answer.status, answer.field("Allow")), (204, "GET, HEAD, OPTIONS"), "OPTIONS")
        answer = ask(client, method="DELETE")
        equal((answer.status, answer.field("Allow")), (405, "GET, HEAD, OPTIONS"), "DELETE")


# Accept-Encoding, what is chosen where all three are there.
ACCEPTS = (
    (None, None), ("", None), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"),
    ("gzip;q=1.0, br;q=0.5", "gzip"), ("br;q=0, *", "zstd"), ("*", "br"), ("deflate", None),
    ("gzip;q=0", None), ("identity, gzip;q=0.5", None), ("identity;q=0, gzip;q=0.1", "gzip"),
    ("*;q=0", None),
)


@scenario("precompressed siblings are chosen by Accept-Encoding (12.5.3)")
def precompressed(case):
    server = serve(case, 'precompressed = { "br", "zstd", "gzip" }')
    for suffix in ("br", "zst", "gz"):
        put(server, f"ten.txt.{suffix}", f"packed by {suffix}")
    put(server, "one.txt")
    put(server, "one.txt.gz", b"one, packed")
    put(server, "stale.txt")
    put(server, "stale.txt.gz", b"older", THEN - 1)
    put(server, "odd.txt")
    os.mkdir(server.path("www/odd.txt.gz"))
    suffixes = {"br": "br", "zstd": "zst", "gzip": "gz"}
    with Client(server.address()) as client:
        tags = set()
        for accept, coding in ACCEPTS:
            answer = ask(client, f"Accept-Encoding: {accept}\r\n" if accept is not None else "")
            body = f"packed by {suffixes[coding]}".encode() if coding else TEXT
            equal((answer.status, answer.field("Content-Encoding"), answer.body),
                  (200, coding, body), f"Accept-Encoding: {accept}")
            equal((answer.field("Vary"), answer.field("Content-Type")),
                  ("Accept-Encoding", "text/plain; charset=utf-8"), f"fields with {accept}")
            tags.add(answer.field("ETag"))
        equal(len(tags), 4, "each has a tag of its own")
        gzip = "Accept-Encoding: gzip, br\r\n"
        for target, coding in (("/one.txt", "gzip"), ("/stale.txt", None), ("/odd.txt", None)):
            equal(ask(client, gzip, target).field("Content-Encoding"), coding, target)
        answer = ask(client, gzip + "Range: bytes=0-2\r\n", "/one.txt")
        equal((answer.status, answer.body, answer.field("Content-Range"),
               answer.field("Content-Encoding")), (206, b"one", "bytes 0-2/11", "gzip"), "a range")
        tag = answer.field("ETag")
        equal(ask(client, gzip + f"If-None-Match: {tag}\r\n", "/one.txt").status, 304, "its tag")
        equal(ask(client, f"If-None-Match: {tag}\r\n", "/one.txt").status, 200, "not the file's")
        bare = ask(client, gzip, "/one.txt", "HEAD")
        equal((bare.field("Content-Length"), bare.field("Content-Encoding")), ("11", "gzip"),
              "HEAD")


@scenario("an index file has siblings too; without the option nothing is looked for")
def index(case):
    server = serve(case, 'precompressed = { "gzip" }')
    put(server, "index.html.gz", b"packed index", 2000000000)
    fields = "Accept-Encoding: gzip\r\n"
    answer = get(server.address(), "/", fields=fields)
    equal((answer.body, answer.field("Content-Type").split(";")[0]),
          (b"packed index", "text/html"), "the index")
    server = serve(case)
    put(server, "ten.txt.gz", b"packed")
    equal(get(server.address(), "/ten.txt", fields=fields).body, TEXT, "without the option")


@scenario("cache_control is for files, headers are for every answer")
def extra(case):
    server = serve(case, 'cache_control = "public, max-age=60"\n'
                   'headers = { "X-Frame-Options: DENY", "Link: </s.css>; rel=preload" }')
    with Client(server.address()) as client:
        for fields, target, method, status, kept in (
                ("", "/ten.txt", "GET", 200, True), ("", "/ten.txt", "HEAD", 200, True),
                ("Range: bytes=0-1\r\n", "/ten.txt", "GET", 206, True),
                (f"If-None-Match: {TAG}\r\n", "/ten.txt", "GET", 304, True),
                ("Range: bytes=20-\r\n", "/ten.txt", "GET", 416, False),
                ("If-Match: \"x\"\r\n", "/ten.txt", "GET", 412, False),
                ("", "/none", "GET", 404, False), ("", "/ten.txt", "OPTIONS", 204, False),
                ("", "/ten.txt", "DELETE", 405, False)):
            answer = ask(client, fields, target, method)
            what = f"{method} {target} {fields}"
            equal(answer.status, status, what)
            equal(answer.field("Cache-Control"), "public, max-age=60" if kept else None, what)
            equal((answer.field("X-Frame-Options"), answer.field("Link")),
                  ("DENY", "</s.css>; rel=preload"), what)


@scenario("wrong options are refused with the line and what to write", models=())
def refused(case):
    for options, text in (('precompressed = { "deflate" }', "write br, zstd or gzip"),
                          ('headers = { "X" }', 'write "Name: value"'),
                          ('headers = { "Date: now" }', "Date is written by the server itself"),
                          ('headers = { "Cache-Control: x" }', "set cache_control"),
                          ('cache_control = "a\\nb"', "control character")):
        server = case.server(site(options))
        result = server.run("-t")
        equal(result.code, 1, f"exit status with {options}")
        contains(result.err, text, options)


if __name__ == "__main__":
    main()
