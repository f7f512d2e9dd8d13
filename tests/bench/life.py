"""How long a start and a reload take, and what a master and a worker weigh before any load.

A start is timed from before the fork of the master until the master logs that the generation
serves, that is, all workers were ready; a reload from the request on the control socket to its
result. Both may use the CPU of the servers and that of the load."""
import datetime
import re
import statistics
import time

import loads
import reeve
import servers

WORKERS = 8
RELOADS = 3
NO_LOAD = loads.Load("none", "keep", 0, "/file", "")


class Eight(servers.Model):
    def launch(self, load):
        self.began = time.time()
        super().launch(load)

    def probe(self, _path):
        pass  # no request before its memory is looked at


def servers_of(bench):
    return [Eight(f"event {WORKERS} workers", bench.rows["event"], set(bench.cpus),
                  workers=WORKERS, log_level="notice")] if "event" in bench.models else []


def resident(pid):
    return int(reeve.status_field(pid, "VmRSS").split()[0]) * 1024


def start_ms(server):
    line = re.search(r"^(\S+)Z .*filling -> serving", server.daemon.log(), re.M)
    if not line:
        raise servers.Unable("the log does not say when it served")
    at = datetime.datetime.fromisoformat(line.group(1) + "+00:00").timestamp()
    return (at - server.began) * 1000


def reload_ms(server, number):
    server.daemon.configure(drain_timeout=f"{2 + number}s")  # else nothing would be reloaded
    began = time.monotonic()
    result = server.daemon.ask("reload")
    took = (time.monotonic() - began) * 1000
    if result["code"] != 0:
        raise servers.Unable(f"the reload failed: {result['text']}")
    server.daemon.settled()
    return took


def measure(server, _bench):
    server.start(NO_LOAD)
    daemon = server.daemon
    figures = {"master bytes": resident(daemon.pid),
               "worker bytes": max(resident(pid) for pid in daemon.pids().values()),
               "start ms": start_ms(server)}
    figures["reload ms"] = statistics.median(reload_ms(server, n) for n in range(RELOADS))
    return figures
