"""How the user wants to be spoken to: what they said of short answers and of being asked."""

from dataclasses import dataclass
from typing import Final

from mentor.canary.forms import form
from mentor.canary.prompt import Prompt
from mentor.canary.summary import sentences

_BRIEF: Final = form("brief")
_UNASKED: Final = form("unasked")


@dataclass(frozen=True, slots=True)
class Manner:
    """`brief`: nothing that could be left out; `unasked`: no questions back."""

    brief: bool
    unasked: bool


def speaks_of_manner(message: str) -> bool:
    """Whether it is about how to answer, and so no fact and no matter."""
    return bool(_BRIEF.search(message) or _UNASKED.search(message))


def is_only_manner(message: str) -> bool:
    return all(speaks_of_manner(sentence) for sentence in sentences(message))


def manner_of(prompt: Prompt) -> Manner:
    said = (*prompt.preferences, prompt.message)
    return Manner(
        brief=any(_BRIEF.search(each) for each in said),
        unasked=any(_UNASKED.search(each) for each in said),
    )
