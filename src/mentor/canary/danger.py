"""Who may be in danger of their life: what they say, and for how long an answer keeps it in mind."""

from collections.abc import Sequence
from typing import Final

from mentor.canary.forms import form
from mentor.sessions import Turn

_WATCHED_TURNS: Final = 4
_DANGER: Final = form("danger")
_WEARY: Final = form("weary")
_ALONE: Final = form("alone")
_ACCOMPANIED: Final = form("accompanied")


def is_danger(message: str) -> bool:
    return _DANGER.search(message) is not None


def is_weary(message: str) -> bool:
    """Whether it may mean that somebody is tired of living, or only of a matter: what has to be asked."""
    return _WEARY.search(message) is not None and not is_danger(message)


def is_alone(message: str) -> bool:
    return _ALONE.search(message) is not None


def is_accompanied(message: str) -> bool:
    """Whether somebody is said to be there, or on the way."""
    return _ACCOMPANIED.search(message) is not None


def is_watched(window: Sequence[Turn]) -> bool:
    """Whether the last turns held such words: what follows them is no small talk."""
    return any(is_danger(turn.user_message) for turn in window[-_WATCHED_TURNS:])
