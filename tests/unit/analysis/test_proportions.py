"""The tests' one law: the expected likelihood ratio under the null is at most 1, summed over every outcome there is."""

from itertools import product
from math import comb, lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from serinus.analysis import proportions
from serinus.analysis.comparison import ERROR_ODDS, LATENCY_ODDS, PROMOTION_ODDS
from serinus.analysis.limits import LIMIT_ODDS
from serinus.analysis.proportions import Pair

ROUNDING = 1e-9
Floats = NDArray[np.float64]


def binomial(n: int, p: float) -> Floats:
    return np.array([comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)])


def outcomes(n_c: int, n_l: int) -> Pair:
    """Every pair of event counts of `n_c` canary and `n_l` LEGACY requests, canary first."""
    x_c, x_l = np.array(list(product(range(n_c + 1), range(n_l + 1))), dtype=float).T
    return Pair(np.full(len(x_c), float(n_c)), x_c, np.full(len(x_c), float(n_l)), x_l)


def expected(log_ratios: Floats, n_c: int, n_l: int, rates: tuple[float, float]) -> Floats:
    """E[L] of each alternative when the (canary, LEGACY) rates are `rates`."""
    chances = np.outer(binomial(n_c, rates[0]), binomial(n_l, rates[1])).ravel()
    return np.asarray(chances @ np.exp(log_ratios))


sizes = st.integers(1, 14)
rates = st.floats(0.001, 0.999)


@given(n_c=sizes, n_l=sizes, p_l=rates, better=st.floats(0, 1))
@settings(max_examples=60)
def test_the_share_test_expects_at_most_one_for_a_canary_that_is_no_worse(
    n_c: int, n_l: int, p_l: float, better: float
) -> None:
    log_ratios = proportions.share(outcomes(n_c, n_l), ERROR_ODDS)
    assert expected(log_ratios, n_c, n_l, (p_l * better, p_l)).max() <= 1 + ROUNDING
    at_the_boundary = expected(log_ratios, n_c, n_l, (p_l, p_l))
    assert at_the_boundary == pytest.approx(np.ones(len(ERROR_ODDS)), abs=ROUNDING)


@given(n_c=sizes, n_l=sizes, p_l=rates, worse=st.floats(0, 1))
@settings(max_examples=60)
def test_the_reversed_share_test_expects_at_most_one_for_a_canary_that_is_no_better(
    n_c: int, n_l: int, p_l: float, worse: float
) -> None:
    log_ratios = proportions.share(outcomes(n_c, n_l), PROMOTION_ODDS)
    assert expected(log_ratios, n_c, n_l, (p_l + worse * (1 - p_l), p_l)).max() <= 1 + ROUNDING


@given(n_c=sizes, n_l=sizes, p_l=rates)
@settings(max_examples=40)
def test_the_bound_for_large_slices_expects_at_most_one_too(n_c: int, n_l: int, p_l: float) -> None:
    pair = outcomes(n_c, n_l)
    log_odds = np.tile(np.log(LATENCY_ODDS), (len(pair.canary_n), 1))
    log_ratios = pair.canary_x[:, None] * log_odds - proportions._log_mean_bound(pair, log_odds)
    assert expected(log_ratios, n_c, n_l, (p_l, p_l)).max() <= 1 + ROUNDING


margins = st.floats(0.001, 0.3)
parts = st.floats(0, 1)


