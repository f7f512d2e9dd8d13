"""No request allocates that is answered from what is there: small files, constant answers, files
by sendfile. The allocator that counts is tests/fault/count.c."""
import os
import struct

from client import Client
from reeve import (HTTP, REEVED, SANITIZED, WRAP, Skipped, check, equal, main, run, scenario, until)

SHIM = os.path.abspath(os.environ.get("REEVE_COUNT_SHIM", "tests/fault/.libs/count.so"))
SITE = HTTP + ('http { access_log = "access.log" site "default" { route "/" { static {'
               ' root = "www" gzip = true } } route "/hello" { hello { } } } }\n')
REQUESTS = 300


class Count:
    """The folder that scenario and shim share."""

    def __init__(self, server):
        if WRAP or SANITIZED:
            raise Skipped("valgrind and the sanitizers have allocators of their own")
        if not os.path.exists(SHIM):
            raise Skipped(f"{SHIM} was not built")
        self.server = server
        self.path = os.path.join(server.folder, "count")
        os.mkdir(self.path)
        os.chmod(self.path, 0o777)
        link = os.path.join(server.folder, "count.so")
        os.symlink(SHIM, link)  # LD_PRELOAD cannot hold a path with a space
        self.environment = {"LD_PRELOAD": link, "REEVE_COUNT": self.path}
        if run([REEVED, "-V"], env=self.environment).code:
            raise Skipped("reeved does not run with a preloaded library")

    def of_worker(self):
        """How often the worker has asked for memory."""
        pid, = self.server.pids().values()
        with open(os.path.join(self.path, str(pid)), "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]


def asks(count, address, target, fields):
    """How often the worker allocates in so many requests on one connection, which is warm."""
    with Client(address) as client:
        for _ in range(3):
            equal(client.get(target, fields=fields).status, 200, target)
        before = count.of_worker()
        for _ in range(REQUESTS):
            client.get(target, fields=fields)
        return count.of_worker() - before


@scenario("what is answered from what is there allocates nothing", models=("event", "prethreaded"))
def hot(case):
    server = case.server(SITE, workers=1, threads=2)
    count = Count(server)
    server.write("www/small.txt", b"small\n" * 100)
    server.write("www/page.txt", b"some text\n" * 1000)
    server.write("www/large.bin", bytes(200000))
    server.start(env=count.environment)
    check(count.of_worker() > 100, "the allocator counts what a worker does to begin with")
    for target, fields in (("/small.txt", ""), ("/hello", ""), ("/large.bin", ""),
                           ("/page.txt", "Accept-Encoding: gzip\r\n")):
        # Not at once: nothing is kept of a file that was changed less than two seconds ago.
        until(lambda: asks(count, server.address(), target, fields) == 0,
              f"{target} is answered without an allocation")


main()
