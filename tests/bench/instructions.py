"""Instructions of the worker for one request of a small file that it has in its cache: all that
conn_step of the http module calls, from bytes in to bytes queued, counted by callgrind."""
import glob
import os
import re
import shutil
import subprocess

import loads
import peers
import servers

REQUESTS = 500
FUNCTION = "conn_step"
LOAD = loads.Load("instructions", "keep", 1, "/file", "")


class Counted(servers.Model):
    """Reeve in callgrind."""

    def make_folder(self):
        folder = super().make_folder()
        plain = self.daemon.command
        self.daemon.command = lambda *words, **how: [
            "valgrind", "-q", "--tool=callgrind", "--trace-children=yes",
            f"--toggle-collect={FUNCTION}*", f"--callgrind-out-file={folder}/callgrind.%p",
            *plain(*words, **how)]
        return folder


def servers_of(bench):
    # Who has changed its user cannot be told anything: the pipes of callgrind are the first one's.
    own = {"user": "root"} if peers.ROOT else {}
    return [Counted("event in callgrind", bench.rows["event"], bench.cpus[0], **own)] \
        if "event" in bench.models else []


def control(option, pid):
    done = subprocess.run(["callgrind_control", option, str(pid)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0 or "OK" not in done.stdout:
        raise servers.Unable("callgrind_control: " + " ".join((done.stdout + done.stderr).split()))


def total(pattern):
    """What was counted before the last dump."""
    for path in glob.glob(pattern):
        with open(path) as file:
            found = re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)
        if found and int(found.group(1)):
            return int(found.group(1))
    raise servers.Unable(f"nothing was counted: has the http module no symbol {FUNCTION}?")


def ask(link, many):
    for _ in range(many):
        servers.ask_on(link, LOAD.path)


def measure(server, _bench):
    if not shutil.which("valgrind") or not shutil.which("callgrind_control"):
        raise servers.Unable("valgrind is not installed")
    server.start(LOAD)
    worker = next(iter(server.daemon.pids().values()))
    with servers.connect(server.port, 10) as link:
        ask(link, 50)  # now it is in the cache
        control("-z", worker)
        ask(link, REQUESTS)
        control("-d", worker)
    return {"instructions": total(os.path.join(server.folder, f"callgrind.{worker}*")) / REQUESTS}
