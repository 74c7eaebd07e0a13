"""What feedback teaches: about everybody (`Population`), and about one user (`Taste`). Pure.

A content cell is the likeliest class of a text (a persona, or none). Rewards lie in 0..1: P(positive feedback).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mentor.canary.content import CLASSES, Odds
from mentor.personas import Persona

FACTORS: Final = 10
PRIOR_PRECISION: Final = 70.0  # m_u ~ N(0, I / 70)
PRIOR_RATINGS: Final = 15.0  # an affinity is shrunk as if so many neutral ratings had been given
FORGETTING: Final = 0.998
NOISE: Final = 0.25  # the largest variance of a rating in 0..1
_LINE_PRIOR: Final = (0.4, 0.3)  # P(positive) = 0.4 + 0.3 * odds, until feedback says otherwise
_LINE_WEIGHT: Final = 20.0
_CELL_WEIGHT: Final = 20.0
_FACTOR_STEP: Final = 0.5
_OWN_FACTOR, _CELL_FACTOR = 4.0, 1.0
_AGREEMENT_WEIGHT: Final = 50.0
_CELL_ODDS: Final = 0.6  # of the class that names the cell, on average; the rest is shared by the others

Array: TypeAlias = NDArray[np.floating[Any]]
PERSONAS: Final = tuple(Persona)


@dataclass(frozen=True, slots=True)
class Residuals:
    """How far rewards lay from what the population gives: their sum, and the number of ratings behind it."""

    residual_sum: float = 0.0
    ratings: float = 0.0

    def faded(self, residual: float) -> "Residuals":
        """After one more rating, the older ones counting a little less."""
        return Residuals(FORGETTING * self.residual_sum + residual, FORGETTING * self.ratings + 1)

    def added(self, residual: float) -> "Residuals":
        return Residuals(self.residual_sum + residual, self.ratings + 1)


NONE_YET: Final = Residuals()


@dataclass(frozen=True, slots=True)
class Taste:
    """What one user's feedback says: by persona, fading, and by persona and content cell, lasting."""

    affinities: Mapping[Persona, Residuals] = field(default_factory=dict)
    cells: Mapping[tuple[Persona, str], Residuals] = field(default_factory=dict)

    def by_persona(self) -> tuple[Array, Array]:
        """Numbers of ratings and sums of residuals, in the personas' order."""
        totals = np.zeros((2, len(PERSONAS)))
        for (persona, _), known in self.cells.items():
            totals[:, PERSONAS.index(persona)] += (known.ratings, known.residual_sum)
        return totals[0], totals[1]

    def after(self, persona: Persona, cell: str, residual: float) -> "Taste":
        affinity = self.affinities.get(persona, NONE_YET).faded(residual)
        lasting = self.cells.get((persona, cell), NONE_YET).added(residual)
        return Taste({**self.affinities, persona: affinity}, {**self.cells, (persona, cell): lasting})


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Additive statistics and shared factors; arrays are indexed by persona, then by content cell.

    `precision` and `moment` belong to one Bayesian line per persona, from the odds of the content to P(positive) as it
    was seen; `moment_apart` to the same line with the users' own likings taken out, which decide who is shown what.
    """

    precision: Array
    moment: Array
    moment_apart: Array
    rewards: Array
    ratings: Array
    factors: Array
    agreement: float = 0.0
    repeated: int = 0
    feedback_count: int = 0

    @property
    def liking_variance(self) -> float:
        """How far users' likings for a persona lie apart (in P(positive), squared).

        A residual times the mean of the same user's earlier ones has that expectation, for the ratings' noise averages
        out; `agreement` is the sum over `repeated` such products, shrunk towards no difference at all.
        """
        return max(0.0, self.agreement / (self.repeated + _AGREEMENT_WEIGHT))

    def if_meant(self) -> Array:
        """P(positive) of each persona (columns) on a text that certainly means one (rows)."""
        line = self._lines(self.moment_apart)
        meant: Array = line[:, 0] + np.diag(line[:, 1])
        return meant

    @classmethod
    def prior(cls) -> "Population":
        personas, cells = len(PERSONAS), len(CLASSES)
        base, slope = _LINE_PRIOR
        odds = np.full((personas, cells), (1 - _CELL_ODDS) / (cells - 1))
        np.fill_diagonal(odds, _CELL_ODDS)
        return cls(
            precision=np.tile(np.eye(2) * _LINE_WEIGHT, (personas, 1, 1)),
            moment=np.tile(_LINE_WEIGHT * np.array(_LINE_PRIOR), (personas, 1)),
            moment_apart=np.tile(_LINE_WEIGHT * np.array(_LINE_PRIOR), (personas, 1)),
            rewards=_CELL_WEIGHT * (base + slope * odds),
            ratings=np.full((personas, cells), _CELL_WEIGHT),
            factors=_first_factors(personas, cells),
        )

    def content(self, odds: Odds) -> Array:
        """P(positive) of each persona by what the text is about."""
        line = self._lines(self.moment)
        estimate: Array = line[:, 0] + line[:, 1] * odds[: len(PERSONAS)]
        return estimate

    def rates(self, cell: int) -> Array:
        """P(positive) of each persona among all users, for texts of one cell."""
        rates: Array = self.rewards[:, cell] / self.ratings[:, cell]
        return rates

    def collaborative(self, taste: Taste, cell: int) -> Array:
        """P(positive) of each persona for a user who rates as this one did; the population's for an unknown user."""
        estimate: Array = self.rates(cell) + self.factors[:, cell] @ self.place(taste)
        return estimate

    def affinity(self, taste: Taste, cell: int) -> Array:
        """P(positive) of each persona by how this user took to it, whatever the text."""
        shrunk = [
            known.residual_sum / (known.ratings + PRIOR_RATINGS)
            for known in (taste.affinities.get(persona, NONE_YET) for persona in PERSONAS)
        ]
        estimate: Array = self.rates(cell) + np.array(shrunk)
        return estimate

    def place(self, taste: Taste) -> Array:
        """The user's own factors: the exact Gaussian posterior mean given their ratings, whatever their order."""
        if not taste.cells:
            return np.zeros(FACTORS)
        items = [(PERSONAS.index(persona), CLASSES.index(cell)) for persona, cell in taste.cells]
        loadings = self.factors[tuple(np.array(items).T)]
        sums = np.array([(known.ratings, known.residual_sum) for known in taste.cells.values()])
        precision = PRIOR_PRECISION * np.eye(FACTORS) + (loadings.T * sums[:, 0]) @ loadings / NOISE
        mean: Array = np.linalg.solve(precision, loadings.T @ sums[:, 1] / NOISE)
        return mean

    def to_json(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in kept.items()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Population":
        """What `to_json` wrote; the prior from an empty object."""
        if not kept:
            return cls.prior()
        found: dict[str, Any] = {
            name: np.array(each) if isinstance(each, list) else each for name, each in kept.items()
        }
        return cls(**found)

    def _lines(self, moment: Array) -> Array:
        """Intercept and slope of each persona's line, as the posterior mean has them."""
        lines: Array = np.linalg.solve(self.precision, moment[:, :, None])[:, :, 0]
        return lines


@dataclass(frozen=True, slots=True)
class Learned:
    """All that feedback has taught, as one user's recommendation needs it."""

    population: Population
    taste: Taste


def nothing_learned() -> Learned:
    return Learned(_PRIOR, Taste())


def cell_of(odds: Odds) -> int:
    return int(np.argmax(odds))


def learn(learned: Learned, odds: Odds, *, persona: Persona, reward: float) -> Learned:
    """What is known after one reward (0..1) for `persona` on a text with these odds."""
    population, taste = learned.population, learned.taste
    row, cell = PERSONAS.index(persona), cell_of(odds)
    rate, estimate = (float(each[row]) for each in (population.rates(cell), population.collaborative(taste, cell)))
    own = estimate - rate
    before = taste.affinities.get(persona, NONE_YET)
    factors = population.factors.copy()
    factors[row, cell] += _FACTOR_STEP * (reward - estimate) * population.place(taste)
    inputs = np.array([1.0, odds[row]])
    taught = replace(
        population,
        precision=_plus(population.precision, row, np.outer(inputs, inputs)),
        moment=_plus(population.moment, row, inputs * reward),
        moment_apart=_plus(population.moment_apart, row, inputs * (reward - own)),
        rewards=_plus(population.rewards, (row, cell), reward - own),
        ratings=_plus(population.ratings, (row, cell), 1.0),
        factors=factors,
        agreement=population.agreement
        + ((reward - rate) * before.residual_sum / before.ratings if before.ratings else 0.0),
        repeated=population.repeated + (before.ratings > 0),
        feedback_count=population.feedback_count + 1,
    )
    return Learned(taught, taste.after(persona, CLASSES[cell], reward - rate))


def _plus(array: Array, index: int | tuple[int, int], amount: Array | float) -> Array:
    more = array.copy()
    more[index] += amount
    return more


def _first_factors(personas: int, cells: int) -> Array:
    """Before anybody's feedback: one factor for each persona, and fixed random ones that tell the cells apart."""
    own = np.zeros((personas, cells, personas))
    own[np.arange(personas), :, np.arange(personas)] = _OWN_FACTOR
    rest = FACTORS - personas
    apart = np.random.default_rng(0).normal(size=(personas, cells, rest)) * _CELL_FACTOR / np.sqrt(rest)
    return np.concatenate([own, apart], axis=2)


_PRIOR: Final = Population.prior()
