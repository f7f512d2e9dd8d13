"""The service manager's end of sd_notify, for scenarios."""
import array
import os
import socket
import threading
import time

from reeve import until


class Manager:
    """A service manager's end: collects datagrams with the time they came. Descriptors that come
    along (systemd-notify's BARRIER=1) are closed at once."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.seen = []
        self.ended = False
        self.thread = None

    def listen(self):
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()
        return self

    def collect(self):
        while not self.ended:
            try:
                data, extra, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(64))
            except TimeoutError:
                continue
            for level, kind, words in extra:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds = array.array("i")
                    fds.frombytes(words[:len(words) - len(words) % fds.itemsize])
                    for fd in fds:
                        os.close(fd)
            self.seen.append((time.monotonic(), dict(line.split("=", 1)
                                                     for line in data.decode().splitlines())))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        if self.thread:
            self.thread.join()
        self.socket.close()

    def environment(self, **more):
        return dict(os.environ, NOTIFY_SOCKET=self.address, **more)

    def words(self):
        """In order, without what is said again and again."""
        return [name for _, message in list(self.seen) for name in message
                if name not in ("STATUS", "MONOTONIC_USEC", "WATCHDOG")]

    def all(self, name):
        return [(when, message[name]) for when, message in list(self.seen) if name in message]

    def until(self, name, count=1):
        return until(lambda: len(self.all(name)) >= count and self.all(name)[count - 1][1],
                     f"{name} is said {count} times")

    def status(self, part):
        return until(lambda: [text for _, text in self.all("STATUS") if part in text],
                     f"a status with {part!r}")[-1]
