"""Means of business measures, and how far apart they are."""

import numpy as np
import numpy.typing as npt
import pytest

from serinus.analysis.means import _student, mean_difference
from serinus.metrics.moments import Moments


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(3, 3.18245), (5, 2.57058), (10, 2.22814), (30, 2.04227), (1_000, 1.96234)]
)
def test_students_quantile_is_that_of_the_tables(freedom: float, quantile: float) -> None:
    assert _student(freedom) == pytest.approx(quantile, rel=0.01)


def test_an_interval_of_means_covers_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(1_000):
        canary, legacy = moments(rng.normal(0.3, 1.0, 12)), moments(rng.normal(0.0, 2.0, 40))
        interval = mean_difference(canary, legacy)
        assert interval is not None
        covered += interval.low <= 0.3 <= interval.high
    assert 930 <= covered <= 970


def test_one_value_alone_has_no_interval() -> None:
    assert mean_difference(Moments(1, 1.0, 0.0), Moments(9, 1.0, 2.0)) is None


def moments(values: npt.NDArray[np.float64]) -> Moments:
    return Moments(len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum()))
