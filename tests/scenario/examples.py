"""The examples of README and reeve-module(3): each compiles as it is printed, without a warning,
and those that are whole modules serve."""
import os
import re
import shutil
import subprocess
import textwrap

from client import Client, connect, echo, get
from reeve import ECHO, HTTP, Skipped, check, equal, main, scenario

TOP = os.environ.get("top_srcdir", "..")
WARNINGS = ("-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-Werror")
# What a part of a program leaves to its reader.
AROUND = ("#include <stdio.h>\n#include <reeve/http.h>\n#include <reeve/protocol.h>\n"
          "int page_from_database(reeve_request *, void *);\n")


def of_readme():
    with open(os.path.join(TOP, "README")) as file:
        found = re.search(r"^ *cat > /tmp/time\.c <<'EOF'\n(.*?)^ *EOF$", file.read(), re.M | re.S)
    check(found, "README has the module time")
    return textwrap.dedent(found[1])


def of_manual():
    """The blocks of C, by the name of the first function or module in each."""
    with open(os.path.join(TOP, "man/reeve-module.3")) as file:
        blocks = re.findall(r"^\.EX\n(.*?)^\.EE", file.read(), re.M | re.S)
    texts = [block.replace("\\-", "-").replace("\\e", "\\") for block in blocks]
    return {re.search(r"static \w+ (\w+?)_", text)[1]: text for text in texts
            if re.search(r"^static ", text, re.M)}


def compiled(case, name, text):
    """The path of the shared object."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Skipped("there is no C compiler")
    server = case.server()
    source, path = server.write(name + ".c", text), server.path(name + ".so")
    result = subprocess.run([compiler, *WARNINGS, "-I", os.path.join(TOP, "src/include"), "-shared",
                             "-fPIC", source, "-o", path], capture_output=True, text=True)
    equal(result.stderr, "", f"what the compiler says of {name}")
    equal(result.returncode, 0, f"exit status of the compiler, of {name}")
    return path


def site(route):
    return HTTP + 'http { site "default" { ' + route + " } }\n"


@scenario("README: the module time answers, and leaves the workers confined", models=())
def readme(case):
    path = compiled(case, "time", of_readme())
    server = case.serve(site('route "/time" { time { } }'), modules=["http", path])
    check(get(server.address(), "/time").body.strip().isdigit(), "seconds")
    check("does not say" not in server.status()["sandbox"]["note"], "it says what it opens")


@scenario("the manual: hello and echo serve, and leave the workers confined", models=())
def whole(case):
    examples = of_manual()
    hello = compiled(case, "hello", examples["hello"])
    own = compiled(case, "echo", AROUND + examples["echo"])
    server = case.serve(ECHO + site('route "/" { hello { text = "hi" } }'),
                        modules=["http", hello, own])
    equal(get(server.address(), "/").body, b"hi", "hello")
    with connect(server.address("127.0.0.2:0")) as link:
        equal(echo(link, b"to and fro"), b"to and fro", "echo")
    check("does not say" not in server.status()["sandbox"]["note"], "they say what they open")


@scenario("the manual: upload takes a body in pieces", models=())
def upload(case):
    path = compiled(case, "upload", of_manual()["upload"])
    server = case.serve(site('route "/" { upload { } }'), modules=["http", path])
    with Client(server.address()) as client:
        head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n"
        equal(client.send(head.format(200000) + 200000 * "x").answer().status, 204, "an upload")
        equal(client.get("/").status, 400, "a request without a body")


@scenario("the manual: every other example compiles, too", models=())
def parts(case):
    examples = of_manual()
    equal(sorted(examples), ["count", "echo", "hello", "page", "upload"], "the examples")
    for name in ("count", "page"):
        compiled(case, name, AROUND + examples[name])


if __name__ == "__main__":
    main()
