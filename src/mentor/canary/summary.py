"""A running summary in the user's own words: the first thing they said, and the few sentences that tell most."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mentor.canary import extraction
from mentor.canary.acts import Act, act_of, tells
from mentor.canary.encoder import Encoder
from mentor.canary.preferences import preferences
from mentor.detection import language_of, prose_of

SENTENCES_KEPT: Final = 6
SENTENCE_CHARACTERS: Final = 160
_FADING: Final = 0.97
_ENTITY, _PREFERENCE = 2.0, 4.0  # what each is worth, beside the rarity of the words
_BULLET: Final = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])\s+", re.MULTILINE)
_CODE_MARK: Final = "```"
_WORDS_COUNTED: Final = 12
_WORD: Final = re.compile(r"\w")
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?。…])(?<!\b[MD]r\.)(?<!\bMs\.)(?<!\bMrs\.)(?<!\bSt\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)\s+|\n+|;\s+"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the user said in a turn."""

    turn_number: int
    text: str


def sentences(message: str) -> list[str]:
    """Those with a word in them, without blocks of code; the whole message when there are none."""
    if message.lstrip().startswith(_CODE_MARK) and prose_of(message) == message:
        return [message.strip()]
    parts = [sentence.strip() for sentence in _SENTENCE_END.split(_BULLET.sub("", prose_of(message)))]
    return [part for part in parts if _WORD.search(part)] or [message.strip()]


def summarised(kept: tuple[Statement, ...], said: Statement, encoder: Encoder) -> tuple[Statement, ...]:
    """The summary after one more turn, in the order in which it was said. A question to us sums up nothing."""
    telling = max(_candidates(said), key=lambda each: _weight(each, said.turn_number, encoder), default=None)
    if telling is None or any(each.text == telling.text for each in kept):
        return kept
    if len(kept) < SENTENCES_KEPT:
        return (*kept, telling)
    least = min((*kept[1:], telling), key=lambda each: _weight(each, said.turn_number, encoder))
    return tuple(each for each in (*kept, telling) if each is not least)


def clipped(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def _candidates(said: Statement) -> Iterable[Statement]:
    if not (tells(said.text) or act_of(said.text) is Act.QUESTION):
        return
    for sentence in sentences(said.text):
        if tells(sentence) and extraction.says_something(sentence):
            yield Statement(said.turn_number, clipped(sentence, SENTENCE_CHARACTERS))


def _weight(statement: Statement, now_turn: int, encoder: Encoder) -> float:
    language = language_of(statement.text)
    words = set(extraction.content_words(statement.text, language))
    rarity = sum(sorted((encoder.rarity(word) for word in words), reverse=True)[:_WORDS_COUNTED])
    worth = rarity + _ENTITY * len(extraction.entities(statement.text, language))
    worth += _PREFERENCE * len(preferences(statement.text, language))
    return float(worth * _FADING ** (now_turn - statement.turn_number))
