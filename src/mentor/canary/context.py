"""What an answer may draw on, put together within a fixed number of characters."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from mentor.canary import extraction
from mentor.canary.acts import tells
from mentor.canary.memory import Memory
from mentor.canary.retrieval import Retriever
from mentor.canary.summary import Statement, clipped, sentences
from mentor.detection import language_of
from mentor.personas import Language, Persona
from mentor.sessions import Turn

CONTEXT_CHARACTERS: Final = 2000
WINDOW_TURNS: Final = 5
_ENTITIES_CHARACTERS: Final = 500
_PREFERENCES_CHARACTERS: Final = 240
_MESSAGE_CHARACTERS: Final = 200
_EARLIER_CHARACTERS: Final = 160
_ANSWER_CHARACTERS: Final = 120
_ENTITY_WORTH: Final = 0.1
_NAMES: Final = frozenset({"name", "quote", "term"})
_POINTS_BACK: Final = {
    Language.EN: re.compile(
        r"\b(?:it|its|it's|that|this|those|these|they|them|their|there|one|the same|he|she|him|her|his)\b",
        re.IGNORECASE,
    ),
    Language.KO: re.compile(r"그거|그것|그게|그건|거기|그곳|그 |이거|이것|이게|저거|저게|걔|얘|그분"),
}


def recalled(retriever: Retriever, message: str, turns: Sequence[Turn]) -> list[Statement]:
    """What the user said in `turns` that says something, most relevant to `message` first."""
    statements = [Statement(turn.turn_number, turn.user_message) for turn in turns]
    relevance = retriever.relevance(message, [statement.text for statement in statements])
    worth = [_worth(statement.text) for statement in statements]
    order = sorted(range(len(statements)), key=lambda place: -(relevance[place] + worth[place]))
    return [statements[place] for place in order if _says_something(statements[place].text)]


@lru_cache(maxsize=8192)
def _says_something(text: str) -> bool:
    return extraction.says_something(text) or tells(text)


@lru_cache(maxsize=8192)
def _worth(text: str) -> float:
    """How much there is to remember in a statement, in units of relevance."""
    language = language_of(text)
    return _ENTITY_WORTH * min(3, len(extraction.entities(text, language)))


def context_of(
    memory: Memory, window: Sequence[Turn], earlier: Sequence[Statement], persona: Persona, focus: str
) -> str:
    """At most `CONTEXT_CHARACTERS`: what is remembered, the latest turns, and as many earlier ones as fit.

    `earlier` comes most relevant first, and is shown in the order in which it was said.
    """
    head = (
        f"Topics: {_listed(memory.main_topics)}."
        f" Entities: {_listed(_fitting((each.words for each in memory.entities), _ENTITIES_CHARACTERS))}."
        f" User preferences: {_listed(_fitting(reversed(memory.preferences), _PREFERENCES_CHARACTERS))}"
    )
    if focus:
        head += f". Focus: {focus}"
    lines = [_line(turn, persona) for turn in reversed(window)]
    room = CONTEXT_CHARACTERS - len(head) - sum(map(len, lines))
    found = []
    for statement in earlier:
        line = f". Turn {statement.turn_number}: user: {clipped(statement.text, _EARLIER_CHARACTERS)}"
        if len(line) <= room:
            room -= len(line)
            found.append((statement.turn_number, line))
    return (head + "".join(lines) + "".join(line for _, line in sorted(found)))[:CONTEXT_CHARACTERS]


def focus_of(message: str, window: Sequence[Turn]) -> str:
    """What "it" most likely is: the longest name in the latest answer that has one which was not asked about; else "".

    Only for messages that point back, or that ask: Korean leaves the subject out, and so do short questions in English.
    A guess by recency, kind and cue; a language model may know better.
    """
    if not ("?" in message or _POINTS_BACK[language_of(message)].search(message)):
        return ""
    asked = message.lower()
    for turn in reversed(window):
        for text in (foreign_words(turn), turn.user_message):
            names = [name for name in _named(text) if name.lower() not in asked]
            if names:
                return max(names, key=len)
        asked = f"{asked} {turn.user_message.lower()}"
    return ""


def _named(text: str) -> list[str]:
    """Names in a text, but for single words that a sentence begins with: those are capitalised anyway."""
    found = [words for kind, words in extraction.entities(text, language_of(text)) if kind in _NAMES]
    return [words for words in found if " " in words or not _begins_a_sentence(words, text)]


def _begins_a_sentence(word: str, text: str) -> bool:
    return word.isascii() and any(sentence.startswith(word) for sentence in sentences(text))


def foreign_words(turn: Turn) -> str:
    """The answer, unless it is made of the user's own words: those are known already."""
    return turn.ai_response if turn.tells_more else ""


def _line(turn: Turn, persona: Persona) -> str:
    said = f". Turn {turn.turn_number}: user: {clipped(turn.user_message, _MESSAGE_CHARACTERS)}"
    answered = clipped(foreign_words(turn), _ANSWER_CHARACTERS)
    return f"{said} | {persona}: {answered}" if answered else said


def _fitting(words: Iterable[str], characters: int) -> list[str]:
    """The first of `words` that fit, each as a whole."""
    kept: list[str] = []
    for each in words:
        characters -= len(each) + 2
        if characters < 0:
            break
        kept.append(each)
    return kept


def _listed(words: Sequence[str]) -> str:
    return f"[{', '.join(words)}]"
