"""Finds in a message what may matter later: names, dates, numbers, quotations, and what the user likes to have."""

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Final

from mentor.detection import language_of
from mentor.personas import Language

_TEXTS: Final = 2_048  # statements are looked at again with every turn of their conversation
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_WHOLE_MONTH: Final = r"(?-i:January|February|April|June|July|August|September|October|November|December)"
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_CLOCK: Final = r"\d{1,2}(?::\d{2})?\s?(?:[ap]\.?m\b\.?|o'clock)|\d{1,2}:\d{2}"
_RELATIVE: Final = (
    rf"(?:(?:this|next|last)\s(?:night|morning|evening|week|month|quarter|year|weekend|{_DAY})|tomorrow|tonight|today|yesterday"
    r"|(?:\d+|an?|two|three|four|five|a few)\s(?:second|minute|hour|day|week|month|year)s?\sago)"
)
_NUMERAL: Final = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|a couple of|half a dozen|a dozen)"
    r"(?!\s(?:of|for|in|to|and|or|is|was|at|on|by|from|with|who|that|more|another|thing|day|time|side|way)\b)"
)
_KO_DATE: Final = (
    r"(?:\d{4}년\s?)?\d{1,2}월\s?\d{1,2}일|\d{4}년대?|\d{1,2}월|\d{1,2}일"
    r"|(?:\d+|한|두|세|네)\s?(?:초|분|시간|일|주|달|개월|년)\s?전|(?:다음|이번|지난)\s?(?:주|달|해|분기)(?:\s?[월화수목금토일]요일)?|[월화수목금토일]요일|오늘|내일|모레|어제|주말"
)
_KO_CLOCK: Final = (
    r"(?:오전|오후|아침|저녁|밤)\s?(?:\d{1,2}|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열)\s?시"
    r"(?:\s?(?:\d{1,2}분|반))?|\d{1,2}시(?!간)"
)

# What is found first takes its characters, so that "March 9th" is no name and no number.
_PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("quote", re.compile(r"[\"“‘「『]([^\"”’」』]{2,60})[\"”’」』]")),
    ("time", re.compile(rf"\b(?:{_CLOCK})|{_KO_CLOCK}", re.IGNORECASE)),
    (
        "date",
        re.compile(
            rf"\b(?:{_DAY}|{_RELATIVE}|(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)(?:\sof\s{_MONTH})?"
            rf"|{_MONTH}\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?|\d{{4}}-\d{{2}}-\d{{2}}|{_WHOLE_MONTH})\b|{_KO_DATE}",
            re.IGNORECASE,
        ),
    ),
    (
        "number",
        re.compile(
            r"(?<!\w)[$€£₩]?(?:\d[\d,.]*\d|\d)(?:[kK]|\s?(?:[kKMGT]i?[bB]|ms|GHz|kg|km|cm|mm|ml|px))?(?![A-Za-z\d])%?(?:\s?(?:명|개|대|잔|병|층|학년|과목|원|만원|퍼센트|번|시간|분|주|권|장|박|인|점))?"
            rf"|\b{_NUMERAL}\s[a-z]+"
            r"|(?<![가-힣])(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열)\s?(?:명|개|대|잔|병|번|시간|주|달|권|장|마리|가지|과목|살)",
            re.IGNORECASE,
        ),
    ),
    (
        "name",
        re.compile(r"\b(?:[A-Z][\w'&.+-]*|[A-Za-z]*\d+[A-Z]\w*)(?:(?:\s(?:of|the|de|la))?\s(?:[A-Z][\w'&+-]*|\d+))*"),
    ),
)
_WORDS: Final = tomllib.loads(files("mentor.canary").joinpath("words.toml").read_text("utf-8"))


def words_of(group: str) -> frozenset[str]:
    """A group of `words.toml`."""
    return frozenset(_WORDS[group].split())


