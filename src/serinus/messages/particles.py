"""Korean particles whose form depends on the sound before them: a text that ends in a name cannot know which.

Texts write both, as in ``{name}을(를)``; here the fitting one is chosen by how the name ends when it is read aloud.
Where that cannot be told from its spelling, both stay.
"""

import re

FORMS = {
    "을(를)": ("을", "를"),
    "이(가)": ("이", "가"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
}
"""After a consonant, after a vowel; 로 stands after ㄹ as well."""
BOTH = re.compile(r"(?P<last>[^\s\"'`’”)\]])(?P<closing>[\"'`’”)\]]*)(?P<form>" + "|".join(map(re.escape, FORMS)) + ")")
FIRST_SYLLABLE, LAST_SYLLABLE, FINALS = 0xAC00, 0xD7A3, 28
RIEUL = 8
ENDS_IN_VOWEL = frozenset("2459%" + "aiouyrshfvxz")  # as read in Korean: 이, 사, 오, 구, 퍼센트; -y, -er, -s
ENDS_IN_RIEUL = frozenset("178" + "l")  # 일, 칠, 팔; -l
ENDS_IN_CONSONANT = frozenset("036" + "mn")  # 영, 삼, 육; -m, -n


def settled(text: str) -> str:
    """The text with one form of every particle."""
    return BOTH.sub(_settled, text)


def _settled(found: re.Match[str]) -> str:
    after_consonant, after_vowel = FORMS[found["form"]]
    last = found["last"].lower()
    if _is_vowel(last) or (_is_rieul(last) and after_vowel == "로"):
        form = after_vowel
    elif _is_rieul(last) or _is_consonant(last):
        form = after_consonant
    else:
        form = found["form"]
    return found["last"] + found["closing"] + form


def _is_vowel(last: str) -> bool:
    return last in ENDS_IN_VOWEL or _final(last) == 0


def _is_rieul(last: str) -> bool:
    return last in ENDS_IN_RIEUL or _final(last) == RIEUL


def _is_consonant(last: str) -> bool:
    return last in ENDS_IN_CONSONANT or _final(last) > 0


def _final(last: str) -> int:
    """The number of a Hangul syllable's final consonant, 0 without one; -1 for what is no syllable (Unicode 3.12)."""
    code = ord(last)
    return (code - FIRST_SYLLABLE) % FINALS if FIRST_SYLLABLE <= code <= LAST_SYLLABLE else -1
