"""How the user wants to be spoken to: what they said of short answers and of being asked."""

import re
from dataclasses import dataclass
from typing import Final

from mentor.canary.prompt import Prompt

_BRIEF: Final = re.compile(
    r"\b(?:short(?:er)?|brief|concise)\b.{0,20}\b(?:answer|repl|respon|sentence|message)|\bbe (?:brief|concise)"
    r"|\bkeep (?:it|your \w+|them) (?:short|brief)|(?:짧|간단|간결)\S*.{0,8}(?:대답|답|말해|설명|좋)"
    r"|(?:대답|답변?|말)\S* ?(?:좀 )?(?:짧|간단|간결)",
    re.IGNORECASE,
)
_UNASKED: Final = re.compile(
    r"\b(?:don't|do not|dont|hate|stop|no more|enough)\b.{0,20}\b(?:questions|being asked|asking(?: me)?)\b"
    r"|질문\S*.{0,10}(?:안 ?좋아|싫|말아|하지 ?마|그만)|그만 (?:물어|질문)|묻지 ?(?:마|말)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """`brief`: nothing that could be left out; `unasked`: no questions back; `just_said`: in this very message."""

    brief: bool
    unasked: bool
    just_said: bool


def speaks_of_manner(message: str) -> bool:
    """Whether it is about how to answer, and so no fact and no matter."""
    return bool(_BRIEF.search(message) or _UNASKED.search(message))


def manner_of(prompt: Prompt) -> Manner:
    said = (*prompt.preferences, prompt.message)
    return Manner(
        brief=any(_BRIEF.search(each) for each in said),
        unasked=any(_UNASKED.search(each) for each in said),
        just_said=speaks_of_manner(prompt.message),
    )
