"""Counting one request: `CanaryMetricsCollector.record` beside the metrics libraries that a service would use.

Labels: version, endpoint, outcome. The collector counts status, outcome, the subject's slot and a histogram of 1,043
bins; prometheus_client a histogram of 15. The time of a record includes its share of counting the queue (decision
0002).
"""

import random
import threading
from collections.abc import Callable
from itertools import cycle, islice

from serinus import CanaryMetricsCollector, DeploymentVersion, Outcome
from timing import Goal, Measured, compare, report, show

RECORDS = 1_000
THREADS = 8
ENDPOINTS = [f"/api/v2/resource-{number}/{{id}}" for number in range(10)]
VERSIONS = (*[DeploymentVersion.LEGACY] * 19, DeploymentVersion.CANARY)
OUTCOMES = (*[Outcome.OK] * 48, Outcome.CLIENT_ERROR, Outcome.FAILED)


def traffic() -> list[tuple[DeploymentVersion, str, Outcome, float, int, int]]:
    source = random.Random(1)
    statuses = {Outcome.OK: 200, Outcome.CLIENT_ERROR: 404, Outcome.FAILED: 500}
    found = []
    for _ in range(RECORDS):
        outcome = source.choice(OUTCOMES)
        seconds = source.lognormvariate(-3, 0.6)
        found.append(
            (
                *(source.choice(VERSIONS), source.choice(ENDPOINTS), outcome),
                *(seconds, statuses[outcome], source.randrange(64)),
            )
        )
    return found


TRAFFIC = traffic()


def nothing() -> None:
    for _version, _endpoint, _outcome, _seconds, _status, _slot in TRAFFIC:
        pass


def collector() -> Callable[[], object]:
    counts = CanaryMetricsCollector()

    def contender() -> None:
        for version, endpoint, outcome, seconds, status, slot in TRAFFIC:
            counts.record(version, endpoint, outcome, seconds, status=status, slot=slot)

    return contender


def prometheus() -> Callable[[], object]:
    from prometheus_client import CollectorRegistry, Histogram

    labels = ["version", "endpoint", "outcome"]
    histogram = Histogram("latency_seconds", "Latency.", labels, registry=CollectorRegistry())

    def contender() -> None:
        for version, endpoint, outcome, seconds, _status, _slot in TRAFFIC:
            histogram.labels(version, endpoint, outcome).observe(seconds)

    return contender


def opentelemetry() -> Callable[[], object]:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    histogram = MeterProvider([InMemoryMetricReader()]).get_meter("benchmark").create_histogram("latency")

    def contender() -> None:
        for version, endpoint, outcome, seconds, _status, _slot in TRAFFIC:
            histogram.record(seconds, {"version": version, "endpoint": endpoint, "outcome": outcome})

    return contender


def in_threads(contender: Callable[[], object]) -> Callable[[], object]:
    def together() -> None:
        workers = [threading.Thread(target=contender) for _ in range(THREADS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return together


def draining() -> Measured:
    """A drain of 2,000 records on 20 endpoints, as every second at 2,000 requests a second."""
    counts = CanaryMetricsCollector()
    many = list(islice(cycle(TRAFFIC), 2_000))

    def record() -> None:
        for version, endpoint, outcome, seconds, status, slot in many:
            counts.record(version, endpoint, outcome, seconds, status=status, slot=slot)

    measured = compare({"record": record, "drain": counts.drain}, calls=1)
    return measured["drain"]


def main() -> int:
    ours = f"CanaryMetricsCollector, {THREADS} threads"
    contenders = {"CanaryMetricsCollector": collector()}
    threaded = {ours: in_threads(collector())}
    for name, peer in {"prometheus_client": prometheus, "opentelemetry-sdk": opentelemetry}.items():
        try:
            contenders[name] = peer()
            threaded[f"{name}, {THREADS} threads"] = in_threads(peer())
        except ModuleNotFoundError as missing:
            print(f"{name}: left out, {missing.name} is not installed")
    loop = compare({"nothing": nothing, **contenders}, calls=RECORDS)
    measured = {name: loop[name].less(loop["nothing"]) for name in contenders}
    show("One record", measured, unit="µs", against="CanaryMetricsCollector")
    show("One record, side by side", compare(threaded, calls=THREADS * RECORDS), unit="µs", against=ours)
    print(f"\nA drain of 2,000 records: {draining().us:.0f} µs")
    goals = []
    if "prometheus_client" in measured:
        ratio = measured["CanaryMetricsCollector"].ratio(measured["prometheus_client"])
        goals.append(Goal("record(), times prometheus_client's labels().observe()", ratio, 0.4))
    return report(goals)


if __name__ == "__main__":
    raise SystemExit(main())
