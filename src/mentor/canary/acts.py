"""What a message does in a conversation, told by its form: greet, thank, agree, correct, ask, state, and so on."""

import re
import tomllib
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from mentor.canary import extraction
from mentor.detection import language_of
from mentor.personas import Language


class Act(StrEnum):
    GREETING = "greeting"
    INTRODUCTION = "introduction"
    SELF = "self"
    KEEPING = "keeping"
    CHAT = "chat"
    LAUGH = "laugh"
    REPROACH = "reproach"
    APOLOGY = "apology"
    THANKS = "thanks"
    FAREWELL = "farewell"
    ORDER = "order"
    LANGUAGE = "language"
    UNCLEAR = "unclear"
    HARM = "harm"
    CREDENTIAL = "credential"
    TASK = "task"
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    PAUSE = "pause"
    NOISE = "noise"
    FOREIGN = "foreign"
    CORRECTION = "correction"
    DENIAL = "denial"
    SUMMARY = "summary"
    RECALL = "recall"
    QUESTION = "question"
    STATEMENT = "statement"


_ENOUGH_WORDS: Final = {Language.EN: 4, Language.KO: 2}
_NO_LIMIT: Final = 1_000_000
_WORD: Final = re.compile(r"\w+")
_ADDRESS: Final = re.compile(r"\bhttps?://\S+")
_LETTER: Final = re.compile(r"[^\W\d_]")
_KNOWN_LETTER: Final = re.compile(r"[A-Za-zÀ-ɏㄱ-ㆎ가-힣]")
_SHORT_NOISE: Final = 3
_NO_WORD: Final = re.compile(
    r"^(?:[bcdfghjklmnpqrstvwxz]{4,}|[ㄱ-ㅎ]*[ㄱ-ㅅㅈㅊㅌㅍ][ㄱ-ㅎ]*)$|asdf|sdfg|qwer|wert|zxcv|hjkl|jkl;"
)

_TELLS: Final = frozenset({Act.STATEMENT, Act.CORRECTION})
_TOLD_ANYWAY: Final = re.compile(
    r"마다|매[일주번달]|항상|자주|가끔|^(?:남편|아내|엄마|아빠|친구|동료)\w*[이가은는] |라고 불러"
)
"""With these "해 줘요" tells what somebody does or is called, and is no request."""
_ASKS: Final = {
    Language.EN: re.compile(
        r"[?？]|(?:^|[.!]\s+)(?:(?:what|why|how|who|where|when|which|whose)\b(?! (?:i|we|you|he|she|it|they|the|my)\b)"
        r"|(?:can|could|should|would|do|does|did|is|are|will|am|tell me|explain|show me|help me|give me|teach me|please"
        r"|plan|compare|check|recommend|suggest)\b)",
        re.IGNORECASE,
    ),
    Language.KO: re.compile(
        r"[?？]|(?:[을할될볼갈줄쓸일올날둘]까요?|(?<![이가] )(?<![끝만어타떠각빛겁화신혼열땀])나요|[은는인건던]가요"
        r"|[은는]지요?|뭐야|뭐지|니까)\W*$"
        r"|(?:줘요?|주세요|주실래요|주라|봐 ?줘|부탁(?:해|합|드)\w*)(?:[.!]\s|\W*$)"
        r"|^(?:어떻게|어떡하|어쩌|왜|무엇|뭐|어디|누가|언제|어느)"
    ),
}


@lru_cache(maxsize=2048)
def act_of(message: str) -> Act:
    """What fits first; a message that says nothing to take up is a pause."""
    said = _ADDRESS.sub(" ", message).strip()
    if _is_noise(said):
        return Act.NOISE
    if _is_foreign(said):
        return Act.FOREIGN
    words = len(_WORD.findall(said))
    for act, most_words, form in _forms():
        if words <= most_words and form.search(said):
            return act
    language = language_of(said)
    if words and _ASKS[language].search(said) and ("?" in said or not _TOLD_ANYWAY.search(said)):
        return Act.QUESTION
    return Act.STATEMENT if words >= _ENOUGH_WORDS[language] or extraction.says_something(said) else Act.PAUSE


def asks_to_recall(message: str) -> bool:
    return any(act is Act.RECALL and form.search(message) for act, _, form in _forms())


def tells(message: str) -> bool:
    """Whether it says something about the user or their matter: what may be taken up later as a fact."""
    return act_of(message) in _TELLS


def names_a_matter(message: str) -> bool:
    """Whether what it names may be what the talk is about, unlike in courtesies and questions to memory."""
    return act_of(message) in (Act.STATEMENT, Act.QUESTION, Act.TASK)


def _is_noise(said: str) -> bool:
    """Keys hit at random: of several words none is one, for there is no vowel in it, or the keys lie in a row."""
    words = [word for word in _WORD.findall(said.lower()) if not word.isdigit()]
    return len("".join(words)) > _SHORT_NOISE and all(_NO_WORD.search(word) for word in words)


def _is_foreign(said: str) -> bool:
    """Most of its letters are neither Latin nor Hangul, or its marks are Spanish."""
    if "¿" in said or "¡" in said:
        return True
    letters = _LETTER.findall(said)
    return len(_KNOWN_LETTER.findall(said)) * 2 < len(letters)


@cache
def _forms() -> tuple[tuple[Act, int, re.Pattern[str]], ...]:
    """An act, in how many words at most it is done, and how it is done in either language."""
    table = tomllib.loads(files("mentor.canary").joinpath("acts.toml").read_text("utf-8"))
    return tuple(
        (Act(name), each.get("most_words", _NO_LIMIT), re.compile("|".join((*each["en"], *each["ko"])), re.IGNORECASE))
        for name, each in table.items()
    )
