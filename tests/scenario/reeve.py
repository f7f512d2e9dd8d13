"""What every scenario shares: a real reeved in a private folder, its control socket, and TAP.

A scenario is a function that gets a Case and acts on it as an operator or a client would:

    @scenario("a reload keeps the old generation when the file is bad")
    def bad_reload(case):
        server = case.serve(HTTP)
        ...

It runs once under every model it allows. When it ends, the server is told to stop and everything
below it is looked after: a process left behind, a sanitizer's report, a crash that was not meant or
an exit status other than 0 fail the scenario, and the daemon's log is printed.

Environment: REEVED, REEVECTL, REEVE_MODULES (a:b), REEVE_WRAP ("valgrind -q --trace-children=yes
--fair-sched=yes --leak-check=full", see HACKING), REEVE_SLOW (factor for deadlines), REEVE_FULL=1
(full numbers), REEVE_ONLY (part of the names of the scenarios to run), REEVE_SANDBOX ("strict": of
every server that does not say another).
"""
import contextlib
import ctypes
import json
import os
import re
import resource
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

REEVED = os.path.abspath(os.environ.get("REEVED", "src/reeved"))
REEVECTL = os.path.abspath(os.environ.get("REEVECTL", "src/reevectl"))
MODULE_PATH = os.environ.get("REEVE_MODULES") or ":".join(
    os.path.abspath(folder) for folder in ("modules/.libs", "tests/modules/.libs"))
WRAP = shlex.split(os.environ.get("REEVE_WRAP", ""))
SLOW = float(os.environ.get("REEVE_SLOW", "1"))
FULL = os.environ.get("REEVE_FULL") == "1"
ROOT = os.geteuid() == 0


def built_with(mark):
    """Is this word in the program? Sanitizers leave their names there."""
    try:
        with open(REEVED, "rb") as file:
            return mark in file.read()
    except OSError:
        return False


SANITIZED = built_with(b"__asan_init") or built_with(b"__tsan_init")
DEADLINE = 10 * SLOW
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
           "WARNING: ThreadSanitizer", "ERROR: ThreadSanitizer", "== Invalid ", "uninitialised",
           "unaddressable", "are definitely lost")

HTTP = 'listen "127.0.0.1:0" { protocol = "http" }\n'
ECHO = 'listen "127.0.0.2:0" { protocol = "echo" }\n'
SITE = ('http { site "default" { route "/" { static { root = "www" } }'
        ' route "/hello" { hello { } } } }\n')


MANY = 1048576  # connections


