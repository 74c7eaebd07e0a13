"""Who may be in danger of their life: what they say, and for how long an answer keeps it in mind."""

import re
from collections.abc import Sequence
from typing import Final

from mentor.sessions import Turn

_WATCHED_TURNS: Final = 4
_DANGER: Final = re.compile(
    r"\b(?:suicid(?:e|al)|kill(?:ing)? myself|end(?:ing)? (?:my life|it all)|tak(?:e|ing) my own life|want to die"
    r"|hurt(?:ing)? myself|self-?harm|no reason to live|don't want to (?:live|be alive|be here any ?more)"
    r"|better off dead)"
    r"|자살|자해|죽고 ?싶|죽어 ?버리고 ?싶|목숨을 끊|스스로 목숨|살고 ?싶지 ?않|살기 ?(?:가 )?싫|사라지고 ?싶",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(r"\b(?:alone|by myself|no ?body|no one)\b|혼자|아무도", re.IGNORECASE)
_ACCOMPANIED: Final = re.compile(
    r"\b(?:mom|mum|mother|dad|father|parents?|brother|sister|friend|partner|wife|husband|somebody|someone|roommate)\b"
    r".{0,20}\b(?:here|with me|home|coming)\b|(?:같이|함께|옆에|곁에|집에|와) ?있(?:어|습|는)|오고 있|와 ?준대",
    re.IGNORECASE,
)


def is_danger(message: str) -> bool:
    return _DANGER.search(message) is not None


def is_alone(message: str) -> bool:
    return _ALONE.search(message) is not None


def is_accompanied(message: str) -> bool:
    """Whether somebody is said to be there, or on the way."""
    return _ACCOMPANIED.search(message) is not None


def is_watched(window: Sequence[Turn]) -> bool:
    """Whether the last turns held such words: what follows them is no small talk."""
    return any(is_danger(turn.user_message) for turn in window[-_WATCHED_TURNS:])
