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

from asks import CHANGED, FILES, GROUPS, TEXT, Ask, plant
from client import connect
from differences import ANY, EXPLAINED
from reeve import (HTTP, ROOT, Failed, Skipped, check, equal, main, run, scenario, short, until)

TOP = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", "..")
sys.path.append(os.path.join(TOP, "tests", "bench"))
import peers  # noqa: E402 (the benchmark knows how to find the peers)

SITE = HTTP + ('http { site "default" {'
               ' route "/" { static { root = "www" precompressed = { "gzip" } } }'
               ' route "/fly" { static { root = "www/fly" gzip = true } } } }\n')

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
    server {{
        listen 127.0.0.1:{port};
        root {root};
        index index.html;
        location /fly/ {{
            gzip_static off;
            gzip on;
            gzip_min_length 1024;
            gzip_types text/plain text/javascript application/javascript application/json;
        }}
    }}
}}
"""

# Precompressed siblings as the manual of mod_deflate advises.
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
LoadModule filter_module {modules}/mod_filter.so
LoadModule deflate_module {modules}/mod_deflate.so
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
<Location /fly/>
    AddOutputFilterByType DEFLATE text/html text/plain text/javascript application/javascript
    AddOutputFilterByType DEFLATE application/json
</Location>
"""

PEERS = {
    "nginx": ("nginx", NGINX, ["-p", "{folder}", "-e", "{folder}/error.log", "-c"],
              "user nobody nogroup;"),
    "apache2": ("apache-event", APACHE, ["-DFOREGROUND", "-f"], "User nobody\nGroup nogroup"),
}

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
        if self.fields.get("transfer-encoding") == "chunked" and ask.method != "HEAD":
            self.body = unchunked(self.body)
        self.parts = parts(self)
        self.facts = self.gather(ask)

    def is_packed(self, ask):
        """Whether it was compressed for this request."""
        return self.status == 200 and "/fly/" in ask.target and \
            self.fields.get("content-encoding") == "gzip"

    def text(self, ask):
        """The body, or what was compressed."""
        return gzip.decompress(self.body) if self.body and self.is_packed(ask) else self.body

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
            facts["body"] = [each for _, each in self.parts] if self.parts else self.text(ask)
            facts["Content-Type"] = get("content-type", "").partition(";")[0]
            facts["Content-Encoding"] = get("content-encoding")
            facts["Accept-Ranges"] = get("accept-ranges")
            # The boundary of several parts is of the server's choice, and so is its length; and so
            # is that of what it compresses.
            facts["Content-Length"] = None if self.parts or "multipart" in facts["Content-Type"] \
                or self.is_packed(ask) else get("content-length")
        if ask.method == "OPTIONS" or self.status == 405:
            facts["Allow"] = listed("allow").upper()
        if self.status in (301, 302, 307, 308):
            facts["Location"] = re.sub(r"^\w+://[^/]*", "", get("location", ""))
        return facts


def unchunked(data):
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if not int(size, 16):
            return body
        body, data = body + data[:int(size, 16)], data[int(size, 16) + 2:]


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

    def exchange(self, data, again=2):
        try:
            with connect(self.address) as link:
                link.sendall(data)
                return b"".join(iter(lambda: link.recv(262144), b""))
        except ConnectionResetError:
            if self.name == "reeve" or not again:
                raise
            return self.exchange(data, again - 1)  # a peer may, while it starts

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
    arguments = [each.format(folder=folder) for each in arguments]
    return port, [peers.program(known), *arguments, conf]


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
    if ask.method == "GET" and seen.is_packed(ask) and \
            seen.text(ask) != FILES[ask.target.lstrip("/")]:
        wrong.append("what was compressed is not the file")
    chunked = seen.fields.get("transfer-encoding") == "chunked"
    if ask.method == "GET" and not chunked and length != str(len(seen.body)):
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


# What differs because something else does.
FOLLOWS = {"Content-Range": ("body", "Content-Type", "Content-Length"),
           "Content-Encoding": ("body", "Content-Length", "validators", "Accept-Ranges")}


def differences(ours, theirs):
    """[(fact, ours, theirs)]"""
    if ours.status != theirs.status:
        return [("status", ours.status, theirs.status)]
    facts = [fact for fact in ours.facts if ours.facts[fact] != theirs.facts[fact]]
    follow = [follower for fact in facts for follower in FOLLOWS.get(fact, ())]
    return [(fact, ours.facts[fact], theirs.facts[fact]) for fact in facts if fact not in follow]


def compare(site, other, asks):
    """What is wrong, line by line, and which explanations were needed."""
    wrong, needed = [], set()
    for ask in asks:
        ours, theirs = site.ask(ask), other.ask(ask)
        wrong += [f"{ask.name}: {text}" for text in contradictions(ask, ours)]
        for fact, mine, its in differences(ours, theirs):
            explained = (other.name, fact, brief(mine), brief(its))
            keys = {(*explained, ask.name), (*explained, ANY)} & EXPLAINED
            needed |= keys
            if not keys:
                wrong.append(f"{ask.name}: {fact}: reeve {brief(mine)!r}, {other.name}"
                             f" {brief(its)!r}")
    return wrong, needed


def brief(value):
    """As the table of explanations has it."""
    if isinstance(value, (bytes, list)):
        return f"{len(value)} {'bytes' if isinstance(value, bytes) else 'parts'}"
    return value


def compare_all(case, name):
    known = PEERS[name][0]
    if not peers.program(known):
        raise Skipped(f"{name} is not installed")
    server = case.server(SITE)
    os.unlink(server.path("www/index.html"))
    plant(server.path("www"))
    server.start()
    wrong, needed, count = [], set(), 0
    with peer(name, server.path(name), server.path("www")) as other:
        for group in GROUPS:
            asks = list(group())
            lines, keys = compare(Site("reeve", server.address()), other, asks)
            wrong, needed, count = wrong + lines, needed | keys, count + len(asks)
    unneeded = sorted(key for key in EXPLAINED - needed if key[0] == name)
    print(f"# {name} {peers.version(known)}: {count} requests, {len(needed)} explanations")
    wrong += [f"this explanation is not needed: {key}" for key in unneeded]
    check(not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong))


@scenario("files are answered as nginx does, or it is explained", models=())
def as_nginx(case):
    compare_all(case, "nginx")


@scenario("files are answered as apache2 does, or it is explained", models=())
def as_apache(case):
    compare_all(case, "apache2")


@scenario("every explanation is of a known peer", models=())
def explanations(_case):
    equal({key[0] for key in EXPLAINED} - set(PEERS), set(), "unknown peers")
    names = [ask.name for group in GROUPS for ask in group()]
    equal(len(names), len(set(names)), "names of requests, each once")


if __name__ == "__main__":
    main()
