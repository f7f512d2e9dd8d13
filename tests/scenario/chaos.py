"""The chaos driver (tests/chaos): a short run of it, and that its judge does not let all pass."""
import os
import subprocess
import sys
import time

CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos")
sys.path.insert(0, CHAOS)

from reeve import SANITIZED, SLOW, WRAP, Failed, Skipped, check, contains, equal, main, scenario

import acts
from chaos import LATE, LINGER, SLACK, Judge


def failure(**how):
    """One that was broken while it was kept, with nothing of an answer."""
    now = time.monotonic()
    return {"what": "broken", "kind": "kept", "time": now, "born": now - 9, "last": now - 3,
            "first": now - 8, "asked": now - 0.1, "answers": 3, "received": 0, "port": 4000, "error": "", **how}


def verdicts(judge, *failures):
    for each in failures:
        judge.hear(each)
    return len(judge.wrong), sum(judge.allowed.values())


@scenario("the judge: what nothing explains is wrong, whatever it is", models=())
def unexplained(_case):
    for what in ("broken", "closed", "refused", "timeout", "wrong"):
        equal(verdicts(Judge(), failure(what=what)), (1, 0), what)


@scenario("the judge: a killed worker explains what it held then, and nothing else", models=())
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
def crashed(_case):
    judge, began = Judge(), time.monotonic()
    judge.crashed(1, {4000}, {4001}, began)
    new = {"answers": 0, "born": began - 0.1, "last": began - 0.1, "first": None}
    equal(verdicts(judge, failure(), failure(port=4002, **new)), (0, 2), "held, and late")
    equal(verdicts(judge, failure(port=4001, **new)), (1, 2), "held by another worker")
    equal(verdicts(judge, failure(port=4002)), (2, 2), "old, and not held")
    equal(verdicts(judge, failure(port=4002, **{**new, "time": began + 2 * SLACK})), (3, 2),
          "too long after it")
    late = [failure(port=5000 + number, **new) for number in range(LATE + 5)]
    equal(verdicts(judge, *late), (3 + 6, 2 + LATE - 1), "too many")


@scenario("the judge: a retirement explains idle connections and what crosses a close", models=())
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
