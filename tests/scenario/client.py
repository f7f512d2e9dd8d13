"""Clients of the scenarios: one HTTP connection, whole conversations, and a load that counts.

Everything is compared byte by byte; a load is bounded in time by the scenario that holds it."""
import select
import socket
import struct
import threading
import time

from reeve import DEADLINE, Failed, check, equal, short, until


def connect(address, seconds=DEADLINE):
    """A connected stream socket; the address is (host, port) or a unix path."""
    if isinstance(address, str):
        link = socket.socket(socket.AF_UNIX)
    else:
        link = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    link.settimeout(seconds)
    try:
        link.connect(address)
    except BaseException:
        link.close()
        raise
    return link


class Closed(Exception):
    """The peer closed or reset the connection where an answer was due."""


class Answer:
    def __init__(self, line, fields, body):
        self.version, _, rest = line.partition(" ")
        code, _, self.reason = rest.partition(" ")
        self.status = int(code)
        self.fields = fields   # list of (lower-case name, value)
        self.body = body
        self.trailers = []     # as the fields

    def field(self, name):
        values = [value for key, value in self.fields if key == name.lower()]
        check(len(values) <= 1, f"{name} stands {len(values)} times in the answer")
        return values[0] if values else None


def fields_of(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        check(colon and name and " " not in name, f"header line {line!r}")
        fields.append((name.lower(), value.strip()))
    return fields


class Client:
    """One connection that speaks HTTP/1.1 and checks its framing."""

    def __init__(self, address, seconds=DEADLINE):
        self.link = connect(address, seconds)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, data):
        try:
            self.link.sendall(data if isinstance(data, bytes) else data.encode())
        except (BrokenPipeError, ConnectionResetError):
            raise Closed("closed while sending") from None
        return self

    def more(self):
        try:
            data = self.link.recv(65536)
        except ConnectionResetError:
            raise Closed("connection reset") from None
        except TimeoutError:
            raise Failed(f"no answer in time; so far {short(self.data)}") from None
        if not data:
            raise Closed("connection closed")
        self.data += data

    def take(self, length):
        parts = []
        while length > len(self.data):
            parts.append(self.data)
            length -= len(self.data)
            self.data = b""
            self.more()
        parts.append(self.data[:length])
        self.data = self.data[length:]
        return b"".join(parts)

    def line(self):
        while b"\r\n" not in self.data:
            self.more()
        line, _, self.data = self.data.partition(b"\r\n")
        return line.decode("latin-1")

    def chunks(self):
        """A chunked body, without extensions, and the trailer fields behind it."""
        body = []
        while length := int(self.line(), 16):
            piece = self.take(length + 2)
            check(piece.endswith(b"\r\n"), f"a chunk ends with {piece[-2:]!r}")
            body.append(piece[:-2])
        return b"".join(body), fields_of(iter(self.line, ""))

    def rest(self):
        """A body that ends with the connection."""
        try:
            while True:
                self.more()
        except Closed as closed:
            equal(str(closed), "connection closed", "the end")
        data, self.data = self.data, b""
        return data

    def answer(self, head=False):
        while b"\r\n\r\n" not in self.data:
            self.more()
        text, _, self.data = self.data.partition(b"\r\n\r\n")
        line, *rest = text.decode("latin-1").split("\r\n")
        check(line.startswith("HTTP/1.1 "), f"status line {line!r}")
        answer = Answer(line, fields_of(rest), b"")
        if answer.status < 200 or answer.status in (204, 304):
            return answer
        length = answer.field("Content-Length")
        if answer.field("Transfer-Encoding") == "chunked":
            equal(length, None, "Content-Length of a chunked answer")
            if not head:
                answer.body, answer.trailers = self.chunks()
            return answer
        if length is None and answer.field("Connection") == "close" and not head:
            answer.body = self.rest()
            return answer
        check(length is not None and length.isdigit(), f"no Content-Length in {text!r}")
        if not head:
            answer.body = self.take(int(length))
        return answer

    def get(self, target, method="GET", host="localhost", fields=""):
        self.send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n")
        return self.answer(head=method == "HEAD")

    def ended(self):
        """The server closes, and sends nothing before that."""
        try:
            rest = self.link.recv(65536)
        except ConnectionResetError:
            rest = b""
        except TimeoutError:
            raise Failed("the server did not close the connection") from None
        equal(self.data + rest, b"", "bytes before the end")


