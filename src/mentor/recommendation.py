"""What a recommendation is, whichever engine makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mentor.canary.population import Learned
from mentor.detection import Detection, Hints
from mentor.personas import Persona


@dataclass(frozen=True, slots=True)
class Query:
    """A text with what was detected in it; `hints` holds what the caller said about it, and is part of `detection`."""

    text: str
    detection: Detection
    hints: Hints


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`scores` lie in 0..1. `chances` are the engine's own claim, by persona, of P(it is the best of the four).

    `expected` is P(positive feedback) by persona: what was predicted when the answer was given.
    """

    scores: dict[Persona, float]
    chances: dict[Persona, float]
    expected: dict[Persona, float]
    reasons: dict[Persona, str]

    @property
    def primary(self) -> Persona:
        return self.ranking[0]

    @property
    def confidence(self) -> float:
        return self.chances[self.primary]

    @property
    def ranking(self) -> list[Persona]:
        return ranked(self.scores)


class Recommender(Protocol):
    """Pure and quick (under a millisecond): it may be called from the event loop."""

    algorithm: str
    model_version: str

    def recommend(self, query: Query, learned: Learned) -> Recommendation: ...


def ranked(scores: Mapping[Persona, float]) -> list[Persona]:
    """Best first; equals in the personas' own order."""
    return sorted(scores, key=lambda persona: -scores[persona])
