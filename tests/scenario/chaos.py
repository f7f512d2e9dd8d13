"""The chaos driver (tests/chaos): a short run of it, and that its judge does not let all pass."""
import functools
import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from unittest import mock

CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos")
sys.path.insert(0, CHAOS)

from reeve import SANITIZED, SLOW, WRAP, Failed, Skipped, check, contains, equal, main, scenario

import acts
from chaos import GROWTH, LATE, LINES, LINGER, SLACK, TOTALS, Judge, Watcher, compare


def failure(**how):
    """One that was broken while it was kept, with nothing of an answer."""
    now = time.monotonic()
    return {"what": "broken", "kind": "kept", "time": now, "born": now - 9, "last": now - 3,
            "first": now - 8, "asked": now - 0.1, "answers": 3, "received": 0, "port": 4000, "error": "", **how}


def by_our_clock(function):
    """A millisecond passes with each look at it: the machine cannot make a moment longer."""
    @functools.wraps(function)
    def judged(case):
        ticks = itertools.count(1)
        with mock.patch("time.monotonic", lambda: 1000 + next(ticks) / 1000):
            function(case)
    return judged


def verdicts(judge, *failures):
    for each in failures:
        judge.hear(each)
    return len(judge.wrong), sum(judge.allowed.values())


@scenario("the judge: what nothing explains is wrong, whatever it is", models=())
@by_our_clock
def unexplained(_case):
    for what in ("broken", "closed", "refused", "timeout", "wrong"):
        equal(verdicts(Judge(), failure(what=what)), (1, 0), what)


@scenario("the judge: a killed worker explains what it held then, and nothing else", models=())
@by_our_clock
def killed(_case):
    judge, now = Judge(), time.monotonic()
    judge.killed(1, {4000})
    equal(verdicts(judge, failure(), failure(what="closed")), (0, 2), "held")
    equal(verdicts(judge, failure(port=4001)), (1, 2), "not held")
    equal(verdicts(judge, failure(born=time.monotonic())), (2, 2), "the port's next connection")
    equal(verdicts(judge, failure(time=now - 1)), (3, 2), "failed before it was killed")
    for what in ("refused", "timeout", "wrong"):
        equal(verdicts(Judge(), failure(what=what)), (1, 0), what)


@scenario("the judge: a crashing worker may take a few new connections more", models=())
@by_our_clock
def crashed(_case):
    judge, began = Judge(), time.monotonic()
    judge.crashed(1, {4000}, {4001}, began)
    new = {"answers": 0, "born": began - 0.1, "last": began - 0.1, "first": None}
    equal(verdicts(judge, failure(), failure(port=4002, **new)), (0, 2), "held, and late")
    equal(verdicts(judge, failure(port=4001, **new)), (1, 2), "held by another worker")
    equal(verdicts(judge, failure(port=4002)), (2, 2), "old, and not held")
    equal(verdicts(judge, failure(port=4002, **{**new, "time": began + 2 * SLACK})), (3, 2),
          "too long after it")
    idle = {"what": "closed", "answers": 1, "born": began - 0.1}
    judge.blows[0].late = 0
    equal(verdicts(judge, failure(port=4003, first=began + 0.1, last=began + 0.1,
                                  **{**idle, "time": began + 5 * SLACK})), (3, 3), "seen later")
    equal(verdicts(judge, failure(port=4003, first=began + 0.1, last=began + 3 * SLACK,
                                  **{**idle, "time": began + 5 * SLACK})), (4, 3), "answered after it")
    judge.blows[0].late = 1
    late = [failure(port=5000 + number, **new) for number in range(LATE + 5)]
    equal(verdicts(judge, *late), (4 + 6, 3 + LATE - 1), "too many")