_SENTENCE_STARTERS: Final = words_of("sentence_starters")
_ENGLISH_COMMON: Final = words_of("common_en")
_KO_COMMON: Final = words_of("common_ko")
_ENGLISH_NO_THEME: Final = words_of("no_theme_en") | _SENTENCE_STARTERS | _ENGLISH_COMMON
_KO_NO_THEME: Final = words_of("no_theme_ko")
PERSONS: Final = words_of("persons")
_KO_ATTRIBUTES: Final = words_of("attributes_ko")
_KO_ASKING: Final = words_of("asking_ko")
_KO_TALK: Final = frozenset({"얘기", "이야기"})
_PARTICLES: Final = re.compile(
    r"(?:이라고|라고|이라서|이지만|인데요?|인지|이고|이에요|예요|입니다|이었어요|였어요|에서는|에서도|으로는|으로도|로는|로도|에게는|에게도|이라는|에게서|한테서|까지는|부터는|에서|에게|한테|으로|이랑|하고|까지|부터|보다|처럼|라는|이란|이나|에는|에도"
    r"|을|를|이|가|은|는|에|의|로|와|과|랑|도|만)$"
)
_HEARSAY: Final = re.compile(r"(?:이?래요?|이?라네요?|이?라던데요?)$")
_LATIN_WITH_PARTICLE: Final = re.compile(r"[A-Za-z0-9][가-힣]+$")
_ENGLISH_WORD: Final = re.compile(r"[a-z][a-z'+#-]{2,}")
_KO_WORD: Final = re.compile(r"[가-힣A-Za-z0-9]+(?:[-/.][가-힣A-Za-z0-9]+)*")
_KO_MARKED_NOUN: Final = re.compile(r"[가-힣A-Za-z0-9]{2,}(?:을|를|에서|에게|와|과)$")
"""With these particles a word is a noun, whatever it ends in: 제안서를, 화면에서."""
_KO_VERBAL: Final = re.compile(
    r"(?:다|(?<![수필중])요|죠|까|[하있없좋겠었았]네|[하되있없으습]니|[하되있없았었했싶라다자냐]고|며|(?<![화라측표정장냉쪽])면|(?:[아어해여려져켜돼와봐가나라]|면)서"
    r"|[하되있없좋크쉽렇]게|[하되있없았었했않같좋만싶르밉싫]지|해|돼|[었았했있없렇싶같겠]어|(?<![배고격])려|[볼할갈줄올]게|(?<![기제권무북시극])한|[라어아해워]진|[올내돌]린|[남떠나]고|[같좋알많않찾]아|야|줘|워|든|던|데|쯤|거든|대요|마자|[하가오보으주드리]실|(?<!역)할|될"
    r"|있는|없는|하는|되는|같은|싶은|좋은|많은|위한|대한|주세|습니|합니)$"
)
_KO_WANTED: Final = re.compile(
    r"([가-힣A-Za-z0-9]{2,}) (?:좀 )?(?:추천|예약|소개|설명|비교|분석|검토|확인|계산|예측)(?:해|하|을|좀|$)"
)
_KO_ADNOMINAL: Final = re.compile(
    r"(?:(?<![지부이])하|[있없받않되])는$|(?:믿어|먹어|좋아|괜찮아|없어|있어|어려워|쉬워|[줄늘]여)도$|기로$|(?:더니|더라|려고|다가(?:도|는)?|할지|[파퍼빠]서)$"
)
_WANTED: Final = re.compile(
    r"\b(?:explain|teach me|learn(?: about)?|tell me about|what (?:is|are)|how do(?:es)?)\s+(?:how\s+|what\s+)?"
    r"([a-z][\w-]{2,}(?: [a-z][\w-]{2,})?)(?= works?\b| do\b| means?\b|\W*$)",
    re.IGNORECASE,
)
"""What a question in English asks to be told of, without a determiner."""
_DETERMINED: Final = re.compile(
    r"\b(my|our|his|her|their|the|an?|some)\s+([a-z][\w'+#/-]*)(?:\s+([a-z][\w'+#-]*))?",
    re.IGNORECASE,
)
_POSSESSIVE: Final = frozenset({"my", "our", "his", "her", "their"})
_PLURAL: Final = re.compile(r"^[a-z]+s (?:are|were|have|do|don't|aren't)\b", re.IGNORECASE)
_NOUN_FOLLOWS: Final = re.compile(r"\s(?!(?:on|in|at|to|for|with|from|by|every|like|about)\b)\w")
_AUXILIARY: Final = re.compile(r"\b(?:do|does|did)\s$", re.IGNORECASE)
"""With it the second word after a determiner is the verb: "does the service run"."""
_NO_SECOND_WORD: Final = re.compile(
    r"(?:ed|ly|[^s]s|n't)$|^(?:mr|mrs|ms|dr|cost|take|need|want|said|went|came|got|look|seem|feel|keep)$"
)


