"""Answers without a language model: puts the user's own facts in order, in the persona's voice, and invents none."""

from typing import Final

from mentor.canary import recollection
from mentor.canary.acts import Act, act_of
from mentor.canary.danger import is_violated, is_weary
from mentor.canary.facts import (
    asks_for_fact,
    asks_for_knowledge,
    facts_of,
    listed,
    preference,
    taken_up,
    told_again,
    turn_line,
)
from mentor.canary.manner import Manner, is_only_manner, manner_of
from mentor.canary.mood import Mood, is_burdened, is_grieving, mood_of
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.safety import first_words, is_at_risk
from mentor.canary.summary import Statement, sentences
from mentor.canary.telling import correction, denial, recall, summary, where_we_were
from mentor.canary.voices import (
    approach,
    asked,
    fresh,
    glad,
    in_order,
    last_question,
    next_step,
    phrase,
    question,
    quoted,
    unused,
    varied,
    voice,
)
from mentor.detection import Intent
from mentor.personas import Persona
from mentor.sessions import OFFLINE

_SAID: Final = 2
_RECALLED: Final = 3
_LATELY: Final = 2  # turns whose words need not be repeated
_ENDS_ITSELF: Final = frozenset(
    {
        Act.GREETING,
        Act.CHAT,
        Act.REPROACH,
        Act.FAREWELL,
        Act.ORDER,
        Act.HARM,
        Act.NOISE,
        Act.FOREIGN,
        Act.UNCLEAR,
        Act.SUMMARY,
    }
)
_COURTESIES: Final = frozenset({Act.GREETING, Act.CHAT, Act.THANKS, Act.YES, Act.NO, Act.PAUSE, Act.APOLOGY, Act.LAUGH})
_SHARED: Final = {
    Act.INTRODUCTION: "about",
    Act.SELF: "self",
    Act.KEEPING: "keeping",
    Act.CHAT: "chat",
    Act.LAUGH: "laugh",
    Act.ORDER: "role",
    Act.HARM: "harm",
    Act.CREDENTIAL: "secret",
    Act.FOREIGN: "foreign",
    Act.LANGUAGE: "language",
}
"""What all personas answer alike."""
_CLOSED: Final = {
    Act.INTRODUCTION: "onward",
    Act.SELF: "onward",
    Act.KEEPING: "onward",
    Act.LAUGH: "onward",
    Act.LANGUAGE: "onward",
    Act.CREDENTIAL: "onward",
    Act.THANKS: "onward",
    Act.CORRECTION: "settled",
    Act.DENIAL: "denied",
    Act.TASK: "aside",
}


class OfflineResponder:
    """Deterministic: the same prompt gives the same answer."""

    def compose(self, prompt: Prompt) -> Answer:
        (act, found), manner = _act(prompt), manner_of(prompt)
        parts = first_words(prompt, act)
        if not parts and is_only_manner(prompt.message):
            parts = _manner(prompt, manner)
        elif not parts:
            parts = recall(prompt, found, manner) if act is Act.RECALL else _composed(prompt, act, manner)
        return Answer(" ".join(parts), _next(prompt, act), OFFLINE)


def suggestion(prompt: Prompt) -> str:
    """The next step that the persona would take, for what the user wants to do and about what they talk about."""
    return _next(prompt, _act(prompt)[0])


def _next(prompt: Prompt, act: Act) -> str:
    if act is Act.HARM or is_at_risk(prompt):
        return phrase(prompt, "safe")
    if act is Act.FAREWELL:
        return phrase(prompt, "return")
    if is_weary(prompt.message) or is_burdened(prompt.message) or is_grieving(prompt):
        return varied(prompt, "gently")
    if act is Act.QUESTION and asks_for_fact(prompt):
        return phrase(prompt, "look_up")
    if not prompt.theme and act in _ENDS_ITSELF:
        return phrase(prompt, "begin")
    musing = prompt.intent is Intent.REFLECTION and prompt.persona is Persona.LUA
    told_only = not prompt.has_purpose and not (prompt.theme and (musing or prompt.intent is not Intent.REFLECTION))
    return varied(prompt, "opening") if told_only else next_step(prompt)


