"""The same questions to nginx and apache2, where they are installed: files are to be answered as
people know it. Every difference stands in DIFFERENCES, with its reason."""
import http.client
import os
import shutil
import socket
import subprocess

from client import connect
from reeve import DEADLINE, HTTP, ROOT, Skipped, check, equal, main, scenario, until

THEN = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
TEXT = bytes(range(256)) * 8
APACHE_MODULES = "/usr/lib/apache2/modules"

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    gzip_static on;
    gzip_vary on;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName peer
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
<IfModule !unixd_module>
    LoadModule unixd_module {modules}/mod_unixd.so
</IfModule>
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
{user}
Listen 127.0.0.1:{port}
StartServers 1
MinSpareServers 1
DocumentRoot {root}
"""

# name: (configuration, its user where we are root, command before the file's name)
PEERS = {
    "nginx": (NGINX, "user nobody nogroup;", ["nginx", "-p", "{folder}", "-e", "{folder}/error.log",
                                              "-c"]),
    "apache2": (APACHE, "User nobody\nGroup nogroup", ["apache2", "-DFOREGROUND", "-f"]),
}

# Fields of a request; TAG is the tag that the server itself gives the file.
QUESTIONS = (
    "",
    "If-None-Match: TAG",
    "If-None-Match: W/TAG",
    'If-None-Match: "x", TAG',
    "If-None-Match: *",
    'If-None-Match: "x"',
    f"If-Modified-Since: {BEFORE}",
    f"If-Modified-Since: {DATE}",
    f"If-Modified-Since: {AFTER}",
    "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
    "If-Modified-Since: Sun Nov  6 08:49:37 1994",
    "If-Modified-Since: x",
    f'If-None-Match: "x"\r\nIf-Modified-Since: {DATE}',
    f"If-None-Match: TAG\r\nIf-Modified-Since: {BEFORE}",
    "If-Match: TAG",
    "If-Match: *",
    'If-Match: "x"',
    "If-Match: W/TAG",
    f"If-Unmodified-Since: {BEFORE}",
    f"If-Unmodified-Since: {DATE}",
    f"If-Unmodified-Since: {AFTER}",
    f"If-Match: TAG\r\nIf-Unmodified-Since: {BEFORE}",
    'If-Match: "x"\r\nIf-None-Match: TAG',
    "If-Match: TAG\r\nIf-None-Match: TAG",
    "Range: bytes=0-9",
    "Range: bytes=10-",
    "Range: bytes=-10",
    "Range: bytes=-99999",
    "Range: bytes=2000-99999",
    "Range: bytes=0-99999999999999999999999999",
    "Range: bytes=2048-",
    "Range: bytes=-0",
    "Range: bytes=99999999999999999999999999-",
    "Range: bytes=9-0",
    "Range: bytes=",
    "Range: bytes=x",
    "Range: lines=0-9",
    "Range: BYTES=0-9",
    "Range: bytes=0-9,20-29",
    "Range: bytes=20-29,0-9",
    "Range: bytes=0-9,9999-",
    "Range: bytes=0-9,5-14",
    "Range: bytes=0-9,10-19",
    "Range: bytes=0-,0-,0-",
    "Range: bytes=0-9\r\nIf-Range: TAG",
    "Range: bytes=0-9\r\nIf-Range: W/TAG",
    'Range: bytes=0-9\r\nIf-Range: "x"',
    f"Range: bytes=0-9\r\nIf-Range: {DATE}",
    f"Range: bytes=0-9\r\nIf-Range: {BEFORE}",
    f"Range: bytes=0-9\r\nIf-Range: {AFTER}",
    "Range: bytes=9999-\r\nIf-None-Match: TAG",
    'Range: bytes=0-9\r\nIf-Match: "x"',
)

# Of a file beside which its gzip lies.
CODINGS = (
    "",
    "Accept-Encoding: gzip",
    "Accept-Encoding: br, gzip",
    "Accept-Encoding: gzip;q=0.5",
    "Accept-Encoding: gzip;q=0",
    "Accept-Encoding: br",
    "Accept-Encoding: *",
    "Accept-Encoding: identity",
    "Accept-Encoding: identity, gzip;q=0.5",
    "Accept-Encoding: gzip\r\nRange: bytes=1-2",
)

# (peer, question): why the peer's answer is another one.
NO_ORDER = "heeds the date beside the tag; RFC 9110, 13.2.2, says which of the two counts"
JOINED = "sends overlapping ranges apart; we join them (15.3.7.2), so that no byte is sent twice"
DIFFERENCES = {
    ("nginx", f"If-Modified-Since: {AFTER}"): "wants the very date, unless told otherwise",
    ("nginx", f"If-None-Match: TAG\r\nIf-Modified-Since: {BEFORE}"): NO_ORDER,
    ("nginx", f"If-Match: TAG\r\nIf-Unmodified-Since: {BEFORE}"): NO_ORDER,
    ("nginx", "Range: bytes=0-99999999999999999999999999"): "416; 14.1.2: that is the end",
    ("nginx", "Range: bytes=9-0"): "416 for what is malformed; we ignore it (14.2)",
    ("nginx", "Range: bytes=x"): "416 for what is malformed; we ignore it (14.2)",
    ("nginx", "Range: bytes=0-9,5-14"): JOINED,
    ("nginx", "Range: bytes=0-9,10-19"): JOINED,
    ("nginx", "Range: bytes=0-,0-,0-"): "sends the whole with 200, we with 206",
    ("nginx", "Accept-Encoding: identity, gzip;q=0.5"): "does not weigh identity (12.5.3)",
    ("nginx", "Accept-Encoding: *"): "does not know \"*\" (12.5.3)",
    ("nginx", "Accept-Encoding: gzip\r\nRange: bytes=1-2"): "sends no ranges of such a sibling",
    ("apache2", f"If-None-Match: TAG\r\nIf-Modified-Since: {BEFORE}"): NO_ORDER,
    ("apache2", f"If-Match: TAG\r\nIf-Unmodified-Since: {BEFORE}"): NO_ORDER,
    ("apache2", "Range: bytes=0-99999999999999999999999999"):
        "ignores large numbers; 14.1.2: beyond the end is the end",
    ("apache2", "Range: bytes=99999999999999999999999999-"): "ignores large numbers",
    ("apache2", "Range: bytes=2048-"): "does not tell the length with 416 (15.5.17)",
    ("apache2", "Range: bytes=-0"): "ignores it; 14.1.2: cannot be satisfied",
}


class Peer:
    """Another web server over the same files."""

    def __init__(self, name, root):
        self.name = name
        self.folder = root + "-" + name
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = probe.getsockname()
        template, user, command = PEERS[name]
        conf = os.path.join(self.folder, "conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(template.format(folder=self.folder, port=self.address[1], root=root,
                                       modules=APACHE_MODULES, user=user if ROOT else ""))
        self.process = subprocess.Popen([each.format(folder=self.folder) for each in command] +
                                        [conf], stdin=subprocess.DEVNULL,
                                        start_new_session=True)  # apache2 signals its group

    def __enter__(self):
        def serves():
            check(self.process.poll() is None, f"{self.name} ended at once")
            connect(self.address).close()
            return True
        until(serves, f"{self.name} serves")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def ask(address, target, fields="", method="GET"):
    """On a connection of its own, for nginx closes it after a 412."""
    link = http.client.HTTPConnection(*address, timeout=DEADLINE)
    link.putrequest(method, target, skip_accept_encoding=True)
    for line in fields.split("\r\n") if fields else ():
        link.putheader(*line.split(": ", 1))
    link.endheaders()
    answer = link.getresponse()
    answer.body = answer.read()
    link.close()
    return answer


def parts_of(answer):
    """A body of several parts as (Content-Range, bytes) of each, for boundaries differ."""
    kind = answer.getheader("Content-Type") or ""
    if not kind.startswith("multipart/byteranges"):
        return answer.body
    mark = b"--" + kind.partition("boundary=")[2].strip('"').encode()
    parts = []
    for part in answer.body.split(mark)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(": ") for line in head.decode().strip().split("\r\n"))
        parts.append((fields["content-range"], data[:-2]))
    return parts


def said(address, target, fields, method):
    """What counts of an answer."""
    answer = ask(address, target, fields, method)
    good = answer.status in (200, 206)
    return (answer.status, answer.getheader("Content-Range"), answer.getheader("Content-Encoding"),
            answer.getheader("Last-Modified") if good else None, answer.getheader("Vary"),
            parts_of(answer) if good else None)


def prepare(case, name, options=""):
    if not shutil.which(name):
        raise Skipped(f"{name} is not installed")
    server = case.server(HTTP + 'http { site "default" { route "/" { static { root = "www"\n' +
                         options + " } } } }\n")
    for each in ("file", "plain"):
        server.write(f"www/{each}.txt", TEXT)
    server.write("www/file.txt.gz", b"packed")
    for each in os.listdir(server.path("www")):
        os.utime(server.path("www/" + each), (THEN, THEN))
    return server.start()


def compare(ours, theirs, name, target, questions):
    tags = [ask(address, target).getheader("ETag") for address in (ours, theirs)]
    for question in questions:
        # RFC 9110, 14.2: a Range is for GET alone; the others heed it with HEAD too.
        for method in ("GET",) if "Range" in question else ("GET", "HEAD"):
            answers = [said(address, target, question.replace("TAG", tag), method)
                       for address, tag in zip((ours, theirs), tags)]
            what = f"{method} {target} of {name} with {question!r}"
            if (name, question) in DIFFERENCES:
                check(answers[0] != answers[1], f"{what} does not differ any more")
            else:
                equal(answers[0], answers[1], what)


def ask_both(case, name, target="/plain.txt", questions=QUESTIONS, options=""):
    server = prepare(case, name, options)
    with Peer(name, server.path("www")) as peer:
        compare(server.address(), peer.address, name, target, questions)


@scenario("ranges and preconditions are answered as by nginx", models=())
def nginx(case):
    ask_both(case, "nginx")


@scenario("a gzip beside a file is chosen as by nginx", models=())
def nginx_codings(case):
    ask_both(case, "nginx", "/file.txt", CODINGS, 'precompressed = { "gzip" }')


@scenario("ranges and preconditions are answered as by apache2", models=())
def apache(case):
    ask_both(case, "apache2")


if __name__ == "__main__":
    main()
