"""How sure the ensemble is: P(a persona is the best one), from what the text may mean and what the user may like.

The odds of the content say which persona the text means. How far users' likings lie apart is estimated from feedback
(nothing before there is any), and so is this user's own liking; what is not known of it is integrated over.
"""

from typing import Final

import numpy as np

from mentor.canary.content import Odds
from mentor.canary.population import NOISE, PERSONAS, Array, Learned

_DRAWS: Final = np.random.default_rng(0).standard_normal((128, len(PERSONAS)))
_NORMAL: Final = np.concatenate([_DRAWS, -_DRAWS])


def chances(odds: Odds, learned: Learned) -> Array:
    """P(each is the best); what is missing to 1 is the probability that no persona is meant."""
    meant = learned.population.if_meant()  # row: the persona that is meant, column: P(positive) of each
    liking, deviation = _liking(learned)
    utilities = meant[:, None, :] + liking + deviation * _NORMAL
    wins = utilities.argmax(axis=2)
    best: Array = sum(
        (odds[row] * np.bincount(won, minlength=len(PERSONAS)) / len(_NORMAL) for row, won in enumerate(wins)),
        start=np.zeros(len(PERSONAS)),
    )
    return best


def _liking(learned: Learned) -> tuple[Array, Array]:
    """Mean and standard deviation of what the user likes more or less than others do, by persona (in P(positive))."""
    variance = learned.population.liking_variance
    counts, sums = learned.taste.by_persona()
    shrinkage = variance / (counts * variance + NOISE)
    return shrinkage * sums, np.sqrt(shrinkage * NOISE)