def get(address, target="/", **how):
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.get(target, **how)


def ask_raw(address, data):
    """Sends bytes, returns the first answer."""
    with Client(address) as client:
        try:
            client.send(data)
        except Closed:
            pass  # the answer may have come before all was sent
        return client.answer()


def echo(link, data):
    """Sends bytes and receives as many, at once in both directions; what came back."""
    link.setblocking(False)
    poller = select.poll()  # select() cannot do descriptors beyond 1023
    sent, got = 0, []
    left = len(data)
    view = memoryview(data)
    while left:
        poller.register(link, select.POLLIN | (select.POLLOUT if sent < len(data) else 0))
        ready = poller.poll(DEADLINE * 1000)
        check(ready, f"echo stands still with {left} bytes to come")
        if ready[0][1] & select.POLLOUT:
            sent += link.send(view[sent:sent + 262144])
        if ready[0][1] & ~select.POLLOUT:
            part = link.recv(262144)
            check(part, f"echo ended with {left} bytes to come")
            got.append(part)
            left -= len(part)
    link.settimeout(DEADLINE)
    return b"".join(got)


KEPT, ONE_EACH, PIPELINED = "keep-alive", "connection per request", "pipelined"


class Load:
    """Clients that ask the same thing until told to stop, and count what goes wrong.

    `refused`: connections that could not be made. `failed_new`: requests that failed as the first
    of their connection. `failed_kept`: later ones. `wrong`: answers with unexpected bytes. `each`:
    requests of a connection that is kept.

    On a busy machine a thread of this process may stand still between two requests for so long that
    a server that drains may close the connection: such an end, without a byte of an answer, is
    `overslept`, and no failure. How long that is, the server under test says by drain_linger; in
    half of it no connection is closed (reeve.conf(5))."""

    DEPTH = 8
    SURE = 0.5  # s: half of drain_linger, by default

    def __init__(self, address, want, target="/", kind=KEPT, clients=4, each=50, sure=SURE):
        self.address, self.want, self.kind, self.each = address, want, kind, each
        self.sure, self.overslept = sure, 0
        self.request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        self.last = self.request[:-2] + b"Connection: close\r\n\r\n"
        self.good = self.refused = self.failed_new = self.failed_kept = self.wrong = 0
        self.first_error = None
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(DEADLINE)

    def count(self, what, error=None, number=1):
        with self.lock:
            setattr(self, what, getattr(self, what) + number)
            if error and not self.first_error:
                self.first_error = f"{what}: {error}"

    def more(self, number):
        """Waits until that many more requests have been answered."""
        goal = self.good + number
        until(lambda: self.good >= goal, f"{number} more requests ({self})")

    def __str__(self):
        return (f"{self.kind}: {self.good} good, {self.refused} refused, {self.failed_new} failed "
                f"on new connections, {self.failed_kept} on kept ones, {self.wrong} wrong,"
                f" {self.overslept} overslept ({self.first_error})")

    def client(self):
        while not self.over.is_set():
            try:
                client = Client(self.address)
            except OSError as error:
                self.count("refused", error)
                self.over.wait(0.01)
                continue
            with client:
                self.converse(client)

    def converse(self, client):
        done, step = 0, self.DEPTH if self.kind == PIPELINED else 1
        total = 1 if self.kind == ONE_EACH else self.each // step * step
        sent = idle = asked = 0
        while done < total and not self.over.wait(0.001):
            last, asked = done + step == total, done
            try:
                before, sent = sent, time.monotonic()
                client.send(self.request * (step - 1) + (self.last if last else self.request))
                # It was idle for less than this: since it was asked before, until it was asked now.
                idle = time.monotonic() - before
                for _ in range(step):
                    answer = client.answer()
                    if (answer.status, answer.body) != (200, self.want):
                        self.count("wrong", f"{answer.status} {short(answer.body)}")
                    done += 1
                    self.count("good")
                    if answer.field("Connection") == "close":
                        return  # the server says so: nothing has failed
            except (Closed, Failed, OSError) as error:
                silent = isinstance(error, Closed) and asked == done and not client.data
                if done and silent and idle > self.sure:
                    self.count("overslept")
                else:
                    self.count("failed_kept" if done else "failed_new",
                               f"{error} after {done}, idle for less than {idle:.3f} s")
                return


def reset(link):
    """Closes a connection by RST."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()
