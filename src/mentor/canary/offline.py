"""Answers without a language model: puts the user's own facts in order, in the persona's voice, and invents none."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zlib import crc32

from mentor.canary import extraction
from mentor.canary.particles import with_particles
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.summary import Statement, clipped, sentences
from mentor.detection import Intent, Tone
from mentor.personas import Language
from mentor.sessions import OFFLINE

_FACTS: Final = 3
_RECALLED: Final = 3
_FACT_CHARACTERS: Final = 120
_TOPIC_CHARACTERS: Final = 40
_HEAVY: Final = frozenset({Tone.FRUSTRATED, Tone.ANXIOUS, Tone.URGENT, Tone.CONFUSED})
_LIGHT: Final = frozenset({Tone.PLAYFUL})
_ASKS_TO_RECALL: Final = re.compile(
    r"\b(?:remember|recall|remind me (?:what|which|when|where|who|how)|what was (?:my|the)"
    r"|(?:did|have|had) i (?:say|said|tell|told|ask|want|mention(?:ed)?)"
    r"|i (?:told|asked) you|(?:we|i) (?:discussed|talked about|mentioned))"
    r"|기억|뭐라고 (?:했|말)|말(?:했|한|씀)|얘기(?:했|한|할 때)|이야기(?:했|한|할 때)|이었지|였더라|였죠|였지",
    re.IGNORECASE,
)
_ASKS_FOR_SUMMARY: Final = re.compile(
    r"\b(?:summar(?:y|i[sz]e)|sum (?:it|this|that|things) up|recap|what have we (?:discussed|talked about))"
    r"|요약|정리해 ?(?:줘|주|봐)|지금까지 (?:무슨|뭐|어떤|나눈|한) ?(?:얘기|이야기|말)",
    re.IGNORECASE,
)
_DANGER: Final = re.compile(
    r"\b(?:suicid(?:e|al)|kill(?:ing)? myself|end(?:ing)? my life|want to die|hurt(?:ing)? myself|self-?harm)"
    r"|자살|자해|죽고 ?싶|목숨을 끊|스스로 목숨",
    re.IGNORECASE,
)


class OfflineResponder:
    """Deterministic: the same prompt gives the same answer."""

    def compose(self, prompt: Prompt) -> Answer:
        voice = _voices()[prompt.persona][prompt.detected.language]
        parts = [
            *_safety(prompt),
            _choice(voice[_mood(prompt.detected.tone)], prompt),
            *_recalled(prompt),
            voice["facts"].format(facts=_facts(prompt.message)),
            _question(prompt),
        ]
        return Answer(" ".join(parts), suggestion(prompt), OFFLINE)


def suggestion(prompt: Prompt) -> str:
    """The next step that the persona would take, for what the user wants to do and about what they talk about."""
    language = prompt.detected.language
    sentence: str = _voices()["next"][prompt.persona][language][prompt.detected.intent]
    topic = clipped(prompt.topics[0], _TOPIC_CHARACTERS) if prompt.topics else _voices()["recall"][language]["topic"]
    filled = sentence.replace("{topic}", topic)
    return with_particles(filled) if language is Language.KO else filled


def _safety(prompt: Prompt) -> list[str]:
    found = _DANGER.search(prompt.message)
    return [_voices()["recall"][prompt.detected.language]["safety"]] if found else []


def _mood(tone: Tone) -> str:
    if tone in _HEAVY:
        return "heavy"
    return "light" if tone in _LIGHT else "plain"


def _facts(message: str) -> str:
    """The user's first sentences, as they were said."""
    return _quoted(sentences(message)[:_FACTS])


def _quoted(texts: list[str]) -> str:
    return ", ".join(f"“{_fact(text)}”" for text in texts)


def _recalled(prompt: Prompt) -> list[str]:
    lines = _voices()["recall"][prompt.detected.language]
    if _ASKS_FOR_SUMMARY.search(prompt.message):
        facts = _quoted([statement.text for statement in prompt.summary])
        return [lines["summary"].format(facts=facts) if facts else lines["nothing"]]
    asked = _ASKS_TO_RECALL.search(prompt.message) is not None
    statements = _related(prompt, most=_RECALLED if asked else 1)
    if statements:
        return [lines["said"].format(turn=each.turn_number, said=_fact(each.text)) for each in statements]
    if asked:
        return [lines["unknown"]]
    if prompt.preferences and prompt.detected.intent in (Intent.SEEK_ADVICE, Intent.PLANNING):
        return [lines["preference"].format(preference=_fact(prompt.preferences[-1]))]
    return []


def _related(prompt: Prompt, *, most: int) -> list[Statement]:
    """Earlier statements that share a telling word with the message: the most relevant, in the order of the turns."""
    language = prompt.detected.language
    words = set(extraction.content_words(prompt.message, language))
    found = [
        statement
        for statement in prompt.known
        if words.intersection(extraction.content_words(statement.text, language))
        and not _ASKS_TO_RECALL.search(statement.text)
    ]
    return sorted(found[:most], key=lambda statement: statement.turn_number)


def _question(prompt: Prompt) -> str:
    questions: list[str] = _voices()["question"][prompt.detected.language][prompt.detected.intent]
    return _choice(questions, prompt)


def _choice(variants: list[str], prompt: Prompt) -> str:
    return variants[(prompt.turn_number + crc32(prompt.message.encode())) % len(variants)]


def _fact(text: str) -> str:
    return clipped(text.rstrip(".") or text, _FACT_CHARACTERS)


@cache
def _voices() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath("voices.toml").read_text("utf-8"))
