"""Answers without a language model: puts the user's own facts in order, in the persona's voice, and invents none."""

import re
from typing import Final

from mentor.canary import extraction, recollection
from mentor.canary.acts import Act, act_of, tells
from mentor.canary.danger import is_accompanied, is_alone, is_danger, is_watched
from mentor.canary.manner import Manner, manner_of
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.summary import Statement, sentences
from mentor.canary.voices import (
    approach,
    asked,
    fact,
    fresh,
    glad,
    next_step,
    ordinal,
    phrase,
    question,
    quoted,
    unused,
    voice,
)
from mentor.detection import Intent, Tone
from mentor.sessions import OFFLINE

_FACTS: Final = 3
_SAID: Final = 2
_RECALLED: Final = 3
_REPEATED: Final = 2  # a fact that was quoted so often lately is known to be known
_HEAVY: Final = frozenset({Tone.FRUSTRATED, Tone.ANXIOUS, Tone.URGENT, Tone.CONFUSED})
_LIGHT: Final = frozenset({Tone.PLAYFUL})
_DARKENS: Final = re.compile(
    r"\b(?:not?|never|but|without|can'?t|don'?t|won'?t|isn'?t|wasn'?t|didn'?t|couldn'?t)\b"
    r"|못 ?[하해]|안 [가-힣]|않|없|지만|는데|[ㅠㅜ]",
    re.IGNORECASE,
)
"""With these a happy word may belong to an unhappy sentence."""
_ENDS_ITSELF: Final = frozenset({Act.GREETING, Act.INTRODUCTION, Act.ABUSE, Act.FAREWELL, Act.ORDER, Act.NOISE})
_COURTESIES: Final = frozenset({Act.GREETING, Act.THANKS, Act.YES, Act.NO, Act.PAUSE})
_CLOSED: Final = {Act.THANKS: "onward", Act.SUMMARY: "missing", Act.CORRECTION: "settled"}


class OfflineResponder:
    """Deterministic: the same prompt gives the same answer."""

    def compose(self, prompt: Prompt) -> Answer:
        act, manner = _act(prompt), manner_of(prompt)
        if is_danger(prompt.message):
            parts = [phrase(prompt, name) for name in ("safety", "care", "company")]
        elif is_watched(prompt.window):
            parts = _watching(prompt, act)
        else:
            parts = [*_COMPOSED[act](prompt, manner), *_closing(prompt, act, manner)]
        return Answer(" ".join(parts), suggestion(prompt), OFFLINE)


def suggestion(prompt: Prompt) -> str:
    """The next step that the persona would take, for what the user wants to do and about what they talk about."""
    if is_danger(prompt.message) or is_watched(prompt.window):
        return phrase(prompt, "safe")
    act = act_of(prompt.message)
    if not prompt.theme and act in _ENDS_ITSELF:
        return phrase(prompt, "return" if act is Act.FAREWELL else "begin")
    return next_step(prompt)


def _act(prompt: Prompt) -> Act:
    act = act_of(prompt.message)
    if act is Act.QUESTION and recollection.asks_for_told(prompt):
        return Act.RECALL
    if act is Act.CORRECTION and recollection.corrected_by(prompt) is None:
        return Act.STATEMENT
    return Act.STATEMENT if act is Act.DENIAL and not recollection.related(prompt, most=1) else act


def _watching(prompt: Prompt, act: Act) -> list[str]:
    """Somebody spoke of dying a moment ago: nothing else is as urgent, whatever the persona."""
    if act is Act.YES or is_accompanied(prompt.message):
        return [phrase(prompt, "with_somebody")]
    if act is Act.THANKS:
        return [voice(prompt)["thanks"], phrase(prompt, "safe")]
    if act is Act.FAREWELL:
        return [phrase(prompt, "still"), voice(prompt)["bye"]]
    alone = [phrase(prompt, "alone")] if act in (Act.NO, Act.UNSURE) or is_alone(prompt.message) else []
    return [phrase(prompt, "still"), *alone, phrase(prompt, "reach")]


