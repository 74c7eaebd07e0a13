"""What a recommendation is, whichever engine makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mentor.detection import Detection, Hints
from mentor.personas import Persona


@dataclass(frozen=True, slots=True)
class Query:
    """A text with what was detected in it; `hints` holds what the caller said about it, and is part of `detection`."""

    text: str
    detection: Detection
    hints: Hints


@dataclass(frozen=True, slots=True)
class Affinity:
    """What one user's feedback says about one persona: how far ratings lay from what was expected of them.

    `residual_sum` is in units of P(positive feedback), `ratings` the effective number of ratings behind it; both fade.
    """

    residual_sum: float = 0.0
    ratings: float = 0.0


Affinities = Mapping[Persona, Affinity]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`scores` lie in 0..1; `confidence` is the engine's own claim of P(the first one is the best one).

    `expected` is P(positive feedback) by persona as for an unknown user: what ratings are held against.
    """

    scores: dict[Persona, float]
    confidence: float
    expected: dict[Persona, float]
    reasons: dict[Persona, str]

    @property
    def primary(self) -> Persona:
        return self.ranking[0]

    @property
    def ranking(self) -> list[Persona]:
        return ranked(self.scores)


class Recommender(Protocol):
    """Pure and quick (under a millisecond): it may be called from the event loop."""

    algorithm: str
    model_version: str

    def recommend(self, query: Query, affinities: Affinities) -> Recommendation: ...


def ranked(scores: Mapping[Persona, float]) -> list[Persona]:
    """Best first; equals in the personas' own order."""
    return sorted(scores, key=lambda persona: -scores[persona])
