"""The requests of differ.py, and the files that they are for. The sections named are those of
RFC 9110 where no other one is."""
import gzip
import os

TEXT = b"".join(b"line %03d.\n" % number for number in range(100))  # 1000 bytes
LARGE = bytes((at * 7 + at // 256) % 256 for at in range(200000))
PAGE = b"<!DOCTYPE html>\n<title>page</title>\n" + b"<p>text</p>\n" * 200
CHANGED = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT
FILES = {
    "index.html": b"<h1>index</h1>\n", "sub/index.html": b"<h1>sub</h1>\n", "text.txt": TEXT,
    "large.bin": LARGE, "empty.txt": b"", "one.bin": b"1", "page.html": PAGE,
    "page.html.gz": gzip.compress(PAGE, mtime=0), "only.html.gz": gzip.compress(PAGE, mtime=0),
    "with space.txt": b"space\n", "\u00fcmlaut.txt": b"umlaut\n", "bare/file.txt": b"bare\n",
    ".hidden": b"hidden\n", ".well-known/known.txt": b"known\n", "style.css": b"p { }\n",
}


def plant(root):
    for name, data in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (CHANGED, CHANGED))
    os.symlink("text.txt", os.path.join(root, "inside"))
    with open(os.path.join(root, "private.txt"), "wb") as file:
        file.write(b"private\n")
    os.chmod(os.path.join(root, "private.txt"), 0)


# ---------------------------------------------------------------- the requests

class Ask:
    """One request. In the values of its fields {etag} is the tag that this server gives for the
    target, {packed} that of its gzip form; {date}, {before} and {after} go by Last-Modified."""

    def __init__(self, target, *fields, method="GET"):
        self.target, self.fields, self.method = target, fields, method
        self.name = " | ".join([f"{method} {shown(target)}"] + [shown(each) for each in fields])

    def bytes(self, server):
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: localhost", "Connection: close"]
        lines += [server.fill(each, self.target) for each in self.fields]
        if self.method in ("POST", "PUT"):
            lines.append("Content-Length: 0")
        return "\r\n".join(lines + ["", ""]).encode()


def shown(text):
    return text if len(text) < 70 else f"{text[:30]}...{text[-10:]} ({len(text)})"


def ranges():
    for value in (
            # RFC 9110, 14.1.2: first and last, open, suffix
            "bytes=0-99", "bytes=0-0", "bytes=999-999", "bytes=500-", "bytes=0-", "bytes=0-999",
            "bytes=0-5000", "bytes=999-5000", "bytes=-100", "bytes=-1", "bytes=-1000",
            "bytes=-5000",
            # 15.5.17: none of it is there
            "bytes=1000-", "bytes=1000-1001", "bytes=5000-6000", "bytes=-0", "bytes=5000-,6000-",
            # 14.2: what is malformed or of an unknown unit is ignored
            "bytes=", "bytes=-", "bytes=a-b", "bytes=10-5", "bytes=--5", "bytes=5", "bytes 0-9",
            "0-9", "lines=0-9", "bytes=0-9x", "bytes=0x1-5", "bytes=0-9;10-19", "bytes=+1-5",
            "bytes=0-9,x", "bytes=0-9,10-5", "bytes=1.5-9", "bytes = 0-9", "bytes=0 - 9",
            # 14.1: the name of a unit has no case; 5.6.1: lists may have empty elements and space
            "BYTES=0-9", "bytes= 0-9", "bytes=0-9, 20-29", "bytes=0-9 ,20-29", "bytes=0-9,,20-29",
            "bytes=,0-9", "bytes=0-9,", "bytes=,",
            # 15.3.7.2: several
            "bytes=0-9,20-29", "bytes=0-9,100-199,-10", "bytes=20-29,0-9", "bytes=0-0,999-999",
            "bytes=0-9,5000-6000", "bytes=5000-6000,0-9", "bytes=0-9,-5", "bytes=0-9,990-",
            # 17.15: overlapping, too many, absurd
            "bytes=0-9,10-19", "bytes=0-9,5-14", "bytes=0-9,0-9", "bytes=0-499,100-199",
            "bytes=0-,0-", "bytes=0-999,0-999", "bytes=0-,-1000", "bytes=0-599,400-999",
            "bytes=" + ",".join(["0-"] * 500),
            "bytes=" + ",".join(f"{at}-{at}" for at in range(0, 998, 2)),
            "bytes=" + ",".join(f"{at}-{at}" for at in range(998, 0, -10)),
            "bytes=" + ",".join(f"{at}-{at}" for at in range(0, 100, 10)),
            "bytes=18446744073709551616-", "bytes=0-18446744073709551616",
            "bytes=-18446744073709551616", "bytes=18446744073709551616-18446744073709551617",
            "bytes=9223372036854775807-9223372036854775808", "bytes=0-9,18446744073709551616-",
            "bytes=00000000000000000000000000-00000000000000000000000009"):
        yield Ask("/text.txt", f"Range: {value}")
    yield Ask("/text.txt", "Range: bytes=0-9", "Range: bytes=20-29")
    for target, value in (("/empty.txt", "0-"), ("/empty.txt", "-5"), ("/empty.txt", "0-0"),
                          ("/one.bin", "0-0"), ("/one.bin", "-1"), ("/one.bin", "1-"),
                          ("/large.bin", "0-0"), ("/large.bin", "100000-150000"),
                          ("/large.bin", "199999-"), ("/large.bin", "0-99999,150000-199999"),
                          ("/", "0-3"), ("/none", "0-3"), ("/sub", "0-3"), ("/bare/", "0-3")):
        yield Ask(target, f"Range: bytes={value}")
    yield Ask("/text.txt", "Range: bytes=0-9", method="HEAD")
    yield Ask("/text.txt", "Range: bytes=0-9,20-29", method="HEAD")
    yield Ask("/text.txt", "Range: bytes=5000-", method="HEAD")


def conditions():
    """RFC 9110, 13. The order in which they are looked at is 13.2.2."""
    both = [  # those that GET and HEAD answer alike
        ["If-None-Match: {etag}"], ['If-None-Match: "none"'], ["If-None-Match: *"],
        ["If-Match: {etag}"], ['If-Match: "none"'], ["If-Match: *"],
        ["If-Modified-Since: {date}"], ["If-Modified-Since: {before}"],
        ["If-Unmodified-Since: {date}"], ["If-Unmodified-Since: {before}"]]
    for fields in both:
        yield Ask("/text.txt", *fields)
        yield Ask("/text.txt", *fields, method="HEAD")
    for fields in (
            ["If-None-Match: W/{etag}"], ['If-None-Match: "none", {etag}'],
            ['If-None-Match: "none",{etag} , "more"'], ['If-None-Match: "none", W/"more"'],
            ["If-None-Match: none"], ["If-None-Match: "], ['If-None-Match: "a, {etag}'],
            ['If-None-Match: "none"', "If-None-Match: {etag}"],
            ["If-Match: W/{etag}"], ['If-Match: "none", {etag}'], ['If-Match: "none", W/{etag}'],
            ["If-Match: none"], ['If-Match: "none"', "If-Match: {etag}"],
            ["If-Modified-Since: {after}"], ["If-Modified-Since: yesterday"],
            ["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"],
            ["If-Modified-Since: Sun Nov  6 08:49:37 1994"],
            ["If-Modified-Since: Sun, 06 Nov 1994 08:49:37 +0100"],
            ["If-Modified-Since: Sun, 31 Feb 2010 08:49:37 GMT"],
            ["If-Unmodified-Since: {after}"], ["If-Unmodified-Since: yesterday"],
            ["If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT"],
            # 5.3: on two lines
            ["If-None-Match: {etag}", "If-None-Match: *"], ["If-Match: {etag}", "If-Match: *"],
            ["If-Modified-Since: {date}", "If-Modified-Since: {date}"],
            ["If-Unmodified-Since: {before}", "If-Unmodified-Since: {before}"],
            ["If-Range: {etag}", "If-Range: {etag}", "Range: bytes=0-9"],
            ["If-Range: {date}", "If-Range: {date}", "Range: bytes=0-9"],
            # in combination
            ['If-None-Match: "none"', "If-Modified-Since: {date}"],
            ["If-None-Match: {etag}", "If-Modified-Since: {before}"],
            ["If-None-Match: {etag}", "If-Modified-Since: {date}"],
            ["If-Match: {etag}", "If-Unmodified-Since: {before}"],
            ['If-Match: "none"', "If-Unmodified-Since: {date}"],
            ["If-Match: {etag}", "If-None-Match: {etag}"],
            ['If-Match: "none"', "If-None-Match: {etag}"],
            ["If-Unmodified-Since: {date}", "If-Modified-Since: {date}"],
            ["If-Unmodified-Since: {before}", "If-None-Match: {etag}"],
            # with ranges
            ["If-Range: {etag}", "Range: bytes=0-9"], ['If-Range: "none"', "Range: bytes=0-9"],
            ["If-Range: W/{etag}", "Range: bytes=0-9"], ["If-Range: {date}", "Range: bytes=0-9"],
            ["If-Range: {before}", "Range: bytes=0-9"], ["If-Range: {after}", "Range: bytes=0-9"],
            ["If-Range: yesterday", "Range: bytes=0-9"], ["If-Range: {etag}"],
            ["If-Range: Sunday, 06-Nov-94 08:49:37 GMT", "Range: bytes=0-9"],
            ["If-Range: {etag}", "Range: bytes=5000-"], ['If-Range: "none"', "Range: bytes=5000-"],
            ["If-Range: {etag}", "Range: bytes=0-9,20-29"],
            ["If-None-Match: {etag}", "Range: bytes=0-9"],
            ['If-None-Match: "none"', "Range: bytes=0-9"],
            ["If-Match: {etag}", "Range: bytes=0-9"], ['If-Match: "none"', "Range: bytes=0-9"],
            ["If-Modified-Since: {date}", "Range: bytes=0-9"],
            ["If-Unmodified-Since: {before}", "Range: bytes=0-9"],
            ["If-None-Match: {etag}", 'If-Range: "none"', "Range: bytes=0-9"],
            ["If-Match: {etag}", "If-Range: {etag}", "Range: bytes=5000-"],
            ['If-Match: "none"', "Range: bytes=5000-"]):
        yield Ask("/text.txt", *fields)
    for fields in (["If-None-Match: *"], ["If-Match: *"], ['If-Match: "none"'],
                   ["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"]):
        yield Ask("/none", *fields)
    yield Ask("/", "If-None-Match: {etag}")
    yield Ask("/", "If-Modified-Since: {date}")
    yield Ask("/sub", "If-None-Match: *")
    yield Ask("/empty.txt", "If-None-Match: {etag}")


def codings():
    """RFC 9110, 12.5.3. page.html has a form in gzip beside it."""
    for value in ("gzip", "GZIP", "x-gzip", "*", "identity", "br", "deflate, gzip;q=1.0", "",
                  "gzip;q=0", "gzip;q=0.5, identity;q=1", "gzip;q=0.001", "*;q=0", "gzip, *;q=0",
                  "identity;q=0", "gzip;q=0, *", "br;q=1, gzip;q=0.8, *;q=0.1", "gzipped",
                  "gzip;q=2", "gzip; q=1", "gzip,", "gzip;q=0.000"):
        yield Ask("/page.html", f"Accept-Encoding: {value}")
    yield Ask("/page.html")
    yield Ask("/page.html", "Accept-Encoding: gzip", method="HEAD")
    yield Ask("/page.html", "Accept-Encoding: br", "Accept-Encoding: gzip")
    for field in ("Range: bytes=0-9", "Range: bytes=0-4,10-14", "Range: bytes=100000-",
                  "If-None-Match: {packed}", "If-None-Match: {etag}", "If-Match: {packed}",
                  "If-Match: {etag}", "If-Modified-Since: {date}"):
        yield Ask("/page.html", "Accept-Encoding: gzip", field)
    yield Ask("/page.html", "If-None-Match: {packed}")
    yield Ask("/page.html", "Accept-Encoding: gzip", "If-Range: {packed}", "Range: bytes=0-9")
    yield Ask("/page.html", "Accept-Encoding: gzip", "If-Range: {etag}", "Range: bytes=0-9")
    yield Ask("/page.html.gz")
    yield Ask("/only.html", "Accept-Encoding: gzip")
    yield Ask("/only.html")
    yield Ask("/text.txt", "Accept-Encoding: gzip")
    yield Ask("/none", "Accept-Encoding: gzip")
    yield Ask("/", "Accept-Encoding: gzip")


def methods():
    for target in ("/text.txt", "/large.bin", "/empty.txt", "/", "/sub", "/sub/", "/bare/", "/none",
                   "/private.txt"):
        yield Ask(target, method="HEAD")
    for method in ("OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "get", "CONNECT"):
        yield Ask("/text.txt", method=method)
    yield Ask("*", method="OPTIONS")
    yield Ask("*")
    yield Ask("/none", method="OPTIONS")
    yield Ask("/none", method="POST")
    yield Ask("/sub/", method="OPTIONS")


def paths():
    for target in ("/", "/index.html", "/text.txt", "/style.css", "/empty.txt", "/large.bin",
                   "/?x=1", "/text.txt?x=1&y=/../..", "/sub", "/sub?x=1", "/sub/", "/sub/?x",
                   "/sub?a=%2e%2e/", "/bare", "/bare/", "/bare/file.txt", "/none", "/none/",
                   "/text.txt/", "/text.txt/more", "/sub/index.html/", "/private.txt", "/inside",
                   # RFC 3986: dots, escapes, slashes
                   "//text.txt", "/sub//index.html", "///", "/sub///", "/./text.txt",
                   "/sub/../text.txt", "/sub/./index.html", "/sub/.", "/sub/..", "/..",
                   "/../text.txt", "/sub/../../text.txt", "/%2e%2e/text.txt", "/.%2e/text.txt",
                   "/sub/%2e%2e/text.txt", "/te%78t.txt", "/%74%65xt.txt", "/sub%2findex.html",
                   "/sub%2Findex.html", "/sub%2f..%2ftext.txt", "/text.txt%00", "/%00",
                   "/text.txt%00.html", "/%zz", "/%", "/%2", "/text%2etxt", "/sub%5cindex.html",
                   "/sub\\index.html", "/..\\text.txt", "/..%5ctext.txt", "/%252e%252e/text.txt",
                   "/with%20space.txt", "/with+space.txt", "/%c3%bcmlaut.txt", "/%C3%BCmlaut.txt",
                   "/\u00fcmlaut.txt", "/%fcmlaut.txt", "/text.txt#part", "/text.txt%23part",
                   "/text.txt%3fx", "/TEXT.TXT", "/text.txt.", "/text.txt%20", "/.hidden",
                   "/.well-known/known.txt", "/~root/", "/" + "a" * 300, "/" + "a/" * 1000,
                   "/" + "a" * 9000, "/sub;x=1/", "/text.txt;x",
                   # RFC 9112, 3.2: the other forms of a target
                   "http://localhost/text.txt", "http://localhost", "http://localhost?x",
                   "http://localhost/sub", "HTTP://localhost/text.txt", "ftp://localhost/text.txt",
                   "http://elsewhere/text.txt", "http:///text.txt", "text.txt", "?x",
                   "localhost:80", "/with space.txt", "http://user@localhost/text.txt"):
        yield Ask(target)


GROUPS = (ranges, conditions, codings, methods, paths)
