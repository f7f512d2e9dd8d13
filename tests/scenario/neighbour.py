"""Other users of the machine: what they may put in the way of the files and sockets of a server
that is root's, and what they can do at its control socket."""
import os
import resource
import stat
import time
from contextlib import contextmanager

from client import get
from reeve import (DEADLINE, HTTP, ROOT, SANITIZED, SITE, SLOW, check, contains, cpu_time, equal, main,
                   scenario, status_field, until)

ACCESS = ('http { access_log = "logs/access.log" site "default" {'
          ' route "/" { static { root = "www" } } } }\n')
NOBODY, STRANGER = 65534, 65533


def victim(server):
    """A file that is none of the server's business; its path and how it looks."""
    path = server.write("victim", "precious\n")
    os.chmod(path, 0o600)
    return path, look(path)


def look(path):
    found = os.lstat(path)
    with open(path, "rb") as file:
        return oct(found.st_mode), found.st_uid, found.st_gid, file.read()


@contextmanager
def user(number):
    """As that user and group, and in no other group."""
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(number)
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


# ---------------------------------------------------------------- files

@scenario("a link in the place of a unix socket: a reload does not touch its target",
          models=())
def socket_link(case):
    server = case.server()
    path = server.path("web.sock")
    listen = 'listen "unix:%s" { protocol = "http" mode = "%s" %s }\n'
    server.configure(listen % (path, "0600", "") + SITE)
    server.start()
    target, before = victim(server)
    os.unlink(path)
    os.symlink(target, path)
    owner = 'owner = "nobody"' if ROOT else ""
    server.configure(listen % (path, "0666", owner) + SITE)
    equal(server.ctl("reload").code, 0, "exit code of reload")
    equal(look(target), before, "mode, owner and content of the link's target")
    contains(server.until_logged("listen-failed")[0], "web.sock", "the log")
    server.stop()
    equal(look(target), before, "the target after the stop")


def in_the_way(case, make):
    """The access log's place is taken by something else; reopen-logs must say so at once."""
    server = case.server()
    os.mkdir(server.path("logs"))
    server.configure(HTTP + ACCESS)
    server.start()
    target, before = victim(server)
    log = server.path("logs/access.log")
    os.rename(log, log + ".1")
    make(log, target)
    result = server.ctl("reopen-logs")
    equal(result.code, 1, f"exit code of reopen-logs ({result.text})")
    contains(result.text, "logs/access.log", "the text")
    equal(server.ask("health")["code"], 0, "health")
    get(server.address())
    until(lambda: "GET /" in server.log("logs/access.log.1"), "the old file stays in use")
    equal(look(target), before, "the link's target")
    os.unlink(log)
    equal(server.ctl("reopen-logs").code, 0, "exit code when it has gone")


@scenario("a link in the place of the access log is not followed", models=())
def log_link(case):
    in_the_way(case, lambda log, target: os.symlink(target, log))


@scenario("a FIFO in the place of the access log does not stop the master", models=())
def log_fifo(case):
    in_the_way(case, lambda log, target: os.mkfifo(log))


@scenario("a link in the place of a log at the start: the server does not start", models=())
def log_link_first(case):
    server = case.server(error_log="error.log")
    target, before = victim(server)
    os.symlink(target, server.path("error.log"))
    result = server.run()
    equal(result.code, 1, "exit status")
    contains(result.text, "error.log", "the text")
    equal(look(target), before, "the link's target")


@scenario("no other user can hold the locks", models=())
def locks(case):
    server = case.serve()
    for name in ("control.sock.lock", "reeved.pid.lock"):
        equal(oct(os.stat(server.path(name)).st_mode & 0o777), "0o600", f"mode of {name}")


@scenario("a link in the place of the new pid file is not followed", models=())
def pid_link(case):
    server = case.server()
    target, before = victim(server)
    os.symlink(target, server.path("reeved.pid.new"))
    server.start()
    equal(look(target), before, "the link's target")
    equal(server.read("reeved.pid"), f"{server.pid}\n", "the pid file")
    check(not os.path.islink(server.path("reeved.pid")), "it is a file")


