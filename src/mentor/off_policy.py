"""What another way of choosing would have earned, estimated from what was shown, with which probability, and rated.

SNIPS: self-normalised inverse propensity scoring (Swaminathan and Joachims, 2015). Doubly robust: Dudík, Langford and
Li (2011), with the P(positive) that was predicted when the answer was given. Intervals are normal, 95 %, and take all
ratings of one user as one observation. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mentor.personas import Persona

LEAST_EFFECTIVE_SAMPLE: Final = 200
_NORMAL_95: Final = 1.96

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RatedAnswer:
    """One rated recommendation: what was shown, how probable each persona was, and the reward (0..1)."""

    user_id: str
    shown: Persona
    propensities: dict[Persona, float]
    expected: dict[Persona, float]
    reward: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean reward (0..1) and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """`snips` and `doubly_robust` are None where the effective sample is too small to say anything."""

    effective_sample: float
    snips: Interval | None
    doubly_robust: Interval | None


def evaluate(answers: Sequence[RatedAnswer], choices: Sequence[Persona]) -> Estimate:
    """The mean reward of showing `choices[i]` in the place of what `answers[i]` showed.

    An answer whose choice could not have been shown carries no weight: then the estimate speaks of the others.
    """
    weights = np.array([_weight(answer, choice) for answer, choice in zip(answers, choices, strict=True)])
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0
    if effective < LEAST_EFFECTIVE_SAMPLE:
        return Estimate(effective, None, None)
    rewards = np.array([answer.reward for answer in answers])
    _, users = np.unique([answer.user_id for answer in answers], return_inverse=True)
    chosen = np.array([answer.expected[choice] for answer, choice in zip(answers, choices, strict=True)])
    shown = np.array([answer.expected[answer.shown] for answer in answers])
    return Estimate(
        effective,
        _snips(weights, rewards, users),
        _mean(chosen + weights * (rewards - shown), users),
    )


def as_shown(answers: Sequence[RatedAnswer]) -> Interval:
    """The mean reward of what was really shown. Needs at least one answer."""
    _, users = np.unique([answer.user_id for answer in answers], return_inverse=True)
    return _mean(np.array([answer.reward for answer in answers]), users)


def _weight(answer: RatedAnswer, choice: Persona) -> float:
    return 1 / answer.propensities[choice] if choice is answer.shown else 0.0


def _snips(weights: Array, rewards: Array, users: NDArray[np.intp]) -> Interval:
    value = float((weights * rewards).sum() / weights.sum())
    return _interval(value, weights * (rewards - value) / weights.mean(), users)


def _mean(values: Array, users: NDArray[np.intp]) -> Interval:
    value = float(values.mean())
    return _interval(value, values - value, users)


def _interval(value: float, influences: Array, users: NDArray[np.intp]) -> Interval:
    """`influences` are what each answer contributes to the error of `value`, which is their mean."""
    by_user = np.bincount(users, weights=influences)
    half = _NORMAL_95 * float(np.sqrt((by_user**2).sum())) / len(influences)
    return Interval(value, max(0.0, value - half), min(1.0, value + half))
