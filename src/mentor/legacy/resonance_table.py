"""How well each persona resonates with a tone, a pace and an intent."""

from typing import Final, TypeAlias

from mentor.detection import Intent, Pace, Tone
from mentor.personas import Persona

Label: TypeAlias = Tone | Pace | Intent

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