def _greeting(prompt: Prompt, _: Manner) -> list[str]:
    return [voice(prompt)["hello"]]


def _thanks(prompt: Prompt, _: Manner) -> list[str]:
    return [voice(prompt)["thanks"]]


def _abuse(prompt: Prompt, _: Manner) -> list[str]:
    return [voice(prompt)["calm"]]


def _farewell(prompt: Prompt, _: Manner) -> list[str]:
    return [voice(prompt)["bye"]]


def _order(prompt: Prompt, _: Manner) -> list[str]:
    return [phrase(prompt, "role")]


def _noise(prompt: Prompt, _: Manner) -> list[str]:
    return [phrase(prompt, "noise").format(said=quoted([prompt.message]))]


def _reply(prompt: Prompt, _: Manner) -> list[str]:
    """A yes, a no or an "I don't know": to what was asked last."""
    return [fresh(voice(prompt)[act_of(prompt.message)], prompt)]


def _pause(prompt: Prompt, _: Manner) -> list[str]:
    """Nothing to take up: back to what was said last, if anything was."""
    mood = _mood(prompt)
    if mood != "plain":
        return [fresh(voice(prompt)[mood], prompt)]
    said = voice(prompt)["pause"].format(said=quoted(sentences(prompt.message)[:1]))
    last = recollection.told(prompt)[-1:]
    return [said, *([phrase(prompt, "last").format(facts=_listed(prompt, last))] if last else [])]


def _summary(prompt: Prompt, _: Manner) -> list[str]:
    facts = [statement for statement in prompt.summary if recollection.is_told(statement.text)]
    return [phrase(prompt, "summary").format(facts=_listed(prompt, facts)) if facts else phrase(prompt, "nothing")]


def _recall(prompt: Prompt, _: Manner) -> list[str]:
    found = recollection.recalled(prompt, most=_RECALLED)
    return _told_again(prompt, found) or [phrase(prompt, "unknown")]


def _denial(prompt: Prompt, _: Manner) -> list[str]:
    return _told_again(prompt, recollection.related(prompt, most=1))


def _correction(prompt: Prompt, _: Manner) -> list[str]:
    before = recollection.corrected_by(prompt)
    said = fresh(voice(prompt)["corrected"], prompt).format(said=quoted(_taken_up(prompt)))
    return [said, *([_turn(prompt, "before", before)] if before else [])]


def _question(prompt: Prompt, manner: Manner) -> list[str]:
    """What was asked, what is known of it, and how the persona would go about it."""
    facts, parts = _facts(prompt), []
    if manner.just_said:
        parts.append(phrase(prompt, "manner").format(said=quoted(_taken_up(prompt))))
    elif not manner.brief:
        questions = [each for each in sentences(prompt.message) if act_of(each) not in _COURTESIES]
        parts.append(asked(voice(prompt)["asked"], prompt, questions[:_SAID] or [prompt.message]))
    if facts:
        parts.append(fresh(voice(prompt)["facts"], prompt).format(facts=_listed(prompt, facts)))
    elif prompt.intent is Intent.LEARNING or _asks_for_knowledge(prompt):
        parts.append(phrase(prompt, "no_source"))
    return [*parts, *_preference(prompt), *(approach(prompt) if prompt.in_scope or facts else [])]


def _statement(prompt: Prompt, manner: Manner) -> list[str]:
    heard = fresh(voice(prompt)["heard"], prompt).format(said=quoted(_taken_up(prompt)))
    if manner.just_said:
        return [phrase(prompt, "manner").format(said=quoted(_taken_up(prompt)))]
    if manner.brief:
        return [heard]
    earlier = _told_again(prompt, recollection.related(prompt, most=1))
    return [fresh(voice(prompt)[_mood(prompt)], prompt), heard, *(line for line in earlier if unused([line], prompt))]


