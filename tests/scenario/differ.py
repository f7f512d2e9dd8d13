"""The same requests to reeve, nginx and apache2 on the same files: the answers are the same, or the
table below says why not. A difference that it does not explain fails, and so does an explanation
that nothing needs any more.

Compared is what RFC 9110 gives a meaning: the status; of a success the bytes, the parts of a range,
length, type, coding and validators; of a refusal what tells the client how to go on. Not compared:
error pages, the form of an entity tag, dates of now, and whether the connection is kept. Whatever
the peers say, the answers of reeve must also agree with themselves and with the file.
"""
import contextlib
import email.utils
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys

from client import connect
from differences import EXPLAINED
from reeve import (HTTP, ROOT, Failed, Skipped, check, equal, main, run, scenario, short, until)

TOP = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.append(os.path.join(TOP, "tests", "bench"))
import peers  # noqa: E402 (the benchmark knows how to find the peers)

SITE = HTTP + ('http { site "default" { route "/" { static { root = "www"'
               ' precompressed = { "gzip" } } } } }\n')

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    gzip_static on;
    gzip_vary on;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; root {root}; index index.html; }}
}}
"""

# The precompressed siblings as its manual page of mod_deflate advises.
APACHE = """
ServerRoot {folder}
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
<IfModule !unixd_module>
    LoadModule unixd_module {modules}/mod_unixd.so
</IfModule>
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule autoindex_module {modules}/mod_autoindex.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule rewrite_module {modules}/mod_rewrite.so
LoadModule headers_module {modules}/mod_headers.so
{user}
Listen 127.0.0.1:{port}
DocumentRoot {root}
TypesConfig /etc/mime.types
DirectoryIndex index.html
StartServers 1
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
TraceEnable off
<Directory {root}>
    Options FollowSymLinks
    AllowOverride None
    AddEncoding gzip .gz
    RewriteEngine on
    RewriteCond "%{{HTTP:Accept-encoding}}" "gzip"
    RewriteCond "%{{REQUEST_FILENAME}}\\.gz" "-s"
    RewriteRule "^(.*)\\.html" "$1\\.html\\.gz" [QSA]
    RewriteRule "\\.html\\.gz$" "-" [T=text/html,E=no-gzip:1,E=packed:1]
    Header append Vary Accept-Encoding env=packed
