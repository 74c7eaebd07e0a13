"""What kind of thing a question asks for, a person, a place, a day, and which statements can tell it. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mentor.canary import extraction
from mentor.canary.forms import form
from mentor.canary.stems import heads_of
from mentor.detection import language_of

DATES: Final = frozenset({"date", "time"})
NUMBERS: Final = frozenset({"number"})
NAMES: Final = frozenset({"name"})
_TEXTS: Final = 2_048
_AGE: Final = form("tells_age")
_MINE: Final = form("tells_mine")
_MY_NAME: Final = form("tells_name")
_PLACE: Final = form("tells_place")
_PERSON: Final = form("tells_person")
_REPORTS: Final = form("tells_report")
_SINCE: Final = form("tells_since")
_OFTEN: Final = form("tells_often")
_DURATION: Final = form("tells_duration")
_OURS: Final = form("asks_of_ours")
_OWN: Final = form("asks_of_own")
_BLANK: Final = "\0"


@dataclass(frozen=True, slots=True)
class Kind:
    """What can tell it may be the answer though it shares no word with the question: `alone` where the question names
    nothing, `event` where it names what may have been told in another word, as a wedding is; `own`: it is of the user.
    """

    asked: re.Pattern[str]
    may_tell: Callable[[str], bool]
    alone: bool = False
    event: bool = False
    own: bool = False


def kind_of(question: str) -> Kind | None:
    return next((kind for kind in _KINDS if kind.asked.search(question)), None)


def asks_of_own(question: str) -> bool:
    """Whether only the user could have told it: "where does my mother live?"."""
    return _OWN.search(question) is not None and bool(heads_of(question))


def asks_of_ours(question: str) -> bool:
    """Whether it is about the user, or what was talked of before."""
    return _OURS.search(question) is not None


@lru_cache(_TEXTS)
def kinds_in(text: str) -> frozenset[str]:
    """Kinds of what is named in it; a time of day is as good as a date."""
    found = {kind for kind, _ in extraction.entities(text, language_of(text))} & (DATES | NUMBERS | NAMES)
    return frozenset(found | (DATES if found & DATES else set()))


def _tells_time(text: str) -> bool:
    return any(kind == "time" for kind, _ in extraction.entities(text, language_of(text)))


def _tells_date(text: str) -> bool:
    return bool(DATES & kinds_in(text) or _SINCE.search(text))


def _tells_place(text: str) -> bool:
    for kind, words in extraction.entities(text, language_of(text)):
        if kind in DATES | NUMBERS:
            text = text.replace(words, _BLANK)
    return _PLACE.search(text) is not None


def _tells_person(text: str) -> bool:
    """Who somebody is may be said without a name that is known as one: "my dad", "민지"."""
    words = {word.lower() for word in re.findall(r"\w+", text)}
    return bool(words & extraction.PERSONS or NAMES & kinds_in(text) or _PERSON.search(text))


_KINDS: Final = (
    Kind(form("asks_report"), lambda text: bool(_REPORTS.search(text)), alone=True),
    Kind(form("asks_name"), lambda text: bool(_MY_NAME.search(text)), alone=True, own=True),
    Kind(form("asks_my_age"), lambda text: bool(_AGE.search(text) and _MINE.search(text)), alone=True, own=True),
    Kind(form("asks_age"), lambda text: bool(_AGE.search(text))),
    Kind(form("asks_time"), _tells_time, alone=True, event=True),
    Kind(form("asks_often"), lambda text: bool(_OFTEN.search(text)), alone=True),
    Kind(form("asks_duration"), lambda text: bool(_DURATION.search(text)), alone=True),
    Kind(form("asks_since"), lambda text: bool(_SINCE.search(text)), alone=True, event=True),
    Kind(form("asks_date"), _tells_date, alone=True, event=True),
    Kind(form("asks_person"), _tells_person),
    Kind(form("asks_place"), _tells_place),
    Kind(form("asks_number"), lambda text: bool(NUMBERS & kinds_in(text)), alone=True),
)
