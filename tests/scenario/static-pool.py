"""What the disk must be read for is done in the pool, and only that: listings, and what is not in
memory. The pool's threads do not run while there is nothing for them, so the kernel's counts of how
often each of them has gone to sleep tell whether there was."""
import os

from client import Client, get
from reeve import HTTP, POOLED, equal, check, main, scenario, until

LISTED = HTTP + ('http { site "default" {'
                 ' route "/" { static { root = "www" listing = true gzip = true'
                 ' precompressed = { "gzip" } } } } }\n')


def field(path, name):
    with open(path) as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))


def sleeps(pid):
    """How often the threads of a worker's pool have gone to sleep; None while one is awake."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        path = f"/proc/{pid}/task/{task}/status"
        if field(path, "Name").startswith("pool-"):
            if field(path, "State") != "S":
                return None
            total += int(field(path, "voluntary_ctxt_switches"))
    return total


class Pool:
    def __init__(self, server):
        self.pid, = server.pids().values()

    def rest(self):
        """Waits until all of its threads sleep, and have not been awake in between."""
        return until(lambda: sleeps(self.pid) == sleeps(self.pid) and sleeps(self.pid),
                     "the pool is at rest")


@scenario("a route that lists sends its lists to the pool, and no small file", models=POOLED)
def listing(case):
    server = case.server(LISTED, workers=1)
    os.makedirs(server.path("www/folder/inner"))
    server.write("www/small.txt", b"small\n" * 1000)
    server.start()
    with Client(server.address()) as client:
        for target, status in (("/small.txt", 200), ("/", 200), ("/folder", 301),
                               ("/folder/", 200)):
            equal(client.get(target).status, status, target)  # now the names are in memory
        pool = Pool(server)
        before = pool.rest()
        for _ in range(50):
            equal(client.get("/small.txt").body, b"small\n" * 1000, "a small file")
            equal(client.get("/", method="HEAD").status, 200, "an index")
            equal(client.get("/folder").status, 301, "a folder without slash")
        equal(pool.rest(), before, "sleeps of the pool's threads after small files")
        for fields, target in (("", "/folder/"), ("Accept-Encoding: gzip\r\n", "/small.txt"),
                               ("Range: bytes=0-1,10-11\r\n", "/small.txt")):
            check(client.get(target, fields=fields).status in (200, 206), f"{target} {fields}")
            after = pool.rest()
            check(after > before, f"{target} {fields} was answered without the pool")
            before = after


@scenario("files that are not in memory come back as they are")
def cold(case):
    server = case.serve(LISTED)
    files = {f"{size}.bin": os.urandom(size) for size in (1, 16384, 16385, 3000000)}
    with Client(server.address()) as client:
        for name, data in files.items():
            with open(server.write("www/" + name, data), "rb+") as file:
                os.fsync(file)
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                check(client.get("/" + name).body == data, name)
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                answer = client.get("/" + name, fields="Range: bytes=0-0\r\n")
                equal((answer.status, answer.body), (206, data[:1]), f"the first byte of {name}")
        for number in range(20):
            equal(client.get(f"/nobody/asked/{number}").status, 404, "a name that is new")
            equal(client.get(f"/nobody-asked-{number}/").status, 404, "a folder that is new")
    equal(get(server.address(), "/").status, 200, "another client")


if __name__ == "__main__":
    main()
