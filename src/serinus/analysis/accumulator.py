"""Evidence over time: log-likelihood ratios summed into e-values that hold at every look.

A rollback test may begin anew at every evaluation, so that a regression after two good days is found about as fast as
one at the start: M_t = sum over j of w_j * prod from j to t of L, a weighted Shiryaev-Roberts sum (e-detectors: Shin,
Ramdas and Rinaldo 2023). With weights that sum to at most 1 it exceeds 1/a with probability at most a over all time.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.arrays import Floats

# The weight of beginning at an evaluation: half on the first one, then two stretches of equal chances (together about a
# day of 2 s slices, after which a dead canary must still be found at its fourth request), then stretches
# that double in length with less and less mass, so that the weights never run out.
FIRST_MASS = 0.5
STRETCHES = ((500, 0.35), (1_500, 0.12))
TAIL_MASS = 0.03
TAIL_LENGTH = 4_000
EVERY_EVALUATION_UP_TO = 500  # beginnings; beyond, one a minute
SECONDS_BETWEEN_BEGINNINGS = 60.0


@dataclass(frozen=True, slots=True)
class Beginnings:
    """How often a test was allowed to begin anew, when last (epoch seconds), and the log of all weights so far."""

    count: int = 0
    last_at: float = -math.inf
    log_total: float = -math.inf

    def due(self, at: float) -> bool:
        return self.count <= EVERY_EVALUATION_UP_TO or at - self.last_at >= SECONDS_BETWEEN_BEGINNINGS

    def next(self, at: float) -> tuple["Beginnings", float]:
        """The beginnings after an evaluation at `at`, and the log of its weight (-inf when none is due)."""
        if not self.due(at):
            return self, -math.inf
        log_weight = math.log(beginning_weight(self.count))
        return Beginnings(self.count + 1, at, float(np.logaddexp(self.log_total, log_weight))), log_weight


def beginning_weight(index: int) -> float:
    """The weight of the beginning number `index`, from 0; they sum to 1 over all."""
    if index == 0:
        return FIRST_MASS
    index -= 1
    for length, mass in STRETCHES:
        if index < length:
            return mass / length
        index -= length
    stretch = int(math.log2(index / TAIL_LENGTH + 1)) + 1
    return TAIL_MASS / (stretch * (stretch + 1)) / (TAIL_LENGTH << (stretch - 1))


def accumulate(log_sums: Floats, log_ratios: Floats, log_weight: float) -> Floats:
    """One evaluation: begin anew with `log_weight`, then multiply by the likelihood ratios (tests x alternatives).

    Any leading axes are kept.
    """
    return np.asarray(np.logaddexp(log_sums, log_weight) + log_ratios)


def log_evidence(log_sums: Floats, log_prior: Floats) -> Floats:
    """The log e-value of each test: the mean over its alternatives by their prior weights (-inf: no alternative)."""
    terms = log_sums + log_prior
    top = terms.max(axis=-1, initial=-1e300)
    return np.asarray(top + np.log(np.maximum(np.exp(terms - top[..., None]).sum(axis=-1), 1e-300)))


def forget_gains(log_sums: Floats, settled: NDArray[np.bool_]) -> Floats:
    """Tests whose recent evidence is nil keep no more than they were given: an excess that is over is no proof for
    the next one.

    Lowering an e-process keeps its guarantee.
    """
    return np.where(settled[..., None], np.minimum(log_sums, 0.0), log_sums)
