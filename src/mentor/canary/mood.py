"""How a message weighs: a grief, a burden, a joy, or nothing of the kind. Pure."""

from enum import StrEnum
from typing import Final

from mentor.canary.danger import is_violated
from mentor.canary.forms import form
from mentor.canary.prompt import Prompt
from mentor.detection import Tone, cued_tone

_HEAVY: Final = frozenset({Tone.FRUSTRATED, Tone.ANXIOUS, Tone.URGENT, Tone.CONFUSED})
_LIGHT: Final = frozenset({Tone.PLAYFUL})
_GRIEVED_TURNS: Final = 3
_DARKENS: Final = form("darkens")
"""With these a happy word may belong to an unhappy sentence."""
_GRIEF: Final = form("grief")
_BURDEN: Final = form("burden")
_JOY: Final = form("joy")


class Mood(StrEnum):
    GRIEVED = "grieved"
    HEAVY = "heavy"
    LIGHT = "light"
    JOYFUL = "joyful"
    PLAIN = "plain"


def mood_of(prompt: Prompt) -> Mood:
    if _GRIEF.search(prompt.message):
        return Mood.GRIEVED
    if _JOY.search(prompt.message):
        return Mood.JOYFUL
    if cued_tone(prompt.message) in _HEAVY or is_burdened(prompt.message):
        return Mood.HEAVY
    glad_of_it = cued_tone(prompt.message) in _LIGHT and not _DARKENS.search(prompt.message)
    return Mood.LIGHT if glad_of_it else Mood.PLAIN


def is_burdened(message: str) -> bool:
    """Whether it speaks of a sorrow of the user's own: no time for asking how to make it happen again."""
    return _BURDEN.search(message) is not None


def is_grieving(prompt: Prompt) -> bool:
    """Whether a grief was spoken of now or a moment ago: no time for facts and figures."""
    lately = (turn.user_message for turn in prompt.window[-_GRIEVED_TURNS:])
    return any(_GRIEF.search(said) or is_violated(said) for said in (prompt.message, *lately))
