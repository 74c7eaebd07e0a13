"""Database latencies that were recorded on real machines, in their order, with their drifts and their ties."""

import csv
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pytest

from serinus.analysis.slices import Compared, Slice
from serinus.deployment import DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Cell, Outcome, merge
from simulated_service import judge

CANARY = DeploymentVersion.CANARY

pytestmark = pytest.mark.slow


def recorded(folder: Path, machine: str, kind: str, *, begin: int = 0) -> Iterator[float]:
    """Seconds, from the entry `begin` on, for ever."""
    with (folder / "traffic" / f"azure_vmnoise_pg25_{machine}_{kind}.csv").open(encoding="utf-8") as file:
        rows = [float(row["latency_ms"]) / 1_000 for row in csv.DictReader(file)]
    return islice(cycle(rows), begin, None)


def served(latencies: Iterator[float], requests: int, failed: int) -> Cell:
    collector = CanaryMetricsCollector()
    for number, seconds in enumerate(islice(latencies, requests)):
        collector.record(CANARY, "/", Outcome.FAILED if number < failed else Outcome.OK, seconds)
    return merge(collector.drain().values())


def rollout(legacy: Iterator[float], canary: Iterator[float], looks: int) -> Iterator[Slice]:
    """20 % of 100 requests in each slice; 0.2 % of either version fail."""
    rng = np.random.default_rng(31)
    for number in range(looks):
        failed_l, failed_c = rng.binomial([80, 20], 0.002)
        pair = Compared(served(legacy, 80, int(failed_l)), served(canary, 20, int(failed_c)))
        yield Slice(2.0 * number, 2.0 * number + 2.0, 1, {"/": pair})


@pytest.mark.parametrize("machine", ["D8s_v5", "B8ms"])
def test_the_same_recording_for_both_versions_rolls_nothing_back(shared_data: Path, machine: str) -> None:
    legacy = recorded(shared_data, machine, "read_only")
    canary = recorded(shared_data, machine, "read_only", begin=977)
    assert judge(rollout(legacy, canary, 400)).rolled_back_after is None


@pytest.mark.parametrize("machine", ["D8s_v5", "B8ms"])
def test_the_slower_recording_is_found_within_sixty_requests(shared_data: Path, machine: str) -> None:
    legacy, canary = recorded(shared_data, machine, "read_only"), recorded(shared_data, machine, "read_write")
    run = judge(rollout(legacy, canary, 200))
    print(f"{machine}: slower by the {run.reason} after {run.rolled_back_after} canary requests")
    assert run.reason == "p95"
    assert (run.rolled_back_after or 10**6) <= 60
