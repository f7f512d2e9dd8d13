"""The clients of the chaos driver: many connections of many kinds that check every byte.

    clients.py HOST PORT SEED

is one process of them, started by chaos.py. It runs until its standard input is closed. On standard
output it writes a line of JSON for everything that went wrong, with what is needed to tell whether
that may have happened, and one with all its figures at the end. All times are of the monotonic
clock, which all processes share.

It judges nothing: whether a failure is allowed is said in chaos.py alone."""
import json
import os
import random
import re
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
sys.dont_write_bytecode = True

from client import Client, Closed  # noqa: E402
from reeve import Failed, short  # noqa: E402

LAST_DATA_RECV = 52  # where in struct tcp_info the milliseconds since then stand (linux/tcp.h)
PATIENCE = 60.0  # seconds for each step of an answer; nothing in the plan takes so long
LETTERS = bytes(range(ord("a"), ord("z") + 1))
SIZES = {"small.txt": 900, "middle.txt": 150_000, "large.txt": 6_000_000}
LARGE = "large.txt"
AT_ONCE = 8  # requests in a pipeline
# The clients of one process: which kinds, and how many connections each holds at once.
CROWD = (("kept", 4), ("each", 2), ("pipelined", 2), ("upload", 2), ("slow", 2), ("dozing", 4))
CONNECTIONS = sum(number for _, number in CROWD)


def letters(length, start=0):
    """"abc...z" again and again, which is what the module "receive" expects."""
    start %= 26
    return (LETTERS * ((start + length) // 26 + 1))[start:start + length]


def content(name, version):
    """What the file of that name holds in its n-th version: each byte tells which one it is."""
    size = SIZES[name]
    head = f"{name} {version:08d}\n".encode()
    return head + letters(size - len(head), version)


class Wrong(Exception):
    """An answer that is complete, and is not what was asked for."""


class Link(Client):
    """A connection that knows its own story."""

    def __init__(self, address):
        self.data, self.received, self.answers = b"", 0, 0
        self.link = socket.socket()
        self.link.settimeout(PATIENCE)
        try:
            self.link.connect(address)
            self.born = time.monotonic()
            self.port = self.link.getsockname()[1]
        except BaseException:
            self.link.close()
            raise
        self.last = self.born  # when the last answer was complete, see arrived()
        self.first = None      # when the first one was
        self.asked = None

    def more(self):
        before = len(self.data)
        super().more()
        self.received += len(self.data) - before

    def arrived(self, now):
        """When the last bytes came, which a thread of a busy machine may read long after that. For
        how long the server has left the connection idle counts from there."""
        info = self.link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_DATA_RECV + 4)
        return max(self.asked, now - struct.unpack_from("I", info, LAST_DATA_RECV)[0] / 1000)

    def has_ended(self):
        """Has the server closed it, before anything was asked?"""
        poller = select.poll()
        poller.register(self.link, select.POLLIN)
        return bool(poller.poll(0))

    def story(self):
        return {"port": self.port, "born": self.born, "last": self.last, "asked": self.asked,
                "first": self.first, "answers": self.answers, "received": self.received}


class Figures:
    """What one process has seen."""

    def __init__(self, out=sys.stdout):
        self.lock = threading.Lock()
        self.out = out
        self.good = self.connections = self.told = self.bytes = 0
        self.latency = {}  # ms -> requests
        self.kinds = {}    # kind -> good requests

    def fail(self, what, kind, link, error):
        record = {"type": "failure", "what": what, "kind": kind, "time": time.monotonic(),
                  "error": str(error)[:300]}
        if link:
            record.update(link.story())
        self.write(record)

    def answered(self, kind, link, size):
        now = time.monotonic()
        ms = int((now - link.asked) * 1000)
        link.last, link.answers, link.received = link.arrived(now), link.answers + 1, 0
        link.first = link.first or now  # not arrived(), which is some ms early
        with self.lock:
            self.good += 1
            self.bytes += size
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self.latency[ms] = self.latency.get(ms, 0) + 1

    def add(self, name):
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)

    def write(self, record):
        with self.lock:
            self.out.write(json.dumps(record) + "\n")
            self.out.flush()

    def summary(self):
        return {"type": "figures", "good": self.good, "connections": self.connections,
                "told": self.told, "bytes": self.bytes, "kinds": self.kinds,
                "latency": self.latency}


# ---------------------------------------------------------------- what is asked, and expected

def expect(truth, text):
    if not truth:
        raise Wrong(text)


def file_version(body, name):
    found = re.match(rb"(\S+) (\d{8})\n", body)
    expect(found and found.group(1).decode() == name, f"{name} begins with {short(body[:40])}")
    return int(found.group(2))


def check_file(name):
    def look(answer):
        version = file_version(answer.body, name)
        expect(answer.body == content(name, version), f"{name}: not the bytes of version {version}")
    return look


def check_hello(answer):
    expect(re.fullmatch(rb"configuration \d+", answer.body), f"hello said {short(answer.body)}")


def check_body(want):
    def look(answer):
        expect(answer.body == want, f"{len(answer.body)} bytes, not the {len(want)} expected: "
                                    f"{short(answer.body[:80])}")
    return look


def ask_file(name):
    return f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), check_file(name), 200


def ask_hello(_rng):
    return b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", check_hello, 200


