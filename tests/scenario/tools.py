"""The programs that people use: curl, wget, ab, wrk, h2load and a browser find no fault with it.
One that is not installed is skipped. Loads are small: errors are counted, not requests."""
import filecmp
import os
import re
import shutil
import struct
import zlib

from reeve import (FULL, HTTP, SITE, SLOW, Skipped, check, contains, equal, main, run, scenario,
                   until)

TOP = os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", "..")
USERS = 8
REQUESTS = 1000
FILES = 10000 if FULL else 100  # of the tree that wget takes
EACH_FOLDER = 25


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"{program} is not installed")


def url(server, path="/"):
    host, port = server.address()
    return f"http://{host}:{port}{path}"


# ---------------------------------------------------------------- loads

def hammered(case, program, *arguments, http=""):
    """Runs a load against the file and the handler; the outputs."""
    need(program)
    options = dict({"threads": 4}, **case.room(USERS))
    server = case.serve(HTTP + SITE.replace("{", "{ " + http, 1), **options)
    outputs = []
    for path in ("/index.html", "/hello"):
        done = run([program, *arguments, url(server, path)], seconds=60 * SLOW)
        equal(done.code, 0, f"exit status of {program} ({done.text})")
        outputs.append(done.out)
    return outputs


@scenario("ab -k: every request answered on a kept connection")
def ab(case):
    for out in hammered(case, "ab", "-k", "-q", "-n", str(REQUESTS), "-c", str(USERS)):
        for name, want in (("Complete", REQUESTS), ("Failed", 0), ("Keep-Alive", REQUESTS)):
            found = re.search(rf"^{name} requests:\s+(\d+)$", out, re.M)
            equal(found and int(found.group(1)), want, f"{name} requests in {out}")
        check("Non-2xx" not in out and "Write errors" not in out, f"errors in {out}")


@scenario("wrk: no error")
def wrk(case):
    for out in hammered(case, "wrk", "-t", "1", "-c", str(USERS), "-d", "1s"):
        found = re.search(r"(\d+) requests in", out)
        check(found and int(found.group(1)) > USERS, f"requests in {out}")
        check("Socket errors" not in out and "Non-2xx" not in out, f"errors in {out}")


@scenario("h2load --h1: no error")
def h2load(case):
    for out in hammered(case, "h2load", "--h1", "-n", str(REQUESTS), "-c", str(USERS)):
        contains(out, f"{REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout", "requests")
        contains(out, f"{REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx", "status codes")


@scenario("ab, wrk and h2load come again when keepalive_requests has been reached", models=())
def come_again(case):
    few = "keepalive_requests = 10"
    for out in hammered(case, "ab", "-k", "-q", "-n", str(REQUESTS), "-c", str(USERS), http=few):
        contains(" ".join(out.split()), f"Complete requests: {REQUESTS} Failed requests: 0", "ab")
        found = re.search(r"^Keep-Alive requests:\s+(\d+)$", out, re.M)
        check(found and int(found.group(1)) < REQUESTS, f"some were the last ones: {out}")
    for out in hammered(case, "wrk", "-t", "1", "-c", str(USERS), "-d", "1s", http=few):
        check("Socket errors" not in out and "Non-2xx" not in out, f"errors in {out}")
    for out in hammered(case, "h2load", "--h1", "-n", str(REQUESTS), "-c", str(USERS), http=few):
        contains(out, f"{REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout", "h2load")


# ---------------------------------------------------------------- curl

def curl(*arguments):
    done = run(["curl", "--silent", "--show-error", "--max-time", "20", *arguments])
    equal(done.code, 0, f"exit status of curl {' '.join(arguments)} ({done.err})")
    return done.out


