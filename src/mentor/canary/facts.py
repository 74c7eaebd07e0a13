"""Which of the user's own words an answer quotes, and how: as they were said, never as the answer's own."""

from itertools import chain, islice
from typing import Final

from mentor.canary import extraction, recollection
from mentor.canary.acts import Act, act_of, tells
from mentor.canary.asked import kind_of
from mentor.canary.prompt import Prompt
from mentor.canary.stems import all_stems
from mentor.canary.summary import Statement, sentences
from mentor.canary.voices import fact, ordinal, phrase, quoted
from mentor.detection import Intent

_FACTS: Final = 3
_SAID: Final = 2
_LISTED: Final = 4
_LIST_LINES: Final = 2
_SHORT: Final = 80  # characters
_REPEATED: Final = 2  # a fact that was quoted so often lately is known to be known


def facts_of(prompt: Prompt) -> list[Statement]:
    """What the user has told of the matter, in the order in which it was said, and not over and over again."""
    alike = recollection.related(prompt, most=_FACTS)
    told = recollection.told(prompt)
    others = (
        []
        if asks_for_knowledge(prompt)
        else (each for each in prompt.known if recollection.is_told(each.text) and each not in alike)
    )
    fresh = (each for each in others if _times_quoted(each, prompt) < _REPEATED)
    standing = (each for each in chain(alike, fresh) if recollection.replaced_by(each, told) is None)
    return sorted(islice(standing, _FACTS), key=lambda each: each.turn_number)


def preference(prompt: Prompt, facts: list[Statement]) -> list[str]:
    """A liking that has to do with what is asked, and is not among the `facts` anyway."""
    if prompt.intent not in (Intent.SEEK_ADVICE, Intent.PLANNING):
        return []
    told = recollection.told(prompt)
    related = recollection.related(prompt, most=_FACTS)
    alike = {each.text for each in related if recollection.replaced_by(each, told) is None}
    shown = " ".join(each.text for each in facts)
    kept = [each for each in prompt.preferences if each not in shown and any(each in text for text in alike)]
    return [phrase(prompt, "preference").format(preference=fact(each)) for each in kept[-1:]]


def asks_for_knowledge(prompt: Prompt) -> bool:
    """Of the world, not of the user's matter: their facts do not answer it."""
    named = extraction.theme(prompt.message, prompt.detected.language)
    return bool(named and prompt.intent is Intent.LEARNING) or asks_for_fact(prompt)


def asks_for_fact(prompt: Prompt) -> bool:
    """Who, where, when, how many: there is nothing to advise on where the user has told nothing of it."""
    asks = recollection.asks_what_is(prompt.message) or not prompt.in_scope
    return asks and not recollection.related(prompt, most=1)


def taken_up(prompt: Prompt) -> list[str]:
    """The sentences of the message that tell most of it: courtesies and interjections are left out."""
    said = sentences(prompt.message)
    telling = [each for each in said if tells(each) and act_of(each) is not Act.PAUSE and not each.endswith(":")]
    return (telling or said)[: _SAID if prompt.message.count("\n") < _LIST_LINES else _LISTED]


def told_again(prompt: Prompt, statements: list[Statement]) -> list[str]:
    return [turn_line(prompt, "then" if place else "said", each) for place, each in enumerate(statements)]


def turn_line(prompt: Prompt, name: str, statement: Statement) -> str:
    turn = ordinal(statement.turn_number, prompt.detected.language)
    return phrase(prompt, name).format(turn=turn, said=fact(_fitting_part(statement.text, prompt.message)))


def listed(prompt: Prompt, statements: list[Statement]) -> str:
    """In quotation marks; what holds no longer is marked."""
    told = recollection.told(prompt)
    return ", ".join(
        quoted([_fitting_part(each.text, prompt.message)]) + _mark(prompt, each, told) for each in statements
    )


def _mark(prompt: Prompt, statement: Statement, told: list[Statement]) -> str:
    later = recollection.replaced_by(statement, told)
    if later is None:
        return ""
    return phrase(prompt, "since" if act_of(later.text) is Act.CORRECTION else "otherwise")


def _fitting_part(text: str, message: str) -> str:
    """The sentence of a long statement that has most to do with the message; the first that tells where none has."""
    parts = [each for each in sentences(text) if tells(each)]
    if len(text) <= _SHORT or not parts:
        return text
    kind, asked = kind_of(message), all_stems(message)

    def fits(part: str) -> tuple[bool, int]:
        return kind is not None and kind.may_tell(part), len(asked & all_stems(part))

    best = max(parts, key=fits)
    return text if best.endswith(":") else best


def _times_quoted(statement: Statement, prompt: Prompt) -> int:
    return sum(any(fact(each) in turn.ai_response for each in sentences(statement.text)) for turn in prompt.window)
