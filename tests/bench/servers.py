"""What is measured: the models of reeve, the floor, and other servers. Each is started anew for
each measurement, sized for its load, pinned to one CPU, in a temporary folder, and ended after it.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import measure
import peers
import reeve  # the scenarios' library, found by measure

START = 15           # seconds until a server must answer
THREADS_EACH = 1024  # more threads than this are spread over several workers, where there may be
WORKERS_MAX = 256    # see the option workers
TEXT = bytes(range(32, 127)) * 6 + b"\n" * 42
# The files of each server, by path.
FILES = {"/file": TEXT, "/file64k": TEXT * 107 + TEXT[:52], "/file1m": (TEXT * 1714)[:1 << 20],
         "/text": b"Hello, World!", "/pool": b"burnt\n"}  # handlers answer so with reeve
AT_REST = 3  # seconds after which no server takes a file for one that is just being written
MODELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/conf/models.def")
SITE = """
listen "127.0.0.1:0" { protocol = "http" backlog = 65535 }
http { keepalive_requests = 0 site "default" {
    route "/" { static { root = "www" } }
    route "/text" { respond { body = "Hello, World!" type = "text/plain" } }
    route "/pool" { burn { time = "0" } }
    route "/burn" { burn { time = "1ms" } }
    route "/sleep" { sleep { delay = "10ms" } }
    route "/short" { sleep { delay = "1ms" } }
    route "/long" { sleep { delay = "50ms" } }
} }
"""
MODULES = ["http", "static", "respond", "burn", "sleep"]
LOGGED = SITE.replace("http {", 'http { access_log = "access.log"')


class Files:
    """A folder with the files, made once: they are at rest when the first server is started."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-bench-www-")
        os.chmod(self.folder.name, 0o755)  # who serves may be nobody
        for path, data in FILES.items():
            with open(self.folder.name + path, "wb") as file:
                file.write(data)
        self.made = time.monotonic()

    def lay(self, folder):
        """As the folder's www."""
        www = os.path.join(folder, "www")
        shutil.rmtree(www)
        os.symlink(self.folder.name, www)
        time.sleep(max(0.0, self.made + AT_REST - time.monotonic()))


class Unable(Exception):
    """The server does not serve here; the text says why."""


def models():
    """The rows of the table that the program is made from, by name; the columns are named there."""
    with open(MODELS) as file:
        text = file.read()
    names = [name.strip() for name in re.search(r"X\(([\w, ]+)\)", text).group(1).split(",")]
    rows = {}
    for fields in re.findall(r'^X\("([^"]+)", ([^"]+),\n', text, re.M):
        values = [fields[0]] + [value.strip() for value in fields[1].split(",")]
        rows[fields[0]] = dict(zip(names, values))
    return rows