def entities(text: str, language: Language) -> list[tuple[str, str]]:
    """(kind, words) in the order of kinds: quote, time, date, number, name, term."""
    return list(_entities(text, language))


@lru_cache(maxsize=_TEXTS)
def _entities(text: str, language: Language) -> tuple[tuple[str, str], ...]:
    found = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            words = _tidy(kind, match)
            if words:
                found.append((kind, words))
        if kind != "quote":
            text = pattern.sub(lambda match: "\0" * len(match.group()) if _takes(match) else match.group(), text)
    if language is Language.KO:
        found += [("term", term) for term in _korean_terms(text)]
    return tuple(found)


@lru_cache(maxsize=1024)
def theme(text: str, language: Language) -> str:
    """What a text is about, as the text names it, or "" where nothing in it is a name or clearly a noun."""
    if language is Language.KO:
        terms = [*_marked_terms(text), *(noun for noun in _KO_WANTED.findall(text) if _is_noun(noun, noun))]
        return next((term for term in terms if term not in PERSONS), "")
    return max(_noun_phrases(text), key=lambda phrase: phrase[0], default=(0, ""))[1]


def name(text: str, language: Language) -> str:
    """The first name or quotation in an English text that its sentence does not begin with; "" without one."""
    if language is Language.KO:
        return ""
    names = [words for kind, words in entities(text, language) if kind in ("name", "quote") and words != words.upper()]
    return next((each for each in names if each.lower() not in _ENGLISH_NO_THEME and not text.startswith(each)), "")


def content_words(text: str, language: Language) -> list[str]:
    """Lower-cased words that may name a topic; Korean ones without their particles."""
    if language is Language.KO:
        return list(_korean_nouns(text))
    words = _ENGLISH_WORD.findall(text.lower())
    return [word for word in words if word not in _SENTENCE_STARTERS and word not in _ENGLISH_COMMON]


def english_heads(question: str) -> list[str]:
    """The nouns that a question is about: whose it is of "my sister's name", and the names in it."""
    nouns = (
        next((word for word in (first, second) if word and word.lower() not in _ENGLISH_NO_THEME), "")
        for _, first, second in _DETERMINED.findall(question)
    )
    names = (words.split()[0] for kind, words in entities(question, Language.EN) if kind == "name")
    return [
        word.lower().removesuffix("'s") for word in (*nouns, *names) if word and word.lower() not in _ENGLISH_NO_THEME
    ]


def korean_heads(question: str) -> list[str]:
    """The nouns that a question is about: "여동생" of "여동생 이름", "장소" of "워크숍 장소"."""
    runs = (term.split() for term in _korean_terms(question))
    named = (run[-2] if run[-1] in _KO_ATTRIBUTES and run[1:] else run[-1] for run in runs)
    return list(filter(_is_head, named))


def _is_head(word: str) -> bool:
    return word[:2] not in _KO_ASKING and word not in _KO_NO_THEME


