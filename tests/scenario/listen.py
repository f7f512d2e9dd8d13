"""Where a server listens: IPv6, unix sockets, inherited sockets."""
import os
import shutil
import socket
import stat
import subprocess

from client import Client, connect, echo, get
from reeve import (ECHO, HTTP, ROOT, SITE, Skipped, check, contains, equal, main, own_port, run,
                   scenario, until)


@scenario("IPv6")
def six(case):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        raise Skipped(f"no IPv6 here: {error}") from None
    server = case.serve(HTTP.replace("127.0.0.1:0", "[::1]:0") + SITE)
    equal(get(server.address("[::1]:0")).status, 200, "an answer")


@scenario("every address: *:0")
def every(case):
    server = case.serve(HTTP.replace("127.0.0.1:0", "*:0") + SITE)
    port = server.address("*:0")[1]
    equal(get(("127.0.0.1", port)).status, 200, "by IPv4")
    equal(get(("127.0.0.7", port)).status, 200, "by another address")


@scenario("localhost and a name without port are what they say", models=())
def names(case):
    server = case.serve(HTTP.replace("127.0.0.1:0", "localhost:0") + SITE)
    equal(get(("127.0.0.1", server.address("localhost:0")[1])).status, 200, "localhost")


@scenario("a unix socket: mode, owner, service, and it goes at the stop")
def unix(case):
    server = case.server()
    path = server.path("web.sock")
    owner = 'owner = "nobody"' if ROOT else ""
    server.configure(f'listen "unix:{path}" {{ protocol = "http" mode = "0640" {owner} }}\n' + SITE)
    server.start()
    found = os.stat(path)
    check(stat.S_ISSOCK(found.st_mode), "a socket")
    equal(oct(found.st_mode & 0o777), "0o640", "its mode")
    if ROOT:
        equal(found.st_uid, 65534, "its owner")
    equal(get(path).status, 200, "an answer")
    with Client(path) as client:
        for _ in range(20):
            equal(client.get("/hello").status, 200, "a kept connection")
    server.stop()
    check(not os.path.exists(path), "the socket is gone")


@scenario("names that are no UTF-8 are shown, cleaned: of a unix socket, and of the configuration",
          models=())
def bytes_in_names(case):
    server = case.server()
    path = os.fsencode(server.path("caf")) + b"\xe9.sock"
    with open(server.conf, "rb") as file:
        text = b'listen "unix:' + path + b'" { protocol = "http" }\n' + file.read()
    server.conf += "\udce9"  # as Python spells the byte 0xe9
    with open(server.conf, "wb") as file:
        file.write(text)
    server.start()
    equal(get(os.fsdecode(path)).status, 200, "an answer")
    for upgraded in range(2):
        contains(server.status()["config"], r"reeve.conf\xe9", "the configuration of status")
        shown = [name for name in server.listeners() if name.startswith("unix:")]
        equal(shown, ["unix:" + server.path(r"caf\xe9.sock")], "listeners")
        contains(server.ctl("status").out, r"reeve.conf\xe9", "reevectl status")
        equal(upgraded or server.ask("upgrade")["code"], upgraded, "an upgrade")


@scenario("a unix socket that a dead server left is taken over, one in use is not", models=())
def left(case):
    server = case.server()
    path = server.path("web.sock")
    server.configure(f'listen "unix:{path}" {{ protocol = "http" }}\n' + SITE)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen()
        result = server.run(seconds=40)
        equal(result.code, 1, "exit status beside a living server")
        contains(result.text, f"reeve.conf:{server.line_of('web.sock')}: listen", "the text")
    server.start()
    equal(get(path).status, 200, "an answer after the other has ended")


@scenario("a unix socket stays the same through a reload")
def kept(case):
    server = case.server()
    path = server.path("web.sock")
    server.configure(f'listen "unix:{path}" {{ protocol = "http" }}\n' + SITE)
    server.start()
    inode = os.stat(path).st_ino
    server.configure(threads=6)
    equal(server.ctl("reload").code, 0, "exit code")
    equal((os.stat(path).st_ino, get(path).status), (inode, 200), "the socket and an answer")


@scenario("several listeners of several protocols at once")
def several(case):
    server = case.server()
    path = server.path("echo.sock")
    server.configure(HTTP + ECHO + f'listen "unix:{path}" {{ protocol = "echo" }}\n' + SITE)
    server.start()
    equal(get(server.address()).status, 200, "http")
    for address in (server.address("127.0.0.2:0"), path):
        with connect(address) as link:
            equal(echo(link, b"hello"), b"hello", f"echo at {address}")


def inherit(case, names, text):
    """Starts the server as systemd would: descriptors from 3 on, LISTEN_FDS and LISTEN_PID."""
    server = case.server(text)
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    # The shell has the PID that reeved will have: LISTEN_PID can be right before the exec. It gets
    # the sockets as 3, 4, ... by dup2 in the child.
    command = server.command()
    shell = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]

    def move():
        high = [os.dup(each.fileno()) for each in sockets]
        spare = [fd for fd in high if fd < 3 + len(high)]
        high = [os.dup(fd) if fd in spare else fd for fd in high]
        for number, fd in enumerate(high):
            os.dup2(fd, 3 + number)
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(
            shell, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=move,
            close_fds=False, start_new_session=True,
            env=dict(os.environ, LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names)))
    addresses = [each.getsockname() for each in sockets]
    for each in sockets:
        each.close()
    return server.ready(), addresses


@scenario("fd:NAME takes a socket of systemd's")
def by_name(case):
    server, (first, second) = inherit(case, ["web", "say"],
                                      'listen "fd:say" { protocol = "echo" }\n'
                                      'listen "fd:web" { protocol = "http" }\n' + SITE)
    equal(get(first).status, 200, "web")
    with connect(second) as link:
        equal(echo(link, b"hello"), b"hello", "say")
    listeners = server.listeners()
    equal(listeners["fd:web"]["origin"], "inherited", "origin")
    equal(listeners["fd:web"]["bound"], f"127.0.0.1:{first[1]}", "where it is bound")
    server.configure(threads=6)
    equal(server.ctl("reload").code, 0, "a reload keeps it")
    equal(get(first).status, 200, "web after a reload")


@scenario("fd:NUMBER takes the socket of that number, the first is 0", models=())
def by_number(case):
    _, (first, _) = inherit(case, ["unnamed", "second"],
                            'listen "fd:0" { protocol = "http" }\n' + SITE)
    equal(get(first).status, 200, "an answer")


@scenario("fd: without such a socket is refused by one line", models=())
def none(case):
    server = case.server('listen "fd:web" { protocol = "http" }\n' + SITE)
    result = server.run()
    equal(result.code, 1, "exit status")
    contains(result.text, f"reeve.conf:{server.line_of('fd:web')}: listen", "the text")


@scenario("systemd-socket-activate starts it at the first connection", models=())
def activate(case):
    if not shutil.which("systemd-socket-activate"):
        raise Skipped("no systemd-socket-activate")
    server = case.server('listen "fd:web" { protocol = "http" }\n' + SITE)
    port = own_port()
    with open(server.path("log"), "wb") as log:
        server.process = subprocess.Popen(
            ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=web",
             "-E", "ASAN_OPTIONS", "-E", "TSAN_OPTIONS", *server.command()],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    until(lambda: "Listening on" in server.log(), "it listens")
    equal(get(("127.0.0.1", port)).status, 200, "the first answer")
    equal(server.status()["pid"], server.pid, "the PID is the activator's")


if __name__ == "__main__":
    main()
