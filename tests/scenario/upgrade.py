"""Upgrade in place: another program takes over as the master, under the same PID, with everything
that the old one held; or it does not, and the old one goes on."""
import os
import re
import shutil
import signal

from client import KEPT, ONE_EACH, Load, connect, echo, get
from reeve import (ECHO, FULL, HTTP, REEVED, SITE, check, contains, equal, main, run, scenario,
                   until)

UPGRADES = 20 if FULL else 3
INDEX = b"<h1>index</h1>\n"
VERSION = re.search(r"reeved (\S+)", run([REEVED, "-V"]).out).group(1)
NEXT = re.sub(r"[0-9]", "9", VERSION)


def newer(server, name="reeved-next"):
    """The program with another version, which nothing but its text tells."""
    with open(REEVED, "rb") as file:
        program = file.read()
    old, new = (b"\0" + text.encode() + b"\0" for text in (VERSION, NEXT))
    path = server.write(name, program.replace(old, new))
    os.chmod(path, 0o755)
    return path


@scenario(f"{UPGRADES} upgrades under load: no request is lost, the PID stays")
def under_load(case):
    server = case.serve(**case.room(8))
    pid, address = server.pid, server.address()
    with Load(address, INDEX, kind=KEPT, clients=3) as kept, \
            Load(address, INDEX, kind=ONE_EACH, clients=3) as each:
        for number in range(UPGRADES):
            kept.more(10)
            each.more(10)
            before = set(server.pids().values())
            result = server.ctl("upgrade")
            equal(result.code, 0, f"exit code ({result.text})")
            contains(result.out, f"reeved {VERSION} -> {VERSION}: generation {number + 2} serves",
                     "the text")
            status = server.status()
            equal((status["pid"], status["generation"]), (pid, number + 2), "PID and generation")
            check(not before & set(server.pids().values()), "the workers are new ones")
            if number == 0:
                server.settled()
                descriptors = server.descriptors()
        kept.more(10)
        each.more(10)
        requests = server.status()["totals"]["requests"]
        check(requests >= kept.good + each.good - 12, f"{requests} requests counted, {kept}, {each}")
        server.settled()
        equal(server.descriptors(), descriptors, "descriptors of the master")
    for load in (kept, each):
        equal((load.refused, load.failed_new, load.failed_kept, load.wrong), (0, 0, 0, 0), str(load))


@scenario("a program of another version, from another path, takes over and is upgraded in turn",
          models=())
def another(case):
    server = case.serve()
    path = newer(server)
    result = server.ctl("upgrade", "--binary", path)
    equal(result.code, 0, f"exit code ({result.text})")
    contains(result.out, f"reeved {VERSION} -> {NEXT}: generation 2 serves", "the text")
    equal(server.status()["version"], NEXT, "version of the running one")
    for pid in (server.pid, *server.pids().values()):
        equal(os.readlink(f"/proc/{pid}/exe"), path, "the program")
    result = server.ctl("upgrade")
    contains(result.out, f"reeved {NEXT} -> {NEXT}: generation 3 serves", "its own upgrade")
    result = server.ctl("upgrade", "--binary", REEVED)
    contains(result.out, f"reeved {NEXT} -> {VERSION}: generation 4 serves", "back again")
    equal(get(server.address()).body, INDEX, "it serves")


if __name__ == "__main__":
    main()
