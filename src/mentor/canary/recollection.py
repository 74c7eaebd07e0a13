"""Which of the user's own earlier statements a message is about, and which of them hold no longer. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from mentor.canary import extraction
from mentor.canary.acts import Act, act_of, asks_to_recall, tells
from mentor.canary.asked import DATES, NAMES, NUMBERS, Kind, asks_of_ours, asks_of_own, kind_of, kinds_in
from mentor.canary.forms import form
from mentor.canary.manner import speaks_of_manner
from mentor.canary.prompt import Prompt
from mentor.canary.stance import claims, contradict
from mentor.canary.stems import all_stems, heads_of, matter_stems, speaks_of, telling_stems, without_entities
from mentor.canary.summary import Statement
from mentor.detection import language_of
from mentor.personas import Language

_TEXTS: Final = 2_048  # old statements are looked at again with every turn of their conversation
_I: Final = re.compile(r"\b(?:i|we)\b", re.IGNORECASE)
_IT: Final = re.compile(r"\b(?:it|its|they|he|she)\b", re.IGNORECASE)
_TALKS: Final = 64
_TOLD_ENOUGH: Final = 2
_ASKED_WORDS: Final = 2
_SHORT_WORDS: Final = 5
_WEIGHS: Final = form("weighs")
_WHAT: Final = form("asks_what")
_VIEW: Final = form("asks_view")
_FIRST: Final = form("asks_first")
_ASKED: Final = form("asks_asked")
_WHETHER: Final = form("asks_whether")
_LAST: Final = form("asks_last")


def told(prompt: Prompt) -> list[Statement]:
    """All that the user has told, in the order of the turns."""
    return _in_order(each for each in prompt.known if is_told(each.text))


def related(prompt: Prompt, *, most: int) -> list[Statement]:
    """Statements that share a telling word with the message: the most relevant, in the order of the turns."""
    stems = telling_stems(prompt.message)
    told_of_it = (each for each in prompt.known if stems & telling_stems(each.text))
    found = [each for each in told_of_it if is_told(each.text) and each.text != prompt.message]
    return _in_order(found[:most])


def recalled(prompt: Prompt, *, most: int) -> list[Statement]:
    """What the user wants to be told again, with what they put in its place since."""
    ordered = told(prompt)
    for place, asked in ((0, _FIRST), (-1, _LAST)):
        if asked.search(prompt.message):
            return ordered[place:][:1]
    if _ASKED.search(prompt.message):
        questions = [turn for turn in prompt.window if act_of(turn.user_message) is Act.QUESTION]
        return [Statement(turn.turn_number, turn.user_message) for turn in questions[-1:]]
    kind = kind_of(prompt.message)
    found = _found(prompt, kind)[:most]
    later = [each for each in _later_words(ordered, found) if _bears_on(each, prompt.message, kind)]
    return _in_order({*found, *later})


def may_ask_for_told(question: str) -> bool:
    """Whether it has the form of a question for what the user has told: "when do we move?"."""
    forms = (_WHAT, _VIEW, _FIRST, _WHETHER)
    asks = kind_of(question) or asks_of_own(question) or any(asked.search(question) for asked in forms)
    return bool(asks and not _WEIGHS.search(question))


def only_user_knows(prompt: Prompt) -> bool:
    """Whether it asks for a person, a place, a day or a figure of the user's, or of a matter that they have told of."""
    if asks_of_own(prompt.message):
        return True
    words = len(prompt.message.split())
    names_a_matter = heads_of(prompt.message) and (prompt.in_scope or words <= _SHORT_WORDS)
    about = asks_of_ours(prompt.message) or bool((names_a_matter or words == 1) and told(prompt))
    return about and kind_of(prompt.message) is not None


def asks_what_is(question: str) -> bool:
    """Whether it asks who, where, when, how many or which: for a fact, whatever the user wants to do with it."""
    if act_of(question) not in (Act.QUESTION, Act.RECALL) or _WEIGHS.search(question):
        return False
    return bool(kind_of(question) or _WHAT.search(question))


