"""Whole rollouts, looked at after every hundred canary requests: how often a good canary goes and a bad one stays.

Each claim is refuted only by a count beyond the one-sided 99 % binomial bound, so a true 5 % passes 99 times of 100;
the seeds are fixed. Run with ``-s`` to see the figures.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from made_cells import CRITERIA
from serinus.analysis.slices import Slice
from simulated_service import Run, Service, bound, cache_or_miss, clustered_slices, daily, judge, slices

pytestmark = pytest.mark.slow

Stream = Callable[[np.random.Generator], Iterator[Slice]]
RUNS = 12
REQUESTS, LOOK = 50_000, 100
NEVER_ROLLED_BACK = replace(CRITERIA, alpha=1e-12)


def generators(runs: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng([2_718, run]) for run in range(runs))


def healthy(service: Service) -> Stream:
    return lambda rng: slices(service, rng, requests=REQUESTS, look=LOOK)


NULLS: dict[str, Stream] = {
    "errors 0.01 %": healthy(Service(error_rate=0.0001)),
    "errors 0.1 %": healthy(Service(error_rate=0.001)),
    "errors 0.5 %": healthy(Service(error_rate=0.005)),
    "errors 1 %, cache or miss": healthy(Service(error_rate=0.01, latency=cache_or_miss())),
    "daily drift and a ramp 5-25-50 %": healthy(Service(shares=(0.05, 0.25, 0.5), drift=daily)),
    "1,000 sticky users, a few always fail": lambda rng: clustered_slices(
        rng, users=1_000, requests=REQUESTS // 3, look=LOOK, share=0.05, broken=0.0025, errors=0.0025
    ),
}


def test_a_healthy_canary_is_hardly_ever_rolled_back() -> None:
    lost = {name: [judge(stream(rng)) for rng in generators(RUNS)] for name, stream in NULLS.items()}
    for name, runs in lost.items():
        count = _rolled_back(runs)
        print(f"{name:40s} rolled back {count} of {RUNS} {[run.reason for run in runs if run.reason]}")
        assert count <= bound(RUNS, 0.05)
    everything = [run for runs in lost.values() for run in runs]
    print(f"all nulls: {_rolled_back(everything)} of {len(everything)}, refuted above {bound(len(everything), 0.05)}")
    assert _rolled_back(everything) <= bound(len(everything), 0.05)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("errors 0.1 % + 0.5 pp", Service(error_rate=0.001, canary_excess=0.005)),
        ("errors 0.5 % + 0.5 pp", Service(error_rate=0.005, canary_excess=0.005)),
        ("P95 x 1.1", Service(error_rate=0.001, canary_factor=1.1)),
        ("P95 x 1.1, cache or miss", Service(error_rate=0.001, canary_factor=1.1, latency=cache_or_miss())),
    ],
)
def test_a_canary_at_the_margin_is_hardly_ever_promoted(name: str, service: Service) -> None:
    runs = [
        judge(slices(service, rng, requests=8_000, look=LOOK), NEVER_ROLLED_BACK, until_promoted=True)
        for rng in generators(40)
    ]
    count = sum(run.promoted_after is not None for run in runs)
    print(f"{name:40s} promoted {count} of {len(runs)}, refuted above {bound(len(runs), 0.05)}")
    assert count <= bound(len(runs), 0.05)


def test_a_healthy_canary_is_promoted_in_good_time() -> None:
    for name, service, reference in (
        ("errors 0.1 %", Service(error_rate=0.001), 1_900),
        ("errors 0.5 %", Service(error_rate=0.005), 2_300),
    ):
        runs = [judge(slices(service, rng, requests=12_000, look=LOOK), until_promoted=True) for rng in generators(15)]
        half = median(run.promoted_after or 10**6 for run in runs)
        print(f"{name:40s} promoted after {half:,.0f} canary requests at the median (reference {reference:,})")
        assert half <= 1.35 * reference


# (what, service, canary requests in a look, median of the reference implementation or of its planner)
REGRESSIONS = [
    ("errors 0.1 % + 1 pp", Service(error_rate=0.001, canary_excess=0.01), 20, 490),
    ("errors 0.1 % + 5 pp", Service(error_rate=0.001, canary_excess=0.05), 5, 61),
    ("errors 0.5 % + 1 pp", Service(error_rate=0.005, canary_excess=0.01), 20, 980),
    ("errors 0.5 % + 2 pp", Service(error_rate=0.005, canary_excess=0.02), 20, 260),
    ("errors 0.5 % + 5 pp", Service(error_rate=0.005, canary_excess=0.05), 5, 80),
    ("errors 0.5 % + 20 pp", Service(error_rate=0.005, canary_excess=0.2), 2, 20),
    ("P95 x 1.2", Service(canary_factor=1.2), 20, 500),
    ("P95 x 1.5", Service(canary_factor=1.5), 5, 94),
    ("P95 x 2", Service(canary_factor=2.0), 2, 40),
    ("+ 2 pp from request 20,000 on", Service(canary_excess=0.02, begins=20_000), 100, 900),
]


@pytest.mark.parametrize(("name", "service", "look", "reference"), REGRESSIONS)
def test_a_regression_is_found_after_few_requests(name: str, service: Service, look: int, reference: int) -> None:
    requests = service.begins + 12 * reference
    runs = [judge(slices(service, rng, requests=requests, look=look)) for rng in generators(15)]
    after = median((run.rolled_back_after or 10**6) - service.begins for run in runs)
    print(f"{name:40s} found after {after:,.0f} canary requests at the median (reference {reference:,})")
    assert after <= 1.35 * reference


def _rolled_back(runs: list[Run]) -> int:
    return sum(run.rolled_back_after is not None for run in runs)
