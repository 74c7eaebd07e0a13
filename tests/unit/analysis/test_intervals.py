"""The intervals that are shown beside a window's figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.analysis.intervals import error_rate_difference, p95_increase
from serinus.deployment import DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Cell, Outcome


def cell(ok: int, failed: int) -> Cell:
    return Cell(outcomes={Outcome.OK: ok, Outcome.FAILED: failed})


def timed(*seconds: float) -> Cell:
    collector = CanaryMetricsCollector()
    for each in seconds:
        collector.record(DeploymentVersion.CANARY, "/", Outcome.OK, each)
    (found,) = collector.drain().values()
    return found


def test_the_difference_is_newcombes_tenth_method() -> None:
    """Row a of table II of Newcombe (1998): 56/70 against 48/80 is 0.0524 to 0.3339."""
    interval = error_rate_difference(cell(14, 56), cell(32, 48))
    assert interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_its_estimate_and_turns_with_the_sides(a: int, b: int, c: int, d: int) -> None:
    canary, legacy = cell(a, b), cell(c, d)
    interval = error_rate_difference(canary, legacy)
    if not canary.valid or not legacy.valid:
        assert interval is None
        return
    assert interval is not None
    assert canary.error_rate is not None
    assert legacy.error_rate is not None
    assert interval.low <= canary.error_rate - legacy.error_rate <= interval.high
    turned = error_rate_difference(legacy, canary)
    assert turned is not None
    assert (-turned.high, -turned.low) == pytest.approx(interval, abs=1e-12)


def test_more_requests_narrow_the_p95s_interval_and_too_few_have_none() -> None:
    spread = [0.1 + index / 1_000 for index in range(100)]

    def width(times: int) -> float:
        interval = p95_increase(timed(*spread * times), timed(*spread * times))
        assert interval is not None
        assert interval.low <= 0 <= interval.high
        return interval.high - interval.low

    assert width(40) < width(2)
    assert p95_increase(timed(*spread[:50]), timed(*spread)) is None


def test_a_p95_twice_as_long_is_an_increase_of_about_one() -> None:
    interval = p95_increase(timed(*[0.2] * 200), timed(*[0.1] * 200))
    assert interval is not None
    assert interval == pytest.approx((1, 1))
