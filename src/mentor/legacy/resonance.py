"""Phase 3: recommends the persona that resonates with the tone, pace and intent of a query."""

from typing import Final

from mentor.canary.population import Learned
from mentor.detection import Detection
from mentor.legacy.resonance_table import RESONANCE, Label
from mentor.personas import PERSONAS, Language, Persona
from mentor.recommendation import Query, Recommendation

TONE_WEIGHT: Final = 0.5
PACE_WEIGHT: Final = 0.3
INTENT_WEIGHT: Final = 0.2


class ResonanceRecommender:
    """Scores by table; knows no user."""

    algorithm = "resonance_router"
    model_version = "phase3-resonance-1"

    def recommend(self, query: Query, learned: Learned) -> Recommendation:  # noqa: ARG002 - Phase 3 learns nothing
        detected = query.detection
        scores = {persona: resonance(persona, detected) for persona in Persona}
        return Recommendation(
            scores=scores,
            chances={persona: _chance(persona, scores) for persona in Persona},
            # scores of Phase 3 are no probabilities: as shares of their sum they are held against ratings fairly
            expected={persona: score / sum(scores.values()) for persona, score in scores.items()},
            reasons={persona: _reason(persona, detected) for persona in Persona},
        )


def _chance(persona: Persona, scores: dict[Persona, float]) -> float:
    """Phase 3's confidence: 0.3 × the lead over the best other one + 0.7 × the score, within 0..1."""
    best_other = max(score for other, score in scores.items() if other is not persona)
    return min(1.0, max(0.0, 0.3 * (scores[persona] - best_other) + 0.7 * scores[persona]))


def resonance(persona: Persona, detected: Detection) -> float:
    return (
        TONE_WEIGHT * RESONANCE[detected.tone][persona]
        + PACE_WEIGHT * RESONANCE[detected.pace][persona]
        + INTENT_WEIGHT * RESONANCE[detected.intent][persona]
    )


def _reason(persona: Persona, detected: Detection) -> str:
    names = ("어조", "속도", "의도") if detected.language is Language.KO else ("tone", "pace", "intent")
    labels: tuple[Label, ...] = (detected.tone, detected.pace, detected.intent)
    parts = zip((TONE_WEIGHT, PACE_WEIGHT, INTENT_WEIGHT), names, labels, strict=True)
    terms = " + ".join(f"{weight} × {name} {label} {RESONANCE[label][persona]:.1f}" for weight, name, label in parts)
    return f"{PERSONAS[persona].name[detected.language]}: {terms} = {resonance(persona, detected):.2f}"
