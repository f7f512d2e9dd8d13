"""sandbox = "strict": which system calls a worker may make, and that a refused one is told."""
import os
import select
import signal

from client import Client, get
from reeve import (FORKING, HTTP, POOLED, SANITIZED, Skipped, check, contains, equal, main, scenario,
                   until)

# A sanitizer would tell a crash in its own way.
if SANITIZED:
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
        os.environ[name] = os.environ.get(name, "") + ":handle_segv=0:handle_abort=0"
SITE = ('http { site "default" { route "/" { static { root = "www" } } route "/do" { forbid { } }'
        ' route "/sleep" { sleep { delay = 300ms } } route "/crash" { crash { pool = true } } } }\n')
MODULES = ["http", "static", "forbid", "sleep", "crash"]

REFUSED = ("execve", "ptrace", "netlink", "alg", "unshare", "setns", "mount", "bpf", "keyctl",
           "perf_event_open", "userfaultfd", "kexec_load", "init_module", "process_vm_writev",
           "io_uring_setup", "personality", "chroot", "listen", "type", "dumpable", "kill_init",
           "fork", "spawn")
CALLED = {"netlink": "socket(0x10", "alg": "socket(0x26", "type": "ioctl(", "dumpable": "prctl(0x4",
          "kill_init": "kill(0x1", "fork": "clone(", "spawn": "clone("}
ALLOWED = ("inet", "thread", "affinity", "kill_self")
# What the search for leaks needs is allowed in a program with a sanitizer.
OF_SANITIZERS = ("ptrace", "fork", "spawn", "dumpable", "kill_init", "personality")


def strict(case, site=SITE, **options):
    """A server with strict workers; a pool of one thread, so that nothing happens twice at once."""
    case.need_no_wrap("the filter would hold for it, too")
    server = case.server(HTTP + site, modules=MODULES, sandbox="strict", **options)
    server.refusals_meant = True
    tested = server.run("-t")
    if "impossible" in tested.err:
        raise Skipped(tested.err.strip())
    equal(tested.code, 0, f"reeved -t ({tested.err})")
    contains(tested.out, 'sandbox = "strict": this kernel can', "what -t says")
    return server


def do(server, what):
    return get(server.address(), "/do?" + what).body.decode()


def told(server):
    """Can the kernel ask anybody here?"""
    if any("cannot be told" in text for text in server.logged("sandbox-less")):
        raise Skipped(server.logged("sandbox-less")[0])
    return True


@scenario("what servers do not need is refused, and told; the worker lives on")
def refused(case):
    server = strict(case, workers=1).start()
    told(server)
    before = server.pids()
    number = 0
    for what in REFUSED:
        if SANITIZED and what in OF_SANITIZERS:
            continue
        # What a process of a connection may not do beyond its worker, the kernel itself refuses.
        silent = case.model in FORKING and what in ("kill_init", "fork", "spawn")
        equal(do(server, what), "EPERM", what)
        number += not silent
        if not silent and CALLED.get(what, what) != CALLED.get("spawn"):
            text = server.until_logged("call-refused", CALLED.get(what, what + "("))[0]
            contains(text, 'sandbox = "strict" forbids: EPERM', what)
            contains(text, f"GET /do?{what}", f"what {what} was called for")
    if not SANITIZED and case.model not in FORKING:  # these two are the same call
        contains(server.until_logged("call-refused", "clone(")[0], "GET /do?fork", "a fork")
        server.until_logged("call-refused", "2 times")
    equal(do(server, "unknown"), "ENOSYS", "a call that nobody knows")
    contains(server.until_logged("call-refused", "number 9999")[0], "ENOSYS", "the log")
    for what in ALLOWED:
        equal(do(server, what), "done", what)
    sandbox = server.status()["sandbox"]
    equal((sandbox["level"], sandbox["calls"]), ("strict", True), "in status")
    equal(sandbox["refused"], number + 1, "refused calls")
    contains(server.ctl("status").out, f"system calls, {number + 1} refused", "for people")
    equal(server.pids(), before, "the workers")
    check(not server.logged("worker-crashed") and not server.logged("connection-crashed"),
          "nothing has died")


@scenario("strict workers serve files, wait in the pool, crash with last words, are reloaded and "
          "replaced in an upgrade, and nothing of that is refused")
