"""Reeve's benchmark: every concurrency model, every other web server that is installed, and a
floor, under the same loads on the same CPUs, one after the other.

    make bench                    about half an hour; the results are in tests/bench/results-DATE
    make bench-quick              fewer loads, one short round, within two minutes
    make bench BENCH_FLAGS='--models event,epoll --peers nginx --loads close-100,keep --rounds 5'
    make bench BENCH_FLAGS=--targets      only what the targets need: some eight minutes
    make bench BENCH_FLAGS='--targets --rounds 7 --seconds 4'      the same, long

or, in the top folder of the build, python3 SOURCE/tests/bench/bench.py --help.

How it measures. A server runs on the first CPU that we may use, the load on the second. Each
measurement starts the server anew, checks that it serves the right bytes, loads it, and ends it.
Rounds are interleaved: all servers under all loads once, then again; the tables show medians, and
how far apart the rounds were. CPU time per request is the time that all processes of the server
used (dead ones included, from the operating system) while it was under load, divided by all
requests that were answered; "x floor" is its ratio to a server that parses nothing (floor.c) and
sends the bytes that reeve would send; "floor threads" does so with a thread for each connection. On
the loopback, what the kernel does to deliver a packet is charged to who sends it, and this is the
same for all servers. A kernel that accounts interrupts by themselves (irq_time_accounting in
system.json) charges it to nobody.

Where the load's CPU is near 100 % and the server's is not, the load limits the throughput, and only
the CPU time per request compares the servers.

Loads. close-N: N users, each with a new connection for each request, read to its end (load.c; a
latency is that of the whole connection). keep-N: N kept connections (wrk; it corrects latencies for
requests that it could not send in time), for a file of 612 bytes, or of 64 KiB or 1 MiB. Where both
CPUs are fully used, one slice of CPU time for anybody else is a stall that hundreds of requests see
(and wrk's correction counts each of them many times): such a p99 tells who else used the machine.
So p99-64 counts only latencies of moments in which, as the kernel has it, no thread of the server
and not the load itself waited for a CPU (calm.c; load.c with --watch). "calm" in results.csv is the
share of the time that counted. Of a server with more threads than the load can watch all count. The
files lie in one folder for all servers and are at rest before the first one is started. Models and
servers that need a thread or a process for each connection get as many as the load keeps open, if
they can have so many; under all other loads they have their default. burn, sleep: handlers that use
1 ms of CPU, or sleep 10 ms. queue: one queue for all pool threads against one for each. pool, text,
log, cpus: see loads.py.

Besides (measures.py): start, reload and memory, what an idle connection costs, what is left of a
server that is asked for too much (overload), system calls and instructions. What hardly varies is
taken in the first round only. What reeve is to reach stands in targets.py; the results begin with a
table of the targets, the other servers beside them, and whether each is met. Loads and other
measurements have names for --loads.

Nothing is hidden: every refused, reset, late or wrong answer is counted and shown, and so is a
user that was never served, or whose connection still waited to be taken late in the run. A server
that cannot serve is a line with its reason.

Files: load.c, user.c, tally.c, calm.c, histogram.c and floor.c are the programs; servers.py and
peers.py what is measured, loads.py the loads, measures.py what else (life.py, surge.py, idle.py,
calls.py, instructions.py), measure.py CPU time, targets.py, report.py, charts.py and machine.py the
results. Everything is on the loopback, in temporary folders, and ended when this program ends.
"""
import argparse
import json
import os
import signal
import sys
import time

import measure
import charts
import loads
import machine
import measures
import peers
import report
import servers
import targets

