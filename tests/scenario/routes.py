"""Sites and routes over HTTP: which one takes a request, and who may ask for it."""
import base64
import os
import re
import signal
import socket

from client import Client, get
from reeve import HTTP, POOLED, TOGETHER, Skipped, check, contains, equal, main, scenario, until

# Made by htpasswd -B -C 4, and by crypt(3) with $6$ and few rounds: a test has no time to waste.
USERS = ("alice:$2y$04$SPEtHOM3p2.UFlBhV4UtAeJYaVQ409pHsV001YFtxiEjx/ngbGkD.\n"
         "# a comment\n\n"
         "bob:$6$rounds=1000$saltsalt$5Oji4y.RQw4TBqlwXcGLBsxSL7.Pw5hdIpFnzMJTl."
         "OaKsU3EiPTP5NseI3oKDT8iioErVqshwXGd40hlWBLx1:further text\n")
CHALLENGE = 'Basic realm="the manor", charset="UTF-8"'


DENY, OPEN = 'deny = { "all" }', 'auth_file = "off"'
ONLY_SIX, ONLY_UNIX = 'allow = { "::1" }', 'allow = { "unix" }'


def says(word, more=""):
    return f'{{ {more} hello {{ text = "{word}" }} }}'


def basic(user, password):
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {token}\r\n"


@scenario("a site is found by its name, a wildcard, or takes the rest", models=())
def wildcards(case):
    server = case.serve(HTTP + 'http {\n'
                        f' site "default" {{ route "/" {says("default")} }}\n'
                        f' site "*.example.org" {{ route "/" {says("star")} }}\n'
                        f' site "deep" {{ names = {{ "*.a.example.org" }}'
                        f' route "/" {says("deep")} }}\n'
                        f' site "www.example.org" {{ route "/" {says("www")} }} }}\n')
    with Client(server.address()) as client:
        for host, want in (("www.example.org", "www"), ("WWW.Example.ORG.", "www"),
                           ("x.example.org", "star"), ("X.Y.example.org:8080", "star"),
                           ("a.example.org", "star"), ("b.a.example.org", "deep"),
                           ("c.b.A.example.org", "deep"), ("xexample.org", "default"),
                           ("example.org", "default"), (".example.org", "default"),
                           ("x.example.org.net", "default"),
                           ("x" * 250 + ".example.org", "default")):
            equal(client.get("/", host=host).body.decode(), want, host)


@scenario("an exact route comes before any prefix", models=())
def exact(case):
    server = case.serve(HTTP + 'http { site "default" {\n'
                        f' route "/" {says("all")} route "= /" {says("front")}\n'
                        f' route "/a" {says("a")} route "= /a" {says("only a")}\n'
                        f' route "= /b" {says("only b")} route "= /c/" {says("only c/")}\n'
                        f' route "/a/b-x" {says("a b-x")} route "/a/b" {says("a b")} }} }}\n')
    with Client(server.address()) as client:
        for target, want in (("/", "front"), ("/?x", "front"), ("/x", "all"), ("/a", "only a"),
                             ("/%61", "only a"), ("/a/", "a"), ("/a/x", "a"), ("/ab", "all"),
                             ("/b", "only b"), ("/b/", "all"), ("/b/c", "all"), ("/c", "all"),
                             ("/c/", "only c/"), ("/c/d", "all"), ("/a/b", "a b"),
                             ("/a/b/c", "a b"), ("/a/b-x/y", "a b-x"), ("/a/b-", "a")):
            equal(client.get(target).body.decode(), want, target)


