"""Answers without a language model: puts the user's own facts in order, in the persona's voice, and invents none."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zlib import crc32

from mentor.canary import extraction
from mentor.canary.memory import Statement
from mentor.detection import Detection, Intent, Tone
from mentor.personas import Language, Persona

OFFLINE: Final = "offline_responder"
_FACTS: Final = 3
_FACT_CHARACTERS: Final = 120
_HEAVY: Final = frozenset({Tone.FRUSTRATED, Tone.ANXIOUS, Tone.URGENT, Tone.CONFUSED})
_LIGHT: Final = frozenset({Tone.PLAYFUL})
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。…])\s+|\n+|;\s+")
_ASKS_TO_RECALL: Final = re.compile(
    r"\b(?:remember|recall|remind me what|(?:did|have) i (?:say|said|tell|told|mention(?:ed)?)|what was (?:my|the))"
    r"|기억|뭐라고 (?:했|말)|말했(?:지|었|더)|얘기했(?:지|었|더)|이었지|였더라",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that an answer may be made of. `known` holds the statements that are remembered, oldest first."""

    persona: Persona
    detected: Detection
    turn_number: int
    message: str
    known: Sequence[Statement]
    preferences: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    next_suggestion: str
    generated_by: str


class OfflineResponder:
    """Deterministic: the same prompt gives the same answer."""

    def answer(self, prompt: Prompt) -> Answer:
        voice = _voices()[prompt.persona][prompt.detected.language]
        parts = [
            _choice(voice[_mood(prompt.detected.tone)], prompt),
            *_recalled(prompt),
            voice["facts"].format(facts=_facts(prompt.message)),
            _question(prompt),
        ]
        return Answer(" ".join(parts), voice["next"], OFFLINE)


def _mood(tone: Tone) -> str:
    if tone in _HEAVY:
        return "heavy"
    return "light" if tone in _LIGHT else "plain"


def _facts(message: str) -> str:
    """The user's first sentences, as they were said."""
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(message) if sentence.strip()]
    return ", ".join(f"“{_clipped(sentence)}”" for sentence in sentences[:_FACTS])


def _recalled(prompt: Prompt) -> list[str]:
    lines = _voices()["recall"][prompt.detected.language]
    asked = _ASKS_TO_RECALL.search(prompt.message) is not None
    statement = _related(prompt.message, prompt.detected.language, prompt.known)
    if statement:
        return [lines["said"].format(turn=statement.turn_number, said=_clipped(statement.text))]
    if asked:
        return [lines["unknown"]]
    if prompt.preferences and prompt.detected.intent in (Intent.SEEK_ADVICE, Intent.PLANNING):
        return [lines["preference"].format(preference=_clipped(prompt.preferences[-1]))]
    return []


def _related(message: str, language: Language, known: Iterable[Statement]) -> Statement | None:
    """The statement that shares most words with the message, the latest of equals; None when none shares any."""
    words = set(extraction.content_words(message, language))
    best, most = None, 0
    for statement in known:
        shared = len(words.intersection(extraction.content_words(statement.text, language)))
        if shared >= max(1, most) and not _ASKS_TO_RECALL.search(statement.text):
            best, most = statement, shared
    return best


def _question(prompt: Prompt) -> str:
    questions: list[str] = _voices()["question"][prompt.detected.language][prompt.detected.intent]
    return _choice(questions, prompt)


def _choice(variants: list[str], prompt: Prompt) -> str:
    return variants[(prompt.turn_number + crc32(prompt.message.encode())) % len(variants)]


def _clipped(text: str) -> str:
    text = text.rstrip(".") or text
    return text if len(text) <= _FACT_CHARACTERS else text[: _FACT_CHARACTERS - 1].rstrip() + "…"


@cache
def _voices() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath("voices.toml").read_text("utf-8"))
