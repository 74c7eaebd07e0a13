"""The intervals that are shown beside figures hold at every look."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.analysis.intervals import Sample, anytime_z, p95_increase, rate_difference, sample_of
from serinus.deployment import DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Cell, Outcome


def counted(ok: int, failed: int) -> Sample:
    return sample_of(Cell(outcomes={Outcome.OK: ok, Outcome.FAILED: failed}))


def timed(*seconds: float) -> Sample:
    collector = CanaryMetricsCollector()
    for each in seconds:
        collector.record(DeploymentVersion.CANARY, "/", Outcome.OK, each)
    (found,) = collector.drain().values()
    return sample_of(found)


def test_with_many_requests_it_is_the_difference_and_its_standard_error_times_the_boundary() -> None:
    interval = rate_difference(counted(19_400, 600), counted(396_000, 4_000))
    error = math.sqrt(0.03 * 0.97 / 20_000 + 0.01 * 0.99 / 400_000)
    half = anytime_z(20_000 * 400_000 / 420_000) * error
    assert interval == pytest.approx((0.02 - half, 0.02 + half), abs=half / 12)


def test_the_boundary_is_the_normal_mixtures() -> None:
    """At the number of requests that it is tightest for, 3.04 standard errors; there alone a z-test looks 1.96 away."""
    assert anytime_z(1_000) == pytest.approx(3.036, abs=1e-3)
    assert all(anytime_z(n) > anytime_z(1_000) for n in (1, 30, 100, 20_000, 1e6))


def test_clustered_users_widen_the_interval() -> None:
    def width(design_effect: float) -> float:
        interval = rate_difference(counted(950, 50), counted(9_900, 100), design_effect=design_effect)
        assert interval is not None
        return interval.high - interval.low

    assert width(4.0) == pytest.approx(2 * width(1.0), rel=0.15)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_its_estimate_and_turns_with_the_sides(a: int, b: int, c: int, d: int) -> None:
    canary, legacy = counted(a, b), counted(c, d)
    interval = rate_difference(canary, legacy)
    if not a + b or not c + d:
        assert interval is None
        return
    assert interval is not None
    assert interval.low <= b / (a + b) - d / (c + d) <= interval.high
    turned = rate_difference(legacy, canary)
    assert turned is not None
    assert (-turned.high, -turned.low) == pytest.approx(interval, abs=1e-12)


def test_more_requests_narrow_the_p95s_interval_and_too_few_have_none() -> None:
    spread = [0.1 + index / 1_000 for index in range(100)]

    def width(times: int) -> float:
        interval = p95_increase(timed(*spread * times), timed(*spread * times))
        assert interval is not None
        assert interval.low <= 0 <= interval.high
        return interval.high - interval.low

    assert width(40) < width(4)
    assert p95_increase(timed(*spread), timed(*spread)) is None


def test_a_p95_twice_as_long_is_an_increase_of_about_one() -> None:
    interval = p95_increase(timed(*[0.2] * 400), timed(*[0.1] * 400))
    assert interval is not None
    assert interval == pytest.approx((1, 1))