@scenario("the judge: a retirement explains idle connections and what crosses a close", models=())
@by_our_clock
def retired(_case):
    now = time.monotonic()
    for moved, right in ((False, (0, 2)), (True, (2, 0))):
        judge = Judge(moved)
        judge.retiring.append([now - 2.7, now - 0.2])
        equal(verdicts(judge, failure(), failure(what="closed")), right, f"moved: {moved}")
    judge = Judge(False)
    judge.retiring.append([now - 2.7, None])
    equal(verdicts(judge, failure(received=1)), (1, 0), "a part of the answer was there")
    equal(verdicts(judge, failure(asked=now - 4)), (2, 0), "some of a pipeline was answered")
    equal(verdicts(judge, failure(answers=0, first=None)), (3, 0), "a new connection")
    equal(verdicts(judge, failure(last=now - LINGER / 2)), (4, 0), "it had not been idle for so long")
    judge.retiring[0][:] = now - 9, now - 4
    equal(verdicts(judge, failure()), (5, 0), "long before")


AT_REST = {"descriptors": 17, "files": {}, "processes": 2, "zombies": 0, "threads": 1, "KiB": 3000}


@scenario("a leak of anything in the master is told", models=())
def leaks(_case):
    for name, more in (("descriptors", 1), ("processes", 1), ("zombies", 1), ("threads", 1),
                       ("KiB", GROWTH + 1)):
        judge = Judge()
        compare(judge, counted(AT_REST), counted(AT_REST, **{name: AT_REST[name] + more}))
        equal(len(judge.wrong), 1 if name != "KiB" or not SANITIZED else 0, name)
    judge = Judge()
    compare(judge, counted(AT_REST), counted(AT_REST, KiB=AT_REST["KiB"] + GROWTH))
    equal(judge.wrong, [], "what the bound allows")


def counted(holdings, **changed):
    return {**holdings, **changed, "files": Counter(holdings["files"])}


@scenario("totals that fall, and an older generation, are told", models=())
def totals(_case):
    class Stage:
        judge, model = Judge(), "event"
    status = {"totals": dict.fromkeys(TOTALS, 5), "generation": 3, "generations": [3], "workers": [],
              "state": "serving", "model": "event"}
    watcher = Watcher(Stage)
    watcher.look(status)
    watcher.look(status)
    equal(Stage.judge.wrong, [], "standing still")
    for name in TOTALS:
        Stage.judge.wrong = []
        watcher.look({**status, "totals": {**status["totals"], name: 4}})
        watcher.look(status)
        equal(len(Stage.judge.wrong), 1, name)
    watcher.look({**status, "generation": 2})
    equal(len(Stage.judge.wrong), 2, "the generation")


@scenario("a torn line and one joined to another are told, whole ones are not", models=())
def torn(_case):
    good = {"access.log": b'127.0.0.1 - - [21/Nov/2026:15:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"',
            "error.log": b"2026-11-21T15:00:00.000000Z notice [12 loop-0] starting: x: y"}
    for name, line in good.items():
        check(LINES[name].fullmatch(line), f"{name}: a whole one")
        for cut in range(1, len(line) - 8):
            check(not LINES[name].fullmatch(line[:cut] + line), f"{name}: {cut} bytes and another")
            check(not LINES[name].fullmatch(line[cut:]), f"{name}: without its first {cut} bytes")


@scenario("the plan comes from the seed alone", models=())
def planned(_case):
    equal(acts.plan(7, 60), acts.plan(7, 60), "the same seed")
    check(acts.plan(7, 60) != acts.plan(8, 60), "another seed makes another plan")
    missing = set(acts.TABLE) - {act.name for act in acts.plan(1, 3600)}
    equal(missing, set(), "acts that never come")


def run_chaos(mode, seconds):
    if WRAP or SLOW > 1:
        raise Skipped("the clients' patience is for a server at its usual speed")
    if SANITIZED:
        raise Skipped("a sanitizer's own memory grows, and is taken for a leak")
    done = subprocess.run([sys.executable, os.path.join(CHAOS, "chaos.py"), mode],
                          env=dict(os.environ, CHAOS_SEED="5", CHAOS_SECONDS=str(seconds)),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"status {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-2000:]}")
    return done.stdout


@scenario("a short run loses nothing", models=())
def short_run(_case):
    contains(run_chaos("acts", 8), "nothing was lost", "what it says")


@scenario("who is not told of killed workers complains of what they held", models=())
def blind(_case):
    contains(run_chaos("blind", 0), "the judge was blind", "what it says")


main()
