"""What a text reveals by its cues: tone, pace, intent and language, in English and Korean.

Rule-based on purpose: LEGACY's resonance scores what stands here, and every label can be reached in both languages.
"""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, TypeVar

from mentor.personas import Language


class Tone(StrEnum):
    FRUSTRATED = "frustrated"
    PLAYFUL = "playful"
    ANXIOUS = "anxious"
    ANALYTICAL = "analytical"
    CALM = "calm"
    CURIOUS = "curious"
    URGENT = "urgent"
    CONFUSED = "confused"
    COLLABORATIVE = "collaborative"


class Pace(StrEnum):
    BURST = "burst"
    FLOWING = "flowing"
    CONTEMPLATIVE = "contemplative"
    MEDIUM = "medium"


class Intent(StrEnum):
    SEEK_ADVICE = "seek_advice"
    PROBLEM_SOLVING = "problem_solving"
    LEARNING = "learning"
    VALIDATION = "validation"
    PLANNING = "planning"
    REFLECTION = "reflection"


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller already knows of the text; None where it is left to detection."""

    tone: Tone | None = None
    pace: Pace | None = None
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    tone: Tone
    pace: Pace
    intent: Intent
    language: Language

    @property
    def key(self) -> str:
        return f"{self.tone}-{self.pace}-{self.intent}"


_BURST_WORDS: Final = 4
_FLOWING_WORDS: Final = {Language.EN: 40, Language.KO: 25}
_HANGUL: Final = re.compile(r"[ㄱ-ㆎ가-힣]")
_LATIN: Final = re.compile(r"[a-zA-Z]")
_NO_HINTS: Final = Hints()

Label = TypeVar("Label", Tone, Pace, Intent)


def detect(text: str, hints: Hints = _NO_HINTS) -> Detection:
    """The labels of `text`; a hint wins over what would be detected."""
    lowered = text.lower()
    return Detection(
        tone=hints.tone or _strongest(Tone, lowered, default=Tone.CURIOUS if "?" in lowered else Tone.CALM),
        pace=hints.pace or _pace(lowered),
        intent=hints.intent or _strongest(Intent, lowered, default=Intent.SEEK_ADVICE),
        language=language_of(text),
    )


def language_of(text: str) -> Language:
    """Korean when at least every third letter is Hangul: technical Korean is full of English words."""
    hangul, latin = len(_HANGUL.findall(text)), len(_LATIN.findall(text))
    return Language.KO if hangul and 2 * hangul >= latin else Language.EN


def _pace(lowered: str) -> Pace:
    """By cues; without any, by length: a shout is a burst, a paragraph flows."""
    fallback = Pace.MEDIUM
    words = len(lowered.split())
    if words >= _FLOWING_WORDS[language_of(lowered)]:
        fallback = Pace.FLOWING
    elif words <= _BURST_WORDS and lowered.rstrip().endswith("!"):
        fallback = Pace.BURST
    return _strongest(Pace, lowered, default=fallback)


def _strongest(kind: type[Label], lowered: str, *, default: Label) -> Label:
    best, most = default, 0
    for label, cues in _cues(kind, korean=_HANGUL.search(lowered) is not None).items():
        found = len({match.group() for match in cues.finditer(lowered)})
        if found > most:
            best, most = label, found
    return best


@cache
def _cues(kind: type[Label], *, korean: bool) -> dict[Label, re.Pattern[str]]:
    """One pattern per label, in the order of the file; labels without cues are defaults.

    Korean text is full of English words, so it is searched for the cues of both languages.
    """
    table = tomllib.loads(files("mentor").joinpath("detection.toml").read_text("utf-8"))
    return {kind(name): _pattern(cues, korean=korean) for name, cues in table[kind.__name__.lower()].items()}


def _pattern(cues: dict[str, list[str]], *, korean: bool) -> re.Pattern[str]:
    signs = [cue for cue in cues[Language.EN] if not cue[0].isalpha()]
    words = [cue for cue in cues[Language.EN] if cue[0].isalpha()]
    return re.compile("|".join([rf"\b(?:{'|'.join(words)})", *signs, *(cues[Language.KO] if korean else [])]))