@scenario("control names a file that is no socket: refused, and the file stays", models=())
def control_file(case):
    server = case.server()
    target, before = victim(server)
    result = server.run("-o", f"control={target}")
    equal(result.code, 1, "exit status")
    contains(result.text, target, "the text")
    contains(result.text, "no socket", "the text")
    equal(look(target), before, "the file")


# ---------------------------------------------------------------- the control socket

@scenario("the control socket: its group may connect, the kernel keeps others out", models=())
def door(case):
    case.need_root()
    server = case.serve(control_group="nogroup")
    found = os.stat(server.control)
    equal((oct(found.st_mode), found.st_uid, found.st_gid),
          (oct(stat.S_IFSOCK | 0o660), 0, NOBODY), "mode, owner and group")
    with user(NOBODY):
        equal(server.ask("health")["code"], 0, "health for the group")
        equal(server.ask("stop")["code"], 1, "stop for the group")
    with user(STRANGER):
        try:
            server.connect_control().close()
            check(False, "a stranger could connect")
        except PermissionError:
            pass
    server.stop()
    server.configure(control_group="")
    server.start()
    equal(oct(os.stat(server.control).st_mode & 0o777), "0o600", "mode without a group")


@scenario("readers that fill all their places leave root's alone", models=())
def readers(case):
    case.need_root()
    server = case.serve(control_group="nogroup")
    idle = []
    try:
        with user(NOBODY):
            for _ in range(64):
                idle.append(server.connect_control())
                idle[-1].sendall(b"health\n")
                check(b'"code":0' in idle[-1].recv(4096), "a reader is answered")
            idle.append(server.connect_control())
            equal(idle[-1].recv(4096), b"", "what one reader too many hears")
        equal(server.ctl("status").code, 0, "exit code of root's status")
        equal(server.ctl("reload").code, 0, "exit code of root's reload")
    finally:
        for control in idle:
            control.close()
    with user(NOBODY):
        until(lambda: server.ask("health")["code"] == 0, "there is room again")


@scenario("a master without a descriptor for one more client rests, and answers when it has one",
          models=())
def exhausted(case):
    server = case.serve()
    first = server.connect_control()
    first.sendall(b"health\n")
    first.recv(4096)  # whoever came before it is gone in the master too
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{server.pid}/fd")}
    free = min(set(range(len(used) + 1)) - used)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (free, limits[1]))
    with first, server.connect_control() as control:
        control.sendall(b"health\n")
        before, began = cpu_time(server.pid), time.monotonic()
        control.settimeout(0.5)
        try:
            check(not control.recv(4096), "nobody is answered")
        except TimeoutError:
            pass
        took, passed = cpu_time(server.pid) - before, time.monotonic() - began
        check(took < 0.3 * passed, f"the master has computed for {took:.2f} s of {passed:.2f} s")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        control.settimeout(DEADLINE)
        contains(control.recv(4096).decode(), '"code":0', "the answer")


@scenario("clients that ask thousands of times and read nothing: others are answered at once",
          models=())
def flood(case):
    server = case.serve(workers=4)
    equal(server.ask("status")["code"], 0, "status")
    before = int(status_field(server.pid, "VmHWM").split()[0])
    flood = [server.connect_control() for _ in range(30)]
    try:
        for control in flood:
            control.setblocking(False)
            control.send(b"status\n" * 2300)
        for _ in range(5):
            began = cpu_time(server.pid)  # not by the clock: others may use the machine
            equal(server.ask("health")["code"], 0, "health")
            took = cpu_time(server.pid) - began
            check(took < SLOW, f"the master has computed for {took:.2f} s before it answered")
    finally:
        for control in flood:
            control.close()
    grown = int(status_field(server.pid, "VmHWM").split()[0]) - before
    if not SANITIZED:  # the address sanitizer keeps what is freed
        check(grown < 16384, f"the master has grown by {grown} KiB")


if __name__ == "__main__":
    main()
