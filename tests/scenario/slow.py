"""Slow clients: who drips a header or a body, or hardly reads, holds no thread where a loop has
many connections and little memory, keeps nobody waiting, and is ended when its time is over.

In full (REEVE_FULL=1) there are 5000 of a kind for 30 s, and the 99th percentile of other clients
before, meanwhile and after is printed; it is not judged here, for it depends on who else uses the
machine. So is that of a neighbour, a second server without slow clients that is asked in turn with
the first: it shows what of it is the doing of the machine, which runs the crowd too. Memory is
printed always: pages that the worker has for itself, and how much of them comes with a client, and
what the kernel has for all of TCP.
"""
import json
import os
import socket
import threading
import time
from statistics import median

from client import Load, connect
from reeve import (FORKING, FULL, HTTP, MODELS, SANITIZED, WRAP, Failed, Skipped, check, equal, main,
                   run, scenario, until)

COUNT = 5000 if FULL else 60 if WRAP or SANITIZED else 300
ROUNDS = 6          # of two measurements, in full: of the server and its neighbour
SECONDS = 3         # of a measurement
PAUSE = 5           # seconds between two pieces of a client of the crowd
RATE = 2000         # requests per second of the other clients, in full
ENOUGH = 100        # latencies for a 99th percentile
EACH_MOST = 16384   # bytes of the worker for a slow client: beyond this something is held in vain
TOOL = os.path.abspath("tests/bench/load")
LARGE = 16 << 20    # bytes: more than the buffers of the kernel take

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
POST = b"POST /post HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx"
GET = b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n"
# How each kind begins and goes on; None: it reads a little instead.
KINDS = {"header": (HEAD, b"x"), "body": (POST, b"x"), "read": (GET, None)}

SITE = HTTP + ('http { %s site "default" { route "/" { static { root = "www" } }'
               ' route "/hello" { hello { } } route "/post" { post { } }'
               ' route "/sleep" { sleep { delay = "1ms" } } } }\n')
MODULES = ["http", "static", "hello", "post", "sleep"]


