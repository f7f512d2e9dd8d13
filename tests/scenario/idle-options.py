"""Options that do nothing without another one: a line each from -t and in the log, and no more."""
from reeve import contains, equal, main, scenario

WITHOUT = """
sandbox = "files"
sandbox_calls = { "listen" }
max_connections_exempt = { "192.0.2.7" }
spare_time = "5s"
worker_jitter = 20
probation_errors = 0
probation_requests = 30
quarantine_after = 0
module_budget = 0
quarantine_within = "30s"
quarantine_time = "1m"
listen "127.0.0.1:0" { protocol = "http" mode = 0600 }
http {
    access_format = "json"
    auth_limit = 5
    site "default" {
        route "/" { static { root = "www"
            gzip_level = 3
            listing_limit = 50 } }
        route "/fixed" { respond {
            type = "text/html" } }
    }
}
"""
# option, what it needs
TABLE = (("sandbox_calls", 'sandbox = "strict"'),
         ("max_connections_exempt", "max_connections_per_client"), ("spare_time", "workers_max"),
         ("worker_jitter", "worker_requests, worker_age or worker_memory"),
         ("probation_requests", "probation_errors"),
         ("quarantine_within", "quarantine_after or module_budget"),
         ("quarantine_time", "quarantine_after or module_budget"),
         ("mode", "a unix socket as the address"), ("access_format", "an access_log"),
         ("auth_limit", "an auth_file of a site or route"), ("gzip_level", "gzip = on"),
         ("listing_limit", "listing = on"), ("type", "a body"))
MODULES = ["http", "static", "respond"]


def lines(server):
    return sorted(f"{server.conf}:{server.line_of(name + ' = ')}: {name}: does nothing without {needs}: "
                  "write that too, or remove this" for name, needs in TABLE)


@scenario("options that do nothing are told, by -t and when workers start", models=())
def told(case):
    server = case.server(WITHOUT, modules=MODULES, sandbox=None)
    tested = server.run("-t")
    equal(tested.code, 0, f"exit status of -t ({tested.err})")
    contains(tested.out, "the configuration is valid", "what -t says")
    equal(sorted(tested.err.splitlines()), lines(server), "the lines of -t")
    server.start()
    equal(sorted(server.logged("option-idle")), lines(server), "the lines of the log")
    server.configure(WITHOUT, worker_requests=10000)
    equal(server.ask("reload")["code"], 0, "a reload")
    equal(len(server.logged("option-idle")), 2 * len(TABLE) - 1, "lines after it")


WITH = """
max_connections_exempt = { "192.0.2.7" }
max_connections_per_client = 100
worker_jitter = 20
worker_age = "1h"
listen "unix:FOLDER/web.sock" { protocol = "http" mode = 0600 }
listen "127.0.0.1:0" { protocol = "http" }
http {
    access_format = "json"
    site "default" {
        access_log = "access.log"
        route "/" { static { root = "www" gzip = on gzip_level = 3 listing = on listing_limit = 50 } }
        route "/fixed" { respond { type = "text/html" body = "fixed" } }
    }
}
"""


@scenario("options that do something are not", models=())
def quiet(case):
    server = case.server(modules=MODULES)
    server.configure(WITH.replace("FOLDER", server.folder))
    tested = server.run("-t")
    equal((tested.code, tested.err), (0, ""), "exit status and lines of -t")
    server.start()
    equal(server.logged("option-idle"), [], "lines of the log")


@scenario("an option on the command line is told by that", models=())
def override(case):
    server = case.server(sandbox="files")
    tested = server.run("-t", "-o", "sandbox_calls=listen")
    contains(tested.err, "-o sandbox_calls=listen: sandbox_calls: does nothing without", "the line")


if __name__ == "__main__":
    main()