def says_something(text: str) -> bool:
    """Whether there is a word in it that may name a topic, or a date, a number, a name."""
    language = language_of(text)
    return bool(content_words(text, language) or entities(text, language))


def _noun_phrases(text: str) -> Iterator[tuple[int, str]]:
    """(rank, one or two words) after "my", "the", "a": whose it is ranks before which one it is."""
    for found in _DETERMINED.finditer(text):
        determiner, first, second = found[1], found[2].removesuffix("'s") if not found[3] else found[2], found[3] or ""
        if _AUXILIARY.search(text, 0, found.start()) and not _NOUN_FOLLOWS.match(text, found.end()):
            second = ""
        words = [word for word in (first, second) if word and word.lower() not in _ENGLISH_NO_THEME]
        if not words or (words[0] is second and first.lower() not in _ENGLISH_COMMON):
            continue
        if (
            len(words) == 2
            and not _PLURAL.search(text[text.find(words[1]) :])
            and _NO_SECOND_WORD.search(second.lower())
        ):
            words.pop()
        lowered = determiner.lower()
        if first.lower() in PERSONS and (words == [first] or second.islower()):
            continue
        yield 2 * (lowered in _POSSESSIVE) + (lowered == "the"), " ".join(words)
    for wanted in _WANTED.findall(text):
        if not _ENGLISH_NO_THEME & set(wanted.lower().split()):
            yield 0, wanted


def _takes(match: re.Match[str]) -> bool:
    """Whether a match keeps its characters from later patterns: a name at a sentence's start may be no name."""
    return match.group().lower() not in _SENTENCE_STARTERS


def _tidy(kind: str, match: re.Match[str]) -> str:
    words = (match.group(1) if kind == "quote" else match.group()).strip(" .,'")
    if _LATIN_WITH_PARTICLE.search(words):
        words = _PARTICLES.sub("", _HEARSAY.sub("", words))
    if kind != "name":
        return words
    first, _, rest = words.partition(" ")
    if first.lower().rstrip(".") in _SENTENCE_STARTERS:
        words = rest
    return words if len(words) > 1 else ""


def _korean_terms(text: str) -> Iterator[str]:
    """Nouns, and runs of bare nouns ("일본 TV 프로그램을" is one term of three words)."""
    run: list[str] = []
    for word in text.replace("\0", " | ").split():
        bare = "".join(_KO_WORD.findall(word))
        noun = _PARTICLES.sub("", bare)
        if _is_noun(noun, bare):
            run.append(noun)
            if noun == bare == word:
                continue  # no particle, no punctuation: the run may go on
        if run:
            yield " ".join(run[-3:])
        run = []
    if run:
        yield " ".join(run[-3:])


def _korean_nouns(text: str) -> Iterator[str]:
    for word in _KO_WORD.findall(text):
        noun = _PARTICLES.sub("", word).lower()
        if _is_noun(noun, word) and not noun.isdigit() and noun not in _ENGLISH_COMMON:
            yield noun


def _marked_terms(text: str) -> Iterator[str]:
    """Nouns that carry a particle, with the bare nouns before them: "스프링 부트를"."""
    run: list[str] = []
    for word in text.split():
        bare = "".join(_KO_WORD.findall(word))
        noun = _PARTICLES.sub("", bare)
        if noun in _KO_TALK and run:
            yield " ".join(run[-3:])
            run = []
            continue
        if noun in _KO_NO_THEME or not _is_noun(noun, bare) or any(map(str.isdigit, noun)):
            run = []
            continue
        run.append(noun)
        if noun != bare:
            yield " ".join(run[-3:])
            run = []


def _is_noun(word: str, as_written: str) -> bool:
    if len(word) < 2 or word in _KO_COMMON:
        return False
    if _KO_ADNOMINAL.search(as_written):
        return False
    return not _KO_VERBAL.search(word) or _KO_MARKED_NOUN.search(as_written) is not None
