"""The small handlers: redirect and respond; and where the static one looks for files."""
import os

from client import Client, Closed, ask_raw, get
from reeve import HTTP, check, contains, equal, main, scenario

PAGE = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"  # as a browser asks for a page


def serve(case, routes, modules=("http", "static", "redirect", "respond"), **options):
    return case.serve(HTTP + 'http { site "default" { ' + routes + ' } }\n',
                      modules=list(modules), **options)


def everything(client):
    """What comes until the server closes."""
    while True:
        try:
            client.more()
        except Closed:
            return client.data


def refused(case, routes, *parts):
    """The configuration test says so in one line, with file and line."""
    server = case.server(HTTP + 'http { site "default" {\n' + routes + '\n} }\n',
                         modules=["http", "redirect", "respond", "static"])
    result = server.run("-t")
    equal(result.code, 1, f"exit code for {routes}")
    for part in (f"reeve.conf:{server.line_of(routes)}: ", *parts):
        contains(result.text, part, f"what is said of {routes}")


@scenario("redirect sends clients on, with the rest of the path and the query")
def redirect(case):
    server = serve(case, 'route "/old" { redirect { to = "/new/" status = 308 } }'
                         ' route "/one" { redirect { to = "https://example.org/x?y=1" } }'
                         ' route "/away" { redirect { to = "https://example.org/"'
                         ' status = "301" } }')
    with Client(server.address()) as client:
        for target, status, location in (
                ("/old", 308, "/new/"), ("/old/", 308, "/new/"), ("/old/a/b", 308, "/new/a/b"),
                ("/old/a%20b?x=%41&y", 308, "/new/a%20b?x=%41&y"),
                ("/old?x", 308, "/new/?x"), ("/one/a?b", 302, "https://example.org/x?y=1"),
                ("/away/a/../b/", 301, "https://example.org/b/")):
            answer = client.get(target)
            equal((answer.status, answer.field("Location")), (status, location), target)
            check(b"<h1>" in answer.body, f"{target}: a page for people")
        answer = client.get("/old/a", method="HEAD")
        equal((answer.status, answer.body), (308, b""), "HEAD")
        equal(client.send("POST /old/a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
              .answer().status, 308, "POST")


@scenario("no client makes a redirection lead where he likes, or adds a field to it", models=())
def hostile_redirect(case):
    server = serve(case, 'route "/" { redirect { to = "/" } }'
                         ' route "/s" { redirect { to = "https://example.org/s/" } }')
    for target in ("//evil.test", "///evil.test/", "/%2fevil.test", "/%2f%2fevil.test",
                   "/\\evil.test", "/%5cevil.test", "/%5c/evil.test", "/x/..//evil.test",
                   "/.//evil.test", "/%09/evil.test", "/https:%2f%2fevil.test",
                   "/a%0d%0aEvil:%201", "/a?b%0d%0aEvil:%201", "/s//evil.test", "/s/@evil.test",
                   "/s/%2e%2e/%2e%2e/x"):
        answer = get(server.address(), target)
        if answer.status == 400:
            continue
        location = answer.field("Location")
        equal(answer.status, 302, target)
        check(location.startswith("/") and location[1:2] not in ("/", "\\")
              or location.startswith("https://example.org/s/"), f"{target} leads to {location}")
        equal(answer.field("Evil"), None, target)
    answer = ask_raw(server.address(),
                     b"GET http://evil.test/a HTTP/1.1\r\nHost: evil.test\r\n\r\n")
    equal(answer.field("Location"), "/a", "the host is never taken from the request")


@scenario("respond answers with status, type, fields and body")
def respond(case):
    server = serve(case, 'route "/" { respond { status = 503 type = "text/html" body = "<p>later"'
                         ' headers = { "Retry-After: 60", "X-Two: a: b" } } }'
                         ' route "/gone" { respond { status = 410 } }'
                         ' route "/nothing" { respond { status = 204 } }'
                         ' route "/robots.txt" {'
                         ' respond { body = "User-agent: *\\nDisallow: /\\n" } }')
    with Client(server.address()) as client:
        answer = client.get("/any/thing")
        equal((answer.status, answer.body), (503, b"<p>later"), "/")
        equal([answer.field(name) for name in ("Content-Type", "Retry-After", "X-Two")],
              ["text/html", "60", "a: b"], "fields")
        equal(client.get("/", method="HEAD").field("Content-Length"), "8", "HEAD")
        answer = client.get("/gone")
        equal(answer.status, 410, "/gone")
        contains(answer.body, b"Gone", "the standard page")
        client.send("GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = everything(client)
        check(head.startswith(b"HTTP/1.1 204 ") and head.endswith(b"\r\n\r\n"), f"204: {head!r}")
        check(b"Content-" not in head, f"fields of a body in {head!r}")
    with Client(server.address()) as client:
        answer = client.get("/robots.txt")
        equal((answer.status, answer.body, answer.field("Content-Type")),
              (200, b"User-agent: *\nDisallow: /\n", "text/plain; charset=utf-8"), "/robots.txt")


@scenario("what redirect and respond cannot do is refused by file, line and option", models=())
def mistakes(case):
    refused(case, 'route "/" { redirect { } }', "to: ", "no place to send a client to")
    refused(case, 'route "/" { redirect { to = "//a/" } }', "to: ", "write a path such as")
    refused(case, 'route "/" { redirect { to = "/a b" } }', "to: ", "no URL may hold")
    refused(case, 'route "/" { redirect { to = "/" status = 200 } }', "status: ", '"301", "302"')
    refused(case, 'route "/" { respond { status = 299 } }', "status: ", "is not known")
    refused(case, 'route "/" { respond { status = 204 body = "x" } }', "body: ", "has no body")
    refused(case, 'route "/" { respond { headers = { "a" } } }', "headers: ", "write it like")
    refused(case, 'route "/" { respond { headers = { "Date: x" } } }', "headers: ", "leave it out")
    refused(case, 'route "/" { static { root = "www" fallback = "index.html" } }', "fallback: ",
            "write it like")


@scenario("the part of the path behind the route's prefix is looked up below the root", models=())
def alias(case):
    server = case.server(HTTP + 'http { site "default" {'
                         ' route "/docs" { static { root = "manual" } }'
                         ' route "/" { static { root = "www" } } } }\n',
                         modules=["http", "static"])
    for folder in ("manual/sub", "manual/docs", "www/docs"):
        os.makedirs(server.path(folder))
    server.write("manual/a.html", "manual a")
    server.write("manual/sub/b.html", "manual b")
    server.write("manual/docs/c.html", "manual c")
    server.write("www/docsa.html", "www docsa")
    server.write("www/docs/d.html", "www d")
    server.start()
    with Client(server.address()) as client:
        for target, status, body in (("/docs/a.html", 200, b"manual a"),
                                     ("/docs/sub/b.html", 200, b"manual b"),
                                     ("/docs/docs/c.html", 200, b"manual c"),
                                     ("/docs/d.html", 404, None),
                                     ("/docsa.html", 200, b"www docsa"),
                                     ("/docs/../docs/a.html", 200, b"manual a"),
                                     ("/docs/%2e%2e/www/docsa.html", 404, None)):
            answer = client.get(target)
            equal(answer.status, status, target)
            if body is not None:
                equal(answer.body, body, target)
        equal(client.get("/docs/sub").field("Location"), "/docs/sub/", "a folder's slash")


@scenario("a fallback answers for pages that are not there, and for nothing else")
def fallback(case):
    server = case.server(HTTP + 'http { site "default" { route "/" { static { root = "www"'
                         ' fallback = "/app.html" } } } }\n', modules=["http", "static"])
    os.mkdir(server.path("www/sub"))
    server.write("www/app.html", "<p>app")
    server.write("www/sub/file.txt", "file")
    server.write("www/.secret", "secret")
    server.start()
    with Client(server.address()) as client:
        for target in ("/users/7", "/users/7/", "/a.b", "/sub/none", "/app.html/more"):
            answer = client.get(target, fields=PAGE)
            equal((answer.status, answer.body), (200, b"<p>app"), target)
            contains(answer.field("Content-Type"), "text/html", target)
            contains(answer.field("Vary"), "Accept", target)
            equal(client.get(target, method="HEAD", fields=PAGE).status, 200, f"HEAD {target}")
            answer = client.get(target, fields="Accept: */*\r\n")
            equal(answer.status, 404, f"{target} by a script")
            contains(answer.field("Vary"), "Accept", f"{target} by a script")
        equal(client.get("/sub/file.txt", fields=PAGE).body, b"file", "what is there")
        equal(client.get("/", fields=PAGE).body, b"<h1>index</h1>\n", "the index")
        for target in ("/.secret", "/.none", "/.git/config", "/sub/.none/"):
            equal(client.get(target, fields=PAGE).status, 404, target)
        equal(client.send(f"POST /users/7 HTTP/1.1\r\nHost: a\r\n{PAGE}Content-Length: 0\r\n\r\n")
              .answer().status, 405, "POST")
        os.remove(server.path("www/app.html"))
        equal(client.get("/users/7", fields=PAGE).status, 404, "without the file")


@scenario("extensions: /about is answered by about.html, and only where nothing is called about")
def extensions(case):
    server = case.server(HTTP + 'http { site "default" { route "/" { static { root = "www"'
                         ' extensions = { ".html", ".txt" } } } } }\n', modules=["http", "static"])
    os.mkdir(server.path("www/sub"))
    for name in ("about.html", "about.txt", "sub/note.txt", "sub.html", "bare", "bare.html"):
        server.write("www/" + name, name)
    server.start()
    with Client(server.address()) as client:
        for target, name, kind in (("/about", b"about.html", "text/html"),
                                   ("/about.txt", b"about.txt", "text/plain"),
                                   ("/sub/note", b"sub/note.txt", "text/plain"),
                                   ("/bare", b"bare", "application/octet-stream")):
            answer = client.get(target)
            equal((answer.status, answer.body), (200, name), target)
            contains(answer.field("Content-Type"), kind, target)
        for target, status in (("/sub", 301), ("/about/", 404), ("/none", 404),
                               ("/sub/about", 404)):
            equal(client.get(target).status, status, target)
        tag = f"If-None-Match: {client.get('/about').field('ETag')}\r\n"
        equal(client.get("/about", fields=tag).status, 304, "a condition")


if __name__ == "__main__":
    main()