_COMPOSED: Final = {
    Act.GREETING: _greeting,
    Act.INTRODUCTION: _greeting,
    Act.ABUSE: _abuse,
    Act.THANKS: _thanks,
    Act.FAREWELL: _farewell,
    Act.ORDER: _order,
    Act.YES: _reply,
    Act.NO: _reply,
    Act.UNSURE: _reply,
    Act.PAUSE: _pause,
    Act.NOISE: _noise,
    Act.CORRECTION: _correction,
    Act.DENIAL: _denial,
    Act.SUMMARY: _summary,
    Act.RECALL: _recall,
    Act.QUESTION: _question,
    Act.STATEMENT: _statement,
}


def _closing(prompt: Prompt, act: Act, manner: Manner) -> list[str]:
    """One question, that was not asked in the last turns; none where the user wants none."""
    if act in _ENDS_ITSELF or manner.unasked:
        return []
    if act is Act.RECALL:
        found = recollection.recalled(prompt, most=_RECALLED)
        return [phrase(prompt, ("again", "meant", "latest")[min(2, len(found))])]
    if act is Act.DENIAL:
        return [phrase(prompt, "denied")]
    if act in _CLOSED:
        return [phrase(prompt, _CLOSED[act])]
    if act in (Act.STATEMENT, Act.PAUSE) and _mood(prompt) == "light":
        return [glad(prompt)]
    return [question(prompt)]


def _mood(prompt: Prompt) -> str:
    if prompt.detected.tone in _HEAVY:
        return "heavy"
    glad_of_it = prompt.detected.tone in _LIGHT and not _DARKENS.search(prompt.message)
    return "light" if glad_of_it else "plain"


def _preference(prompt: Prompt) -> list[str]:
    """A liking that has to do with what is asked, and is not among the facts anyway."""
    if prompt.intent not in (Intent.SEEK_ADVICE, Intent.PLANNING):
        return []
    alike = {each.text for each in recollection.related(prompt, most=_FACTS)}
    shown = " ".join(each.text for each in _facts(prompt))
    kept = [each for each in prompt.preferences if each not in shown and any(each in text for text in alike)]
    return [phrase(prompt, "preference").format(preference=fact(each)) for each in kept[-1:]]


def _facts(prompt: Prompt) -> list[Statement]:
    """What the user has told of the matter, in the order in which it was said, and not over and over again."""
    alike = recollection.related(prompt, most=_FACTS)
    told = recollection.told(prompt)
    others = [each for each in prompt.known if each in told and each not in alike]
    if _asks_for_knowledge(prompt):
        others = []
    others = [each for each in others if _times_quoted(each, prompt) < _REPEATED]
    standing = [each for each in (*alike, *others) if recollection.correction_of(each, told) is None]
    return sorted(standing[:_FACTS], key=lambda each: each.turn_number)


def _asks_for_knowledge(prompt: Prompt) -> bool:
    """Of the world, not of the user's matter: their facts do not answer it."""
    named = extraction.theme(prompt.message, prompt.detected.language)
    return bool(named and (prompt.intent is Intent.LEARNING or not prompt.in_scope))


def _times_quoted(statement: Statement, prompt: Prompt) -> int:
    return sum(fact(statement.text) in turn.ai_response for turn in prompt.window)


def _taken_up(prompt: Prompt) -> list[str]:
    """The sentences of the message that tell most of it: courtesies and interjections are left out."""
    said = sentences(prompt.message)
    telling = [each for each in said if tells(each) and act_of(each) is not Act.PAUSE]
    return (telling or said)[:_SAID]


def _told_again(prompt: Prompt, statements: list[Statement]) -> list[str]:
    return [_turn(prompt, "then" if place else "said", each) for place, each in enumerate(statements)]


def _turn(prompt: Prompt, name: str, statement: Statement) -> str:
    turn = ordinal(statement.turn_number, prompt.detected.language)
    return phrase(prompt, name).format(turn=turn, said=fact(statement.text))


def _listed(prompt: Prompt, statements: list[Statement]) -> str:
    """In quotation marks; what was put right since is marked."""
    told = recollection.told(prompt)
    return ", ".join(
        quoted([each.text]) + (phrase(prompt, "since") if recollection.correction_of(each, told) else "")
        for each in statements
    )