@scenario("allow and deny decide by the narrowest block", models=())
def guarded(case):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        raise Skipped(f"no IPv6 here: {error}") from None
    server = case.server()
    text = (HTTP + 'listen "[::1]:0" { protocol = "http" }\nlisten "*:0" { protocol = "http" }\n'
            f'listen "unix:{server.path("site.sock")}" {{ protocol = "http" }}\n'
            'http { site "default" {\n'
            '  deny = { "127.0.0.0/8", "unix" } allow = { "all", "127.0.0.1" }\n'
            f'  route "/" {says("site")}\n'
            f'  route "/none" {says("never", DENY)}\n'
            f'  route "/six" {says("six", ONLY_SIX)}\n'
            f'  route "/unix" {says("unix", ONLY_UNIX)}\n'
            '} }\n')
    server.configure(text)
    server.start()
    port = server.address("*:0")[1]
    places = {"127.0.0.1": server.address(), "::1": server.address("[::1]:0"),
              "mapped": ("127.0.0.1", port), "unix": server.path("site.sock")}
    for place, target, want in (("127.0.0.1", "/", 200), ("127.0.0.1", "/none", 403),
                                ("127.0.0.1", "/six", 403), ("127.0.0.1", "/unix", 403),
                                ("::1", "/", 200), ("::1", "/six", 200), ("::1", "/unix", 403),
                                ("mapped", "/", 200), ("mapped", "/six", 403),
                                ("unix", "/", 403), ("unix", "/unix", 200), ("unix", "/six", 403)):
        equal(get(places[place], target).status, want, f"{target} from {place}")
    contains(server.until_logged("access-denied", "client 127.0.0.1")[0],
             "may not ask for route /none of site default", "the log")
    server.configure(text.replace(', "127.0.0.1"', ""))
    equal(server.ctl("reload").code, 0, "reload")
    equal(get(server.address()).status, 403, "127.0.0.1 after the reload")
    equal(get(places["mapped"]).status, 403, "127.0.0.1 at the socket for both families")


def site_with_users(case, auth='auth_file = "users"', **options):
    server = case.server(HTTP + 'http { access_log = "access.log" site "default" {\n'
                         f'  auth_realm = "the manor" {auth}\n'
                         f'  route "/" {says("in")}\n'
                         f'  route "/open" {says("open", OPEN)}\n'
                         f'  route "/post" {{ post {{ }} }} }} }}\n',
                         modules=["http", "hello", "post"], **options)
    server.write("users", USERS)
    return server


@scenario("a route asks for a user and a password")
def password(case):
    server = site_with_users(case).start()
    address = server.address()
    with Client(address) as client:
        answer = client.get("/")
        equal((answer.status, answer.field("WWW-Authenticate")), (401, CHALLENGE), "asked")
        equal(client.get("/open").status, 200, "a route that asks nobody")
        for fields in (basic("alice", "wonder"), basic("alice", ""), basic("Alice", "wonderland"),
                       basic("mallory", "wonderland"), basic("", ""), basic("alice", "x" * 2000),
                       "Authorization: Basic\r\n", "Authorization: Basic !\r\n",
                       "Authorization: Bearer x\r\n", "Authorization: Basic YWxpY2U=\r\n",
                       basic("alice", "wonderland") * 2, basic("alice", "wonderland\0"),
                       basic("# a comment", "")):
            answer = client.get("/", fields=fields)
            equal((answer.status, answer.field("WWW-Authenticate")), (401, CHALLENGE), fields)
        for _ in range(3):
            for user, word in (("alice", "wonderland"), ("bob", "sesame")):
                answer = client.get("/", fields=basic(user, word))
                equal((answer.status, answer.body), (200, b"in"), user)
                equal(client.get("/", fields=basic(user, word + "x")).status, 401, "a wrong one")
        equal(client.get("/", method="HEAD").status, 401, "HEAD")
        client.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" +
                    basic("bob", "sesame") + "\r\nhello")
        equal(client.answer().status, 200, "POST with a body")
    until(lambda: re.search(r'^127\.0\.0\.1 - alice \[.*"GET / HTTP/1\.1" 200 ',
                            server.log("access.log"), re.M), "the user is in the access log")
    for secret in ("wonderland", "sesame", "mallory", base64.b64encode(b"bob:sesame").decode()):
        check(secret not in server.log() + server.log("access.log"), f"{secret!r} is in a log")
    check(server.logged("auth-failed"), "failures are logged")


