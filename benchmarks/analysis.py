"""What judging costs: one more slice folded into the evidence, after little and after much history, and one report.

Run: `python benchmarks/analysis.py`
"""

import math
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from serinus.analysis.analyze import Evidence, analyze, enter_step, fold, start
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric
from serinus.deployment import DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Cell, Outcome

LIMITS = (
    Limit("error-rate", Metric.ERROR_RATE, 0.05),
    Limit("p95", Metric.P95, 2_000.0),
    Limit("availability", Metric.AVAILABILITY, 0.99),
)
CRITERIA = Criteria(error_rate_margin=0.005, p95_margin=0.1, min_canary_requests=1_000, limits=LIMITS)
ROUNDS = 300


def cell(rng: np.random.Generator, requests: int) -> Cell:
    """Requests of one version on one endpoint in one slice, counted as a process would."""
    collector = CanaryMetricsCollector()
    for seconds, slot, draw in zip(
        rng.lognormal(math.log(0.05), 0.6, requests), rng.integers(0, 64, requests), rng.random(requests), strict=True
    ):
        outcome = Outcome.FAILED if draw < 0.005 else Outcome.OK
        collector.record(DeploymentVersion.CANARY, "/", outcome, float(seconds), slot=int(slot))
    (counted,) = collector.drain().values()
    return counted


def slices(endpoints: int, *, seed: int) -> Iterator[Slice]:
    """2,000 requests in each slice, 5 % of them the canary's, spread over the endpoints."""
    rng, at = np.random.default_rng(seed), 0.0
    pool = [Compared(cell(rng, 1_900 // endpoints), cell(rng, 100 // endpoints)) for _ in range(50)]
    while True:
        chosen = {f"/e{n}": pool[rng.integers(len(pool))] for n in range(endpoints)}
        yield Slice(started_at=at, ended_at=at + 2, split_revision=1, endpoints=chosen)
        at += 2


def median_ms(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        work()
        times.append(time.process_time_ns() - began)
    return statistics.median(times) / 1e6


def history(stream: Iterator[Slice], length: int) -> Evidence:
    evidence = enter_step(start(CRITERIA, 0.0), at=0.0, split_revision=1)
    for _ in range(length):
        evidence = fold(evidence, next(stream), CRITERIA)
    return evidence


def show(endpoints: int, length: int) -> None:
    stream = slices(endpoints, seed=endpoints)
    evidence, following = history(stream, length), next(stream)
    now = (evidence.through_at or 0.0) + 1
    folding = median_ms(lambda: fold(evidence, following, CRITERIA))
    reporting = median_ms(lambda: analyze(evidence, CRITERIA, now))
    print(f"{endpoints:>9} {length:>8} {folding:>6.2f} ms {reporting:>6.2f} ms")


def main() -> None:
    print(f"{'endpoints':>9} {'history':>8} {'fold':>9} {'report':>9}")
    for endpoints in (1, 10):
        for length in (20, 2_000):
            show(endpoints, length)


if __name__ == "__main__":
    main()
