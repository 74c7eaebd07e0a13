"""What judging costs: one more slice folded into the evidence, after little and after much history, and one report.

Run: `python benchmarks/analysis.py`
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from serinus.analysis.analyze import Evidence, analyze, enter_step, fold, start
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric
from serinus.metrics.sketch import EDGES_SECONDS
from serinus.metrics.snapshot import SLOTS, Cell, Outcome
from timing import Goal, Measured, compare, report

LIMITS = (
    Limit("error-rate", Metric.ERROR_RATE, 0.05),
    Limit("p95", Metric.P95, 2_000.0),
    Limit("availability", Metric.AVAILABILITY, 0.99),
)
CRITERIA = Criteria(error_rate_margin=0.005, p95_margin=0.1, min_canary_requests=1_000, limits=LIMITS)
HISTORIES = (20, 2_000)
CALLS, ROUNDS = 5, 101
ERROR_RATE = 0.005
EDGES = np.array(EDGES_SECONDS)
MOST_MS = 0.5
WORK = ("fold", "report", "again")


def cell(rng: np.random.Generator, requests: int) -> Cell:
    """Requests of one version on one endpoint in one slice, as a process would have counted them."""
    latencies = rng.lognormal(math.log(0.05), 0.6, requests)
    bins, places, counts = np.unique(np.searchsorted(EDGES, latencies), return_inverse=True, return_counts=True)
    slots, failed = rng.integers(0, SLOTS, requests), rng.random(requests) < ERROR_RATE
    return Cell(
        outcomes={Outcome.OK: int((~failed).sum()), Outcome.FAILED: int(failed.sum())},
        latency=dict(zip(bins.tolist(), counts.tolist(), strict=True)),
        latency_seconds=dict(zip(bins.tolist(), np.bincount(places, latencies).tolist(), strict=True)),
        slot_requests=tuple(np.bincount(slots, minlength=SLOTS).tolist()),
        slot_errors=tuple(np.bincount(slots[failed], minlength=SLOTS).tolist()),
    )


def slices(endpoints: int, *, seed: int) -> Iterator[Slice]:
    """2,000 requests in each slice, 5 % of them the canary's, spread over the endpoints; the versions are alike."""
    rng, at = np.random.default_rng(seed), 0.0
    while True:
        pairs = {
            f"/e{n}": Compared(cell(rng, 1_900 // endpoints), cell(rng, 100 // endpoints)) for n in range(endpoints)
        }
        yield Slice(started_at=at, ended_at=at + 2, split_revision=1, endpoints=pairs)
        at += 2


def history(stream: Iterator[Slice], length: int) -> Evidence:
    evidence = enter_step(start(CRITERIA, 0.0), at=0.0, split_revision=1)
    for _ in range(length):
        evidence = fold(evidence, next(stream), CRITERIA)
    return evidence


def turns(length: int, evidence: Evidence, following: Slice) -> Mapping[str, Callable[[], object]]:
    """The fold, the report and a report on the same evidence by name, each many times over."""
    now = (evidence.through_at or 0.0) + 1

    def folding() -> None:
        for _ in range(CALLS):
            fold(evidence, following, CRITERIA)

    def reporting() -> None:
        for _ in range(CALLS):
            analyze(replace(evidence), CRITERIA, now)

    def reporting_again() -> None:
        for _ in range(CALLS):
            analyze(evidence, CRITERIA, now)

    work = {"fold": folding, "report": reporting, "again": reporting_again}
    return {f"{what} after {length}": each for what, each in work.items()}


def measure(endpoints: int) -> dict[str, Measured]:
    """All histories in turn, so that their ratio means something."""
    stream = slices(endpoints, seed=endpoints)
    following = next(stream)
    contenders: dict[str, Callable[[], object]] = {}
    for length in HISTORIES:
        evidence = history(stream, length)
        contenders |= turns(length, evidence, following)
    return compare(contenders, CALLS, ROUNDS)


def goals(endpoints: int) -> Iterator[Goal]:
    """Print the costs in the least disturbed round, and yield what they should be."""
    measured = measure(endpoints)
    short, long = HISTORIES
    for length in HISTORIES:
        folding, reporting, again = (min(measured[f"{what} after {length}"].rounds_us) / 1_000 for what in WORK)
        both = folding + reporting
        times = "".join(f" {each:>6.2f} ms" for each in (folding, reporting, both, again))
        print(f"{endpoints:>9} {length:>8}{times}")
        yield Goal(f"ms for fold and report, {endpoints} endpoints after {length:,} slices", both, MOST_MS)
    ratio = measured[f"fold after {long}"].ratio(measured[f"fold after {short}"])
    yield Goal(f"a fold with {endpoints} endpoints after {long:,} slices, times one after {short}", ratio, 1.2)


def main() -> int:
    print(f"{'endpoints':>9} {'history':>8} {'fold':>9} {'report':>9} {'both':>9} {'again':>9}")
    return report([goal for endpoints in (1, 10) for goal in goals(endpoints)])


if __name__ == "__main__":
    sys.exit(main())
