"""CPU time of a server from the operating system, where processes run, and what waits at a
listener.

The CPU time is that of every process of a server, dead ones included (a forking server spends most
of its time in those). A control group (v2) counts it exactly; where none can be made, /proc is
added up instead: the clocks of all processes below the server, and what they have reaped.
"""
import contextlib
import ctypes
import os
import resource
import signal
import sys
import time

SCENARIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario")
sys.path.insert(0, SCENARIO)
from reeve import stat_of  # noqa: E402 (the scenarios' own way of looking at processes)

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
    """Of a child, before it executes: on one CPU (or a set of them), and not for longer than we
    live."""
    os.sched_setaffinity(0, cpu if isinstance(cpu, set) else {cpu})
    libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def unbroken():
    """What is done within is not interrupted by a signal, which comes right after it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def adopt_orphans():
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def family(pid):
    """A process and all below it, by one look at all processes."""
    below = {}
    for name in os.listdir("/proc"):
        stat = stat_of(name) if name.isdigit() else None
        if stat:
            below.setdefault(stat[1], []).append(int(name))
    found = [pid]
    for each in found:
        found += below.get(each, [])
    return found


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
    how = "the CPU clocks of processes, and /proc/PID/stat for their ended children"

    def enter(self):
        pass

    def cpu(self, pid):
        """Seconds that all processes have used so far. Ticks (of /proc) would be too coarse for a
        live process, of which a server may have hundreds; they are not for all that it reaped."""
        seconds = 0.0
        for each in family(pid):
            try:
                # clock_getcpuclockid(3), which Python has not: the clock of a whole process.
                seconds += time.clock_gettime(~each << 3 | 2)
                with open(f"/proc/{each}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
                seconds += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
            except OSError:
                pass  # it ended just now, and its parent has its time
        return seconds

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


def schedules(pid):
    """The files that tell how long the threads of a process and of all below it have run, and how
    long they could have run and did not; none where the kernel does not tell."""
    found = []
    for each in family(pid) if os.path.exists("/proc/self/schedstat") else ():
        with contextlib.suppress(OSError):  # it ended just now
            found += [f"/proc/{each}/task/{thread}/schedstat"
                      for thread in os.listdir(f"/proc/{each}/task")]
    return found


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
