"""Phase 3: recommends the persona that resonates with the tone, pace and intent of a query."""

from typing import Final, TypeAlias

from mentor.detection import Detection, Intent, Pace, Tone
from mentor.personas import PERSONAS, Language, Persona
from mentor.recommendation import Affinities, Query, Recommendation, ranked

Label: TypeAlias = Tone | Pace | Intent

TONE_WEIGHT: Final = 0.5
PACE_WEIGHT: Final = 0.3
INTENT_WEIGHT: Final = 0.2

_ORDER: Final = (Persona.LUA, Persona.ELRO, Persona.RIRI, Persona.NANA)
_TABLE: Final[dict[Label, tuple[float, float, float, float]]] = {
    Tone.FRUSTRATED: (1.0, 0.4, 0.6, 0.5),
    Tone.PLAYFUL: (1.0, 0.3, 0.4, 0.7),
    Tone.ANXIOUS: (1.0, 0.5, 0.6, 0.7),
    Tone.ANALYTICAL: (0.3, 1.0, 1.0, 0.5),
    Tone.CALM: (0.6, 1.0, 1.0, 0.7),
    Tone.CURIOUS: (0.7, 1.0, 0.9, 0.8),
    Tone.URGENT: (0.5, 0.8, 0.6, 1.0),
    Tone.CONFUSED: (0.8, 0.6, 0.7, 1.0),
    Tone.COLLABORATIVE: (0.6, 0.5, 0.7, 1.0),
    Pace.BURST: (1.0, 0.4, 0.5, 0.6),
    Pace.FLOWING: (1.0, 0.8, 0.9, 0.9),
    Pace.CONTEMPLATIVE: (0.9, 0.7, 1.0, 0.8),
    Pace.MEDIUM: (0.8, 1.0, 1.0, 1.0),
    Intent.SEEK_ADVICE: (1.0, 0.6, 0.7, 0.8),
    Intent.PROBLEM_SOLVING: (0.7, 1.0, 0.9, 0.8),
    Intent.LEARNING: (0.6, 1.0, 0.9, 0.7),
    Intent.VALIDATION: (0.8, 0.7, 1.0, 0.9),
    Intent.PLANNING: (0.5, 0.8, 0.9, 1.0),
    Intent.REFLECTION: (1.0, 0.4, 0.7, 0.6),
}
RESONANCE: Final = {label: dict(zip(_ORDER, row, strict=True)) for label, row in _TABLE.items()}


class ResonanceRecommender:
    """Scores by table; knows no user."""

    algorithm = "resonance_router"
    model_version = "phase3-resonance-1"

    def recommend(self, query: Query, affinities: Affinities) -> Recommendation:  # noqa: ARG002 - Phase 3 learns nothing
        detected = query.detection
        scores = {persona: resonance(persona, detected) for persona in Persona}
        first, second, *_ = ranked(scores)
        return Recommendation(
            scores=scores,
            confidence=min(1.0, max(0.0, 0.3 * (scores[first] - scores[second]) + 0.7 * scores[first])),
            # scores of Phase 3 are no probabilities: as shares of their sum they are held against ratings fairly
            expected={persona: score / sum(scores.values()) for persona, score in scores.items()},
            reasons={persona: _reason(persona, detected) for persona in Persona},
        )


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
