"""Folders without an index file: the list that a person, a script, wget and a browser get."""
import html.parser
import json
import os
import random
import shutil
import urllib.parse

from client import Client, get
from reeve import DEADLINE, FULL, HTTP, Skipped, check, equal, main, run, scenario

LISTED = HTTP + ('http { site "default" { route "/" { static { root = "www" index = {}'
                 ' listing = true %s } } } }\n')

# Names that somebody who may only create files could choose.
HOSTILE = [b"\"><script>console.error('ran')</script>".replace(b"/", b"\xe2\x88\x95"),
           b"<img src=x onerror=console.error('ran')>", b"' onmouseover='x", b"a&amp;b",
           b"javascript:alert(1)", b"%41%00%2f", b"what?is#this", b"back\\slash", b"line\nfeed",
           b"tab\tbell\x07", b"--help", b"b\xc3\xa4r \xe2\x82\xac", b"bad\xff\xfebytes", b"cut\xc3",
           b"turn\xe2\x80\xaegpj.exe", b" blank ", b"+plus;semi,colon:", b"http:", b"~tilde",
           b"</title></table>".replace(b"/", b"\\")]


class Page(html.parser.HTMLParser):
    """The links of a page, and every element that it is made of."""

    def __init__(self, text):
        super().__init__()
        self.links, self.elements, self.attributes = [], set(), set()
        self.feed(text.decode())  # must be UTF-8
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "a":
            self.links.append(dict(attrs)["href"])


def listed(case, options="", **core):
    """A server that lists its folder www, which is empty; not started."""
    server = case.server(LISTED % options, **core)
    os.remove(server.path("www/index.html"))
    return server


@scenario("a folder without index is listed: folders first, sizes, times, a way up")
def page(case):
    server = listed(case)
    os.makedirs(server.path("www/sub/inner"))
    server.write("www/sub/b.txt", "x" * 1536)
    server.write("www/sub/a.txt", "")
    os.utime(server.path("www/sub/b.txt"), (1795215662, 1795215662))
    server.start()
    answer = get(server.address(), "/sub/")
    equal((answer.status, answer.field("Content-Type")), (200, "text/html; charset=utf-8"), "/sub/")
    equal(answer.field("Vary"), "Accept", "Vary")
    equal(Page(answer.body).links, ["../", "inner/", "a.txt", "b.txt"], "links")
    for part in (b"1.5 KiB", b"2026-11-20 23:01", b"<title>/sub/</title>"):
        check(part in answer.body, f"no {part} in {answer.body}")
    equal(Page(get(server.address(), "/").body).links, ["sub/"], "links of the root")


@scenario("a listing is JSON for who prefers that", models=())
def for_programs(case):
    server = listed(case)
    os.mkdir(server.path("www/sub"))
    os.utime(server.path("www/sub"), (1795215662, 1795215662))
    for name in HOSTILE:
        with open(os.path.join(server.path("www").encode(), name), "wb") as file:
            file.write(b"x" * len(name))
        os.utime(file.name, (1795215662, 1795215662))
    server.start()
    answer = get(server.address(), "/", fields="Accept: application/json\r\n")
    equal(answer.field("Content-Type"), "application/json", "type")
    entries = json.loads(answer.body)
    equal(entries[0], {"name": "sub", "type": "directory", "size": None,
                       "modified": "2026-11-20T23:01:02Z"}, "the folder")
    got = sorted((each["name"], each["size"], each["type"]) for each in entries[1:])
    want = sorted((name.decode(errors="replace"), len(name), "file") for name in HOSTILE)
    equal(got, want, "the files")
    for accept, kind in (("text/html, application/json;q=0.9", "text/html"),
                         ("application/json, */*;q=0.1", "application/json"), ("*/*", "text/html")):
        answer = get(server.address(), "/", fields=f"Accept: {accept}\r\n")
        equal(answer.field("Content-Type").split(";")[0], kind, accept)