def ask_mirror(rng):
    mark, body = rng.randrange(10 ** 9), letters(rng.randrange(1, 4000), rng.randrange(26))
    request = (f"POST /mirror?{mark} HTTP/1.1\r\nHost: localhost\r\nX-Test: {mark}\r\n"
               f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    want = f"POST\n/mirror?{mark}\n/mirror\n{mark}\nlocalhost\n{mark}\n".encode() + body
    return request, check_body(want), 200


def ask_range(rng):
    """A piece of the large file, which never changes."""
    first = rng.randrange(SIZES[LARGE] - 1)
    last = min(SIZES[LARGE] - 1, first + rng.randrange(1, 200_000))
    request = (f"GET /{LARGE} HTTP/1.1\r\nHost: localhost\r\n"
               f"Range: bytes={first}-{last}\r\n\r\n").encode()
    return request, check_body(LARGE_BYTES[first:last + 1]), 206


LARGE_BYTES = content(LARGE, 0)
ASKS = ((lambda rng: ask_file("small.txt"), 5), (lambda rng: ask_file("middle.txt"), 1),
        (ask_hello, 2), (ask_mirror, 2), (ask_range, 1))


def any_ask(rng):
    return rng.choices([ask for ask, _ in ASKS], [weight for _, weight in ASKS])[0](rng)


# ---------------------------------------------------------------- the kinds of clients

class Visitor:
    """One client, which has one connection at a time and speaks until told to stop."""

    def __init__(self, kind, address, figures, over, seed):
        self.kind, self.address, self.figures, self.over = kind, address, figures, over
        self.rng = random.Random(seed)
        self.act = getattr(self, kind)

    def run(self):
        while not self.over.is_set():
            link = None
            try:
                link = Link(self.address)
            except OSError as error:
                self.figures.fail("refused", self.kind, None, error)
                self.over.wait(0.05)
                continue
            self.figures.add("connections")
            with link:
                self.guarded(link)

    def guarded(self, link):
        """Holds the conversation, and says what kind of end it had."""
        try:
            self.act(link)
        except Wrong as error:
            self.figures.fail("wrong", self.kind, link, error)
        except Failed as error:
            self.figures.fail("timeout" if "no answer in time" in str(error) else "wrong",
                              self.kind, link, error)
        except TimeoutError as error:
            self.figures.fail("timeout", self.kind, link, error)
        except (Closed, OSError) as error:
            self.figures.fail("broken", self.kind, link, error)

    def pause(self, seconds):
        """False when it is over."""
        return not self.over.wait(seconds)

    def receive(self, link, look, status):
        """One answer; true if the connection may be used again."""
        answer = link.answer()
        expect(answer.status == status, f"status {answer.status}: {short(answer.body[:200])}")
        look(answer)
        self.figures.answered(self.kind, link, len(answer.body))
        if answer.field("Connection") == "close":
            if self.kind != "each":  # which asks for it
                self.figures.add("told")
            return False
        return True

    def ask(self, link, request, look, status):
        link.asked = time.monotonic()
        link.send(request)
        return self.receive(link, look, status)

    def gap(self, link, seconds):
        """Waits between two requests; false if the connection cannot be used any more."""
        if not self.pause(seconds):
            return False
        if link.has_ended():
            self.figures.fail("closed", self.kind, link, "closed while idle")
            return False
        return True

    def kept(self, link):
        for _ in range(60):
            if not self.ask(link, *any_ask(self.rng)):
                return
            long = self.rng.random() < 0.05
            if not self.gap(link, self.rng.uniform(0.1, 0.8) if long else self.rng.expovariate(50)):
                return

    def dozing(self, link):
        """Its gaps are often longer than the time that a retiring worker gives."""
        for _ in range(10):
            if not self.ask(link, *ask_hello(self.rng)):
                return
            if not self.gap(link, self.rng.uniform(0.2, 6)):
                return

    def each(self, link):
        request, look, status = any_ask(self.rng)
        self.ask(link, request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), look,
                 status)
        self.pause(self.rng.expovariate(40))

    def pipelined(self, link):
        for _ in range(4):
            asks = [any_ask(self.rng) for _ in range(AT_ONCE)]
            link.asked = time.monotonic()
            link.send(b"".join(request for request, _, _ in asks))
            for _, look, status in asks:
                if not self.receive(link, look, status):
                    return
            if not self.gap(link, self.rng.uniform(0, 0.2)):
                return

    def upload(self, link):
        """Bodies up, slowly and in pieces, counted or in chunks; and the same bytes down again."""
        for _ in range(3):
            length, chunked = self.rng.randrange(1, 400_000), self.rng.random() < 0.5
            route = self.rng.choice(("/receive", "/poolreceive"))
            field = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
            link.asked = time.monotonic()
            link.send(f"POST {route}?back=1 HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n")
            sent = 0
            while sent < length:
                piece = letters(min(length - sent, self.rng.randrange(1, 90_000)), sent)
                link.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                sent += len(piece)
                time.sleep(self.rng.uniform(0, 0.05))
            if chunked:
                link.send(b"0\r\n\r\n")
            if not self.receive(link, check_body(letters(length)), 200):
                return
            if not self.gap(link, self.rng.uniform(0, 0.3)):
                return

    def slow(self, link):
        """Takes the large file at a few megabytes a second."""
        link.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        request, look, status = ask_file(LARGE)
        more = link.more

        def slowly():
            more()
            time.sleep(self.rng.expovariate(1 / 0.01))
        link.more = slowly
        if self.ask(link, request, look, status):
            self.pause(0.1)


def main():
    host, port, seed = sys.argv[1:]
    over, figures, rng = threading.Event(), Figures(), random.Random(int(seed))
    threads = [threading.Thread(target=Visitor(kind, (host, int(port)), figures, over,
                                               rng.randrange(1 << 30)).run)
               for kind, number in CROWD for _ in range(number)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    figures.write(figures.summary())


if __name__ == "__main__":
    main()
