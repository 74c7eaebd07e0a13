"""The whole judgement's one law, exactly: over all outcomes of two slices, the null leads to expect at most 1.

Not the tests one by one (those are in the unit tests), but what becomes of them: beginnings, alternatives, weights, the
part of the endpoints and the limits, folded as the controller folds.
"""

from itertools import product
from math import comb
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from made_cells import CRITERIA, begin, cell, slice_of
from serinus.analysis.accumulator import log_evidence
from serinus.analysis.alpha import comparison_weights, limit_weights
from serinus.analysis.analyze import Evidence, fold
from serinus.analysis.comparison import LOG_PRIOR, PROMOTION_LOG_PRIOR, Promotion
from serinus.analysis.endpoints import LOG_APART, LOG_WHOLE
from serinus.analysis.limits import LIMIT_LOG_PRIOR
from serinus.analysis.slices import Slice

pytestmark = pytest.mark.slow

CANARY_N, LEGACY_N = 2, 18  # as few as are compared without waiting for more
ROUNDING = 1e-9
Floats = NDArray[np.float64]


class Said(NamedTuple):
    """E-values of one outcome: of the comparisons and the limits, weighted and merged, and of the proof on errors."""

    compared: float
    limits: float
    proof: float


OUTCOMES = list(product(range(CANARY_N + 1), range(LEGACY_N + 1)))


@pytest.fixture(scope="module")
def said() -> dict[tuple[int, int], Said]:
    """By the numbers of the outcomes of the first and of the second slice."""
    found = {}
    for first, outcome in enumerate(OUTCOMES):
        once = fold(begin(), drawn(0, outcome), CRITERIA)
        for second, after in enumerate(OUTCOMES):
            found[first, second] = read(fold(once, drawn(1, after), CRITERIA))
    return found


def drawn(number: int, outcome: tuple[int, int]) -> Slice:
    return slice_of(number, cell(LEGACY_N, outcome[1]), cell(CANARY_N, outcome[0]))


def read(evidence: Evidence) -> Said:
    weights = comparison_weights(CRITERIA)
    whole = float(weights @ np.exp(log_evidence(evidence.comparison.log_sums, LOG_PRIOR)))
    apart = np.exp(log_evidence(evidence.endpoints.log_sums, LOG_PRIOR)) @ weights
    limits = np.array(limit_weights(CRITERIA.limits)) @ np.exp(log_evidence(evidence.limits.log_sums, LIMIT_LOG_PRIOR))
    proof = np.exp(log_evidence(evidence.step.log_products, PROMOTION_LOG_PRIOR))[Promotion.ERRORS]
    parts = np.exp(LOG_APART + evidence.endpoints.log_weights)
    return Said(float(np.exp(LOG_WHOLE)) * whole + float(parts @ apart), float(limits), float(proof))


def chances(canary_p: float, legacy_p: float) -> Floats:
    """Of each outcome of a slice."""
    return np.array([binomial(CANARY_N, c, canary_p) * binomial(LEGACY_N, x, legacy_p) for c, x in OUTCOMES])


def binomial(n: int, x: int, p: float) -> float:
    return comb(n, x) * p**x * (1 - p) ** (n - x)


def expected(said: dict[tuple[int, int], Said], first: Floats, second: Floats) -> Said:
    values = np.array([said[pair] for pair in np.ndindex(len(OUTCOMES), len(OUTCOMES))])
    return Said(*(float(x) for x in np.outer(first, second).ravel() @ values))


@pytest.mark.parametrize("legacy_p", [0.0005, 0.005, 0.01, 0.05, 0.3, 0.9])
@pytest.mark.parametrize("better", [1.0, 0.5])
def test_a_canary_that_is_no_worse_is_expected_to_show_at_most_its_weights(
    said: dict[tuple[int, int], Said], legacy_p: float, better: float
) -> None:
    drifted = chances(better * legacy_p / 2, legacy_p / 2)  # the second slice is of another hour
    total = expected(said, chances(better * legacy_p, legacy_p), drifted)
    print(f"LEGACY {legacy_p:.2%}, canary {better * legacy_p:.2%}: comparisons {total.compared:.6f}")
    assert total.compared <= comparison_weights(CRITERIA).sum() + ROUNDING


@pytest.mark.parametrize("canary_p", [0.0, 0.001, 0.005, 0.01])
@pytest.mark.parametrize("legacy_p", [0.001, 0.2])
def test_a_canary_within_its_limits_is_expected_to_show_at_most_their_weights(
    said: dict[tuple[int, int], Said], canary_p: float, legacy_p: float
) -> None:
    total = expected(said, chances(canary_p, legacy_p), chances(canary_p, legacy_p))
    assert total.limits <= sum(limit_weights(CRITERIA.limits)) + ROUNDING


def test_all_weights_together_are_one_chance() -> None:
    assert comparison_weights(CRITERIA).sum() + sum(limit_weights(CRITERIA.limits)) <= 1 + ROUNDING


@pytest.mark.parametrize("legacy_p", [0.0005, 0.005, 0.05, 0.3])
@pytest.mark.parametrize("beyond", [0.0, 0.01, 0.2])
def test_a_canary_at_the_margin_or_beyond_is_expected_to_prove_at_most_one(
    said: dict[tuple[int, int], Said], legacy_p: float, beyond: float
) -> None:
    canary_p = legacy_p + CRITERIA.error_rate_margin + beyond
    total = expected(said, chances(canary_p, legacy_p), chances(canary_p, legacy_p))
    assert total.proof <= 1 + ROUNDING
