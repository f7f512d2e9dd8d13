"""A request is answered by the same bytes however it is split: the corpus of tests/corpus/http,
whole, in two pieces and byte by byte, against a real daemon."""
import fcntl
import os
import random
import re
import socket
import struct
import termios
import time

from client import connect
from reeve import DEADLINE, FULL, check, equal, main, scenario

CORPUS = os.path.join(os.environ.get("top_srcdir", ".."), "tests", "corpus")
SAMPLE = 2   # places to split a request at
SLOWLY = 10  # every so many-th request comes byte by byte too


def corpus():
    """(name, bytes, what is answered) of every request."""
    with open(os.path.join(CORPUS, "http.txt"), encoding="ascii") as rows:
        for row in rows:
            if not row.startswith("#"):
                name, _, answers = row.rstrip("\n").partition(" ")
                with open(os.path.join(CORPUS, "http", name), "rb") as file:
                    yield name, file.read(), answers


def site(path):
    """The limits that the corpus is made for."""
    return (f'listen "unix:{path}" {{ protocol = "http" }}\n'
            'http { line_limit = 128 header_limit = 256 header_count = 8 body_limit = 64\n'
            ' site "default" { route "/m" { mirror { } } } }\n')


def taken(link):
    """Waits until the server has read all that was sent: a unix socket tells. What is sent then
    comes to it as a piece of its own."""
    end = time.monotonic() + DEADLINE
    while struct.unpack("i", fcntl.ioctl(link, termios.TIOCOUTQ, b"\0" * 4))[0]:
        check(time.monotonic() < end, "the server does not read")
        os.sched_yield()


def ask(path, pieces):
    """All that is answered, without Date and without 100 Continue, which may be there or not."""
    answer = []
    with connect(path) as link:
        try:
            for piece in pieces:
                taken(link)
                link.sendall(piece)
            link.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused and closed before all was sent
        try:
            while data := link.recv(65536):
                answer.append(data)
        except ConnectionResetError:
            pass  # closed with bytes unread, after the answer
    answer = b"".join(answer).replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    return re.sub(rb"\r\nDate: [^\r]*", b"\r\nDate: -", answer)


def describe(answer):
    """ "200 400 closed", as http.txt says it."""
    words = [word.decode() for word in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]
    last = answer.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")[0]
    return " ".join(words + ["closed" if b"\r\nConnection: close" in last else "kept"])


@scenario("a request split at any byte is answered as when it is sent whole")
def split(case):
    server = case.server()
    path = server.path("http.sock")
    server.configure(site(path), modules=["http", "mirror"])
    server.start()
    for number, (name, data, answers) in enumerate(corpus()):
        whole = ask(path, [data])
        equal(describe(whole), answers, name)
        places = range(1, len(data))
        if not FULL:
            places = random.Random(name).sample(places, min(SAMPLE, len(places)))
        for place in places:
            equal(ask(path, [data[:place], data[place:]]), whole, f"{name} split at {place}")
        if FULL or number % SLOWLY == 0:
            equal(ask(path, [bytes([byte]) for byte in data]), whole, f"{name} byte by byte")
    check(number > 100, f"the corpus holds {number + 1} requests")


if __name__ == "__main__":
    main()
