"""Files that are not in memory keep nobody waiting but those who want them. The disk that waits is
tests/fault/cold.c; one scenario has a file that really lies on the disk only."""
import os
import signal

from client import Client, connect, get, reset
from reeve import HTTP, POOLED, REEVED, Skipped, check, equal, main, run, scenario, until

SHIM = os.path.abspath(os.environ.get("REEVE_COLD_SHIM", "tests/fault/.libs/cold.so"))
SIZE = 3 << 20  # bytes of a film: several jobs
SITE = HTTP + ('http { site "default" { route "/" { static { root = "www" } }'
               ' route "/hello" { hello { } } } }\n')
FILM = b"GET /film.cold HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Disk:
    """The folder that scenario and shim share."""

    def __init__(self, server):
        if not os.path.exists(SHIM):
            raise Skipped(f"{SHIM} was not built")
        self.path = os.path.join(server.folder, "cold")
        os.mkdir(self.path)
        os.chmod(self.path, 0o777)
        link = os.path.join(server.folder, "cold.so")
        os.symlink(SHIM, link)  # LD_PRELOAD cannot hold a path with a space
        self.environment = {"LD_PRELOAD": link, "REEVE_COLD": self.path, "ASAN_OPTIONS":
                            os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        probe = run([REEVED, "-V"], env=self.environment)
        if probe.code:
            raise Skipped("reeved does not run with a preloaded library:"
                          f" {probe.err.strip()[:80]}")

    def join(self, name):
        return os.path.join(self.path, name)

    def count(self, name):
        """How often the shim was asked, or read."""
        try:
            return os.path.getsize(self.join(name))
        except FileNotFoundError:
            return 0

    def close(self):
        """Files are cold, and who reads one waits."""
        os.mkfifo(self.join("gate"))
        os.chmod(self.join("gate"), 0o666)
        with open(self.join("forced"), "w"):
            pass

    def open(self):
        """Who waits goes on, and nobody waits any more."""
        return os.open(self.join("gate"), os.O_WRONLY)


def start(case, **options):
    """One loop, if nothing else is said, and a film that it sends from the disk."""
    options = options or {"workers": 1, "loops": 1, "threads": 2}
    server = case.server(SITE, **options)
    film = os.urandom(SIZE)
    server.write("www/film.cold", film)
    disk = Disk(server)
    return server, disk, film


def launch(server, disk):
    server.configure(sandbox_write=[disk.path])  # if they are confined, so is the shim in them
    server.start(env=dict(os.environ, **disk.environment))


def whole(client, film):
    answer = client.answer()
    equal(answer.status, 200, "status of the film")
    check(answer.body == film, f"{len(answer.body)} bytes of the film are the file's")


def others(server):
    """Others are served, new ones and those that stay."""
    with Client(server.address()) as client:
        for _ in range(20):
            equal(client.get("/hello").body, b"hello\n", "the answer of another")
            equal(client.get("/").status, 200, "a file for another")


@scenario("who waits for a disk keeps nobody else waiting", models=POOLED)
def cold(case):
    server, disk, film = start(case)
    launch(server, disk)
    disk.close()
    with Client(server.address()) as first, Client(server.address()) as second:
        first.send(FILM + FILM)
        until(lambda: disk.count("read") == 1, "the film is being read")
        others(server)
        second.send(FILM)
        until(lambda: disk.count("read") == 2, "and for another client")
        others(server)  # no thread of the pool is left, and none is needed
        equal(disk.count("read"), 2, "reads, at most one for each client")
        writer = disk.open()
        whole(first, film)
        whole(first, film)
        whole(second, film)
        os.close(writer)
    check(disk.count("asked") >= 3 * (SIZE >> 19), "each part was asked for")


@scenario("a client that goes while its file is read leaves nothing behind", models=POOLED)
def gone(case):
    server, disk, film = start(case)
    launch(server, disk)
    pids = server.pids()
    disk.close()
    link = connect(server.address())
    link.sendall(FILM)
    until(lambda: disk.count("read") == 1, "the film is being read")
    reset(link)
    until(lambda: server.status()["totals"]["open"] == 0, "its connection is closed")
    others(server)
    writer = disk.open()
    with Client(server.address()) as client:
        client.send(FILM)
        whole(client, film)
    os.close(writer)
    equal(server.pids(), pids, "workers")


@scenario("a full queue of the pool makes a cold file wait, not fail", models=POOLED)
def full(case):
    server, disk, film = start(case, workers=1, loops=1, threads=1, queue_limit=1)
    launch(server, disk)
    disk.close()
    clients = [Client(server.address()) for _ in range(4)]
    clients[0].send(FILM)
    until(lambda: disk.count("read") == 1, "the pool's thread is busy")
    for client in clients[1:]:
        client.send(FILM)
    server.until_logged("queue-full")
    others(server)
    writer = disk.open()
    for client in clients:
        whole(client, film)
    os.close(writer)
    for client in clients:
        client.link.close()


def make_cold(path):
    """Out of memory with it, if that can be done here."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            # The end, for to ask may make the kernel read what was asked for.
            os.preadv(file.fileno(), [bytearray(1)], SIZE - 1, os.RWF_NOWAIT)
        except BlockingIOError:
            return
        except OSError as error:
            raise Skipped(f"the file system cannot tell what is in memory: {error}") from None
    raise Skipped("the file system keeps the file in memory")


@scenario("a file that really lies on the disk is read by the pool, and comes whole",
          models=POOLED)
def really_cold(case):
    server, disk, film = start(case)
    launch(server, disk)
    make_cold(server.path("www/film.cold"))
    with Client(server.address()) as client:
        client.send(FILM)
        whole(client, film)
        read = disk.count("read")
        check(read, "the pool has read it")
        client.send(FILM)
        whole(client, film)
    check(disk.count("asked") > 0, "it was asked for")
    equal(disk.count("read"), read, "reads once it is in memory")


@scenario("a cold file comes whole, and is read ahead where there is a pool")
def whole_everywhere(case):
    server, disk, film = start(case, **dict({"threads": 4}, **case.room(4, workers=1)))
    launch(server, disk)
    with open(disk.join("forced"), "w"):
        pass
    answer = get(server.address(), "/film.cold")
    check(answer.body == film, "the bytes are the file's")
    equal(bool(disk.count("read")), case.row.pool, "read ahead by a pool")


@scenario("a worker that has finished is left to exit", models=())
def exits(case):
    """Sanitizers look for leaks at that time."""
    server, disk, _ = start(case)
    launch(server, disk)
    os.mkfifo(disk.join("last"))
    os.unlink(disk.join("exits"))  # that of the probe
    try:
        server.signal(signal.SIGTERM, server.pids()[0])
        until(lambda: disk.count("exits") == 1, "the worker exits")
        for _ in range(2):
            server.ask("health")  # whatever the master does about what has come before
        with open(disk.join("last"), "rb+", buffering=0):
            until(lambda: disk.count("exited") == 1, "it has come to its end")
    finally:
        os.unlink(disk.join("last"))  # the others need not wait


if __name__ == "__main__":
    main()
