"""Ways to choose a persona, ours and others', that learn from the same feedback."""

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import replace

import numpy as np
from benchmarks.engines.world import PERSONAS, Array, Text, World

from mentor.canary.confidence import chances
from mentor.canary.ensemble import Terms, terms_of
from mentor.canary.population import Learned, Taste, learn, nothing_learned

EXPLORATION = 0.02


class Contender(ABC):
    explores = False

    @abstractmethod
    def scores(self, user: int, text: Text) -> Array: ...

    def learn(self, user: int, text: Text, choice: int, reward: float) -> None:  # noqa: B027 - most learn nothing
        """Told after every answer."""


class Rule(Contender):
    def scores(self, user: int, text: Text) -> Array:
        return np.eye(4)[text.rule]


class Content(Contender):
    def scores(self, user: int, text: Text) -> Array:
        return text.odds[:4]


class Oracle(Contender):
    def __init__(self, world: World) -> None:
        self._world = world

    def scores(self, user: int, text: Text) -> Array:
        return self._world.positive(user, text.label)


class Ensemble(Contender):
    """What ships, over a plain dictionary in the place of the database."""

    explores = True

    def __init__(self) -> None:
        self._population = nothing_learned().population
        self._tastes: dict[int, Taste] = {}

    def scores(self, user: int, text: Text) -> Array:
        return self.terms(user, text).blend

    def chances(self, user: int, text: Text) -> Array:
        return chances(text.odds, self._learned(user))

    def terms(self, user: int, text: Text) -> Terms:
        return terms_of(text.odds, self._learned(user))

    def learn(self, user: int, text: Text, choice: int, reward: float) -> None:
        learned = learn(self._learned(user), text.odds, persona=PERSONAS[choice], reward=reward)
        self._population, self._tastes[user] = learned.population, learned.taste

    def _learned(self, user: int) -> Learned:
        return Learned(self._population, self._tastes.get(user) or Taste())


class Naive(Ensemble):
    """40/40/20 with the content's raw probabilities: on another scale than the other two terms."""

    def terms(self, user: int, text: Text) -> Terms:
        return replace(super().terms(user, text), content=text.odds[:4])


class LinUCB(Contender):
    """Li et al., A contextual-bandit approach (2010), hybrid: ridges per persona, and on them per user."""

    def __init__(self, alpha: float = 0.1) -> None:
        self._alpha = alpha
        self._shared = [(np.eye(6) * 5, 5 * 0.45 * np.eye(6)[0]) for _ in PERSONAS]
        self._own: defaultdict[tuple[int, int], tuple[Array, Array]] = defaultdict(lambda: (np.eye(6) * 3, np.zeros(6)))

    def scores(self, user: int, text: Text) -> Array:
        inputs = np.r_[1.0, text.odds]
        bounds = []
        for choice, shared in enumerate(self._shared):
            precision, moment = self._own[user, choice]
            inverse = np.linalg.inv(precision)
            width = np.sqrt(inputs @ inverse @ inputs)
            bounds.append(np.linalg.solve(*shared) @ inputs + inverse @ moment @ inputs + self._alpha * width)
        return np.array(bounds)

    def learn(self, user: int, text: Text, choice: int, reward: float) -> None:
        inputs = np.r_[1.0, text.odds]
        precision, moment = self._shared[choice]
        residual = reward - np.linalg.solve(precision, moment) @ inputs
        self._shared[choice] = (precision + np.outer(inputs, inputs), moment + inputs * reward)
        own_precision, own_moment = self._own[user, choice]
        self._own[user, choice] = (own_precision + np.outer(inputs, inputs), own_moment + inputs * residual)