@scenario("who may not send a body is not asked for it", models=())
def before_the_body(case):
    server = site_with_users(case).start()
    with Client(server.address()) as client:
        client.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    "Expect: 100-continue\r\n" + basic("alice", "x") + "\r\n")
        equal(client.answer().status, 401, "instead of 100")
    with Client(server.address()) as client:
        client.send("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    "Expect: 100-continue\r\n" + basic("alice", "wonderland") + "\r\n")
        while b"\r\n\r\n" not in client.data:
            client.more()
        equal(client.data, b"HTTP/1.1 100 Continue\r\n\r\n", "go on")
        client.data = b""
        client.send("hello")
        equal(client.answer().status, 200, "the answer")


@scenario("requests of a pipeline wait for the password of the first")
def pipeline(case):
    server = site_with_users(case).start()
    with Client(server.address()) as client:
        asked = (("/", basic("alice", "wonderland")), ("/open", ""), ("/", ""),
                 ("/", basic("bob", "sesame")), ("/", basic("alice", "wonderland")))
        client.send("".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"
                            for target, fields in asked))
        equal([client.answer().status for _ in range(5)], [200, 200, 401, 200, 200], "in order")


@scenario("passwords beyond auth_limit are answered with 503, others are served", models=POOLED)
def limited(case):
    server = site_with_users(case, workers=1)
    server.configure(server.text.replace("http {", "http { auth_limit = 1", 1))
    # 2 to the power of 13 rounds: half a second or more.
    server.write("users", "slow:$2y$13$SPEtHOM3p2.UFlBhV4UtAeJYaVQ409pHsV001YFtxiEjx/ngbGkD.\n")
    server.start()
    address = server.address()
    with Client(address) as first, Client(address) as second, Client(address) as third:
        first.send("GET / HTTP/1.1\r\nHost: a\r\n" + basic("slow", "a") + "\r\n")
        until(lambda: sum(worker["busy"] for worker in server.workers().values()) >= 1,
              "a password is being checked")
        answer = second.get("/", fields=basic("slow", "b"))
        equal((answer.status, answer.field("Retry-After")), (503, "1"), "the second password")
        equal(third.get("/open").status, 200, "a request without")
        first.link.setblocking(False)
        try:
            early = first.link.recv(1)
        except BlockingIOError:
            early = None
        first.link.settimeout(60)
        check(early is None, "the others were answered while the first password was checked")
        equal(first.answer().status, 401, "the first password")
        equal(second.get("/", fields=basic("nobody", "b")).status, 401, "the next one")


@scenario("a client that leaves while its password is checked harms nobody", models=TOGETHER)
def leaving(case):
    server = site_with_users(case).start()
    for _ in range(20):
        client = Client(server.address())
        client.send("GET / HTTP/1.1\r\nHost: a\r\n" + basic("alice", "x") + "\r\n")
        client.link.close()
    until(lambda: server.status()["totals"]["open"] == 0, "no connection is held")
    equal(get(server.address(), fields=basic("alice", "wonderland")).status, 200, "the next client")


@scenario("a reload takes up changed users and pages, and says which file has changed")
def reloaded(case):
    server = site_with_users(case)
    page = server.write("404.html", "missing")
    server.configure(server.text.replace('site "default" {',
                                         f'site "default" {{ error_page = {{ "404 {page}" }}', 1))
    server.start()
    def status(user):
        return get(server.address(), fields=basic(user, "wonderland")).status
    def reload(*parts):
        answer = server.ask("reload")
        equal(answer["code"], 0, answer["text"])
        for part in parts:
            contains(answer["text"], part, "the text")
        return answer["data"]["generation"]
    pids = server.pids()
    equal((status("alice"), status("carol")), (200, 401), "before")
    equal(reload("unchanged"), 1, "generation when nothing has changed")
    equal(server.pids(), pids, "workers")
    server.write("users", USERS.replace("alice", "carol"))
    equal(reload("generation 2 serves: ", server.path("users") + " has changed"), 2, "generation")
    equal((status("alice"), status("carol")), (401, 200), "after")
    equal(reload("unchanged: generation 2"), 2, "generation when nothing has changed again")
    server.write("404.html", "missed")
    reload(page + " has changed")
    server.until_logged("reload-file", page)
    pids, generation = server.pids(), server.status()["generation"]
    os.rename(server.path("users"), server.path("gone"))
    result = server.ctl("reload")
    equal(result.code, 3, result.text)
    contains(result.text, f"reeve.conf:{server.line_of('auth_file')}: auth_file: cannot read",
             "without the file")
    equal((server.pids(), server.status()["generation"]), (pids, generation), "what serves on")
    equal(status("carol"), 200, "with the users that it has read")
    os.rename(server.path("gone"), server.path("users"))
    equal(reload("unchanged"), generation, "the same file is there again")


