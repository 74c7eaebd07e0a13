"""Korean particles that follow a word's last sound: ‘회의’를, ‘일정’을."""

import re
from typing import Final

_OPEN: Final = re.compile(r"(.)([’”'\"]?)(을\(를\)|이\(가\)|과\(와\))")
_AFTER_CONSONANT: Final = {"을(를)": "을", "이(가)": "이", "과(와)": "과"}
_AFTER_VOWEL: Final = {"을(를)": "를", "이(가)": "가", "과(와)": "와"}
_FINAL_SOUND_DIGITS: Final = frozenset("013678")  # 영, 일, 삼, 육, 칠, 팔
_FINAL_SOUND_LETTERS: Final = frozenset("bcgklmnpqt")


def with_particles(sentence: str) -> str:
    """`sentence` with each "을(를)", "이(가)" and "과(와)" decided by the sound before it."""
    return _OPEN.sub(lambda found: found[1] + found[2] + _fitting(found[1])[found[3]], sentence)


def _fitting(last: str) -> dict[str, str]:
    return _AFTER_CONSONANT if _ends_in_consonant(last.lower()) else _AFTER_VOWEL


def _ends_in_consonant(last: str) -> bool:
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 != 0
    return last in _FINAL_SOUND_DIGITS or last in _FINAL_SOUND_LETTERS