def replaced_by(statement: Statement, statements: Sequence[Statement]) -> Statement | None:
    """The last of the later `statements` that puts this one right or says the opposite; None where it stands."""
    matters = _matters(tuple(statements))
    said = claims(statement.text, _matter_before(statement, statements))
    for place in range(len(statements) - 1, -1, -1):
        later = statements[place]
        if later.turn_number <= statement.turn_number:
            return None
        if contradict(claims(later.text, matters[place]), said) or _corrects(later, statement, statements[:place]):
            return later
    return None


def with_later_words(kept: Sequence[Statement], statements: Sequence[Statement]) -> list[Statement]:
    """What was kept, and what was put in the place of any of it since, in the order of the turns."""
    turns = {each.turn_number for each in kept}
    return _in_order([*kept, *{each for each in _later_words(statements, kept) if each.turn_number not in turns}])


def corrected_by(prompt: Prompt) -> Statement | None:
    """What the message puts right, if it does."""
    return _corrected(Statement(prompt.turn_number, prompt.message), told(prompt))


def contradicted_by(prompt: Prompt) -> Statement | None:
    """The latest statement, of those that stand, whose opposite the message says."""
    before = told(prompt)
    matters = _matters((*before, Statement(prompt.turn_number, prompt.message)))
    now = claims(prompt.message, matters[-1])
    opposite = (
        each
        for each, matter in zip(reversed(before), matters[-2::-1], strict=True)
        if contradict(now, claims(each.text, matter))
    )
    return next((each for each in opposite if replaced_by(each, before) is None), None)


def _found(prompt: Prompt, kind: Kind | None) -> list[Statement]:
    """Those that can tell it and share most words with the question, the most relevant first."""
    heads = heads_of(prompt.message)
    candidates = [each for each in _of_whom(prompt) if kind is None or kind.may_tell(each.text)]
    fitting = [each for each in candidates if _speaks_of_all(each, heads, told(prompt))]
    if kind is None and _asks_whether(prompt.message):
        return _saying_so(prompt.message, fitting)
    if kind is None and not fitting:
        fitting = [each for each in candidates if any(speaks_of(each.text, noun) for noun in heads)]
    asked = _stems(prompt.message)
    shared = {each: len(asked & _stems(each.text)) for each in fitting}
    found = [each for each in fitting if 0 < shared[each] == max(shared.values())]
    if found or kind is None or not _may_be_told_otherwise(prompt.message, kind):
        return found
    return candidates[:_TOLD_ENOUGH] if not telling_stems(prompt.message) or _is_alone(candidates) else []


def _asks_whether(question: str) -> bool:
    return bool(_WHETHER.search(question) and not _VIEW.search(question) and not asks_to_recall(question))


def _speaks_of_all(statement: Statement, nouns: Sequence[str], statements: Sequence[Statement]) -> bool:
    """By name, or as "it", where that was talked of just before."""
    if all(speaks_of(statement.text, noun) for noun in nouns):
        return True
    if not _IT.search(statement.text):
        return False
    meant = f"{statement.text} {_matter_before(statement, statements)}"
    return all(speaks_of(meant, noun) for noun in nouns)


def _saying_so(question: str, statements: Sequence[Statement]) -> list[Statement]:
    """Those that hold every word of a question whether something is so: they say so, or the opposite."""
    asked = telling_stems(question)
    return [each for each in statements if len(asked) >= _ASKED_WORDS and asked <= _stems(each.text)]


def _may_be_told_otherwise(question: str, kind: Kind) -> bool:
    """Whether a statement that shares no word with the question may be its answer."""
    if asks_of_own(question) and not kind.own:
        return False
    return kind.event or kind.own if heads_of(question) else kind.alone


def _of_whom(prompt: Prompt) -> list[Statement]:
    """What was told, the most relevant first; of the user alone where they ask what they like or do."""
    known = [each for each in prompt.known if is_told(each.text)]
    if not _VIEW.search(prompt.message):
        return known
    return [each for each in known if _is_of_the_user(each.text)] or known


