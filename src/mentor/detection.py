"""What a text reveals: tone, pace, intent and language, in English and Korean.

Cues and length decide the pace. For the tone, a head that learned from seed sentences speaks where the cues do not; for
the intent, cues and such a head are added up. LEGACY scores these labels.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from mentor.canary.encoder import shared_encoder
from mentor.head import Head, odds_of
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


_SHOUTED_WORDS: Final = 4
_BURST_CHARACTERS: Final = {Language.EN: 14, Language.KO: 7}
_FLOWING_WORDS: Final = {Language.EN: 40, Language.KO: 25}
_JOINED_WORDS: Final = {Language.EN: 24, Language.KO: 12}
_JOINTS: Final = {
    Language.EN: re.compile(r",|\b(?:and|then|so|but|which|who|while|until|when|where|because)\b"),
    Language.KO: re.compile(r"(?:고|는데|다가|서|니까?|며|면서|더니|지만|느라|자)(?=[\s,])"),
}
_FLOWING_JOINTS: Final = 3
_HANGUL: Final = re.compile(r"[ㄱ-ㆎ가-힣]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_CODE: Final = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_KO_WORD: Final = re.compile(r"\S*[ㄱ-ㆎ가-힣]\S*")
_EN_WORD: Final = re.compile(r"[A-Za-z][A-Za-z']*")
_EN_GRAMMAR: Final = re.compile(
    r"(?:a|an|the|i|i'm|it|it's|its|is|are|was|were|do|does|did|can|could|would|should|we|you|he|she|they|my|our|your"
    r"|this|that|to|of|in|on|at|for|with|what|how|why|when|where|who|and|but|or|not|please)",
)
_KO_ENDING: Final = re.compile(r"[요다까죠네음임됨뜸해지어아냐니야]\W*$")
_FRAME_WORDS: Final = 2
_NO_HINTS: Final = Hints()
_SURE_OF_INTENT: Final = 0.5
_SURE_OF_TONE: Final = 0.5
_CUE_WEIGHT: Final = 1.0  # of an intent's first cue, in logits

Label = TypeVar("Label", Tone, Pace, Intent)


def detect(text: str, hints: Hints = _NO_HINTS) -> Detection:
    """The labels of `text`; a hint wins over what would be detected."""
    lowered = text.lower()
    return Detection(
        tone=hints.tone or _tone(text),
        pace=hints.pace or _pace(lowered),
        intent=hints.intent or _likeliest_intent(text)[0],
        language=language_of(text),
    )


def clear_intent(text: str, *, at_least: float = _SURE_OF_INTENT) -> Intent | None:
    """What the text wants, None where that is less likely than `at_least`."""
    intent, chance = _likeliest_intent(text)
    return intent if chance >= at_least else None


@lru_cache(maxsize=1024)
def cued_intent(text: str) -> Intent | None:
    """What the text clearly wants and says in so many words; None where only the head would have it so."""
    intent = clear_intent(text)
    return intent if intent is not None and _found(Intent, text.lower())[intent] else None


@lru_cache(maxsize=1024)
def cued_tone(text: str) -> Tone | None:
    """The tone that the text shows in so many words; None where only the head would have it so."""
    return _tone(text) if any(_found(Tone, text.lower()).values()) else None


@lru_cache(maxsize=1024)
def language_of(text: str) -> Language:
    """Korean where there is Hangul, but for English sentences that quote some: the grammar's words tell.

    Technical Korean is full of English words, names and error messages; code does not count.
    """
    prose = _CODE.sub(" ", text)
    korean = len(_KO_WORD.findall(prose))
    if not korean:
        return Language.EN
    english = _EN_WORD.findall(prose.lower())
    grammar = sum(_EN_GRAMMAR.fullmatch(word) is not None for word in english)
    framed = grammar >= _FRAME_WORDS and len(english) > korean
    said_in_korean = korean >= _FRAME_WORDS and _KO_ENDING.search(prose) is not None
    return Language.EN if framed and not said_in_korean else Language.KO


def has_language(text: str) -> bool:
    """Whether a text has words of any language in it: figures, emoji and code have none."""
    return _LETTER.search(_CODE.sub(" ", text)) is not None


def prose_of(text: str) -> str:
    """The longest part of it that is no code; all of it when it is nothing else."""
    return max((part.strip() for part in _CODE.split(text)), key=len) or text


@lru_cache(maxsize=1024)
def _likeliest_intent(text: str) -> tuple[Intent, float]:
    found = _found(Intent, text.lower())
    cued = np.log2([1.0 + found[intent] for intent in Intent])
    odds = odds_of(_head(Intent).logits(text) + _CUE_WEIGHT * cued)
    best = int(odds.argmax())
    return tuple(Intent)[best], float(odds[best])


def _tone(text: str) -> Tone:
    """What the cues say; among equals and without any, what the head is sure of; else calm, or curious when it asks."""
    tones, found = tuple(Tone), _found(Tone, text.lower())
    most = max(found.values())
    likeliest = [tone for tone in tones if most and found.get(tone, 0) == most]
    if len(likeliest) == 1:
        return likeliest[0]
    odds = odds_of(_head(Tone).logits(text))
    if likeliest:
        return max(likeliest, key=lambda tone: odds[tones.index(tone)])
    if odds.max() >= _SURE_OF_TONE:
        return tones[int(odds.argmax())]
    return Tone.CURIOUS if "?" in text else Tone.CALM


@cache
def _head(kind: type[Label]) -> Head:
    return Head(shared_encoder(), Path(__file__).with_name(f"{kind.__name__.lower()}_head.npz"))


def _pace(lowered: str) -> Pace:
    """By cues, and without any by length."""
    return _strongest(Pace, lowered, default=_pace_of_length(lowered, language_of(lowered)))


def _pace_of_length(lowered: str, language: Language) -> Pace:
    """A shout and a word or two are bursts; a paragraph flows, and so does a sentence of many parts."""
    words, said = len(lowered.split()), lowered.strip()
    joined = words >= _JOINED_WORDS[language] and len(_JOINTS[language].findall(lowered)) >= _FLOWING_JOINTS
    if joined or words >= _FLOWING_WORDS[language]:
        return Pace.FLOWING
    if 0 < len(said) <= _BURST_CHARACTERS[language] or (said.endswith("!") and words <= _SHOUTED_WORDS):
        return Pace.BURST
    return Pace.MEDIUM


def _strongest(kind: type[Label], lowered: str, *, default: Label) -> Label:
    best, most = default, 0
    for label, found in _found(kind, lowered).items():
        if found > most:
            best, most = label, found
    return best


@lru_cache(maxsize=1024)
def _found(kind: type[Label], lowered: str) -> Mapping[Label, int]:
    """How many different cues of each label there are."""
    tables = _cues(kind, korean=_HANGUL.search(lowered) is not None)
    return {label: len({match.group() for match in cues.finditer(lowered)}) for label, cues in tables.items()}


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
