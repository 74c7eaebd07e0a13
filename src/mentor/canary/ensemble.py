"""Phase 4: recommends by what a query is about, and by what this user's feedback has taught.

Two terms, both in units of P(positive feedback): the content term is the calibrated probability of a multinomial
logistic head over sentence vectors; the affinity term is the user's mean residual, shrunk towards zero until the user
has given enough ratings (an empirical-Bayes mean with a prior worth `PRIOR_RATINGS`).
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import Encoder
from mentor.detection import Hints
from mentor.legacy.resonance import RESONANCE
from mentor.personas import PERSONAS, Language, Persona
from mentor.recommendation import Affinities, Affinity, Query, Recommendation, ranked

PRIOR_RATINGS: Final = 15
FORGETTING: Final = 0.998
HINT_WEIGHT: Final = 2.0
OUT_OF_SCOPE: Final = "out_of_scope"
CLASSES: Final = (*(persona.value for persona in Persona), OUT_OF_SCOPE)
_WEIGHTS: Final = Path(__file__).with_name("heads.npz")


class EnsembleRecommender:
    """Reads the shipped head at construction; `recommend` itself is pure."""

    algorithm = "ensemble"
    model_version = "phase4-content-affinity-1"

    def __init__(self, encoder: Encoder, weights: Path = _WEIGHTS) -> None:
        self._encoder = encoder
        with np.load(weights) as arrays:
            self._weights: NDArray[np.float32] = arrays["weights"]

    def recommend(self, query: Query, affinities: Affinities) -> Recommendation:
        content = self.content(query.text, query.hints)
        offsets = {persona: affinity_offset(affinities.get(persona, Affinity())) for persona in Persona}
        scores = {persona: min(1.0, max(0.0, content[persona] + offsets[persona])) for persona in Persona}
        language = query.detection.language
        return Recommendation(
            scores=scores,
            confidence=scores[ranked(scores)[0]],
            expected=content,
            reasons={
                persona: _reason(persona, language, content[persona], affinities.get(persona, Affinity()))
                for persona in Persona
            },
        )

    def content(self, text: str, hints: Hints) -> dict[Persona, float]:
        """P(persona | text); what is missing to 1 is the probability that no persona is meant."""
        logits = self._weights[:, :-1] @ self._encoder.encode(text) + self._weights[:, -1]
        logits[:-1] += _tilt(hints)
        odds = np.exp(logits - logits.max())
        return dict(zip(Persona, (odds[:-1] / odds.sum()).tolist(), strict=True))


def affinity_offset(affinity: Affinity) -> float:
    """The shrunk residual, in P(positive feedback)."""
    return affinity.residual_sum / (affinity.ratings + PRIOR_RATINGS)


def learn(affinity: Affinity, *, reward: float, expected: float) -> Affinity:
    """The affinity after one rating of `reward` (0..1) where the content term had expected `expected`."""
    return Affinity(
        residual_sum=FORGETTING * affinity.residual_sum + reward - expected,
        ratings=FORGETTING * affinity.ratings + 1,
    )


@cache
def _tilt(hints: Hints) -> NDArray[np.float32]:
    """What the caller's own words about tone, pace and intent add to the personas' logits, zero on average."""
    given = [label for label in (hints.tone, hints.pace, hints.intent) if label is not None]
    rows = [[RESONANCE[label][persona] for persona in Persona] for label in given] or [[0.0] * len(Persona)]
    tilt = np.sum(rows, axis=0, dtype=np.float32)
    centred: NDArray[np.float32] = HINT_WEIGHT * (tilt - tilt.mean())
    return centred


def _reason(persona: Persona, language: Language, content: float, affinity: Affinity) -> str:
    profile, offset = PERSONAS[persona], affinity_offset(affinity)
    if language is Language.KO:
        return (
            f"{profile.name[language]}({profile.strength[language]}): 내용 {content:.2f}"
            f" + 내 선호 {offset:+.2f} (평가 {affinity.ratings:.0f}건)"
        )
    ratings = "rating" if round(affinity.ratings) == 1 else "ratings"
    return (
        f"{profile.name[language]} ({profile.strength[language]}): content {content:.2f}"
        f" + your affinity {offset:+.2f} ({affinity.ratings:.0f} {ratings})"
    )