@scenario("curl: bodies, heads, parts, conditions, uploads", models=())
def curls(case):
    need("curl")
    server = case.server(HTTP + 'http { site "default" { route "/" { static { root = "www" } }'
                         ' route "/post" { post { } } } }\n', modules=["http", "static", "post"])
    text = "".join(f"line {number}\n" for number in range(20000))
    server.write("www/text.txt", text)
    server.write("part", text[:1000])
    server.write("upload", text)
    server.start()
    text_url, what = url(server, "/text.txt"), ("--output", server.path("out"), "--write-out")
    equal(curl(text_url), text, "a body")
    equal(curl("--http1.0", text_url), text, "a body for an old client")
    contains(curl("--head", text_url), f"\nContent-Length: {len(text)}\n", "a head")
    equal(curl("--range", "5-14", text_url), text[5:15], "a part")
    contains(curl("--range", "0-1,5-6", "--include", text_url), "multipart/byteranges", "two parts")
    curl("--continue-at", "-", "--output", server.path("part"), text_url)
    equal(server.read("part"), text, "the rest of a file")
    equal(curl(*what, "%{http_code}", "--time-cond", server.path("part"), text_url), "304",
          "a file that is not newer")
    equal(curl("--etag-save", server.path("tag"), *what, "%{http_code}", text_url), "200", "a tag")
    check(re.fullmatch(r'"[^"]+"\n?', server.read("tag")), f"the tag {server.read('tag')!r}")
    equal(curl("--etag-compare", server.path("tag"), *what, "%{http_code}", text_url), "304",
          "a tag that is known")
    equal(curl(*what, "%{http_code} %{num_connects}\n", text_url, "--next", "--output", "/dev/null",
               "--write-out", "%{http_code} %{num_connects}\n", text_url), "200 1\n200 0\n",
          "two requests on one connection")
    for more in ((), ("--header", "Transfer-Encoding: chunked"),
                 ("--header", "Expect: 100-continue", "--expect100-timeout", "30")):
        equal(curl("--data-binary", "@" + server.path("upload"), *more, url(server, "/post")),
              f"{len(text)}\n", f"an upload {more}")
    equal(curl("--data", "x", *what, "%{http_code}", text_url), "405", "an upload to a file")
    equal(curl("--path-as-is", *what, "%{http_code}", url(server, "/../text.txt")), "400",
          "a path that leads out")


# ---------------------------------------------------------------- wget

def wget(*arguments, code=0):
    done = run(["wget", "--no-verbose", "--tries=1", "--timeout=20", *arguments], seconds=200)
    equal(done.code, code, f"exit status of wget {' '.join(arguments)} ({done.text[-2000:]})")
    return done.text


def plant(root, count):
    """A tree of files with an index of links in each folder, so that wget finds them all."""
    links = {}
    for number in range(0, count - count // EACH_FOLDER - 1):
        folder = f"{number // EACH_FOLDER % 10}/{number // EACH_FOLDER}"
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        links.setdefault(folder, []).append(f"{number}.bin")
        with open(os.path.join(root, folder, f"{number}.bin"), "wb") as file:
            file.write(bytes((number + at) % 256 for at in range(number % 300)) * (number % 7))
    for folder in [""] + list(links):
        names = links.get(folder) or [name + "/" for name in links]
        with open(os.path.join(root, folder, "index.html"), "w") as file:
            file.write("".join(f'<a href="{name}">{name}</a>\n' for name in names))


def tree(root):
    return sorted(os.path.relpath(os.path.join(folder, name), root)
                  for folder, _, names in os.walk(root) for name in names)


@scenario("wget -r of a tree equals the tree", models=())
def whole_tree(case):
    need("wget")
    server = case.server()
    plant(server.path("www"), FILES)
    server.start()
    wget("-r", "-l", "inf", "-nH", "-P", server.path("copy"), url(server))
    names = tree(server.path("www"))
    check(len(names) > FILES * 9 // 10, f"{len(names)} files were planted")
    equal(tree(server.path("copy")), names, "the names of the copy")
    _, different, errors = filecmp.cmpfiles(server.path("www"), server.path("copy"), names,
                                            shallow=False)
    equal((different, errors), ([], []), "files that differ")
    print(f"# {len(names)} files")


@scenario("wget: goes on where it was cut off, and leaves what is not newer", models=())
def wget_again(case):
    need("wget")
    server = case.server()
    text = "".join(f"line {number}\n" for number in range(20000))
    server.write("www/text.txt", text)
    server.write("text.txt", text[:-1000])
    server.start()
    wget("-c", "-P", server.folder, url(server, "/text.txt"))
    equal(server.read("text.txt"), text, "the whole file")
    for _ in range(2):
        wget("-N", "-P", server.folder, url(server, "/text.txt"))
    until(lambda: server.status()["totals"]["open"] == 0, "it has gone")
    sent = server.status()["totals"]["bytes"]
    check(sent < len(text), f"{sent} bytes were sent for what was there already")
    wget("-O", "/dev/null", url(server, "/none"), code=8)


# ---------------------------------------------------------------- a browser

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>demo</title>
<link rel="icon" href="picture.png"><link rel="stylesheet" href="style.css">
<script type="module" src="%s"></script></head>
<body><p id="styled">text</p><img id="picture" src="picture.png" alt="">
<img id="drawing" src="drawing.svg" alt=""><p id="result">nothing yet</p></body></html>
"""
STYLE = "#styled { width: 123px }\n"
SCRIPT = """const answer = await fetch("data.json");
const data = await answer.json();
const width = getComputedStyle(document.getElementById("styled")).width;
const picture = document.getElementById("picture"), drawing = document.getElementById("drawing");
await Promise.all([picture.decode(), drawing.decode()]);
document.getElementById("result").textContent =
    `style ${width}, picture ${picture.naturalWidth}x${picture.naturalHeight}, drawing ` +
    `${drawing.naturalWidth}, data ${data.answer}`;
"""
DRAWING = ('<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'
           '<rect width="40" height="30"/></svg>\n')
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def picture():
    """A black PNG, 3 by 2."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0\0\0\0" * 2)) + chunk(b"IEND", b""))


