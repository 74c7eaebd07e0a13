"""Who may be in danger of their life, by what they say."""

from typing import Final

from mentor.canary.forms import form

_DANGER: Final = form("danger")
_WEARY: Final = form("weary")
_VIOLENCE: Final = form("violence")
_ALONE: Final = form("alone")
_ACCOMPANIED: Final = form("accompanied")


def is_danger(message: str) -> bool:
    return _DANGER.search(message) is not None


def is_weary(message: str) -> bool:
    """Whether it may mean that somebody is tired of living, or only of a matter: what has to be asked."""
    return _WEARY.search(message) is not None and not is_danger(message)


def is_violated(message: str) -> bool:
    """Whether somebody near the user hurts them."""
    return _VIOLENCE.search(message) is not None


def is_alone(message: str) -> bool:
    return _ALONE.search(message) is not None


def is_accompanied(message: str) -> bool:
    """Whether somebody is said to be there, or on the way."""
    return _ACCOMPANIED.search(message) is not None