def _act(prompt: Prompt) -> tuple[Act, list[Statement]]:
    """What the message does in this conversation, and what it asks to be told again."""
    act = act_of(prompt.message)
    if act is Act.RECALL or (act is Act.QUESTION and recollection.may_ask_for_told(prompt.message)):
        found = recollection.recalled(prompt, most=_RECALLED)
        return Act.RECALL if found or recollection.only_user_knows(prompt) else act, found
    if act is Act.CORRECTION and recollection.corrected_by(prompt) is None:
        return Act.STATEMENT, []
    return Act.STATEMENT if act is Act.DENIAL and not recollection.related(prompt, most=1) else act, []


def _composed(prompt: Prompt, act: Act, manner: Manner) -> list[str]:
    """A statement is closed by what it says; all else by what it does."""
    said = _said(prompt, act, manner)
    return said if act is Act.STATEMENT else [*said, *_closing(prompt, act, manner)]


def _said(prompt: Prompt, act: Act, manner: Manner) -> list[str]:
    if act in _SHARED:
        return [phrase(prompt, _SHARED[act])]
    if act in (Act.YES, Act.NO, Act.UNSURE) and is_grieving(prompt):
        return [phrase(prompt, "here")]
    if act in _OWN:
        return [in_order(voice(prompt)[_OWN[act]], prompt)]
    return _COMPOSED[act](prompt, manner)


def _noise(prompt: Prompt, _: Manner) -> list[str]:
    return [phrase(prompt, "noise").format(said=quoted([prompt.message]))]


def _unclear(prompt: Prompt, _: Manner) -> list[str]:
    """What was asked last, once more."""
    question = last_question(prompt)
    return [phrase(prompt, "asked_for").format(question=question) if question else phrase(prompt, "other_words")]


def _task(prompt: Prompt, _: Manner) -> list[str]:
    told = recollection.related(prompt, most=_SAID)
    known = [fresh(voice(prompt)["facts"], prompt).format(facts=listed(prompt, told))] if told else []
    return [phrase(prompt, "task"), *known]


def _apology(prompt: Prompt, _: Manner) -> list[str]:
    return [phrase(prompt, "forgiven"), *where_we_were(prompt)]


def _pause(prompt: Prompt, _: Manner) -> list[str]:
    """Nothing to take up: back to what was said last, if anything was."""
    if mood_of(prompt) is not Mood.PLAIN:
        return _felt(prompt)
    said = fresh(voice(prompt)["pause"], prompt).format(said=quoted(sentences(prompt.message)[:1]))
    return [said, *where_we_were(prompt)]


def _question(prompt: Prompt, manner: Manner) -> list[str]:
    """What was asked, what is known of it, and how the persona would go about it."""
    facts, parts = facts_of(prompt), []
    if not manner.brief and (facts or not asks_for_fact(prompt)):
        parts.append(asked(voice(prompt)["asked"], prompt, _questions(prompt)[:_SAID]))
    if facts:
        parts.append(fresh(voice(prompt)["facts"], prompt).format(facts=listed(prompt, facts)))
    elif asks_for_knowledge(prompt):
        parts.append(phrase(prompt, "no_source"))
    return [*parts, *preference(prompt, facts), *_advice(prompt, facts)]


def _questions(prompt: Prompt) -> list[str]:
    """The sentences that ask, or else all but the courtesies."""
    said = sentences(prompt.message)
    asking = [each for each in said if act_of(each) in (Act.QUESTION, Act.RECALL, Act.TASK)]
    return asking or [each for each in said if act_of(each) not in _COURTESIES] or [prompt.message]


