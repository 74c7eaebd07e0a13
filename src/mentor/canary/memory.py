"""What a conversation remembers beyond its last turns: entities, topics and preferences, each in the user's words.

A mention counts √n · 0.9^age, where n is how often it was said and age how many turns ago it was said last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from mentor.canary import extraction
from mentor.canary.encoder import Encoder
from mentor.detection import language_of

ENTITIES_KEPT: Final = 32
TOPICS_KEPT: Final = 16
PREFERENCES_KEPT: Final = 8
FADING: Final = 0.9
TOPICS_SHOWN: Final = 5
_TELLING: Final = 3.0  # a topic's words are rarer than this idf
_STATEMENT_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Mention:
    """Something said: `count` times, last in turn `last_turn`."""

    kind: str
    words: str
    count: int
    last_turn: int

    def salience(self, now_turn: int) -> float:
        return sqrt(self.count) * FADING ** (now_turn - self.last_turn)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the user said in a turn."""

    turn_number: int
    text: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything up to and including turn `through_turn`; `statements` are those that last said a mention."""

    through_turn: int = 0
    statements: tuple[Statement, ...] = ()
    entities: tuple[Mention, ...] = ()
    topics: tuple[Mention, ...] = ()
    preferences: tuple[str, ...] = ()

    def after(self, turn_number: int, message: str, encoder: Encoder) -> "Memory":
        language = language_of(message)
        words = extraction.content_words(message, language)
        topics = [("topic", word) for word in words if encoder.rarity(word) > _TELLING]
        entities = _merged(self.entities, extraction.entities(message, language), turn_number)[:ENTITIES_KEPT]
        topics_kept = _merged(self.topics, topics, turn_number)[:TOPICS_KEPT]
        preferences = [*self.preferences, *extraction.preferences(message, language)]
        statements = [*self.statements, Statement(turn_number, message[:_STATEMENT_CHARACTERS])]
        needed = {mention.last_turn for mention in (*entities, *topics_kept)}
        return Memory(
            through_turn=turn_number,
            statements=tuple(statement for statement in statements if statement.turn_number in needed),
            entities=entities,
            topics=topics_kept,
            preferences=tuple(dict.fromkeys(preferences))[-PREFERENCES_KEPT:],
        )

    @property
    def main_topics(self) -> list[str]:
        return [mention.words for mention in self.topics[:TOPICS_SHOWN]]

    @property
    def entities_by_kind(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for mention in self.entities:
            found.setdefault(mention.kind, []).append(mention.words)
        return found

    def to_json(self) -> dict[str, Any]:
        return {
            "through_turn": self.through_turn,
            "statements": [[statement.turn_number, statement.text] for statement in self.statements],
            "entities": [_row(mention) for mention in self.entities],
            "topics": [_row(mention) for mention in self.topics],
            "preferences": list(self.preferences),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Memory":
        """The memory that `to_json` wrote; an empty one from an empty object."""
        if not kept:
            return cls()
        return cls(
            through_turn=kept["through_turn"],
            statements=tuple(Statement(*row) for row in kept["statements"]),
            entities=tuple(Mention(*row) for row in kept["entities"]),
            topics=tuple(Mention(*row) for row in kept["topics"]),
            preferences=tuple(kept["preferences"]),
        )


def _row(mention: Mention) -> list[str | int]:
    return [mention.kind, mention.words, mention.count, mention.last_turn]


def _merged(known: tuple[Mention, ...], found: Iterable[tuple[str, str]], turn_number: int) -> tuple[Mention, ...]:
    """Most salient first."""
    mentions = {mention.words.lower(): mention for mention in known}
    for kind, words in found:
        count = mentions[words.lower()].count + 1 if words.lower() in mentions else 1
        mentions[words.lower()] = Mention(kind, words, count, turn_number)
    return tuple(sorted(mentions.values(), key=lambda mention: -mention.salience(turn_number)))
