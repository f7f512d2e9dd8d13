"""The teaching protocol: bytes come back, many at once, many in a row."""
import os
import select
import socket
import threading

from client import connect, echo
from reeve import DEADLINE, ECHO, ROOMY, SLOW, check, equal, main, scenario, until

ADDRESS = "127.0.0.2:0"


@scenario("what is sent comes back")
def plain(case):
    server = case.serve(ECHO)
    with connect(server.address(ADDRESS)) as link:
        for data in (b"x", b"\0\r\n\xff", b"a line\n", os.urandom(5000)):
            check(echo(link, data) == data, "the bytes that came back")


@scenario("1000 connections at once", models=ROOMY)
def thousand(case):
    server = case.serve(ECHO, **case.room(1000, workers=4))
    address = server.address(ADDRESS)
    links = [connect(address) for _ in range(1000)]
    try:
        for number, link in enumerate(links):
            link.sendall(b"%06d" % number)
        for number, link in enumerate(links):
            equal(link.recv(6, socket.MSG_WAITALL), b"%06d" % number, f"connection {number}")
        equal(server.status()["totals"]["open"], 1000, "connections that the server holds")
        for number, link in reversed(list(enumerate(links))):
            check(echo(link, b"again %d" % number) == b"again %d" % number, "a second time")
    finally:
        for link in links:
            link.close()
    until(lambda: server.status()["totals"]["open"] == 0, "all are closed")


@scenario("64 MiB through one connection, byte for byte")
def much(case):
    server = case.serve(ECHO)
    part = os.urandom(1 << 20)
    with connect(server.address(ADDRESS)) as link:
        for turn in range(8):
            data = (part[turn:] + part[:turn]) * 8
            check(echo(link, data) == data, f"part {turn} of the bytes that came back")
    # The last bytes may be here before the loop has counted them.
    until(lambda: server.status()["totals"]["bytes"] == 64 << 20,
          "the board has counted all of them")


@scenario("half close: all of it comes back, then the end")
def half_close(case):
    server = case.serve(ECHO)
    data = os.urandom(1 << 20)
    with connect(server.address(ADDRESS)) as link:
        sender = threading.Thread(
            target=lambda: (link.sendall(data), link.shutdown(socket.SHUT_WR)))
        sender.start()
        got = b""
        while len(got) < len(data):
            part = link.recv(65536)
            check(part, f"the end came after {len(got)} bytes")
            got += part
        sender.join(DEADLINE)
        check(got == data, "the bytes that came back")
        equal(link.recv(1), b"", "the end")


@scenario("a client that does not read is not read from for ever")
def back_pressure(case):
    server = case.serve(ECHO)
    before = memory(server)
    with connect(server.address(ADDRESS)) as link:
        link.setblocking(False)
        sent = 0
        while sent < 256 << 20 and select.select([], [link], [], 0.5 * SLOW)[1]:
            sent += link.send(b"x" * 65536)
        check(sent < 64 << 20, f"{sent >> 20} MiB were taken from a client that reads nothing")
        check(memory(server) - before < 64 << 10, "the workers' memory")


def memory(server):
    total = 0
    for pid in server.pids().values():
        with open(f"/proc/{pid}/statm") as file:
            total += int(file.read().split()[1]) * 4
    return total


if __name__ == "__main__":
    main()
