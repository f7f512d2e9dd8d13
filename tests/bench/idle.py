"""What an idle kept connection costs a server: private pages of all its processes (what the kernel
keeps for a socket is not among them, and the same for all) with some connections that have had an
answer, and with many more."""
import resource
import select
import socket
import struct
import time

import loads
import measure as system
import servers

CONNECTIONS = 10000
FEW = 100      # those before: what a server sets up with its first connections is not counted
REST = 0.3     # seconds until a server has put away what its last answers needed
SPARE = 200    # descriptors
EACH = {"apache-worker": "a thread each", "apache-prefork": "a process each"}
PATH = "/file"


def private(pid):
    total = 0
    for each in system.family(pid):
        try:
            with open(f"/proc/{each}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) * 1024 for line in file
                             if line.startswith(("Private_Clean", "Private_Dirty")))
        except OSError:
            pass  # it has ended
    return total


def connect(port, links, many):
    """Makes so many connections, each of which gets one answer."""
    for _ in range(many):
        links.append(servers.connect(port))
        servers.ask_on(links[-1], PATH)


def closed(links):
    """How many of them the server has ended."""
    poller = select.poll()
    for link in links:
        poller.register(link, select.POLLIN)
    return len(poller.poll(0))


def measure(server, _bench):
    if server.name in EACH:
        raise servers.Unable(EACH[server.name])
    # Half of the descriptors: lighttpd takes no more, for it may need another one for each.
    many = min(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - FEW - SPARE)
    if many < FEW:
        raise servers.Unable("too few descriptors")
    server.start(loads.Load("idle", "keep", many, PATH, ""))
    links = []
    try:
        connect(server.port, links, FEW)
        time.sleep(REST)
        before = private(server.process.pid)
        connect(server.port, links, many)
        time.sleep(REST)
        after, gone = private(server.process.pid), closed(links)
    finally:
        for link in links:  # at once: so many ports should not be kept for a minute
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            link.close()
    if gone:
        raise servers.Unable(f"closed {gone} of {len(links)} idle connections meanwhile")
    return {"bytes": (after - before) / many}