class Model:
    """A row of the table of models, as the program prints it. A number that is a word there, as in
    "one loop for each of `threads`", is 0 here."""

    def __init__(self, row):
        self.name, workers, loops, connections, self.wait, pool, self.each = row.split("\t")
        self.workers, self.loops = (int(each) if each.isdigit() else 0 for each in (workers, loops))
        self.connections = MANY if connections == "many" else int(connections)
        self.pool = pool != "none"
        self.thread_each, self.process_each = self.each == "thread", self.each == "process"
        # A connection holds the thread or process that serves it until it ends.
        self.blocking = self.connections == 1
        # A worker serves one connection at a time: room for more is made by more workers.
        self.narrow = self.blocking and self.each == "nothing" and self.loops == 1

    def room(self, connections, workers):
        """Options with which all these connections are held at once, by so many workers."""
        share = -(-connections // workers)
        if self.narrow:
            return {"workers": max(workers, connections)}
        options = {"workers": workers}
        if self.thread_each:
            options["max_threads"] = share
        elif self.process_each:
            options["max_processes"] = share
        elif self.blocking:
            options["threads"] = share
        return options


def read_models():
    try:
        rows = subprocess.run([REEVED, "-x", "models"], capture_output=True, text=True,
                              check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        print(f"Bail out! {REEVED} is not built: run make first, from the top of the build tree")
        sys.exit(99)
    return {model.name: model for model in map(Model, rows)}


# Every model there is, by name, and sets of them; a scenario runs under each one it allows.
MODELS = read_models()
USUAL = "event"  # where the model does not matter
BLOCKING = [name for name, model in MODELS.items() if model.blocking]
ROOMY = [name for name, model in MODELS.items() if not model.narrow]  # many in a worker
POOLED = [name for name, model in MODELS.items() if model.pool]
THREADED = [name for name, model in MODELS.items() if model.thread_each]
FORKING = [name for name, model in MODELS.items() if model.process_each]
TOGETHER = [name for name in MODELS if name not in FORKING]  # in the worker's own process


class Failed(Exception):
    """What was seen is not what was promised."""


class Skipped(Exception):
    """This machine cannot run the scenario."""


def check(truth, text):
    if not truth:
        raise Failed(text)


def equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: got {short(got)}, expected {short(want)}")


def short(value):
    text = repr(value)
    return text if len(text) < 600 else f"{text[:400]} ... {text[-150:]} ({len(text)} characters)"


def contains(text, part, what):
    if part not in text:
        raise Failed(f"{what}: {part!r} is not in {short(text)}")


def until(condition, what, seconds=DEADLINE):
    """The one place that waits: returns the condition's value as soon as it is true. An OSError
    counts as not yet (a control socket that is not there so far)."""
    end = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except OSError:
            value = None
        if value:
            return value
        check(time.monotonic() < end, f"not within {seconds:g} s: {what}")
        time.sleep(0.005)


# ---------------------------------------------------------------- processes

def stat_of(pid):
    """(state, parent) of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0], int(fields[1])
    except OSError:
        return None


def children(pid):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = stat_of(name)
            if stat and stat[1] == pid and stat[0] != "Z":
                found.append(int(name))
    return sorted(found)


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


def wait_gone(pid, seconds=DEADLINE):
    """Waits for the end of any process; true when it has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        return bool(poller.poll(seconds * 1000))
    finally:
        os.close(fd)


def open_files(pid):
    """What the descriptors of a process point at."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return found


def thread_names(pid):
    """The names of a process's threads, as `ps -L` shows them."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm") as file:
                found.append(file.read().strip())
        except OSError:
            pass  # has ended meanwhile
    return sorted(found)


def cpu_time(pid):
    """Seconds that a process has computed."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_field(pid, name):
    with open(f"/proc/{pid}/status") as file:
        return re.search(rf"^{name}:\s*(.*)$", file.read(), re.M).group(1)


given_ports = []


def own_port():
    """A number for a server that has to come back at the same port: nobody listens there now, and
    none is given it by chance, who listens or connects without a number of his own. Other processes
    of ours begin to look elsewhere."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        low, high = map(int, file.read().split())
    ports = [port for port in range(10000, 65536) if not low <= port <= high] or [0]
    first = os.getpid() * 64 % len(ports)
    for port in ports[first:] + ports[:first]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            if port not in given_ports:
                given_ports.append(port)
                return probe.getsockname()[1]
    raise Skipped("no port is free")


def quote(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(quote(item) for item in value) + " }"
    return str(value) if isinstance(value, int) else f'"{value}"'


# ---------------------------------------------------------------- the daemon

class Server:
    """A reeved with its folder. Times are in seconds, ports come from the server itself."""

    def __init__(self, model, name="server"):
        self.folder = tempfile.mkdtemp(prefix="reeve-")
        os.chmod(self.folder, 0o755)  # workers may run as nobody
        self.model, self.name = model, name
        self.conf = self.path("reeve.conf")
        self.control = self.path("control.sock")
        self.process = None
        self.crashes_meant = False  # a scenario that kills or breaks workers says so
        self.refusals_meant = False # as does one that makes system calls that are refused
        self.status_meant = 0       # exit status of the master; None: any
        self.options = {}
        self.text = ""
        os.mkdir(self.path("www"))
        self.write("www/index.html", "<h1>index</h1>\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        if isinstance(data, str):
            data = data.encode()
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), errors="replace") as file:
            return file.read()

    # -- configuration

    def configure(self, text=None, **options):
        """Writes the file: core options (given ones change, None removes), then the text."""
        if not self.options:
            self.options = {"model": self.model, "workers": 2, "threads": 4,
                            "modules": ["echo", "http", "static", "hello"],
                            "control": "control.sock", "pid_file": "reeved.pid",
                            "error_log": "stderr", "log_level": "info",
                            "sandbox": os.environ.get("REEVE_SANDBOX")}
        self.options.update(options)
        self.text = self.text if text is None else text
        lines = [f"{name} = {quote(value)}\n" for name, value in self.options.items()
                 if value is not None]
        # By rename: a signal may make the server read it at any moment.
        self.write("reeve.conf.new", "".join(lines) + self.text)
        os.rename(self.path("reeve.conf.new"), self.conf)

    def line_of(self, part):
        """The number of the first line of the configuration that holds `part`."""
        for number, line in enumerate(self.read("reeve.conf").split("\n"), 1):
            if part in line:
                return number
        raise Failed(f"no line with {part!r} in the configuration")

    # -- life

    def command(self, *arguments, conf=True):
        return (WRAP + [REEVED] + (["-c", self.conf] if conf else []) +
                ["-o", "module_path=" + MODULE_PATH] + list(arguments))

    def run(self, *arguments, conf=True, **how):
        """Runs reeved to its end, for -t, -V and starts that fail."""
        return run(self.command(*arguments, conf=conf), **how)

    def launch(self, *arguments, conf=True, stdin=subprocess.DEVNULL, **how):
        """Starts reeved in the foreground and does not wait for it."""
        log = open(self.path("log"), "ab")
        self.process = subprocess.Popen(self.command(*arguments, conf=conf), stdout=log, stderr=log,
                                        stdin=stdin, start_new_session=True, **how)
        log.close()
        return self

    def start(self, *arguments, **how):
        return self.launch(*arguments, **how).ready()

    def ready(self):
        def serves():
            status = self.process.poll()
            check(status is None, f"{self.name} ended at once with status {status}")
            return self.ask("health")["code"] == 0
        until(serves, f"{self.name} is ready")
        # It serves before all workers have confirmed it; until then a reload is under way.
        until(lambda: self.status()["last_operation"], f"the start of {self.name} has ended")
        return self

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number, pid=None):
        os.kill(pid or self.pid, number)

    def wait(self, seconds=DEADLINE):
        """The exit status of the master, when it ends."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"the master has not ended within {seconds:g} s") from None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGTERM)
            self.wait(DEADLINE * 2)

    @contextlib.contextmanager
    def stands_still(self):
        """Its workers do nothing meanwhile. Then who connects and sends something comes to them with
        what he has sent, however long he has taken for that."""
        pids = list(self.pids().values())
        for pid in pids:
            self.signal(signal.SIGSTOP, pid)
        try:
            until(lambda: all(stat_of(f"{pid}/task/{thread}")[0] == "T" for pid in pids
                              for thread in os.listdir(f"/proc/{pid}/task")),
                  "all threads of the workers stand still")
            yield
        finally:
            for pid in pids:
                self.signal(signal.SIGCONT, pid)

    # -- control

    def connect_control(self):
        control = socket.socket(socket.AF_UNIX)
        control.settimeout(DEADLINE * 3)
        try:
            control.connect(self.control)
        except OSError:
            control.close()
            raise
        return control

    def ask(self, request):
        """Speaks the control protocol itself; the result object, with what was streamed before it
        as "events"."""
        with self.connect_control() as control, control.makefile("rb") as answers:
            control.sendall(request.encode() + b"\n")
            events = []
            for line in answers:
                answer = json.loads(line)
                if answer["type"] == "result":
                    return dict(answer, events=events)
                events.append(answer)
        raise OSError(f"no result for {request!r}")

    def ctl(self, *arguments, seconds=DEADLINE * 6, **how):
        """Runs the real reevectl."""
        return run(WRAP + [REEVECTL, "-s", self.control, *arguments], seconds=seconds, **how)

    def json(self, *arguments):
        result = self.ctl("--json", *arguments)
        equal(result.code, 0, f"exit code of reevectl --json {' '.join(arguments)} ({result.err})")
        answer = json.loads(result.out)
        return answer.get("data", answer)

    def status(self):
        return self.ask("status")["data"]

    def workers(self):
        """Workers of the serving generation, by slot."""
        status = self.status()
        return {worker["slot"]: worker for worker in status["workers"]
                if worker["generation"] == status["generation"] and worker["state"] == "ready"}

    def pids(self):
        return {slot: worker["pid"] for slot, worker in self.workers().items()}

    def all_ready(self, number, besides=()):
        """Waits until `number` workers are ready, none of them with a PID of `besides`."""
        def ready():
            pids = self.pids()
            return pids if len(pids) == number and not set(pids.values()) & set(besides) else None
        return until(ready, f"{number} workers are ready")

    def settled(self):
        """Waits until only the serving generation is left."""
        return until(lambda: len(self.status()["generations"]) == 1, "old generations are gone")

    def listeners(self):
        return {each["address"]: each for each in self.ask("listeners")["data"]["listeners"]}

    def address(self, configured="127.0.0.1:0"):
        """Where a listener really is, as a socket address."""
        bound = self.listeners()[configured]["bound"]
        if bound.startswith("unix:"):
            return bound[5:]
        host, _, port = bound.rpartition(":")
        return host.strip("[]"), int(port)

    def events(self):
        return Events(self)

    def descriptors(self):
        """How many descriptors the master holds. A connection of its own that has been answered
        proves that those closed before it are closed in the master too."""
        with self.connect_control() as control, control.makefile("rb") as answers:
            control.sendall(b"health\n")
            answers.readline()
            return len(open_files(self.pid)) - 1

    # -- log

    def log(self, name="log"):
        return without_tools(self.whole_log(name))

    def whole_log(self, name="log"):
        try:
            return self.read(name)
        except FileNotFoundError:
            return ""

    def logged(self, tag, name="log"):
        """The texts of all lines with that tag."""
        return re.findall(rf"^\S+ \w+ \[[^]]*\] {re.escape(tag)}: (.*)$", self.log(name), re.M)

    def until_logged(self, tag, part=""):
        return until(lambda: [text for text in self.logged(tag) if part in text],
                     f"{tag} {part!r} is logged")

    # -- the end

    def finish(self, orderly):
        """Stops all that is left. Returns what was wrong."""
        wrong = []
        try:
            self.stop()
            status = self.process.returncode if self.process else self.status_meant
            if orderly and self.status_meant not in (None, status):
                wrong.append(f"the master's exit status is {status}, not {self.status_meant}")
        except Failed as failure:
            wrong.append(str(failure))
        left = descendants(self.pid) if self.process else []
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in left:
            kill(pid)
        text = self.whole_log()
        wrong += [f"the log holds {report!r}" for report in REPORTS if report in text]
        if orderly and not self.crashes_meant and self.logged("worker-crashed"):
            wrong.append("a worker crashed: " + self.logged("worker-crashed")[0])
        if orderly and not self.refusals_meant and self.logged("call-refused"):
            wrong.append("a system call was refused: " + self.logged("call-refused")[0])
        return wrong


class Events:
    """The stream of `events`, read with a deadline."""

    def __init__(self, server):
        self.control = server.connect_control()
        self.lines = self.control.makefile("rb")
        self.control.settimeout(DEADLINE)
        self.seen = []
        self.control.sendall(b"events\n")
        self.wait("following")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.control.close()

    def wait(self, tag, part=""):
        """The next event with that tag and that part of a text."""
        while True:
            try:
                line = self.lines.readline()
            except TimeoutError:
                line = None
            check(line, f"no event {tag} {part!r}, but {short(self.seen)}")
            event = json.loads(line)
            self.seen.append(event)
            if event.get("tag") == tag and part in event["text"]:
                return event


def without_tools(text):
    """Without the lines that a sanitizer or valgrind write of their own accord, such as
    "==12==Unable to get registers from thread 13."; their reports are looked for by finish()."""
    return re.sub(r"^==\d+==.*\n?", "", text, flags=re.M)


class Result:
    def __init__(self, done):
        self.code, self.out = done.returncode, done.stdout
        self.err = without_tools(done.stderr)

    @property
    def text(self):
        return self.out + self.err


def run(command, seconds=DEADLINE * 2, env=None, **how):
    try:
        return Result(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                     text=True, errors="replace", timeout=seconds,
                                     start_new_session=True,
                                     env=dict(os.environ, **env) if env else None, **how))
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)} has not ended within {seconds:g} s") from None


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


# ---------------------------------------------------------------- scenarios

class Case:
    """One run of one scenario."""

    def __init__(self, model):
        self.model = model
        self.row = MODELS[model]
        self.servers = []

    def server(self, text=HTTP + SITE, **options):
        """A configured server that is not started."""
        server = Server(self.model, f"server {len(self.servers) + 1}")
        self.servers.append(server)
        server.configure(text, **options)
        return server

    def serve(self, text=HTTP + SITE, **options):
        return self.server(text, **options).start()

    def room(self, connections, workers=2):
        """Options with which so many connections are held at once, whatever the model."""
        return self.row.room(connections, workers)

    def need_no_wrap(self, why):
        if WRAP:
            raise Skipped(f"not under {WRAP[0]}: {why}")

    def need_nobody(self):
        """The built programs must be within reach of an ordinary user."""
        for program in (REEVED, REEVECTL):
            try:
                done = subprocess.run([program, "-h"], user=65534, group=65534, extra_groups=[],
                                      capture_output=True, check=False)
            except PermissionError:
                done = None
            if done is None or done.returncode:
                raise Skipped("nobody may not run the built programs: the checkout is closed to others")

    def need_root(self):
        if not ROOT:
            raise Skipped("needs root")

    def finish(self, orderly):
        wrong = []
        for server in self.servers:
            wrong += server.finish(orderly)
        # Given a second: the leak sanitizer's helper process may end after the worker it looked at.
        left = [pid for pid in descendants(os.getpid()) if not wait_gone(pid, SLOW)]
        if left and orderly:
            wrong.append(f"left behind: {[command_line(pid) for pid in left]}")
        for pid in left:
            kill(pid)
        reap()
        return wrong

    def remove(self):
        for server in self.servers:
            shutil.rmtree(server.folder, ignore_errors=True)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return f"{pid} " + file.read().replace("\0", " ")
    except OSError:
        return str(pid)


def reap():
    try:
        while os.waitpid(-1, 0)[0]:
            pass
    except ChildProcessError:
        pass


scenarios = []


def scenario(text, models=MODELS):
    """Declares a scenario. `models`: those it runs under; () where the model does not matter, since
    it is about the master, the files or the command line."""
    def add(function):
        for model in models or (USUAL,):
            name = f"{text} [{model}]" if models else text
            if os.environ.get("REEVE_ONLY", "") in name:
                scenarios.append((name, function, model))
        return function
    return add


def out_of_time(_number, _frame):
    raise Failed("the scenario took too long")


def run_one(number, name, function, model):
    case = Case(model)
    failure = skipped = None
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(int(60 * SLOW * (5 if FULL else 1)))
    began = time.monotonic()
    try:
        function(case)
    except Skipped as reason:
        skipped = str(reason)
    except Failed:
        failure = traceback.format_exc(limit=-4)
    except Exception:  # a scenario that breaks is a scenario that fails
        failure = traceback.format_exc()
    signal.alarm(0)
    wrong = case.finish(orderly=failure is None)
    failed = failure is not None or wrong
    print(f"{'not ok' if failed else 'ok'} {number} - {name}" +
          (f" # SKIP {skipped}" if skipped and not failed else ""))
    print(f"# {time.monotonic() - began:.2f} s")
    if failed:
        print("\n".join("# " + line for line in (failure or "").splitlines() + wrong))
        for server in case.servers:
            print(f"# log of {server.name} ({server.folder}):")
            print("\n".join("#   " + line for line in server.whole_log().splitlines()[-150:]))
    sys.stdout.flush()
    case.remove()
    return not failed


def main():
    """Runs what the file declares."""
    # A shell ignores SIGINT in what it runs in the background, and so would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Orphans come to this process, so that nothing a server leaves behind can hide.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
    print(f"1..{len(scenarios)}", flush=True)
    results = [run_one(number, *one) for number, one in enumerate(scenarios, 1)]
    sys.exit(0 if all(results) else 1)
