"""What is shown holds at every look: intervals cover the truth, and equal users are no mismatch.

Each claim is refuted only by a count beyond the one-sided 99 % binomial bound. Run with ``-s`` to see the figures.
"""

import numpy as np
import pytest

from made_cells import CRITERIA
from serinus.analysis.analyze import analyze, enter_step, fold, start
from serinus.analysis.arrivals import Ratio, read_ratio
from serinus.analysis.criteria import Desired
from serinus.analysis.evidence import Arrivals
from serinus.analysis.intervals import Interval
from serinus.analysis.verdict import Check
from serinus.metrics.snapshot import SLOTS
from simulated_service import Service, bound, cache_or_miss, daily, slices

pytestmark = pytest.mark.slow

RUNS = 100
SERVICES = {
    "errors 0.1 %": (Service(error_rate=0.001), 0.0, 0.0),
    "errors 1 % + 1 pp": (Service(error_rate=0.01, canary_excess=0.01), 0.01, 0.0),
    "P95 x 1.2": (Service(canary_factor=1.2), 0.0, 0.2),
    "cache or miss": (Service(error_rate=0.005, latency=cache_or_miss()), 0.0, 0.0),
    "daily drift": (Service(error_rate=0.005, drift=daily), 0.0, 0.0),
}


@pytest.mark.parametrize("name", SERVICES)
def test_the_intervals_hold_the_truth_at_every_look(name: str) -> None:
    service, difference, increase = SERVICES[name]
    missed = {"error_rate": 0, "p95": 0}
    for run in range(RUNS):
        evidence = enter_step(start(CRITERIA, 0.0), at=0.0, split_revision=1)
        outside: set[str] = set()
        for each in slices(service, np.random.default_rng([3_141, run]), requests=6_000, look=50):
            evidence = fold(evidence, each, CRITERIA)
            errors, p95, _ = analyze(evidence, CRITERIA, each.ended_at + 1).slo
            outside.update(
                check.name for check, truth in ((errors, difference), (p95, increase)) if not _holds(check, truth)
            )
        for each_missed in outside:
            missed[each_missed] += 1
    print(f"{name:20s} missed at any of 120 looks: {missed} of {RUNS}, refuted above {bound(RUNS, 0.05)}")
    assert max(missed.values()) <= bound(RUNS, 0.05)


def _holds(check: Check, truth: float) -> bool:
    """To half a bin of the latency grid, which is as exact as a P95 is known."""
    interval: Interval | None = check.interval
    return interval is None or interval.low - 0.006 * truth <= truth <= interval.high + 0.006 * truth


@pytest.mark.parametrize("share", [0.01, 0.05, 0.25, 0.5])
@pytest.mark.parametrize("tail", [1.2, 1.5, 3.0])
def test_equal_users_are_hardly_ever_a_mismatch(share: float, tail: float) -> None:
    runs = 400
    count = sum(_ever_a_mismatch(np.random.default_rng([1_618, run]), share, tail) for run in range(runs))
    print(f"share {share:.0%}, tail {tail}: {count} of {runs}, refuted above {bound(runs, 0.005)}")
    assert count <= bound(runs, 0.005)


def _ever_a_mismatch(rng: np.random.Generator, share: float, tail: float) -> bool:
    """10,000 users who come one after the other, each with all their requests; looked at a hundred times."""
    users = 10_000
    requests = np.minimum(rng.pareto(tail, users) + 1, 1e4)
    slots, canary = rng.integers(0, SLOTS, users), rng.random(users) < share
    for upto in range(100, users + 1, 100):
        totals, ours = (
            np.bincount(slots[:upto], weights=weights[:upto], minlength=SLOTS)
            for weights in (requests, requests * canary)
        )
        variance = share * (1 - share) * float(totals.sum())
        ratio: Ratio | None = read_ratio(Arrivals(ours, share * totals, totals, variance))
        if ratio is not None and ratio.is_mismatch:
            return True
    return False


def test_a_canary_that_loses_a_tenth_of_its_requests_is_found() -> None:
    rng, found = np.random.default_rng(7), 0
    for _ in range(50):
        users = 60_000
        requests, slots = rng.poisson(3, users), rng.integers(0, SLOTS, users)
        canary = rng.random(users) < 0.25
        kept = np.where(canary, rng.binomial(requests, 0.9), requests)
        totals, ours = (np.bincount(slots, weights=w, minlength=SLOTS) for w in (kept, kept * canary))
        expected = Desired(0.25).share * totals
        ratio = read_ratio(Arrivals(ours, expected, totals, 0.25 * 0.75 * float(totals.sum())))
        found += ratio is not None and ratio.is_mismatch
    assert found >= 45
