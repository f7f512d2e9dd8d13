"""What a worker may do: files, capabilities, memory; and the master as the first process."""
import os
import shutil
import signal
import subprocess

from client import get
from reeve import HTTP, SANITIZED, SITE, Skipped, check, contains, equal, main, scenario, until

DENIED = "EACCES"


def site(module, options=""):
    return HTTP + (f'http {{ site "default" {{ route "/" {{ static {{ root = "www" }} }}'
                   f' route "/open" {{ {module} {{ {options} }} }} }} }}\n')


def asked(server, how, path):
    return get(server.address(), f"/open?{how}{path}").body.decode()


def need_landlock(server):
    if server.logged("sandbox-less"):
        raise Skipped(server.logged("sandbox-less")[0])


def confined(case, module, options="", **core):
    """A server with a module that opens things, and a folder with a file that the account of the
    workers may read, and one that it may write."""
    server = case.server(site(module, options), modules=["http", "static", module], **core)
    for name in ("secret", "open"):
        os.mkdir(server.path(name))
        os.chmod(server.path(name), 0o777)
        server.write(name + "/file", "text")
        os.chmod(server.path(name + "/file"), 0o666)
    return server


@scenario("workers open what modules have named, and nothing else",
          models=("event", "forking", "prefork"))
def named(case):
    server = confined(case, "open-named", 'reads = "open"')
    server.start()
    need_landlock(server)
    contains(server.logged("sandbox")[0], "confined to the files", "what the log says")
    equal(get(server.address(), "/").status, 200, "a static file")
    equal(asked(server, "r", server.path("open/file")), "opened", "a named folder")
    equal(asked(server, "w", server.path("open/file")), DENIED, "to write there")
    equal(asked(server, "r", server.path("secret/file")), DENIED, "another one")
    equal(asked(server, "r", "/etc/passwd"), "opened", "what the C library needs")
    equal(asked(server, "w", "/dev/null"), "opened", "/dev/null")
    # new workers have the new list
    server.configure(site("open-named", f'writes = "{server.path("secret")}"'))
    equal(server.ctl("reload").code, 0, "a reload")
    equal(asked(server, "w", server.path("secret/new")), "opened", "a file that is new")
    equal(asked(server, "r", server.path("open/file")), DENIED, "what is no longer named")
    server.signal(signal.SIGUSR1)
    server.until_logged("operation", "log files opened again")
    equal(get(server.address(), "/").status, 200, "after a rotation")


@scenario("sandbox_read and sandbox_write name more, and must be there", models=())
def listed(case):
    server = confined(case, "open-named")
    server.configure(sandbox="files", sandbox_read=[server.path("open")],
                     sandbox_write=[server.path("secret")])
    server.start()
    need_landlock(server)
    equal([asked(server, how, server.path(name + "/file")) for how in "rw"
           for name in ("open", "secret")], ["opened", "opened", DENIED, "opened"], "what opens")
    for path, part in (("nowhere", "is not an absolute path"), ("/nowhere", "cannot be found")):
        server.configure(sandbox_read=[path])
        for result in (server.run("-t"), server.ctl("reload")):
            check(result.code != 0, "it is refused")
            contains(result.text, f"reeve.conf:{server.line_of('sandbox_read')}: sandbox_read",
                     "the line")
            contains(result.text, part, "what is wrong")


@scenario("a module that does not say what it opens is not confined, unless asked for", models=())
def unaware(case):
    server = confined(case, "open-any")
    server.start()
    contains(server.logged("sandbox")[0], "the module open-any does not say", "what the log says")
    equal(asked(server, "w", server.path("secret/file")), "opened", "anything")
    server.configure(sandbox="files", sandbox_read=[server.path("open")])
    equal(server.ctl("reload").code, 0, "a reload")
    need_landlock(server)
    contains(server.until_logged("sandbox-guess")[0], "the module open-any does not say",
             "a warning")
    equal(asked(server, "r", server.path("open/file")), "opened", "what the operator has named")
    equal(asked(server, "r", server.path("secret/file")), DENIED, "the rest")
    server.configure(sandbox="off", sandbox_read=None)
    equal(server.ctl("reload").code, 0, "a reload")
    equal(asked(server, "r", server.path("secret/file")), "opened", "with sandbox = off")


@scenario("nor is a worker into which a library is preloaded", models=())
def preloaded(case):
    shim = os.path.abspath("tests/fault/.libs/count.so")
    if SANITIZED or not os.path.exists(shim):
        raise Skipped("nothing can be preloaded here")
    server = case.server()
    os.symlink(shim, server.path("count.so"))
    server.start(env=dict(os.environ, LD_PRELOAD=server.path("count.so")))
    contains(server.logged("sandbox")[0], "LD_PRELOAD", "what the log says")