@scenario("a hostile name adds nothing to the page, and its link leads to its file", models=())
def hostile(case):
    server = listed(case)
    server.write("www/plain", "plain")
    plain = Page(get(server.start().address(), "/").body)
    for name in HOSTILE:
        with open(os.path.join(server.path("www").encode(), name), "wb") as file:
            file.write(name)
    answer = get(server.address(), "/")
    full = Page(answer.body)
    equal(full.elements, plain.elements, "the elements of the page")
    equal(full.attributes, plain.attributes, "their attributes")
    equal(len(full.links), len(HOSTILE) + 1, "links")
    found = set()
    with Client(server.address()) as client:
        for link in full.links:
            base = "http://localhost/"
            target = urllib.parse.urljoin(base, link)
            check(target.startswith(base), f"{link} leads to {target}")
            answer = client.get(target[len(base) - 1:])
            equal(answer.status, 200, link)
            found.add(answer.body)
    equal(found, set(HOSTILE + [b"plain"]), "what the links lead to")


@scenario("a redirect to a folder stays on this server and keeps the query", models=())
def redirect(case):
    server = listed(case)
    for name in ("evil.example", "\\evil.example", "sub"):
        os.mkdir(server.path("www/" + name))
    server.start()
    for target, want in (("//evil.example", "/evil.example/"),
                         ("///evil.example", "/evil.example/"),
                         ("/.//evil.example", "/evil.example/"),
                         ("/sub/..//evil.example", "/evil.example/"),
                         ("/%2fevil.example", "/evil.example/"),
                         ("/%2F%2Fevil.example?a=//b", "/evil.example/?a=//b"),
                         ("/\\evil.example", "/%5Cevil.example/"),
                         ("/%5cevil.example", "/%5Cevil.example/"),
                         ("http://localhost//evil.example", "/evil.example/"),
                         ("/sub?x=%0d%0aSet-Cookie:y", "/sub/?x=%0d%0aSet-Cookie:y")):
        answer = get(server.address(), target)
        equal((answer.status, answer.field("Location")), (301, want), target)
        equal(answer.field("Set-Cookie"), None, "no further field")


@scenario("a folder with more than listing_limit entries is cut, and says so", models=())
def limit(case):
    server = listed(case, "listing_limit = 20")
    for number in range(21):
        server.write(f"www/{number:02}", "")
    server.start()
    answer = get(server.address(), "/")
    equal(len(Page(answer.body).links), 20, "links")
    check(b"more than is shown" in answer.body, "the page says that it is cut")
    equal(answer.field("Listing-Limit"), "20", "Listing-Limit")
    os.remove(server.path("www/07"))
    answer = get(server.address(), "/")
    equal((len(Page(answer.body).links), answer.field("Listing-Limit")), (20, None), "one less")


@scenario("types, default_type, charset and dotfiles are as configured", models=())
def types(case):
    server = listed(case, 'types = { "md text/plain", "log text/x-log; charset=latin1" }'
                          ' default_type = "text/x-none" charset = "iso-8859-1" dotfiles = "serve"')
    os.mkdir(server.path("www/.git"))
    for name in ("a.md", "a.log", "a.css", "a.png", "none", ".git/config"):
        server.write("www/" + name, name)
    server.start()
    for name, kind in (("a.md", "text/plain; charset=iso-8859-1"),
                       ("a.log", "text/x-log; charset=latin1"),
                       ("a.css", "text/css; charset=iso-8859-1"), ("a.png", "image/png"),
                       (".git/config", "text/x-none; charset=iso-8859-1"),
                       ("none", "text/x-none; charset=iso-8859-1")):
        answer = get(server.address(), "/" + name)
        equal((answer.status, answer.field("Content-Type")), (200, kind), name)
    check(".git/" in Page(get(server.address(), "/").body).links, ".git is listed")


