"""Which of the user's own earlier statements a message is about, and which of them were corrected since. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from mentor.canary import extraction
from mentor.canary.acts import Act, act_of, asks_to_recall, tells
from mentor.canary.manner import speaks_of_manner
from mentor.canary.prompt import Prompt
from mentor.canary.summary import Statement
from mentor.detection import language_of

_TEXTS: Final = 2_048  # old statements are looked at again with every turn of their conversation
_TOLD_ENOUGH: Final = 2
_DATES: Final = frozenset({"date", "time"})
_NUMBERS: Final = frozenset({"number"})
_NAMES: Final = frozenset({"name"})
_ASKED: Final = (
    (_DATES, re.compile(r"\b(?:when|what (?:time|day|date)|which day)\b|언제|며칠|몇 ?(?:시|월|일)", re.IGNORECASE)),
    (_NAMES, re.compile(r"\bwho(?:m|se)?\b|누가|누구", re.IGNORECASE)),
    (_NUMBERS, re.compile(r"\bhow (?:many|much|old|long|big|large|far)\b|얼마|몇 ?\S", re.IGNORECASE)),
)
_WEIGHS: Final = re.compile(
    r"\b(?:should|shall|can|could|would|will|might|does it|do you)\b|할까|하면|해야|좋을|될까|싶|걸려|걸리|추천",
    re.IGNORECASE,
)
_ANY_WORD: Final = re.compile(r"\w{3,}|[가-힣]{2,}")
_ASKING_WORDS: Final = extraction.words_of("asking_en") | extraction.words_of("asking_ko")
_ENGLISH_ENDING: Final = re.compile(r"(?:ies|ing|ed|es|s|e|y)$")
_STEM_CHARACTERS: Final = 3
_KOREAN_STEM: Final = 2


def told(prompt: Prompt) -> list[Statement]:
    """All that the user has told, in the order of the turns."""
    return sorted((each for each in prompt.known if is_told(each.text)), key=lambda each: each.turn_number)


def related(prompt: Prompt, *, most: int) -> list[Statement]:
    """Statements that share a telling word with the message: the most relevant, in the order of the turns."""
    stems = _stems(prompt.message)
    found = [each for each in prompt.known if is_told(each.text) and stems & _stems(each.text)]
    return _in_order(found[:most])


def recalled(prompt: Prompt, *, most: int) -> list[Statement]:
    """What the user wants to be told again, with what they corrected in it since."""
    kind = _asked_kind(prompt.message)
    candidates = [each for each in prompt.known if is_told(each.text) and _may_tell(each.text, kind)]
    stems = _stems(prompt.message) | _all_stems(prompt.message)
    shared = {each: len(stems & (_stems(each.text) | _all_stems(each.text))) for each in candidates}
    found = [each for each in candidates if 0 < shared[each] == max(shared.values())][:most]
    if not found and kind in (_DATES, _NUMBERS) and (not _stems(prompt.message) or len(_standing(candidates)) == 1):
        found = candidates[:_TOLD_ENOUGH]
    return _in_order({*found, *_later_words(prompt, found, kind)})


def asks_for_told(prompt: Prompt) -> bool:
    """Whether a question asks for a date, a figure or a name that the user has told: "when do we move?"."""
    kind = _asked_kind(prompt.message)
    return bool(kind and not _WEIGHS.search(prompt.message) and recalled(prompt, most=1))


def correction_of(statement: Statement, statements: Sequence[Statement]) -> Statement | None:
    """The first of the later `statements` that puts this one right; None where it stands."""
    for place, later in enumerate(statements):
        if later.turn_number > statement.turn_number and act_of(later.text) is Act.CORRECTION:
            before = [each for each in statements[:place] if each.turn_number < later.turn_number]
            target = _corrected(later, before)
            same_turn = target is not None and target.turn_number == statement.turn_number
            if same_turn and (_kinds(later.text) - _NAMES) & _kinds(statement.text):
                return later
    return None


def corrected_by(prompt: Prompt) -> Statement | None:
    """What the message puts right, if it does."""
    return _corrected(Statement(prompt.turn_number, prompt.message), told(prompt))


def _corrected(correction: Statement, before: Sequence[Statement]) -> Statement | None:
    """What holds the figure that is taken back, or else one of its kind: what shares most words, and was said last."""
    figures, kinds = _figures(correction.text), _kinds(correction.text) - _NAMES
    same = [each for each in before if figures & _figures(each.text)]
    alike = [each for each in before if kinds & _kinds(each.text)]
    stems = _all_stems(correction.text)
    return max(same or alike, key=lambda each: (len(stems & _all_stems(each.text)), each.turn_number), default=None)


def _standing(statements: Sequence[Statement]) -> list[Statement]:
    ordered = _in_order(statements)
    return [each for each in ordered if correction_of(each, ordered) is None]


def _may_tell(text: str, kind: frozenset[str]) -> bool:
    """Who somebody is may be said without a name that is known as one: "my dad", "민지"."""
    return not kind or kind is _NAMES or bool(kind & _kinds(text))


def _later_words(prompt: Prompt, found: Iterable[Statement], kind: frozenset[str]) -> list[Statement]:
    statements, added = told(prompt), []
    for statement in found:
        latest = correction_of(statement, statements)
        while latest is not None:
            if _may_tell(latest.text, kind):
                added.append(latest)
            latest = correction_of(latest, statements)
    return added


def _asked_kind(message: str) -> frozenset[str]:
    return next((kind for kind, asked in _ASKED if asked.search(message)), frozenset())


def _in_order(statements: Iterable[Statement]) -> list[Statement]:
    return sorted(statements, key=lambda statement: statement.turn_number)


@lru_cache(_TEXTS)
def is_told(text: str) -> bool:
    return tells(text) and not asks_to_recall(text) and not speaks_of_manner(text)


@lru_cache(_TEXTS)
def _kinds(text: str) -> frozenset[str]:
    """Kinds of what is named in it; a time of day is as good as a date."""
    found = {kind for kind, _ in extraction.entities(text, language_of(text))} & (_DATES | _NUMBERS | _NAMES)
    return frozenset(found | (_DATES if found & _DATES else set()))


@lru_cache(_TEXTS)
def _figures(text: str) -> frozenset[str]:
    return frozenset(words for kind, words in extraction.entities(text, language_of(text)) if kind in _DATES | _NUMBERS)


@lru_cache(_TEXTS)
def _stems(text: str) -> frozenset[str]:
    """What a text may be recognised by: its content words without their endings, and its dates, times and numbers."""
    language = language_of(text)
    words = {_stem(word) for word in extraction.content_words(text, language)}
    return frozenset(words | {words_said for _, words_said in extraction.entities(text, language)})


@lru_cache(_TEXTS)
def _all_stems(text: str) -> frozenset[str]:
    words = (word for word in _ANY_WORD.findall(text.lower()) if word not in _ASKING_WORDS)
    return frozenset(_stem(word) for word in words) - _ASKING_WORDS


def _stem(word: str) -> str:
    if not word.isascii():
        return word[:_KOREAN_STEM]
    stem = _ENGLISH_ENDING.sub("", word)
    return stem if len(stem) >= _STEM_CHARACTERS else word
