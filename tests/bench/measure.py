"""CPU time of a server from the operating system, where processes run, and what waits at a
listener.

The CPU time is that of every process of a server, dead ones included (a forking server spends most
of its time in those). A control group (v2) counts it exactly; where none can be made, /proc is
added up instead: utime + stime of all processes below the server, and of all that they have reaped.
"""
import ctypes
import os
import resource
import signal
import sys
import time

SCENARIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario")
sys.path.insert(0, SCENARIO)
from reeve import descendants, kill  # noqa: E402 (the scenarios' own way of looking at processes)

DESCRIPTORS = 65536
libc = ctypes.CDLL(None)


def cpus():
    """(for the server, for the load): two CPUs of those we may use, or one and the same."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[min(1, len(usable) - 1)]


def raise_descriptors():
    """Allows us, and all that we start, many descriptors. How many those are."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (max(DESCRIPTORS, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, DESCRIPTORS), wanted))
            break
        except (OSError, ValueError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def prepare(cpu):
    """Of a child, before it executes: on one CPU, and not for longer than we live."""
    os.sched_setaffinity(0, {cpu})
    libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def adopt_orphans():
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def own_group():
    """Our folder in the tree of control groups v2, or None."""
    try:
        with open("/proc/self/mounts") as file:
            mounts = [line.split() for line in file]
        with open("/proc/self/cgroup") as file:
            paths = [line.strip()[3:] for line in file if line.startswith("0::")]
    except OSError:
        return None
    roots = [fields[1] for fields in mounts if fields[2] == "cgroup2"]
    return roots[0] + paths[0].rstrip("/") if roots and paths else None


class Group:
    """The processes of one server in a control group of their own."""
    how = "control group (cpu.stat)"

    def __init__(self, parent):
        self.folder = os.path.join(parent, f"reeve-bench-{os.getpid()}-{time.monotonic_ns()}")
        os.mkdir(self.folder)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def enter(self):
        """Of the child, before it executes."""
        with open(self._path("cgroup.procs"), "w") as file:
            file.write("0")

    def cpu(self, _pid):
        """Seconds that all processes have used so far."""
        with open(self._path("cpu.stat")) as file:
            return int(file.readline().split()[1]) / 1e6

    def pids(self, _pid):
        with open(self._path("cgroup.procs")) as file:
            return [int(line) for line in file]

    def close(self):
        end = time.monotonic() + 5
        while True:
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)


class Tree:
    """The processes of one server as /proc shows them."""
    how = "/proc/PID/stat, utime + stime and those of ended children"

    def enter(self):
        pass

    def cpu(self, pid):
        ticks = 0
        for each in [pid] + descendants(pid):
            try:
                with open(f"/proc/{each}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                ticks += sum(int(field) for field in fields[11:15])
            except OSError:
                pass  # it ended just now, and its parent has its time
        return ticks / os.sysconf("SC_CLK_TCK")

    def pids(self, pid):
        return [pid] + descendants(pid)

    def close(self):
        pass


def meter():
    """A new Group where this is possible, else a Tree."""
    parent = own_group()
    try:
        group = Group(parent) if parent else None
    except OSError:
        group = None
    return group or Tree()


def busy(cpu):
    """Seconds that a CPU has been busy, whoever used it; exact to some hundredths."""
    with open("/proc/stat") as file:
        fields = next(line for line in file if line.startswith(f"cpu{cpu} ")).split()
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def waiting_at(port):
    """Connections in the backlog of a listener on 127.0.0.1: made, and taken by nobody."""
    with open("/proc/net/tcp") as file:
        next(file)
        for line in file:
            fields = line.split()
            if fields[3] != "0A":  # listeners come first
                break
            if fields[1] == f"0100007F:{port:04X}":
                return int(fields[4].partition(":")[2], 16)
    return 0


def meter_name():
    probe = meter()
    probe.close()
    return probe.how