TOOLS = os.path.abspath("tests/bench")
NAMES = [each.name for each in (*loads.LOADS, *measures.MEASURES)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0],
                                     epilog="A list of names also takes their beginnings, or none.")
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer loads, one round, 0.4 s each")
    add("--rounds", type=int, help="rounds (3)")
    add("--seconds", type=float, help="measured time of each (2)")
    add("--models", help="models of reeve, with commas (all)")
    add("--peers", help="other servers, with commas (all that are installed)")
    add("--loads", help="loads and other measurements, with commas (all): " + ", ".join(NAMES))
    add("--targets", action="store_true", help="only what the table of targets needs")
    add("--only", default="", help="only where 'LOAD SERVER' contains this text")
    add("--set", action="append", default=[], metavar="MODEL.OPTION=VALUE",
        help="an option of reeve.conf for one model")
    add("--output", help="folder of the results (tests/bench/results-DATE)")
    options = parser.parse_args()
    if options.targets and options.models is None:
        options.models = "event"
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (0.4 if options.quick else 2.0)
    options.output = options.output or os.path.join(
        TOOLS, time.strftime("results-%Y%m%d-%H%M%S"))
    return options


def chosen(names, wanted):
    """Those of the names that the option asks for."""
    if wanted is None:
        return list(names)
    parts = [part for part in wanted.split(",") if part and part != "none"]
    for part in parts:
        if not any(name.startswith(part) for name in names):
            sys.exit(f"bench: nothing is called {part!r}; there are {', '.join(names)}")
    return [name for name in names
            if any(name == part or (part not in names and name.startswith(part))
                   for part in parts)]


def overrides(settings, rows):
    """{model: {option: value}} of --set."""
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        model, dot, option = key.partition(".")
        if not equals or not dot or model not in rows:
            sys.exit(f"bench: --set takes MODEL.OPTION=VALUE, not {setting!r}")
        found.setdefault(model, {})[option] = int(value) if value.isdigit() else value
    return found