class Crowd:
    """Slow clients of one kind, all in one thread. `ended`: how many the server has sent away."""

    def __init__(self, address, kind, count, pause=PAUSE):
        self.address, self.count, self.pause = address, count, pause
        self.start, self.drip = KINDS[kind]
        self.links, self.ended, self.over = [], 0, threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def __enter__(self):
        for _ in range(self.count):
            self.links.append(slow_connect(self.address, self.start, self.drip is None))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for link in self.links:
            link.close()

    def go_on(self):
        """A piece of each, spread over the pause. They would be elsewhere: what they compute must
        not keep others waiting."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        while not self.over.is_set():
            for link in self.links:
                if self.over.wait(self.pause / self.count):
                    return
                self.ended += not one_piece(link, self.drip)


def slow_connect(address, start, reads_little):
    if not reads_little:
        link = connect(address)
    else:
        link = socket.socket(socket.AF_INET)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(address)
    link.sendall(start)
    link.setblocking(False)
    return link


def one_piece(link, drip):
    """False: the connection has ended."""
    try:
        if drip is None:
            return link.recv(1024) != b""
        link.send(drip)
        return link.recv(1024) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


# ---------------------------------------------------------------- memory and time

def own_memory(server):
    """Bytes of the workers in pages that are theirs alone."""
    total = 0
    for pid in server.pids().values():
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith(("Private_Dirty:", "Private_Clean:")):
                    total += int(line.split()[1]) * 1024
    return total


def say_memory(kind, count, before, after):
    each = (after - before) / count
    print(f"# slow {kind}: {each:.0f} bytes a client ({before / 1024:.0f} KiB without them,"
          f" {after / 1024:.0f} KiB with {count})")
    if not WRAP and not SANITIZED:
        check(each < EACH_MOST, f"a slow {kind} client costs {each:.0f} bytes of the worker")


def cpu(server):
    """Seconds that the workers have computed."""
    ticks = 0
    for pid in server.pids().values():
        with open(f"/proc/{pid}/stat") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def watch(server):
    """So that only those moments count in which no thread of the workers waited for a CPU: the
    crowd has the same CPUs, which it would not have in life."""
    files = [f"/proc/{pid}/task/{thread}/schedstat"
             for pid in server.pids().values() for thread in os.listdir(f"/proc/{pid}/task")]
    return ["--watch", ",".join(files)] if os.path.exists(files[0]) else []


def p99(server):
    """Of others that ask at a steady rate, in microseconds; None if too few counted."""
    host, port = server.address()
    done = run([TOOL, "--users", "20", "--rate", str(RATE), "--warm", "1", "--seconds",
                str(SECONDS), *watch(server), f"{host}:{port}", "/hello"], seconds=SECONDS + 30)
    equal(done.code, 0, f"exit status of load ({done.err})")
    result = json.loads(done.out)
    for name in ("refused", "reset", "timeout", "bad", "short", "never"):
        equal(result[name], 0, f"requests that failed as {name}")
    return result["p99"] if result["measured"] >= ENOUGH else None


def in_turn(server, neighbour, when):
    """The median p99 of both."""
    began = cpu(server)
    pairs = [(p99(server), p99(neighbour)) for _ in range(ROUNDS)]
    own, beside = ([value for value in one if value] for one in zip(*pairs))
    if not own or not beside:
        raise Skipped("others used the machine all the time")
    own, beside = median(own), median(beside)
    print(f"# {when}: p99 of others {own:.0f} us, of the neighbour's {beside:.0f} us,"
          f" {cpu(server) - began:.2f} s of CPU in the worker")
    return own, beside


def kernel_memory():
    """Bytes that the kernel has for all of TCP."""
    with open("/proc/net/sockstat") as file:
        return int(file.read().partition("TCP:")[2].split()[9]) * os.sysconf("SC_PAGE_SIZE")


# ---------------------------------------------------------------- scenarios

def busy(server):
    return sum(worker["busy"] for worker in server.workers().values())


def settled(server, count):
    """All of them are connected, and no thread works."""
    until(lambda: server.status()["totals"]["open"] == count, f"{count} connections are open")
    until(lambda: busy(server) == 0, "no thread is busy")


def others(server):
    """Others are served, by the loop and by the pool, and none of them is let down."""
    for target, want in (("/hello", b"hello\n"), ("/sleep", None), ("/", b"<h1>index</h1>\n")):
        if want is None:
            with connect(server.address()) as link:
                link.sendall(b"GET /sleep HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                check(link.recv(65536).startswith(b"HTTP/1.1 200 "), "a handler of the pool")
            continue
        with Load(server.address(), want, target=target) as load:
            load.more(200)
        equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0),
              f"others that were let down ({load})")


def crowd_scenario(case, kind):
    if FULL:
        case.need_no_wrap("its times mean nothing")
        if not os.path.exists(TOOL):
            raise Skipped("tests/bench/load is not built")
    timeouts = 'header_timeout = "10m" body_timeout = "10m"'
    server = case.server(SITE % timeouts, modules=MODULES, workers=1, threads=2,
                         send_timeout="10m")
    with open(server.path("www/large.bin"), "wb") as file:
        file.truncate(LARGE)
    server.start()
    others(server)
    settled(server, 0)
    threads = [worker["threads"] for worker in server.workers().values()]
    neighbour = case.serve(SITE % timeouts, modules=MODULES, workers=1) if FULL else None
    without = in_turn(server, neighbour, "before")[0] if FULL else None
    settled(server, 0)
    before = own_memory(server)
    with Crowd(server.address(), kind, COUNT) as crowd:
        settled(server, COUNT)
        others(server)
        settled(server, COUNT)
        say_memory(kind, COUNT, before, own_memory(server))
        equal([worker["threads"] for worker in server.workers().values()], threads, "threads")
        if FULL:
            meanwhile, beside = in_turn(server, neighbour, f"with {COUNT} slow {kind} clients")
            print(f"# the kernel has {kernel_memory() >> 20} MiB for TCP")
        settled(server, COUNT)
        equal(crowd.ended, 0, "slow clients that were sent away before their time")
    settled(server, 0)
    if FULL:
        without = (without + in_turn(server, neighbour, "after")[0]) / 2
        print(f"# slow {kind}: p99 of others is {meanwhile / without:.2f} of what it is without"
              f" them (wanted: at most 1.5), {meanwhile / beside:.2f} of what it is at the neighbour's")


@scenario("a crowd of slow headers holds no thread and keeps nobody waiting", models=("event",))
def slow_headers(case):
    crowd_scenario(case, "header")


@scenario("a crowd of slow bodies holds no thread and keeps nobody waiting", models=("event",))
def slow_bodies(case):
    crowd_scenario(case, "body")


@scenario("a crowd of slow readers holds no thread and keeps nobody waiting", models=("event",))
def slow_readers(case):
    crowd_scenario(case, "read")


def all_that_comes(link, drip):
    """Drips on until the server has something to say, then reads to the end."""
    data = b""
    link.setblocking(True)
    while True:
        link.settimeout(None if data else 0.02)  # a drip every 20 ms
        try:
            part = link.recv(65536)
        except TimeoutError:
            try:
                link.send(drip)
            except OSError:
                pass  # recv() says what came before
            continue
        except ConnectionResetError as error:
            raise Failed(f"{error} after {data!r}") from None
        if not part:
            return data
        data += part


@scenario("a header or body that only drips is answered with 408 when its time is over")
def dripping(case):
    server = case.serve(SITE % 'header_timeout = "300ms" body_timeout = "300ms"', modules=MODULES,
                        **dict({"threads": 4}, **case.room(4, workers=1)))
    for kind in ("header", "body"):
        start, drip = KINDS[kind]
        links = [slow_connect(server.address(), start, False) for _ in range(2)]
        for link in links:
            with link:
                answer = all_that_comes(link, drip)
            check(answer.startswith(b"HTTP/1.1 408 "), f"slow {kind}: {answer!r}")
            equal(answer.count(b"HTTP/1.1 "), 1, f"answers in {answer!r}")
            check(b"\r\nConnection: close\r\n" in answer, f"it says that it closes: {answer!r}")
    until(lambda: server.status()["totals"]["open"] == 0, "no connection is held")


@scenario("who connects and says nothing is sent away without a word")
def silent(case):
    server = case.serve(SITE % 'keepalive_timeout = "300ms"', modules=MODULES,
                        **dict({"threads": 4}, **case.room(4, workers=1)))
    address = server.address()
    for start in (b"", b"\r\n", b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"):
        with server.stands_still():
            link = connect(address)
            link.sendall(start)
        with link:
            data = b"".join(iter(lambda: link.recv(65536), b""))
        equal(data.count(b"HTTP/1.1 "), start.count(b"GET"), f"answers to {start!r} in {data!r}")
        check(b" 408 " not in data, f"no answer where nothing was asked: {data!r}")


def in_time(server):
    """Has the rest of a header come in time? It has, and the worker is late: it stands still until
    the time is over. None: we were too slow to send it."""
    with connect(server.address()) as link:
        began = time.monotonic()
        link.sendall(HEAD)
        with server.stands_still():
            link.sendall(b"x\r\n\r\n")
            sent = time.monotonic()
            until(lambda: time.monotonic() > sent + 1.1, "header_timeout is over")
        return None if sent - began > 1 else link.recv(65536)


@scenario("what has come in time is not refused since the worker itself was late",
          models=[name for name in MODELS if name not in FORKING])
def late(case):
    server = case.serve(SITE % 'header_timeout = "1s"', modules=MODULES, workers=1)
    answer = until(lambda: in_time(server), "a header that was sent in time")
    check(answer.startswith(b"HTTP/1.1 200 "), f"its answer: {answer!r}")


@scenario("who reads nothing is sent away by send_timeout")
def deaf(case):
    server = case.server(SITE % "", modules=MODULES, send_timeout="300ms",
                         **dict({"threads": 4}, **case.room(4, workers=1)))
    with open(server.path("www/large.bin"), "wb") as file:
        file.truncate(LARGE)
    server.start()
    with slow_connect(server.address(), GET, True) as link:
        until(lambda: server.status()["totals"]["connections"] == 1, "it is connected")
        until(lambda: server.status()["totals"]["open"] == 0, "it is sent away")
        link.setblocking(True)
        got = 0
        try:
            while part := link.recv(65536):
                got += len(part)
        except ConnectionResetError:
            pass
        check(got < LARGE, f"the answer was cut short: {got} bytes came")


@scenario("who reads all the time, but too slowly, is sent away by send_rate")
def crawling(case):
    server = case.server(SITE % "", modules=MODULES, send_timeout="500ms", send_rate="1GiB",
                         **dict({"threads": 4}, **case.room(4, workers=1)))
    with open(server.path("www/large.bin"), "wb") as file:
        file.truncate(LARGE * 4)
    server.start()
    with connect(server.address()) as link:
        link.sendall(GET)
        got = 0
        try:
            while part := link.recv(65536):
                got += len(part)
                time.sleep(0.002)
        except ConnectionResetError:
            pass
        check(0 < got < LARGE * 4, f"the answer was cut short: {got} bytes came")
    server.until_logged("send-timeout", "reads its answer too slowly")


if __name__ == "__main__":
    main()
