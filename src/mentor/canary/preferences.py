"""What the users say that they like to have, in their own words."""

import re
from typing import Final

from mentor.canary.forms import form
from mentor.personas import Language

_MANNERS: Final = (form("brief"), form("unasked"))
_PREFERENCE: Final = {
    Language.EN: re.compile(
        r"\b(?:i(?:'d| would)? (?:really )?(?:prefer|like|love|enjoy|want|need|hate|dislike)|i don't (?:like|want|need)"
        r"|i'm a (?:big |huge )?fan of|my favou?rite|please (?:keep|don't|use|avoid|be|stop)|stop asking|keep it"
        r"|i'd rather)\b[^.!?\n]{2,80}",
        re.IGNORECASE,
    ),
    Language.KO: re.compile(
        r"[^.!?\n]{0,60}(?:선호(?:해|합니|하)|좋아(?:해|합니|하)|싫어(?:해|합니|하)|싫(?:어|습)|원(?:해|합니)"
        r"|했으면 좋겠|하고 싶|(?:대답|답변?|답장|말투|설명)[이은] ?(?:더 )?(?:좋|편)|하지 ?마|그만 (?:물어|질문)"
        r"|(?:짧게|길게|쉽게|자세히|천천히|존댓말로|반말로)[^.!?\n]{0,12})[^.!?\n]{0,10}"
    ),
}


def preferences(text: str, language: Language) -> list[str]:
    """The clauses in which a user says what they like to have, or how to be answered, in their own words."""
    clauses = [match.group().strip() for match in _PREFERENCE[language].finditer(text)]
    manners = (match.group() for manner in _MANNERS for match in manner.finditer(text))
    return [*clauses, *(each for each in manners if not any(each in clause for clause in clauses))]