@scenario("links that lead out of a static root are followed where they may be", models=())
def links(case):
    server = case.server()
    os.mkdir(server.path("elsewhere"))
    os.chmod(server.path("elsewhere"), 0o755)
    server.write("elsewhere/page", "elsewhere")
    os.symlink(server.path("elsewhere/page"), server.path("www/link"))
    server.configure(HTTP + SITE.replace('root = "www"', 'root = "www" symlinks = true'))
    server.start()
    equal(get(server.address(), "/link").body, b"elsewhere", "what the link leads to")


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


@scenario("workers have no capabilities, and can get none")
def capabilities(case):
    case.need_root()
    server = case.serve()
    for pid in server.pids().values():
        status = status_of(pid)
        equal({name: int(status[name], 16) for name in status if name.startswith("Cap")},
              dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0), "capabilities")
        equal(status["NoNewPrivs"], "1", "no_new_privs")


# ---------------------------------------------------------------- memory

def score_of(pid):
    with open(f"/proc/{pid}/oom_score_adj") as file:
        return int(file.read())


@scenario("workers are not protected as the master is when memory is short", models=())
def score(case):
    case.need_root()
    for given, expected in ((300, 300), (-500, 0)):
        def protect(value=given):
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write(str(value))
        try:
            server = case.server().start(preexec_fn=protect)
        except subprocess.SubprocessError:
            raise Skipped("no process can be protected here") from None
        equal(score_of(server.pid), given, "the master's")
        equal({score_of(pid) for pid in server.pids().values()}, {expected}, "the workers'")


@scenario("a worker that the kernel kills for want of memory: the log says so", models=())
def out_of_memory(case):
    case.need_root()
    case.need_no_wrap("it needs memory itself")
    server = case.server(site("open-any"), modules=["http", "static", "open-any"], workers=1)
    server.crashes_meant = True
    group = "/sys/fs/cgroup/memory/reeve-test-" + os.path.basename(server.folder)
    limit, procs = group + "/memory.limit_in_bytes", group + "/cgroup.procs"
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        group = "/sys/fs/cgroup/reeve-test-" + os.path.basename(server.folder)
        limit, procs = group + "/memory.max", group + "/cgroup.procs"
    try:
        os.mkdir(group)
        with open(limit, "w") as file:
            file.write(str(200 << 20))
    except OSError as error:
        shutil.rmtree(group, ignore_errors=True)
        raise Skipped(f"no control group can be made here: {error}") from None

    def enter():
        with open(procs, "w") as file:
            file.write(str(os.getpid()))
    try:
        server.start(preexec_fn=enter)
        before = server.pids()[0]
        try:
            asked(server, "m", "")
        except Exception:  # the answer never comes
            pass
        contains(server.until_logged("worker-crashed")[0], "memory was short", "the log")
        server.all_ready(1, besides=[before])
        server.signal(signal.SIGKILL, server.pids()[0])
        text = until(lambda: len(server.logged("worker-crashed")) > 1 and
                     server.logged("worker-crashed")[1], "the second crash")
        check("memory" not in text, f"somebody else's SIGKILL is no such thing: {text}")
        server.all_ready(1)
        server.stop()
    finally:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        until(lambda: not os.path.isdir(group) or os.rmdir(group) is None, "the group is empty")


# ---------------------------------------------------------------- the first process

@scenario("as the first process of a container: strangers are reaped, TERM ends it gracefully, and "
          "the pid file of the last time is no obstacle", models=())
def first_process(case):
    case.need_root()
    case.need_no_wrap("it is looked at through a namespace")
    if not shutil.which("unshare") or subprocess.run(
            ["unshare", "--pid", "--fork", "--mount-proc", "true"], check=False,
            capture_output=True).returncode:
        raise Skipped("no PID namespace can be made here")
    server = case.server(control="control.sock")
    server.write("reeved.pid", "1\n")       # as the same image leaves it: the PID is the same
    server.write("reeved.pid.lock", "1\n")
    # A child of the shell that becomes the master: started before, ended after the exec.
    stranger = f'(while [ ! -e {server.path("go")} ]; do sleep 0.05; done) & exec "$@"'
    with open(server.path("log"), "ab") as log:
        server.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", stranger,
             "sh", *server.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
    server.ready()
    equal(server.read("reeved.pid"), "1\n", "the pid file")
    equal(get(server.address()).status, 200, "an answer")
    server.write("go", "")
    server.until_logged("stranger-reaped")
    with open(f"/proc/{server.pid}/task/{server.pid}/children") as file:
        master = int(file.read().split()[0])
    os.kill(master, signal.SIGTERM)
    equal(server.wait(), 0, "exit status")
    check(server.logged("stopped"), "it has stopped in good order")


if __name__ == "__main__":
    main()