def browse(program, server, page):
    """Loads a page; what it then looks like, and what the console said."""
    done = run([program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-breakpad", "--disable-component-update",
                "--disable-background-networking", "--disable-sync", "--disable-extensions",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--user-data-dir=" + server.path("browser"), "--enable-logging=stderr",
                "--virtual-time-budget=10000", "--dump-dom", url(server, page)],
               seconds=50 * SLOW, env={"HOME": server.folder})
    equal(done.code, 0, f"exit status of {program} ({done.err[-2000:]})")
    return done.out, [line for line in done.err.splitlines() if "CONSOLE" in line]


@scenario("a browser shows a page with style, script and pictures, its console is silent",
          models=())
def browser(case):
    program = next(filter(shutil.which, BROWSERS), None)
    if not program:
        raise Skipped("chromium is not installed")
    server = case.server(HTTP + 'http { access_log = "access" site "default" { route "/" {'
                         ' static { root = "www" } } } }\n')
    for name, data in (("index.html", PAGE % "script.js"), ("broken.html", PAGE % "broken.js"),
                       ("style.css", STYLE), ("script.js", SCRIPT), ("drawing.svg", DRAWING),
                       ("broken.js", 'throw new Error("on purpose");\n'),
                       ("picture.png", picture()), ("data.json", '{"answer": 42}')):
        server.write("www/" + name, data)
    shutil.copytree(os.path.join(TOP, "etc", "www"), server.path("www/demo"))
    server.start()
    shown, console = browse(program, server, "/")
    contains(shown, "style 123px, picture 3x2, drawing 40, data 42", "what the script saw")
    equal(console, [], "the console")
    shown, console = browse(program, server, "/demo/")
    contains(shown, "<title>Reeve serves</title>", "the site that comes with the program")
    equal(console, [], "the console of that site")
    _, console = browse(program, server, "/broken.html")
    check(any("on purpose" in line for line in console), f"errors are told: {console}")
    server.stop()
    statuses = re.findall(r'"GET (\S+) HTTP/1.1" (\d+) ', server.read("access"))
    equal([each for each in statuses if each[1] not in ("200", "304")], [], "what failed to load")
    equal({target for target, _ in statuses} >= {"/", "/style.css", "/script.js", "/picture.png",
                                                 "/demo/"},
          True, f"what the browser asked for: {statuses}")


if __name__ == "__main__":
    main()
