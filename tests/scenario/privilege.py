"""Who the processes are: the master may be root, workers are not."""
import os
import pwd

from client import get
from reeve import HTTP, ROOT, SITE, check, equal, main, open_files, scenario, status_field


def account():
    try:
        return pwd.getpwnam("reeve").pw_uid
    except KeyError:
        return pwd.getpwnam("nobody").pw_uid


def users(pid):
    return set(status_field(pid, "Uid").split()), set(status_field(pid, "Gid").split())


@scenario("started as root: workers become reeve or nobody, with no new privileges and no groups")
def dropped(case):
    case.need_root()
    server = case.serve()
    for pid in server.pids().values():
        ids, groups = users(pid)
        equal(ids, {str(account())}, "user of a worker")
        check("0" not in groups, "group of a worker")
        check("0" not in status_field(pid, "Groups").split(), "further groups of a worker")
        equal(status_field(pid, "NoNewPrivs"), "1", "NoNewPrivs")
        equal(int(status_field(pid, "CapEff"), 16), 0, "capabilities")
        equal(int(status_field(pid, "CapPrm"), 16), 0, "permitted capabilities")
    equal(users(server.pid)[0], {"0"}, "user of the master")
    equal(get(server.address()).status, 200, "it serves")


@scenario("user and group as configured")
def chosen(case):
    case.need_root()
    server = case.serve(user="daemon", group="nogroup")
    for pid in server.pids().values():
        equal(users(pid), ({str(pwd.getpwnam("daemon").pw_uid)}, {"65534"}), "user and group")
    equal(server.status()["user"], "daemon", "user in status")


@scenario('user = "root" serves as root, and nothing else does')
def as_root(case):
    case.need_root()
    server = case.serve(user="root")
    for pid in server.pids().values():
        equal(users(pid)[0], {"0"}, "user of a worker")
        equal(status_field(pid, "NoNewPrivs"), "1", "NoNewPrivs")
    equal(get(server.address()).status, 200, "it serves")


@scenario("started by an ordinary user it serves as that user")
def ordinary(case):
    server = case.server()
    how = {}
    if ROOT:
        for name in (".", "www", "www/index.html", "reeve.conf"):
            os.chown(server.path(name), 65534, 65534)
        how = {"user": 65534, "group": 65534, "extra_groups": []}
        case.need_nobody()
    server.start(**how)
    for pid in [server.pid, *server.pids().values()]:
        equal(users(pid)[0], {str(65534 if ROOT else os.geteuid())}, "user")
    equal(get(server.address()).status, 200, "it serves")


@scenario("a worker holds what it needs and nothing of the master's")
def descriptors(case):
    server = case.serve(HTTP + SITE)
    for pid in server.pids().values():
        files = open_files(pid)
        check(not any("control.sock" in path or "reeved.pid" in path for path in files),
              f"files {files}")
        sockets = [path for path in files if path.startswith("socket:")]
        check(len(sockets) <= 5,
              f"a listener, the two ends of its passage, a channel, not {sockets}")


@scenario("the master loads no module and stays one thread")
def lean(case):
    server = case.serve()
    equal(status_field(server.pid, "Threads"), "1", "threads of the master")
    with open(f"/proc/{server.pid}/maps") as file:
        check("http.so" not in file.read(), "no module in the master")
    with open(f"/proc/{server.pids()[0]}/maps") as file:
        check("http.so" in file.read(), "the worker has it")


if __name__ == "__main__":
    main()
