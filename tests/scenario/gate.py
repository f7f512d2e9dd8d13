"""A server whose handlers wait at a gate: tests/modules/again.c, which says in the log that it
works, and waits for a byte in a pipe."""
import contextlib
import os

from reeve import HTTP

MODULES = ["http", "hello", "again"]
CONF = HTTP + """
http { site "default" {
    route "/again" { again { gate = "gate" } }
    route "/hello" { hello { } }
} }
"""


@contextlib.contextmanager
def gated(case, **options):
    """A server, and the end of its gate where bytes are put in."""
    server = case.server(CONF, modules=MODULES, **options)
    os.mkfifo(server.path("gate"))
    os.chmod(server.path("gate"), 0o666)
    gate = os.open(server.path("gate"), os.O_RDWR)
    try:
        server.start()
        yield server, gate
        server.stop()
    finally:
        os.close(gate)