def life(case):
    server = strict(case).start()
    server.crashes_meant = True
    server.write("www/big", os.urandom(3 << 20))
    equal(get(server.address(), "/big").body, open(server.path("www/big"), "rb").read(), "a file")
    equal(get(server.address(), "/sleep").body, b"slept\n", "what waits")
    with Client(server.address()) as client:
        client.send("GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
        client.ended()
    until(lambda: server.ask("crashes show 1")["code"] == 0, "the crash is known")
    report = server.json("crashes", "show", "1")["crash"]
    equal((report["signal"], report["module"], report["complete"]), ("SIGSEGV", "crash", True),
          "the report")
    check(len(report["frames"]) > 2, "it has a stack")
    server.all_ready(len(server.status()["workers"]) if case.row.workers == 1 else 2)
    equal(server.ctl("stacks").code, 0, "stacks of all threads")
    server.configure(log_level="debug")
    equal(server.ctl("reload").code, 0, "a reload")
    server.signal(signal.SIGUSR1)
    server.until_logged("operation", "log files opened again")
    equal(server.ctl("upgrade").code, 0, "an upgrade")
    equal(get(server.address(), "/").status, 200, "after that")
    equal(server.status()["sandbox"]["level"], "strict", "the sandbox")
    equal(server.status()["sandbox"]["refused"], 0, "calls that were refused")
    equal(server.logged("call-refused"), [], "the log")


@scenario("the successor of an upgraded master answers for workers that were there before")
def upgraded(case):
    server = strict(case, workers=1).start()
    told(server)
    with Client(server.address()) as client:
        client.send("GET /do?late HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: any(worker["current"] for worker in server.status()["workers"]) or
              select.select([client.link], [], [], 0)[0], "it is busy, or was: it sleeps for a second")
        upgrade = server.ctl("upgrade")
        equal(upgrade.code, 0, f"the upgrade ({upgrade.text})")
        equal(client.answer().body, b"EPERM", "what was called after it")
    equal(do(server, "mount"), "EPERM", "after")
    until(lambda: server.status()["sandbox"]["refused"] == 2, "both are counted")


@scenario("a worker that does nothing but call what is refused costs the master no more than so much",
          models=POOLED)
def flood(case):
    server = strict(case, workers=1).start()
    told(server)
    with Client(server.address()) as client:
        for _ in range(4096):
            equal(client.get("/do?mount").body, b"EPERM", "a refusal")
        equal(client.get("/do?mount").body, b"ENOSYS", "the kernel's own")
    server.until_logged("call-refused", "are not told")
    equal(len(server.logged("call-refused")), 14, "lines: 1, 2, 4 ... 4096 calls, and the last")
    equal(get(server.address(), "/").status, 200, "it serves")


@scenario("sandbox_calls allows more, and must be system calls", models=("event", "forking"))
def more(case):
    server = strict(case, workers=1, sandbox_calls=["listen", "socket", "prctl"]).start()
    for what in ("listen", "netlink", "dumpable"):
        equal(do(server, what), "done", what)
    equal(do(server, "mount"), "EPERM", "the rest")
    server.configure(sandbox_calls=["listen", "lissen"])
    for result in (server.run("-t"), server.ctl("reload")):
        check(result.code != 0, "it is refused")
        contains(result.text, f"reeve.conf:{server.line_of('sandbox_calls')}: sandbox_calls: there "
                 'is no system call "lissen"', "what is wrong")


@scenario("without strict nothing of that is refused, and status says so", models=("event",))
def without(case):
    server = strict(case, workers=1)
    server.configure(sandbox="files")
    server.start()
    for what in ("netlink", "kill_self", "fork", "listen"):
        equal(do(server, what), "done", what)
    sandbox = server.status()["sandbox"]
    check(sandbox["level"] in ("files", "off") and not sandbox["calls"], f"the level: {sandbox}")
    contains(server.ctl("status").out, f"sandbox        {sandbox['level']}", "for people")
    server.configure(sandbox="off")
    equal(server.ctl("reload").code, 0, "a reload")
    equal(server.status()["sandbox"]["level"], "off", "the level after that")


if __name__ == "__main__":
    main()
