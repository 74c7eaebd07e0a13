"""Trying out, now and then, what is not thought to be best: the only way to learn whether it would have been.

Epsilon-greedy, with the probability of every persona on record, so that other policies can be judged from the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mentor.personas import Persona
from mentor.recommendation import Recommendation


@dataclass(frozen=True, slots=True)
class Shown:
    """What the user gets to see. `propensities` are the probabilities with which each persona could have come first."""

    persona: Persona
    ranking: list[Persona]
    propensities: dict[Persona, float]

    @property
    def explored(self) -> bool:
        """Whether another one than the best came first."""
        return self.propensities[self.persona] < max(self.propensities.values())


@dataclass(frozen=True, slots=True)
class Exploration:
    """A `share` (0..1) of the answers show one of the four at random; `draw` gives uniform numbers on [0, 1)."""

    share: float
    draw: Callable[[], float]

    def show(self, made: Recommendation) -> Shown:
        even = self.share / len(Persona)
        propensities = {persona: even + (1 - self.share) * (persona is made.primary) for persona in Persona}
        persona = self._any_of_them() if self.draw() < self.share else made.primary
        return Shown(persona, [persona, *(other for other in made.ranking if other is not persona)], propensities)

    def _any_of_them(self) -> Persona:
        return list(Persona)[int(self.draw() * len(Persona))]


NO_EXPLORATION: Final = Exploration(0.0, lambda: 0.0)