def _advice(prompt: Prompt, facts: list[Statement]) -> list[str]:
    """None on what has to be looked up, nor to somebody who mourns."""
    if is_grieving(prompt) or not (facts or not asks_for_knowledge(prompt)):
        return []
    return approach(prompt)


def _statement(prompt: Prompt, manner: Manner) -> list[str]:
    """What was heard of it, how it weighs, and what the user said of it before."""
    heard, before = _heard(prompt), recollection.contradicted_by(prompt)
    if before:
        return [heard, turn_line(prompt, "changed", before), *([] if manner.unasked else [phrase(prompt, "shift")])]
    closing = _closing(prompt, Act.STATEMENT, manner)
    if is_violated(prompt.message):
        return [phrase(prompt, Mood.GRIEVED), heard, phrase(prompt, "shelter"), *closing]
    return [heard, *closing] if manner.brief else [*_felt(prompt), heard, *_long_ago(prompt), *closing]


def _heard(prompt: Prompt) -> str:
    line = phrase(prompt, "softly") if is_grieving(prompt) else fresh(voice(prompt)["heard"], prompt)
    return line.format(said=quoted(taken_up(prompt)))


def _long_ago(prompt: Prompt) -> list[str]:
    """What the user said of the matter before the last turns, where no answer of the window has it already."""
    related = recollection.related(prompt, most=1)
    lines = told_again(prompt, [each for each in related if prompt.turn_number - each.turn_number > _LATELY])
    return [line for line in lines if unused([line], prompt)]


def _manner(prompt: Prompt, manner: Manner) -> list[str]:
    """Words on how to answer, and nothing else: they are agreed to."""
    agreed = phrase(prompt, "manner").format(said=quoted(taken_up(prompt)))
    return [agreed, *([] if manner.unasked else [phrase(prompt, "onward")])]


def _felt(prompt: Prompt) -> list[str]:
    mood = mood_of(prompt)
    if mood in (Mood.GRIEVED, Mood.JOYFUL):
        return [phrase(prompt, mood)]
    return [] if mood in (Mood.PLAIN, Mood.LIGHT) and is_grieving(prompt) else [fresh(voice(prompt)[mood], prompt)]


_OWN: Final = {
    Act.GREETING: "hello",
    Act.REPROACH: "calm",
    Act.THANKS: "thanks",
    Act.FAREWELL: "bye",
    Act.YES: "yes",
    Act.NO: "no",
    Act.UNSURE: "unsure",
}
"""What each persona answers in a line of its own, whatever the message says."""
_COMPOSED: Final = {
    Act.APOLOGY: _apology,
    Act.PAUSE: _pause,
    Act.NOISE: _noise,
    Act.UNCLEAR: _unclear,
    Act.CORRECTION: correction,
    Act.DENIAL: denial,
    Act.SUMMARY: summary,
    Act.TASK: _task,
    Act.QUESTION: _question,
    Act.STATEMENT: _statement,
}


def _closing(prompt: Prompt, act: Act, manner: Manner) -> list[str]:
    """One question, that was not asked in the last turns; none where the user wants none."""
    if act in _ENDS_ITSELF or manner.unasked:
        return []
    if act in _CLOSED:
        return [phrase(prompt, _CLOSED[act])]
    if is_grieving(prompt):
        return [phrase(prompt, "needed")]
    if act is Act.QUESTION:
        return [phrase(prompt, "aside") if asks_for_fact(prompt) else question(prompt)]
    return [_question_back(prompt, mood_of(prompt) if act in (Act.STATEMENT, Act.PAUSE) else Mood.PLAIN)]


def _question_back(prompt: Prompt, mood: Mood) -> str:
    if mood is Mood.LIGHT:
        return glad(prompt)
    if prompt.has_purpose and mood is not Mood.JOYFUL and not is_burdened(prompt.message):
        return question(prompt)
    told = recollection.told(prompt) or act_of(prompt.message) is Act.STATEMENT
    return in_order(voice(prompt)["open"], prompt) if told and mood is not Mood.JOYFUL else phrase(prompt, "onward")
