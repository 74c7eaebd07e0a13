"""What a conversation remembers beyond its last turns: entities, topics, preferences, a summary; in the user's words.

A mention counts √n · 0.9^age, where n is how often it was said and age how many turns ago it was said last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from mentor.canary import extraction
from mentor.canary.acts import Act, act_of, names_a_matter
from mentor.canary.danger import is_danger
from mentor.canary.encoder import Encoder
from mentor.canary.preferences import preferences
from mentor.canary.stance import claims, contradict
from mentor.canary.summary import Statement, summarised
from mentor.detection import language_of

ENTITIES_KEPT: Final = 32
TOPICS_KEPT: Final = 16
PREFERENCES_KEPT: Final = 8
FADING: Final = 0.9
TOPICS_SHOWN: Final = 5
_TELLING: Final = 3.0  # a topic's words are rarer than this idf
_WORD_CHARACTERS: Final = 40
_MENTION_CHARACTERS: Final = 80


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
class Memory:
    """Everything up to and including turn `through_turn`."""

    through_turn: int = 0
    entities: tuple[Mention, ...] = ()
    topics: tuple[Mention, ...] = ()
    preferences: tuple[str, ...] = ()
    summary: tuple[Statement, ...] = ()

    def after(self, turn_number: int, message: str, encoder: Encoder, *, answer: str = "") -> "Memory":
        """The memory after one more turn; `answer` is what was said to the user that is not their own words."""
        language, telling = language_of(message), set(topics_of(message, encoder))
        words = extraction.content_words(message, language)
        topics = [("topic", word) for word in words if word in telling and names_a_matter(message)]
        entities = extraction.entities(answer, language_of(answer))
        if act_of(message) not in (Act.ORDER, Act.NOISE, Act.FOREIGN, Act.CREDENTIAL):
            entities += extraction.entities(message, language)
        liked = [] if is_danger(message) else preferences(message, language)
        return Memory(
            through_turn=turn_number,
            entities=_merged(self.entities, entities, turn_number)[:ENTITIES_KEPT],
            topics=_merged(self.topics, topics, turn_number)[:TOPICS_KEPT],
            preferences=tuple(dict.fromkeys([*self._still_liked(message), *liked]))[-PREFERENCES_KEPT:],
            summary=summarised(self.summary, Statement(turn_number, message), encoder),
        )

    def _still_liked(self, message: str) -> list[str]:
        """The preferences whose opposite the message does not say."""
        return [each for each in self.preferences if not contradict(claims(message), claims(each))]

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
            "entities": [_row(mention) for mention in self.entities],
            "topics": [_row(mention) for mention in self.topics],
            "preferences": list(self.preferences),
            "summary": [[statement.turn_number, statement.text] for statement in self.summary],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Memory":
        """The memory that `to_json` wrote; an empty one from an empty object."""
        if not kept:
            return cls()
        return cls(
            through_turn=kept["through_turn"],
            entities=tuple(Mention(*row) for row in kept["entities"]),
            topics=tuple(Mention(*row) for row in kept["topics"]),
            preferences=tuple(kept["preferences"]),
            summary=tuple(Statement(*row) for row in kept.get("summary", ())),
        )


def topics_of(message: str, encoder: Encoder) -> list[str]:
    """The words of a message that are telling, in lower case, the rarest first."""
    words = dict.fromkeys(extraction.content_words(message, language_of(message)))
    telling = [word for word in words if len(word) <= _WORD_CHARACTERS and encoder.rarity(word) > _TELLING]
    return sorted(telling, key=lambda word: -encoder.rarity(word))


def _row(mention: Mention) -> list[str | int]:
    return [mention.kind, mention.words, mention.count, mention.last_turn]


def _merged(known: tuple[Mention, ...], found: Iterable[tuple[str, str]], turn_number: int) -> tuple[Mention, ...]:
    """Most salient first."""
    mentions = {mention.words.lower(): mention for mention in known}
    for kind, words in found:
        if len(words) > _MENTION_CHARACTERS:
            continue
        count = mentions[words.lower()].count + 1 if words.lower() in mentions else 1
        mentions[words.lower()] = Mention(kind, words, count, turn_number)
    return tuple(sorted(mentions.values(), key=lambda mention: -mention.salience(turn_number)))