@scenario("a bad type, charset or limit is refused by a line that says what to write", models=())
def mistakes(case):
    for options, part in (('types = { "md" }', '"md" is no extension with a media type'),
                          ('charset = "a b"', '"a b" is no name of a character set'),
                          ('default_type = "x"', '"x" is no media type'),
                          ("listing_limit = 0", "listing_limit"),
                          ('dotfiles = "show"', "dotfiles")):
        result = listed(case, options).run("-t")
        check(result.code != 0 and part in result.text, f"{options}: {result.code} {result.text}")


def grow(root, files):
    """A tree of that many files, with names of all kinds; what stands in it, by path."""
    chance, tree, folders = random.Random(4), {}, [""]
    words = ["plain", "two words", "b\u00e4r", "50%", "a+b", "q?a", "x#y", "a&b", "semi;colon",
             "it's", "\u6587\u5b57", "c:d", "(e)", "~f", "[g]"]
    for number in range(files):
        if number % 25 == 0:
            name = f"{chance.choice(words)} {number}"
            folders.append(chance.choice(folders[-8:]) + name + "/")
            os.makedirs(os.path.join(root, folders[-1]))
        path = f"{chance.choice(folders)}{chance.choice(words)}-{number}.bin"
        tree[path] = chance.randbytes(chance.choice((0, 10, 300, 5000, 40000)))
        with open(os.path.join(root, path), "wb") as file:
            file.write(tree[path])
    return tree


def harvest(root):
    """All files below a folder, by path; the pages of wget left out."""
    tree = {}
    for folder, _, names in os.walk(root):
        for name in names:
            if name != "index.html":
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    tree[os.path.relpath(path, root)] = file.read()
    return tree


@scenario("wget -r of a generated tree equals the tree", models=())
def recursive(case):
    if not shutil.which("wget"):
        raise Skipped("wget is not installed")
    server = listed(case)
    tree = grow(server.path("www"), 10000 if FULL else 400)
    os.mkdir(server.path("got"))
    server.start()
    host, port = server.address()
    result = run(["wget", "-r", "-l", "inf", "-np", "-nH", "-nv", "-e", "robots=off", "--no-config",
                  "--no-proxy", "--tries=1", "--no-iri", "--restrict-file-names=nocontrol",
                  "-P", server.path("got"), f"http://{host}:{port}/"],
                 seconds=DEADLINE * (24 if FULL else 4), env={"LC_ALL": "C.UTF-8"})
    equal(result.code, 0, f"wget ({result.text[-500:]})")
    got = harvest(server.path("got"))
    equal(sorted(got), sorted(tree), "the names")
    equal([path for path in tree if got[path] != tree[path]], [], "files that differ")


def browse(chromium, folder, url):
    """What a browser makes of a page, as HTML; and what it wrote to its console."""
    result = run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                  "--disable-dev-shm-usage", "--disable-background-networking",
                  "--disable-component-update", "--no-proxy-server", "--enable-logging=stderr",
                  f"--user-data-dir={folder}", "--dump-dom", url], seconds=DEADLINE * 4,
                 env={"HOME": folder})
    equal(result.code, 0, f"chromium ({result.err[-500:]})")
    return result.out, [line for line in result.err.splitlines() if "CONSOLE" in line]


@scenario("a browser shows a listing with no word on its console", models=())
def browser(case):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise Skipped("chromium is not installed")
    server = listed(case)
    os.mkdir(server.path("www/sub"))
    for name in HOSTILE:
        with open(os.path.join(server.path("www/sub").encode(), name), "wb") as file:
            file.write(name)
    server.write("www/loud.html", "<p>loud<script>console.error('heard')</script>")
    server.start()
    host, port = server.address()
    loud = browse(chromium, server.path("browser"), f"http://{host}:{port}/loud.html")
    check("heard" in "".join(loud[1]), f"a console error is seen when there is one: {loud}")
    shown, console = browse(chromium, server.path("browser"), f"http://{host}:{port}/sub/")
    equal(console, [], "the console")
    page = Page(shown.encode())
    equal(len(page.links), len(HOSTILE) + 1, "links that the browser sees")
    check("script" not in page.elements and "img" not in page.elements, f"{page.elements}")


if __name__ == "__main__":
    main()
