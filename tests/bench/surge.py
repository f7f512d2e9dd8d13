"""A server that is asked for three times what it can do: how much it serves, how soon, and how it
refuses the rest.

Handlers sleep for a known time, so the threads of the pool are what is short, not the CPU. Measured
are, one after the other: a tenth of what the threads can do, for the latency of who waits for
nobody; the capacity, when all threads are always busy (closed loop); three times the capacity (open
loop), with some requests for a route with priority among them, as an orchestrator asks. Open loops
count a latency from the moment at which a request was due, and how many were sent late is a figure
too. The measured time begins when the queue has stood for queue_time; until then a request may wait
for that long, and that is the "onset"."""
import resource

import loads
import measure as system
import report
import servers

THREADS, DELAY = 16, 5          # of the pool; ms that a handler takes
QUEUE_TIME, PART = 1.0, 20      # s, of which a part may be waited for in a queue that stands
ALONE, TIMES = 0.1, 3           # of the capacity
HEALTH = 100                    # requests per second
LEAST = 0.5                     # s: each of the three takes that long at least
USERS = 2000                    # connections, as far as we may: more than the queue takes
SPARE = 200                     # descriptors
SITE = """
listen "127.0.0.1:0" { protocol = "http" backlog = 65535 }
http { keepalive_requests = 0 site "default" {
    route "/work" { sleep { delay = "%dms" } }
    route "/health" { priority = on sleep { delay = "1ms" } }
} }
""" % DELAY
WORK = loads.Load("overload", "queue", 4 * THREADS, "/work", "")


def servers_of(bench):
    return [servers.Model(f"event {THREADS} threads", bench.rows["event"], bench.cpus[0], SITE,
                          workers=1, threads=THREADS, queue_time=f"{QUEUE_TIME * 1000:.0f}ms")
            ] if "event" in bench.models else []


def seconds(bench):
    return max(LEAST, bench.options.seconds)


def under(bench, server, *more, users=WORK.users):
    """What a load had, and the share of the server's CPU that others used."""
    used, busy = server.cpu(), system.busy(bench.cpus[0])
    got = loads.own(bench.program, WORK, server.port, seconds(bench), bench.cpus[1],
                    "--users", str(users), "--shed", *more)
    foreign = system.busy(bench.cpus[0]) - busy - (server.cpu() - used)
    return dict(got, foreign=max(0.0, foreign) / got["took"])


def disturbances(got):
    """What makes the figures say little: they cannot be better for it, only worse."""
    late = got["late"] / max(1, got["measured"])
    lines = []
    if got["foreign"] > report.DISTURBED:
        lines.append(f"others used {got['foreign']:.0%} of the server's CPU")
    if late > report.DISTURBED:
        lines.append(f"{late:.0%} of the requests were sent late, by up to "
                     f"{got['latest'] / 1000:.0f} ms")
    return lines


def rate(value):
    return "--rate", f"{value:.1f}"


def failures(got):
    """In words; "" where there are none."""
    health = got["paths"][1]
    wrong = [f"{got[name]} {name}" for name in loads.ERRORS if got[name]]
    wrong += [f"{health[name]} requests for health {name}" for name in ("failed", "shed")
              if health[name]]
    bare = sum(path["bare"] for path in got["paths"])
    return ", ".join(wrong + ([f"{bare} times 503 without Retry-After"] if bare else []))


def measure(server, bench):
    server.start(WORK)
    alone = under(bench, server, *rate(ALONE * THREADS * 1000 / DELAY))["paths"][0]
    capacity = under(bench, server)["paths"][0]["rate"]
    if not alone["due"] or not capacity:
        raise servers.Unable("nothing is served before there is too much")
    offered = TIMES * capacity + HEALTH
    users = min(USERS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)
    counted = server.counted()
    got = under(bench, server, *rate(offered), "--also", "/health", "--share",
                f"{HEALTH / offered:.5f}", "--warm", str(QUEUE_TIME + 0.5), users=users)
    wrong, more = failures(got), server.counted() - counted
    if more != got["completed"] and not wrong:
        wrong = f"the server counted {more} requests, the load {got['completed']}"
    for line in disturbances(got):
        bench.remark("overload: " + line)
    work, health = got["paths"]
    return {"capacity /s": capacity, "offered /s": work["due"] / seconds(bench),
            "goodput /s": work["rate"], "goodput of capacity": work["rate"] / capacity,
            "p99 alone ms": alone["p99"] / 1000, "queue limit ms": QUEUE_TIME * 1000 / PART,
            "p99 ms": work["p99"] / 1000, "p99 at onset ms": work["warm_p99"] / 1000,
            "503 %": 100 * work["shed"] / max(1, work["due"]),
            "p99 of 503 ms": work["refused_p99"] / 1000, "503 without Retry-After": work["bare"],
            "health p99 ms": health["p99"] / 1000, "health max ms": health["max"] / 1000,
            "health not 200": health["failed"] + health["shed"],
            "late %": 100 * got["late"] / max(1, got["measured"]),
            "latest ms": got["latest"] / 1000, "CPU of others %": 100 * got["foreign"], "": wrong}


def most_p99(results):
    """ms: three times that of who waits for nobody, and what a standing queue adds."""
    values = [results.middle_of("overload", f"event {THREADS} threads", name)
              for name in ("p99 alone ms", "queue limit ms")]
    return None if None in values else 3 * values[0] + values[1]
