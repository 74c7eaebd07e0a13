"""What a text may be recognised by under other endings: its words, without them. Pure."""

import re
from functools import cache, lru_cache
from typing import Final

from mentor.canary import extraction
from mentor.detection import language_of
from mentor.personas import Language

_TEXTS: Final = 2_048  # old statements are looked at again with every turn of their conversation
_ANY_WORD: Final = re.compile(r"[a-z\d_]+|[가-힣]+|[^\W\d_a-z가-힣]+")
_WORD_CHARACTERS: Final = {Language.EN: 3, Language.KO: 2}
_ASKING_WORDS: Final = extraction.words_of("asking_en") | extraction.words_of("asking_ko")
_NO_MATTER: Final = extraction.words_of("no_theme_en") | extraction.words_of("no_theme_ko")
_ENGLISH_ENDING: Final = re.compile(r"(?:ies|ing|ed|es|s|e|y)$")
_STEM_CHARACTERS: Final = 3
_KOREAN_STEM: Final = 2
_SYLLABLES, _FINALS, _LAST_SYLLABLE = 0xAC00, 28, 0xD7A3 - 0xAC00
_DAY: Final = "일"
_ALIKE: Final = {
    "mom": "mother", "mum": "mother", "dad": "father", "kid": "child", "children": "child", "boyfriend": "bf",
    "girlfriend": "gf", "어머": "엄마", "아버": "아빠",
}  # fmt: skip


@lru_cache(_TEXTS)
def telling_stems(text: str) -> frozenset[str]:
    """Of its content words; and its dates, times, numbers and names as they stand."""
    language = language_of(text)
    words = {stem(word) for word in extraction.content_words(text, language)} - _asking_stems()
    return frozenset(words | {words_said for _, words_said in extraction.entities(text, language)})


@lru_cache(_TEXTS)
def all_stems(text: str) -> frozenset[str]:
    """Of all its words but those that ask."""
    least = _WORD_CHARACTERS[language_of(text)]
    words = (word for word in _ANY_WORD.findall(text.lower()) if len(word) >= least and word not in _ASKING_WORDS)
    return frozenset(map(stem, words)) - _asking_stems()


@lru_cache(_TEXTS)
def matter_stems(text: str) -> frozenset[str]:
    """Of its content words that may be a matter: no times of day, no measures."""
    words = extraction.content_words(text, language_of(text))
    return frozenset(stem(word) for word in words if word not in _NO_MATTER)


def without_entities(text: str) -> str:
    """The text without its dates, times, numbers and names."""
    for _, words in extraction.entities(text, language_of(text)):
        text = text.replace(words, " ")
    return text


def stem(word: str) -> str:
    if not word.isascii():
        short = word[: _KOREAN_STEM - 1] + open_syllable(word[_KOREAN_STEM - 1 : _KOREAN_STEM])
        return _ALIKE.get(short, short)
    shorter = _ENGLISH_ENDING.sub("", word.removesuffix("'s"))
    found = shorter if len(shorter) >= _STEM_CHARACTERS else word
    return _ALIKE.get(found, found)


def open_syllable(syllable: str) -> str:
    """갈 and 가, 한 and 하 are one: the endings of a verb change its last sound."""
    place = ord(syllable) - _SYLLABLES if syllable else -1
    return chr(_SYLLABLES + place - place % _FINALS) if 0 <= place <= _LAST_SYLLABLE else syllable


@cache
def _asking_stems() -> frozenset[str]:
    return _ASKING_WORDS | {stem(word) for word in _ASKING_WORDS if not word.isascii()}


@lru_cache(_TEXTS)
def heads_of(question: str) -> tuple[str, ...]:
    """The nouns that an answer has to speak of: "my sister's name" is of the sister, "the furniture" of it."""
    found = extraction.korean_heads if language_of(question) is Language.KO else extraction.english_heads
    return tuple(found(question))


def speaks_of(text: str, noun: str) -> bool:
    """Korean nouns are looked for as they stand: a 회의실 is no 회의."""
    if noun.isalpha() and noun.isascii():
        return stem(noun.lower()) in all_stems(text) | telling_stems(text)
    of_a_day = noun.removesuffix(_DAY) if len(noun) > len(_DAY) + 1 else noun  # 출시일 is the day of the 출시
    return of_a_day.lower() in text.lower() or (stem(noun) in _ALIKE.values() and stem(noun) in all_stems(text))
