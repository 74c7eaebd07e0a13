"""The weights of beginning anew are spent once, and buy a quick find of what begins late."""

import itertools
import math

import numpy as np
import pytest

from serinus.analysis.accumulator import Beginnings, accumulate, beginning_weight, forget_gains, log_evidence


def test_the_weights_never_add_up_to_more_than_one_and_never_run_out() -> None:
    total = math.fsum(beginning_weight(index) for index in range(300_000))
    assert 0.99 < total <= 1.0
    assert beginning_weight(10**9) > 0


def test_the_weights_never_grow() -> None:
    weights = [beginning_weight(index) for index in range(40_000)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(weights))


def test_after_many_evaluations_a_test_begins_anew_once_a_minute() -> None:
    beginnings, weights = Beginnings(), []
    for second in range(0, 4_000, 2):
        beginnings, log_weight = beginnings.next(float(second))
        weights.append(log_weight)
    due = [2 * index for index, weight in enumerate(weights) if weight > -math.inf]
    assert due[500] == 1_000
    assert set(np.diff(due[500:])) == {60}


def test_a_late_excess_is_found_almost_as_soon_as_an_early_one() -> None:
    def found_after(quiet: int) -> int:
        sums, beginnings, prior = np.full((1, 1), -math.inf), Beginnings(), np.zeros(1)
        for step in range(quiet + 200):
            ratio = np.full((1, 1), 0.8 if step >= quiet else -0.4)
            beginnings, log_weight = beginnings.next(2.0 * step)
            sums = accumulate(sums, ratio, log_weight)
            if log_evidence(sums, prior)[0] >= math.log(20):
                return step - quiet
        raise AssertionError("never found")

    assert found_after(0) <= 5
    assert found_after(450) <= 15


def test_the_evidence_is_the_mean_over_the_alternatives() -> None:
    sums = np.log([[2.0, 8.0, 1.0], [3.0, 3.0, 3.0]])
    prior = np.log([[0.5, 0.5, 1e-300], [1 / 3, 1 / 3, 1 / 3]])
    assert np.exp(log_evidence(sums, prior)) == pytest.approx([5.0, 3.0])


def test_without_any_beginning_there_is_no_evidence() -> None:
    assert log_evidence(np.full((2, 3), -math.inf), np.zeros(3)).max() < -600


def test_an_excess_that_is_over_leaves_no_credit() -> None:
    sums = np.array([[50.0, -3.0], [50.0, -3.0]])
    kept = forget_gains(sums, np.array([True, False]))
    assert kept.tolist() == [[0.0, -3.0], [50.0, -3.0]]
