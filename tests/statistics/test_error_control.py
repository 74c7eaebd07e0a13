"""Whole rollouts, looked at after every hundred canary requests: how often a good canary goes and a bad one stays.

Each claim is refuted only by a count beyond the one-sided 99 % binomial bound, so a true 5 % passes 99 times of 100;
the seeds are fixed. Run with ``-s`` to see the figures.
"""

from functools import partial
from statistics import median

import pytest

from long_runs import (
    AT_THE_MARGIN,
    NULLS,
    PROMOTIONS,
    REGRESSIONS,
    judge_at_margin,
    judge_null,
    judge_promotion,
    judge_regression,
    side_by_side,
)
from simulated_service import Run, bound

pytestmark = pytest.mark.slow

RUNS = 100


def test_a_healthy_canary_is_hardly_ever_rolled_back() -> None:
    lost = {name: side_by_side(partial(judge_null, name), RUNS) for name in NULLS}
    for name, runs in lost.items():
        count = _rolled_back(runs)
        reasons = [run.reason for run in runs if run.reason]
        print(f"{name:40s} rolled back {count} of {RUNS}, refuted above {bound(RUNS, 0.05)} {reasons}")
        assert count <= bound(RUNS, 0.05)
    everything = [run for runs in lost.values() for run in runs]
    print(f"all nulls: {_rolled_back(everything)} of {len(everything)}, refuted above {bound(len(everything), 0.05)}")
    assert _rolled_back(everything) <= bound(len(everything), 0.05)


@pytest.mark.parametrize("name", AT_THE_MARGIN)
def test_a_canary_at_the_margin_is_hardly_ever_promoted(name: str) -> None:
    runs = side_by_side(partial(judge_at_margin, name), RUNS)
    count = sum(run.promoted_after is not None for run in runs)
    print(f"{name:40s} promoted {count} of {len(runs)}, refuted above {bound(len(runs), 0.05)}")
    assert count <= bound(len(runs), 0.05)


def test_a_healthy_canary_is_promoted_in_good_time() -> None:
    for name, (_, reference) in PROMOTIONS.items():
        runs = side_by_side(partial(judge_promotion, name), RUNS)
        half = median(run.promoted_after or 10**6 for run in runs)
        print(f"{name:40s} promoted after {half:,.0f} canary requests at the median (reference {reference:,})")
        assert half <= 1.35 * reference


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_regression_is_found_after_few_requests(name: str) -> None:
    service, _, reference = REGRESSIONS[name]
    runs = side_by_side(partial(judge_regression, name), RUNS)
    after = median((run.rolled_back_after or 10**6) - service.begins for run in runs)
    print(f"{name:40s} found after {after:,.0f} canary requests at the median (reference {reference:,})")
    assert after <= 1.35 * reference


def _rolled_back(runs: list[Run]) -> int:
    return sum(run.rolled_back_after is not None for run in runs)