def _is_of_the_user(text: str) -> bool:
    """Korean leaves out who it is said of, where that is the speaker."""
    if language_of(text) is Language.KO:
        return any(not claim.who for claim in claims(text))
    return _I.search(text) is not None


def _corrects(later: Statement, statement: Statement, before: Sequence[Statement]) -> bool:
    if act_of(later.text) is not Act.CORRECTION:
        return False
    target = _corrected(later, [each for each in before if each.turn_number < later.turn_number])
    if target is None or target.turn_number != statement.turn_number:
        return False
    return bool((kinds_in(later.text) - NAMES) & kinds_in(statement.text) or _shares_subject(later, statement))


@lru_cache(_TALKS)
def _matters(statements: tuple[Statement, ...]) -> tuple[str, ...]:
    """What was talked of before each of the statements: what "it" is in it."""
    found = [""]
    for each in statements[:-1]:
        theme = extraction.theme(each.text, language_of(each.text)) or " ".join(heads_of(each.text))
        liked = (word for claim in claims(each.text) if claim.liking for word in claim.matter)
        found.append(theme or " ".join(liked) or found[-1])
    return tuple(found[: len(statements)])


def _matter_before(statement: Statement, statements: Sequence[Statement]) -> str:
    places = (place for place, each in enumerate(statements) if each.turn_number >= statement.turn_number)
    return _matters(tuple(statements))[next(places, -1)] if statements else ""


def _corrected(correction: Statement, before: Sequence[Statement]) -> Statement | None:
    """What holds the figure that is taken back, or one of its kind, or what it names: most words shared, said last."""
    figures, kinds = _figures(correction.text), kinds_in(correction.text) - NAMES
    same = [each for each in before if figures & _figures(each.text)]
    alike = [each for each in before if kinds & kinds_in(each.text)]
    named = [each for each in before if _shares_subject(correction, each)]
    stems = all_stems(correction.text)
    return max(
        same or alike or named,
        key=lambda each: (len(stems & all_stems(each.text)), each.turn_number),
        default=None,
    )


def _shares_subject(one: Statement, other: Statement) -> bool:
    return any(speaks_of(other.text, noun) for noun in heads_of(one.text))


def _is_alone(statements: Iterable[Statement]) -> bool:
    """Whether one of them stands, and no other."""
    ordered = _in_order(statements)
    standing = (each for each in ordered if replaced_by(each, ordered) is None)
    return len(list(islice(standing, 2))) == 1


def _later_words(statements: Sequence[Statement], found: Iterable[Statement]) -> Iterator[Statement]:
    for statement in found:
        latest = replaced_by(statement, statements)
        while latest is not None:
            yield latest
            latest = replaced_by(latest, statements)


def _bears_on(later: Statement, question: str, kind: Kind | None) -> bool:
    """Whether what was put right is what the question asks for: not the guests, if it asks for the vegetarians."""
    if act_of(later.text) is not Act.CORRECTION:
        return True
    spoken_of = matter_stems(without_entities(later.text))
    of_it = not spoken_of or not matter_stems(question) or bool(spoken_of & matter_stems(question))
    of_its_kind = kind is None or kind.may_tell(later.text) or not kinds_in(later.text) - NAMES
    return of_it and of_its_kind


def _in_order(statements: Iterable[Statement]) -> list[Statement]:
    return sorted(statements, key=lambda statement: statement.turn_number)


@lru_cache(_TEXTS)
def is_told(text: str) -> bool:
    return tells(text) and not asks_to_recall(text) and not speaks_of_manner(text)


@lru_cache(_TEXTS)
def _figures(text: str) -> frozenset[str]:
    """Dates, times and numbers as they stand, and the bare digits of "512MB"."""
    found = {words for kind, words in extraction.entities(text, language_of(text)) if kind in DATES | NUMBERS}
    return frozenset(found | set(re.findall(r"\d[\d,.:]*\d|\d", text)))


def _stems(text: str) -> frozenset[str]:
    return telling_stems(text) | all_stems(text)
