"""Phase 4: 40 % what similar users liked, 40 % what the text is about, 20 % what this user took to.

All three terms estimate the same thing, P(positive feedback), so that none drowns the others by its scale alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mentor.canary.confidence import chances
from mentor.canary.content import ContentHead, Odds
from mentor.canary.population import PERSONAS, Array, Learned, cell_of
from mentor.personas import PERSONAS as PROFILES
from mentor.personas import Language, Persona
from mentor.recommendation import Query, Recommendation

COLLABORATIVE_WEIGHT: Final = 0.4
CONTENT_WEIGHT: Final = 0.4
AFFINITY_WEIGHT: Final = 0.2

_REASON: Final = {
    Language.EN: (
        "{name} ({strength}): {weights[0]} × similar users {collaborative:.2f} + {weights[1]} × content {content:.2f}"
        " + {weights[2]} × your affinity {affinity:.2f} = {score:.2f} ({ratings} of yours, {everybody} of all users)"
    ),
    Language.KO: (
        "{name}({strength}): {weights[0]} × 비슷한 사용자 {collaborative:.2f} + {weights[1]} × 내용 {content:.2f}"
        " + {weights[2]} × 내 선호 {affinity:.2f} = {score:.2f} (내 평가 {ratings}건, 전체 평가 {everybody}건)"
    ),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """P(positive feedback) by persona, three times: each an array in the personas' order."""

    collaborative: Array
    content: Array
    affinity: Array

    @property
    def blend(self) -> Array:
        blended: Array = (
            COLLABORATIVE_WEIGHT * self.collaborative + CONTENT_WEIGHT * self.content + AFFINITY_WEIGHT * self.affinity
        )
        return np.clip(blended, 0.0, 1.0)


class EnsembleRecommender:
    algorithm = "ensemble"
    model_version = "phase4-ensemble-3"

    def __init__(self, head: ContentHead) -> None:
        self._head = head

    def recommend(self, query: Query, learned: Learned) -> Recommendation:
        odds = self._head.odds(query.text, query.hints)
        terms = terms_of(odds, learned)
        scores = by_persona(terms.blend)
        return Recommendation(
            scores=scores,
            chances=by_persona(chances(odds, learned)),
            expected=scores,
            reasons=_reasons(terms, learned, query.detection.language),
        )


def terms_of(odds: Odds, learned: Learned) -> Terms:
    population, taste, cell = learned.population, learned.taste, cell_of(odds)
    return Terms(
        collaborative=population.collaborative(taste, cell),
        content=population.content(odds),
        affinity=population.affinity(taste, cell),
    )


def by_persona(values: Array) -> dict[Persona, float]:
    return dict(zip(PERSONAS, values.tolist(), strict=True))


def _reasons(terms: Terms, learned: Learned, language: Language) -> dict[Persona, str]:
    cells = learned.taste.cells.items()
    return {
        persona: _REASON[language].format(
            name=PROFILES[persona].name[language],
            strength=PROFILES[persona].strength[language],
            weights=(COLLABORATIVE_WEIGHT, CONTENT_WEIGHT, AFFINITY_WEIGHT),
            collaborative=terms.collaborative[row],
            content=terms.content[row],
            affinity=terms.affinity[row],
            score=terms.blend[row],
            ratings=_counted(sum(known.ratings for (of, _), known in cells if of is persona), language),
            everybody=learned.population.feedback_count,
        )
        for row, persona in enumerate(PERSONAS)
    }


def _counted(ratings: float, language: Language) -> str:
    count = round(ratings)
    if language is Language.KO:
        return str(count)
    return f"{count} rating" if count == 1 else f"{count} ratings"
