"""What is said before anything else, whatever the persona, when somebody's life may be in danger."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from mentor.canary.acts import Act, act_of
from mentor.canary.danger import is_accompanied, is_alone, is_danger, is_weary
from mentor.canary.mood import Mood
from mentor.canary.prompt import Prompt
from mentor.canary.voices import in_order, phrase, voice

_WATCHED_TURNS: Final = 4


def is_at_risk(prompt: Prompt) -> bool:
    """Whether somebody speaks of dying, or spoke of it a moment ago: what follows it is no small talk."""
    return _speak_of_dying([*_lately(prompt), prompt.message])


def first_words(prompt: Prompt, act: Act) -> list[str]:
    """None where no life is in danger."""
    lately = _lately(prompt)
    if is_danger(prompt.message) or (_speak_of_dying([*lately[-1:], prompt.message]) and not _speak_of_dying(lately)):
        return [phrase(prompt, name) for name in ("safety", "care", "company")]
    if _speak_of_dying(lately):
        return _watching(prompt, act)
    return [phrase(prompt, Mood.GRIEVED), phrase(prompt, "weary")] if is_weary(prompt.message) else []


def _lately(prompt: Prompt) -> list[str]:
    return [turn.user_message for turn in prompt.window[-_WATCHED_TURNS:]]


def _speak_of_dying(messages: Sequence[str]) -> bool:
    """In so many words, or by a yes to the question whether it is meant so."""
    confirmed = any(is_weary(asked) and act_of(answer) is Act.YES for asked, answer in pairwise(messages))
    return confirmed or any(map(is_danger, messages))


def _watching(prompt: Prompt, act: Act) -> list[str]:
    if act is Act.YES or is_accompanied(prompt.message):
        return [phrase(prompt, "with_somebody")]
    if act is Act.THANKS:
        return [in_order(voice(prompt)["thanks"], prompt), phrase(prompt, "safe")]
    if act is Act.FAREWELL:
        return [phrase(prompt, "still"), in_order(voice(prompt)["bye"], prompt)]
    alone = [phrase(prompt, "alone")] if act in (Act.NO, Act.UNSURE) or is_alone(prompt.message) else []
    return [phrase(prompt, "still"), *alone, phrase(prompt, "reach")]