@scenario("a reload sees what only root may read, though its workers may not", models=())
def reloaded_by_root(case):
    case.need_root()
    server = site_with_users(case, user="nobody")
    os.mkdir(server.path("secret"), 0o700)
    server.configure(server.text.replace('"users"', '"secret/users"'))
    server.write("secret/users", USERS)
    server.start()
    contains(server.ctl("reload").text, "unchanged", "as it was")
    server.write("secret/users", USERS + "# changed\n")
    contains(server.ctl("reload").text, "secret/users has changed", "written")


@scenario("a new password holds after the workers were recycled", models=())
def renewed(case):
    server = site_with_users(case).start()
    equal(get(server.address(), fields=basic("alice", "wonderland")).status, 200, "before")
    server.write("users", USERS.replace("alice", "carol"))
    result = server.ctl("recycle", "all")
    equal(result.code, 0, result.text)
    equal(get(server.address(), fields=basic("alice", "wonderland")).status, 401, "the old one")
    equal(get(server.address(), fields=basic("carol", "wonderland")).status, 200, "the new one")


@scenario("users that cannot be checked are refused by their line", models=())
def bad_users(case):
    server = site_with_users(case)
    for text, part in (
            ("bob:$apr1$3ICLxX6N$U2qdS/rBihZEJ5tMjpmiV.\n", "line 1: its hash is Apache's own MD5"),
            ("\nbob:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n", "line 2: its hash is of a kind"),
            ("bob:secret\n", "line 1: what stands behind the colon is no hash"),
            ("bob:$9$abc\n", "line 1: crypt(3) does not know its hash"),
            ("bob\n", "line 1: it is not of the form NAME:HASH"),
            (USERS + USERS, "lines 1 and 5 name the same user")):
        server.write("users", text)
        result = server.run("-t")
        equal(result.code, 1, text)
        contains(result.text, part, text)
        for secret in ("EfatjsUq", "3ICLxX6N", "secret", "bob"):
            check(secret not in result.text, f"{secret} is in {result.text}")
    os.unlink(server.path("users"))
    contains(server.run("-t").text, "No such file", "a file that is not there")
    os.mkfifo(server.path("users"))
    contains(server.run("-t").text, "no regular file", "a pipe")


@scenario("errors have the site's own pages", models=())
def pages(case):
    server = case.server()
    page, text = "<h1>Not in this manor</h1>", '{"error": "forbidden"}'
    missing, forbidden = server.write("404.html", page), server.write("403.json", text)
    server.configure(HTTP + f'http {{ site "default" {{ error_page = {{ "404 {missing}",'
                     f' "403 {forbidden}" }}\n route "/www" {{ static {{ root = "www" }} }}'
                     f' route "/no" {says("no", DENY)} }}'
                     f' site "plain" {{ route "/www" {{ static {{ root = "www" }} }} }} }}\n')
    server.start()
    with Client(server.address()) as client:
        for target in ("/none", "/www/none"):
            answer = client.get(target)
            equal((answer.status, answer.body.decode(), answer.field("Content-Type")),
                  (404, page, "text/html; charset=utf-8"), target)
            equal(client.get(target, method="HEAD").field("Content-Length"), str(len(page)), "HEAD")
        answer = client.get("/no")
        equal((answer.status, answer.body.decode(), answer.field("Content-Type")),
              (403, text, "application/json"), "/no")
        check(page not in client.get("/none", host="plain").body.decode(), "another site's page")
    server.write("404.html", page + "!")
    equal(get(server.address(), "/none").body.decode(), page, "the page stays while a worker lives")
    server.signal(signal.SIGHUP)
    until(lambda: get(server.address(), "/none").body.decode() == page + "!", "the new page")


if __name__ == "__main__":
    main()