</Directory>
"""

PEERS = {
    "nginx": ("nginx", NGINX, ["-p", "{folder}", "-e", "{folder}/error.log", "-c"],
              "user nobody nogroup;"),
    "apache2": ("apache-event", APACHE, ["-DFOREGROUND", "-f"], "User nobody\nGroup nogroup"),
}

# ---------------------------------------------------------------- the files

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
                   "http://elsewhere/text.txt", "http:///text.txt", "text.txt", "?x", "localhost:80",
                   "/with space.txt", "http://user@localhost/text.txt"):
        yield Ask(target)


GROUPS = {"ranges": ranges, "conditions": conditions, "precompressed siblings": codings,
          "methods": methods, "paths": paths}


# ---------------------------------------------------------------- the answers

class Seen:
    """What is compared of an answer, by name, and what else is known of it."""

    def __init__(self, ask, data):
        self.head, _, self.body = data.partition(b"\r\n\r\n")
        lines = self.head.decode("latin-1").split("\r\n")
        check(re.match(r"HTTP/1\.[01] \d{3}", lines[0]), f"{ask.name}: {short(data)}")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.fields[name] = ", ".join(filter(None, [self.fields.get(name), value.strip()]))
        self.parts = parts(self)
        self.facts = self.gather(ask)

    def gather(self, ask):
        get, listed = self.fields.get, lambda name: ", ".join(sorted(
            filter(None, (each.strip() for each in self.fields.get(name, "").lower().split(",")))))
        facts = {"status": self.status}
        if self.status in (200, 206, 416):
            facts["Content-Range"] = ", ".join(each for each, _ in self.parts) if self.parts \
                else get("content-range")
        if self.status in (200, 206, 304):
            facts["validators"] = ", ".join(filter(None, [
                "weak" if get("etag", "").startswith("W/") else "strong" if get("etag") else "",
                get("last-modified")]))
            facts["Vary"] = listed("vary")
        if self.status in (200, 206):
            facts["body"] = [each for _, each in self.parts] if self.parts else self.body
            facts["Content-Type"] = get("content-type", "").partition(";")[0]
            facts["Content-Encoding"] = get("content-encoding")
            facts["Accept-Ranges"] = get("accept-ranges")
            # The boundary of several parts is of the server's choice, and so is its length.
            facts["Content-Length"] = None if self.parts or "multipart" in facts["Content-Type"] \
                else get("content-length")
        if ask.method == "OPTIONS" or self.status == 405:
            facts["Allow"] = listed("allow").upper()
        if self.status in (301, 302, 307, 308):
            facts["Location"] = re.sub(r"^\w+://[^/]*", "", get("location", ""))
        return facts


def parts(seen):
    """(Content-Range, bytes) of each part of a multipart answer, or None."""
    kind = re.fullmatch(r'multipart/byteranges; *boundary="?([^"]+)"?',
                        seen.fields.get("content-type", ""), re.I)
    if not kind or not seen.body:
        return None
    found, border = [], b"\r\n--" + kind.group(1).encode()
    pieces = (b"\r\n" + seen.body).split(border)
    for piece in pieces[1:-1]:
        head, _, data = piece.partition(b"\r\n\r\n")
        value = re.search(rb"\r\nContent-Range: *([^\r]+)", head, re.I)
        check(value, f"a part without Content-Range: {piece!r}")
        found.append((value.group(1).decode(), data))
    check(pieces[-1].startswith(b"--"), f"the last border is missing: {short(seen.body)}")
    return found


class Site:
    """One of the servers."""

    def __init__(self, name, address):
        self.name, self.address, self.known = name, address, {}

    def exchange(self, data):
        with connect(self.address) as link:
            link.sendall(data)
            return b"".join(iter(lambda: link.recv(262144), b""))

    def ask(self, ask):
        return Seen(ask, self.exchange(ask.bytes(self)))

    def learn(self, target, *fields):
        """The validators of a target: its tag and its time."""
        key = (target, *fields)
        if key not in self.known:
            seen = self.ask(Ask(target, *fields))
            self.known[key] = (seen.fields.get("etag", '"no tag"'),
                               seen.fields.get("last-modified", "no date"))
        return self.known[key]

    def fill(self, text, target):
        if "{packed}" in text:
            text = text.replace("{packed}", self.learn(target, "Accept-Encoding: gzip")[0])
        if "{etag}" in text:
            text = text.replace("{etag}", self.learn(target)[0].removeprefix("W/"))
        for word, seconds in (("{date}", 0), ("{before}", -86400), ("{after}", 86400)):
            text = text.replace(word, email.utils.formatdate(CHANGED + seconds, usegmt=True))
        return text


def peer_command(name, folder, root):
    """Its command line and port."""
    port = peers.free_port()
    known, template, arguments, user = PEERS[name]
    conf = os.path.join(folder, "conf")
    with open(conf, "w") as file:
        file.write(template.format(folder=folder, root=root, port=port, modules=peers.MODULES,
                                   user=user if ROOT else ""))
    return port, [peers.program(known)] + [each.format(folder=folder) for each in arguments] + [conf]


@contextlib.contextmanager
def peer(name, folder, root):
    """Runs nginx or apache2; another may take its port first, so it is tried again."""
    os.mkdir(folder)
    if ROOT:
        shutil.chown(folder, "nobody")
    for _ in range(5):
        port, command = peer_command(name, folder, root)
        with open(os.path.join(folder, "log"), "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        site = Site(name, ("127.0.0.1", port))
        try:
            if until(lambda: is_up(process, site), f"{name} serves") == "serves":
                yield site
                return
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    with open(os.path.join(folder, "log"), errors="replace") as log:
        raise Failed(f"{name} does not start: {log.read()}")


def is_up(process, site):
    """What serves at that port must be the process, with our files."""
    if process.poll() is not None:
        return "ended"
    return "serves" if site.ask(Ask("/text.txt")).body == TEXT else None


# ---------------------------------------------------------------- the comparison

def contradictions(ask, seen):
    """Where an answer of ours does not agree with itself or with the file."""
    if seen.status not in (200, 206):
        return []
    wrong, length = [], seen.fields.get("content-length")
    if ask.method == "GET" and length != str(len(seen.body)):
        wrong.append(f"Content-Length {length}, but {len(seen.body)} bytes")
    if ask.method == "HEAD" and seen.body:
        wrong.append(f"a body of {len(seen.body)} bytes")
    if seen.status == 206 and ask.method == "GET":
        for text, data in seen.parts or [(seen.fields.get("content-range", ""), seen.body)]:
            value = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", text)
            whole = whole_of(ask, seen)
            if not value or int(value.group(3)) != len(whole) or \
                    data != whole[int(value.group(1)):int(value.group(2)) + 1]:
                wrong.append(f"Content-Range {text!r} and {len(data)} bytes do not fit the file")
    return wrong


def whole_of(ask, seen):
    name = ask.target.lstrip("/") or "index.html"
    packed = ".gz" if seen.fields.get("content-encoding") == "gzip" else ""
    return FILES[name + packed]


def differences(ours, theirs):
    """[(fact, ours, theirs)]; where the status differs, the rest follows from it."""
    if ours.status != theirs.status:
        return [("status", ours.status, theirs.status)]
    return [(fact, ours.facts[fact], theirs.facts.get(fact)) for fact in ours.facts
            if ours.facts[fact] != theirs.facts.get(fact)]


def compare(site, other, asks):
    """What is wrong, line by line."""
    wrong, needed = [], set()
    for ask in asks:
        ours, theirs = site.ask(ask), other.ask(ask)
        wrong += [f"{ask.name}: {text}" for text in contradictions(ask, ours)]
        for fact, mine, its in differences(ours, theirs):
            key = (other.name, fact, ask.name)
            if EXPLAINED.get(key) == (brief(mine), brief(its)):
                needed.add(key)
                continue
            wrong.append(f"{ask.name}: {fact}: reeve {brief(mine)!r}, {other.name} {brief(its)!r}")
    names = {ask.name for ask in asks}
    wrong += [f"no longer needed: {' '.join(map(str, key))}" for key in EXPLAINED
              if key[0] == other.name and key[2] in names and key not in needed]
    return wrong


def brief(value):
    """As the table of explanations has it."""
    if isinstance(value, (bytes, list)):
        return f"{len(value)} {'bytes' if isinstance(value, bytes) else 'parts'}"
    return value


def compare_all(case, group, name):
    known = PEERS[name][0]
    if not peers.program(known):
        raise Skipped(f"{name} is not installed")
    asks = list(GROUPS[group]())
    equal(len({ask.name for ask in asks}), len(asks), "names of requests that differ")
    server = case.server(SITE)
    os.unlink(server.path("www/index.html"))
    plant(server.path("www"))
    server.start()
    with peer(name, server.path(name), server.path("www")) as other:
        wrong = compare(Site("reeve", server.address()), other, asks)
    print(f"# {name} {peers.version(known)}: {len(asks)} requests")
    check(not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong))


def declare(group, name):
    @scenario(f"{group}: answered as {name} does, or it is explained", models=())
    def one(case):
        compare_all(case, group, name)


@scenario("every explanation is about a request that is made", models=())
def explanations(_case):
    names = {ask.name for asks in GROUPS.values() for ask in asks()}
    equal([key for key in EXPLAINED if key[2] not in names or key[0] not in PEERS], [],
          "explanations of nothing")


for each_group in GROUPS:
    for each_peer in PEERS:
        declare(each_group, each_peer)


if __name__ == "__main__":
    main()