@given(sizes=st.tuples(sizes, sizes), margin=margins, guesses=st.tuples(rates, rates), null=parts, within=parts)
@settings(max_examples=150)
def test_the_difference_test_expects_at_most_one_on_the_null_side_of_the_margin(
    sizes: tuple[int, int], margin: float, guesses: tuple[float, float], null: float, within: float
) -> None:
    n_c, n_l = sizes
    pair = outcomes(n_c, n_l)
    canary_guess, legacy_guess = guesses[0], min(guesses[1], 0.99 - margin)
    rows = np.ones((len(pair.canary_n), 1))
    columns = Pair(*(column[:, None] for column in pair))
    tilts = proportions.tilts_towards(columns, margin * rows, canary_guess * rows, legacy_guess * rows)
    log_ratios = proportions.difference(columns, margin * rows, tilts)
    p_l = null * (1 - margin)
    tests_for_worse = canary_guess >= legacy_guess + margin
    p_c = within * (p_l + margin) if tests_for_worse else 1 - within * (1 - p_l - margin)
    assert expected(log_ratios, n_c, n_l, (p_c, p_l)).max() <= 1 + ROUNDING


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("base", [0.000_05, 0.0005, 0.005, 0.05, 0.3])
@pytest.mark.parametrize("excess", [-0.005, -0.0017, 0.004, 0.05])
def test_the_difference_test_grows_nearly_as_fast_as_any_could(share: float, base: float, excess: float) -> None:
    """The best growth is the divergence of the true rates from the nearest of the null (Lindon et al.)."""
    margin, requests = 0.005, 10_000.0
    canary_p = base + margin + excess
    n_c, n_l = requests * share, requests * (1 - share)
    pair = Pair(*(np.array([[each]]) for each in (n_c, n_c * canary_p, n_l, n_l * base)))
    rows = np.ones((1, 1))
    tilts = proportions.tilts_towards(pair, margin * rows, canary_p * rows, base * rows)
    grown = proportions.difference(pair, margin * rows, tilts)[0, 0]
    null = np.geomspace(1e-9, 0.99 - margin, 200_001)
    best = (n_c * divergence(canary_p, null + margin) + n_l * divergence(base, null)).min()
    assert grown >= 0.97 * best


def divergence(p: float, q: np.ndarray) -> np.ndarray:
    return np.asarray(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))


@given(n=st.integers(1, 40), allowed=st.floats(0.001, 0.5), within=st.floats(0, 1))
@settings(max_examples=60)
def test_the_limit_test_expects_at_most_one_within_the_limit(n: int, allowed: float, within: float) -> None:
    x = np.arange(n + 1, dtype=float)
    log_ratios = proportions.limit(np.full(n + 1, float(n)), x, np.full(n + 1, allowed), LIMIT_ODDS)
    assert (binomial(n, within * allowed) @ np.exp(log_ratios)).max() <= 1 + ROUNDING


@given(n_c=st.integers(1, 400), n_l=st.integers(1, 8_000), data=st.data())
@settings(max_examples=60)
def test_the_normaliser_agrees_with_the_gamma_function(n_c: int, n_l: int, data: st.DataObject) -> None:
    x_c, x_l = data.draw(st.integers(0, n_c)), data.draw(st.integers(0, n_l))
    events = x_c + x_l
    possible = range(max(0, events - n_l), min(n_c, events) + 1)
    log_p = np.array([_log_comb(n_c, u) + _log_comb(n_l, events - u) - _log_comb(n_c + n_l, events) for u in possible])
    exact = [np.logaddexp.reduce(log_p + np.array(possible) * np.log(psi)) for psi in ERROR_ODDS]
    got = proportions.share(Pair(*(np.array([float(v)]) for v in (n_c, x_c, n_l, x_l))), ERROR_ODDS)[0]
    assert got == pytest.approx(x_c * np.log(ERROR_ODDS) - np.array(exact), abs=1e-6)


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def test_a_slice_without_an_event_or_without_one_of_the_versions_says_nothing() -> None:
    empty = Pair(*(np.array(column, dtype=float) for column in ([5, 5, 0], [0, 3, 0], [5, 0, 5], [0, 0, 2])))
    assert proportions.share(empty, ERROR_ODDS).tolist() == np.zeros((3, len(ERROR_ODDS))).tolist()


def test_more_failures_of_the_canary_are_more_evidence_against_it() -> None:
    pair = Pair(np.full(5, 10.0), np.arange(5.0), np.full(5, 190.0), np.full(5, 2.0))
    assert (np.diff(proportions.share(pair, ERROR_ODDS).max(axis=1)) > 0).all()


def test_huge_slices_neither_overflow_nor_lose_the_sign() -> None:
    pair = Pair(*(np.array([column]) for column in (5e6, 4e5, 95e6, 1e6)))
    ratios = proportions.share(pair, ERROR_ODDS)
    assert np.isfinite(ratios).all()
    assert ratios.max() > 1_000