def sized(row, hold):
    """Options of a model that lets it hold so many connections at once, as far as it can."""
    if row["connections"] != "1":
        return {}
    if row["each"] != "EACH_NONE":
        each = "max_processes" if row["each"] == "EACH_PROCESS" else "max_threads"
        return {each: hold + 16}  # and some for who asks besides
    if row["loops"] == "0":
        workers = -(-hold // THREADS_EACH) if row["workers"] == "0" else 1
        return {"workers": workers, "threads": -(-hold // workers)}
    return {"workers": min(hold, WORKERS_MAX)} if row["workers"] != "1" else {}


def connect(port, seconds=5):
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def ask_on(link, path, more=""):
    """One request on a connection; the whole answer as bytes."""
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
    data = b""
    while True:
        head, found, body = data.partition(b"\r\n\r\n")
        size = re.search(rb"\ncontent-length: *(\d+)", head.lower()) if found else None
        if size and len(body) >= int(size.group(1)):
            return data
        part = link.recv(65536)
        if not part:
            raise OSError("the connection was closed before the answer was complete")
        data += part


def ask_once(port, path, connection):
    """One request on a connection of its own, which is "close" or "keep-alive"."""
    with connect(port) as link:
        return ask_on(link, path, f"Connection: {connection}\r\n")


class Server:
    """One server of the roster. `family`: "reeve", "floor" or "peer"."""

    def __init__(self, name, family, cpu):
        self.name, self.family, self.cpu_number = name, family, cpu
        self.setup = ""      # its numbers, in words
        self.port = self.folder = self.process = self.meter = None

    def cpu_count(self):
        return len(self.cpu_number) if isinstance(self.cpu_number, set) else 1

    # -- for the kinds of servers

    def make_folder(self):
        """A new folder with a www in it."""
        folder = tempfile.mkdtemp(prefix="reeve-bench-")
        os.chmod(folder, 0o755)  # who serves may be nobody
        os.mkdir(os.path.join(folder, "www"))
        return folder

    def launch(self, load):
        """Starts self.process and knows self.port, or raises Unable."""
        raise NotImplementedError

    def counted(self):
        """How many requests the server says that it has answered, or None."""

    def end(self):
        """Ends it in order; returns what was wrong."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                return "did not end within 5 s"
        return ""

    def log(self):
        """The end of what it has written."""
        for name in ("error.log", "log"):
            try:
                with open(os.path.join(self.folder, name), errors="replace") as file:
                    text = " ".join(file.read().split())
            except OSError:
                continue
            if text:
                return text.replace(self.folder + "/", "")[-300:]
        return "no message"

    # -- life

    def before_exec(self):
        self.meter.enter()
        measure.prepare(self.cpu_number)

    def spawn(self, command, **how):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True,
                preexec_fn=self.before_exec, **{"stdout": log, **how})

    def start(self, load):
        with measure.unbroken():
            self.meter = measure.meter()
            self.folder = self.make_folder()
        self.files.lay(self.folder)
        self.launch(load)
        self.probe(load.path)

    def probe(self, path):
        """Waits until it serves; what it serves must be right."""
        end = time.monotonic() + START
        while True:
            try:
                answer = ask_once(self.port, path, "close")
                break
            except OSError as error:
                if self.process.poll() is not None:
                    raise Unable(f"ended with status {self.process.returncode}: {self.log()}") \
                        from None
                if time.monotonic() > end:
                    raise Unable(f"does not serve within {START} s ({error}): {self.log()}") \
                        from None
                time.sleep(0.02)
        status = answer.split(b"\r\n", 1)[0].decode(errors="replace")
        if " 200" not in status or not answer.endswith(FILES.get(path, b"")):
            raise Unable(f"answers {path} with {status!r}")

    def cpu(self):
        return self.meter.cpu(self.process.pid)

    def stop(self):
        """Ends all of it, by force where needed. Returns what was wrong, or ""."""
        with measure.unbroken():
            wrong = self.end() if self.process else ""
            for pid in measure.family(os.getpid())[1:]:  # orphans came to us: these are its own
                reeve.kill(pid)
            if self.process:
                self.process.wait()
            reeve.reap()
            if self.meter:
                self.meter.close()
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)
            self.port = self.folder = self.process = self.meter = None
        return wrong


class Model(Server):
    """One model of reeve, with options of its own beside those that the load asks for. `cpu` may be
    a set of several."""

    def __init__(self, name, row, cpu, site=SITE, **options):
        super().__init__(name, "reeve", cpu)
        self.row, self.options, self.site, self.daemon = row, options, site, None

    def make_folder(self):
        self.daemon = reeve.Server(self.row["name"], self.name)
        return self.daemon.folder

    def configure(self, load):
        options = dict(sized(self.row, load.hold) if load.hold else {}, **self.options)
        self.daemon.configure(self.site, **{
            "workers": None, "threads": None, "modules": MODULES, "log_level": "warning",
            "drain_timeout": "1s", **options})

    def launch(self, load):
        self.configure(load)
        try:
            self.daemon.launch(preexec_fn=self.before_exec)
            self.process = self.daemon.process
            self.daemon.ready()
            self.port = self.daemon.address()[1]
            self.setup = numbers_text(self.daemon.status()["numbers"])
            self.spread()
        except reeve.Failed as failure:
            self.process = self.daemon.process
            raise Unable(f"{failure}: {self.log()}") from None

    def spread(self):
        """Where there are several CPUs each worker gets one."""
        if self.cpu_count() > 1:
            for cpu, worker in zip(sorted(self.cpu_number), self.daemon.workers().values()):
                for thread in os.listdir(f"/proc/{worker['pid']}/task"):
                    os.sched_setaffinity(int(thread), {cpu})

    def counted(self):
        return self.daemon.status()["totals"]["requests"]

    def end(self):
        try:
            self.daemon.stop()
        except reeve.Failed as failure:
            return str(failure)
        wrong = [f"exit status {self.process.returncode}"] if self.process.returncode else []
        wrong += [f"the log holds {text!r}" for text in reeve.REPORTS if text in self.daemon.log()]
        wrong += ["a worker crashed: " + text for text in self.daemon.logged("worker-crashed")[:1]]
        return "; ".join(wrong)


def numbers_text(numbers):
    """{"workers": 1, "loops": 16, ...} in words."""
    def some(count, what):
        return f"{count} {what}{'' if count == 1 else 's'}"
    text = some(numbers["workers"], "worker")
    if numbers["loops"] != 1:
        text += " x " + some(numbers["loops"], "loop")
    if numbers.get("threads"):
        text += ", " + some(numbers["threads"], "pool thread")
    if numbers.get("each"):
        text += f", a {numbers['each']} for each connection, at most {numbers['each_limit']}"
    return text


class Floor(Server):
    """The least that can be done: see floor.c. Its answers are those of a reeve, byte for byte."""

    def __init__(self, program, answers, cpu, threads=False):
        name = "floor threads" if threads else "floor"
        super().__init__(name, "bare" if threads else "floor", cpu)
        self.program, self.answers, self.threads = program, answers, threads
        self.setup = "parses nothing, " + ("a thread for each connection" if threads
                                           else "1 process")

    def launch(self, load):
        path = os.path.join(self.folder, "answer")
        with open(path, "wb") as file:
            file.write(self.answers[load.path, "keep-alive" if load.keep else "close"])
        mode = ["--threads"] if self.threads else [] if load.keep else ["--close"]
        self.spawn([self.program] + mode + [path],
                   stdout=subprocess.PIPE)
        with self.process.stdout as out:
            line = out.readline()
        if not line:
            raise Unable(self.log())
        self.port = int(line)

    def probe(self, path):
        pass  # it listens before it prints its port

    def end(self):
        super().end()
        return ""


class Peer(Server):
    def __init__(self, name, cpu):
        super().__init__(name, "peer", cpu)

    def make_folder(self):
        folder = super().make_folder()
        if peers.ROOT:
            shutil.chown(folder, "nobody")  # some write their logs when they are nobody already
        return folder

    def launch(self, load):
        _, arguments, fill, _, _ = peers.PEERS[self.name]
        self.port = peers.free_port()
        text, self.setup = fill(self.folder, self.port, load.hold)
        conf = os.path.join(self.folder, "conf")
        with open(conf, "w") as file:
            file.write(text)
        self.spawn([peers.program(self.name)] +
                   [argument.format(folder=self.folder) for argument in arguments] + [conf])


def learn_answers(cpu):
    """What reeve answers, for the floor: {(path, "keep-alive" or "close"): bytes}."""
    server = Model("answers", models()["event"], cpu)
    try:
        server.start(type("Load", (), {"path": "/file", "hold": 0}))
        return {(path, each): ask_once(server.port, path, each)
                for path in FILES for each in ("keep-alive", "close")}
    finally:
        server.stop()