class Bench:
    """One run of the benchmark."""

    def __init__(self, options):
        self.options = options
        servers.Server.files = servers.Files()
        self.cpus = measure.cpus()
        os.sched_setaffinity(0, {self.cpus[1]})  # we disturb the load rather than the servers
        self.remarks = []
        self.rows = servers.models()
        self.models = chosen(self.rows, options.models)
        self.peers = self.installed(chosen(peers.PEERS, options.peers))
        names = chosen(NAMES, options.loads)
        self.loads, self.measures = (
            [each for each in table if each.name in names
             and (each.quick or options.loads or options.targets or not options.quick)
             and (each.name in targets.NEEDED or not options.targets)]
            for table in (loads.LOADS, measures.MEASURES))
        self.asked = [each.name for each in self.loads + self.measures]
        self.program = os.path.join(TOOLS, "load")
        self.capacity = None
        if self.cpus[0] == self.cpus[1]:
            self.remark("there is one CPU only: servers and load share it, so throughput and "
                        "latency say little")
        if self.models and not loads.have_wrk():
            self.remark("wrk is missing: kept connections are not measured")
            self.loads = [load for load in self.loads if load.kind != "keep"]
        self.check_limits()

    def remark(self, text):
        self.remarks.append(text)
        print("note: " + text, flush=True)

    def installed(self, names):
        for name in names:
            if not peers.program(name):
                self.remark(f"{name} is not installed")
        return [name for name in names if peers.program(name)]

    def check_limits(self):
        users = max((load.users for load in self.loads), default=0)
        descriptors = measure.raise_descriptors()
        if users + 100 > descriptors:
            self.remark(f"a process may have {descriptors} descriptors only, too few for {users} "
                        "users: requests will fail as local")
        backlog = int(machine.sysctl("net/core/somaxconn") or 0)
        if users > backlog:
            self.remark(f"net.core.somaxconn is {backlog}: of {users} users who connect at once, "
                        "those beyond it try again after a second")

    # -- the roster

    def plan(self):
        """All (load, server) of a round."""
        options = overrides(self.options.set, self.rows)
        cpu = self.cpus[0]
        models = [servers.Model(name, self.rows[name], cpu, **options.get(name, {}))
                  for name in self.models]
        program, answers = os.path.join(TOOLS, "floor"), servers.learn_answers(cpu)
        bare = servers.Floor(program, answers, cpu, threads=True)
        others = [servers.Floor(program, answers, cpu)]
        others += [servers.Peer(name, cpu) for name in self.peers]
        self.roster = {server.name: server for server in models + others}
        if "event" in self.models:
            row, own = self.rows["event"], options.get("event", {})
            for server in (
                    servers.Model("event log", row, cpu, servers.LOGGED, **own),
                    servers.Model("event 2 CPUs", row, set(self.cpus), **{"workers": 2, **own})):
                self.roster[server.name] = server
        queues = []
        for queue in ("shared", "per-thread") if "event" in self.models else ():
            own = {"threads": loads.QUEUE_THREADS, "queue": queue, **options.get("event", {})}
            queues.append(servers.Model(f"event {queue}", self.rows["event"], cpu, **own))
        pairs = []
        for load in self.loads:
            who = queues if load.kind == "queue" else models + (others if load.for_all else [])
            who = who + ([bare] if load.kind == "keep" else [])
            if load.who:
                who = [self.roster[name] for name in load.who if name in self.roster]
            pairs += [(load, server) for server in who]
        pairs += [(measure, server) for measure in self.measures
                  for server in measure.servers(self)]
        return [(each, server) for each, server in pairs
                if self.options.only in f"{each.name} {server.name}"]

    # -- one measurement

    def measure(self, number, load, server):
        row = {"round": number, "load": load.name, "users": load.users, "server": server.name,
               "family": server.family, "note": ""}
        notes = []
        try:
            server.start(load)
            row["setup"] = server.setup
            self.under_load(load, server, row, notes)
        except servers.Unable as reason:
            notes.append(str(reason))
        except (OSError, RuntimeError, servers.reeve.Failed) as error:
            notes.append(f"{type(error).__name__}: {error}")
        finally:
            row["setup"] = server.setup
            wrong = server.stop()
        row["note"] = "; ".join(notes + ([wrong] if wrong else []))
        return row

    def under_load(self, load, server, row, notes):
        tool, seconds, cpu = self.program, self.options.seconds, self.cpus[1]
        port = server.port
        if load.kind == "queue" and not self.capacity:
            self.capacity = loads.capacity(tool, load, port, max(1, seconds), cpu)
            self.remark(f"queue: {server.name} can do {self.capacity:.0f} requests per second; "
                        f"the rate is {self.capacity * 0.8:.0f}")
        counted, threads = server.counted(), measure.schedules(server.process.pid)
        before, own, busy = server.cpu(), os.times(), measure.busy(self.cpus[0])
        if load.kind == "keep":
            got = loads.wrk(load, port, seconds, cpu, lambda: measure.waiting_at(port))
        elif load.kind == "calm":
            got = loads.calm(tool, load, port, seconds, cpu, threads)
        elif load.kind == "each":
            got = loads.on_each(tool, load, port, seconds, self.cpus, server.cpu_count())
        elif load.kind == "queue":
            got = loads.own(tool, load, port, max(1, seconds), cpu, "--rate",
                            f"{self.capacity * 0.8:.1f}", *loads.MIX)
        else:
            got = loads.own(tool, load, port, seconds, cpu)
        used, after = server.cpu() - before, os.times()
        done, busy = got["completed"], measure.busy(self.cpus[0]) - busy
        spent = (after.children_user + after.children_system -
                 own.children_user - own.children_system)
        row.update({name: got.get(name, 0) for name in (*loads.ERRORS, "never", "waiting")},
                   requests=done, rate=got["rate"], server_cpu=used / got["took"],
                   load_cpu=spent / got["took"],
                   foreign_cpu=max(0.0, busy - used) / got["took"])
        if load.kind == "each":
            row["foreign_cpu"] = None  # a part of the load is there
        if done:
            row.update(p50_us=got["p50"], p99_us=got["p99"], p999_us=got["p999"],
                       cpu_us=used * 1e6 / done, calm=got.get("calm"))
            if load.kind == "calm" and got["p99"] is None:
                notes.append("others used the machine all the time: no latency counts")
        if server.process.poll() is not None:
            notes.append(f"ended under load: {server.log()}")
        elif counted is not None:
            # What was under way when the load ended may be in one count and not in the other.
            more = server.counted() - counted - done
            failed = sum(row[name] for name in loads.ERRORS)
            late = load.users * load.at_once if load.kind == "keep" else failed
            if not 0 <= more <= late:
                notes.append(f"the server counted {done + more} requests, the load {done}")

    def one(self, number, what, server, rows, figures):
        """Takes a measurement of either kind, keeps it, and says it in a line."""
        if isinstance(what, measures.Measure):
            found = measures.take(what, server, self, number)
            figures.add(found)
            return f"{what.name:<11} {server.name:<16} {measures.in_words(found)}"
        rows.add(self.measure(number, what, server))
        return self.in_words(rows.list[-1])

    # -- all of them

    def run(self):
        os.makedirs(self.options.output, exist_ok=True)
        pairs = self.plan()
        rows, figures = report.Rows(self.options.output), measures.Figures(self.options.output)
        plan = [(number, what, server) for number in range(1, self.options.rounds + 1)
                for what, server in pairs if number == 1 or getattr(what, "each_round", True)]
        began = time.monotonic()
        print(f"{len(pairs)} measurements a round, {self.options.rounds} rounds; CPU time by "
              f"{measure.meter_name()}", flush=True)
        try:
            for done, (number, what, server) in enumerate(plan, 1):
                text = self.one(number, what, server, rows, figures)
                left = (time.monotonic() - began) / done * (len(plan) - done)
                print(f"[{done:3}/{len(plan)}, {left / 60:4.1f} min left] {text}", flush=True)
        except KeyboardInterrupt:
            self.remark("interrupted: not all rounds were measured")
        self.finish(rows.list, figures)

    def in_words(self, row):
        figures = "no answer"
        if row.get("requests"):
            figures = (f"{row['rate']:>9,.0f}/s  p50 {report.time_text(row['p50_us']):>8}  "
                       f"p99 {report.time_text(row['p99_us']):>8}  {row['cpu_us']:7.1f} us CPU")
        wrong = report.failures(row)
        return (f"{row['load']:<11} {row['server']:<16} {figures}" +
                (f"  ! {wrong}" if wrong else ""))

    def finish(self, rows, figures):
        folder = self.options.output
        middle = report.medians(rows)
        for line in report.disturbances(rows):
            self.remark(line)
        report.write_medians(folder, middle)
        facts = machine.describe(self.peers, self.cpus, measure.meter_name())
        with open(os.path.join(folder, "system.json"), "w") as file:
            json.dump(dict(facts, rounds=self.options.rounds, seconds=self.options.seconds,
                           remarks=self.remarks), file, indent=2)
        names = []
        if charts.available():
            names, wrong = charts.draw(folder, middle)
            for line in wrong:
                self.remark(line)
        else:
            self.remark("gnuplot is missing: there are no charts")
        compared = report.comparisons(rows, middle)
        results = targets.Results(rows, middle, figures, self.asked, self.peers)
        judged = targets.lines(results, self.measures)
        report.write_markdown(folder, middle, compared, judged, self.loads,
                              machine.in_words(facts), self.remarks, names)
        for line in judged + compared:
            print(line)
        for line in report.unheld(middle):
            print("not held: " + line)
        print(f"results: {folder}")


def stop(_number, _frame):
    """The first signal ends the measurement; what follows is short, and done to its end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    options = arguments()
    for name in ("load", "floor"):
        if not os.access(os.path.join(TOOLS, name), os.X_OK):
            sys.exit(f"bench: {TOOLS}/{name} is not built: run make bench, or this from the top of "
                     "the build tree")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    measure.adopt_orphans()
    try:
        Bench(options).run()
    except KeyboardInterrupt:
        sys.exit("bench: interrupted")
    except servers.Unable as reason:
        sys.exit(f"bench: reeve does not serve: {reason}")


if __name__ == "__main__":
    main()
