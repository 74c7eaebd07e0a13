"""Whether somebody says the opposite of what they said before: a matter liked and disliked, so and not so. Pure."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from mentor.canary import extraction
from mentor.canary.stems import all_stems, matter_stems, open_syllable, stem
from mentor.detection import language_of
from mentor.personas import Language

_TEXTS: Final = 2_048
_SHARED_ENOUGH: Final = 2
_CLAUSES: Final = re.compile(
    r"[.!?;…]+(?:\s+|$)|\n+|,\s|\s(?:but|though|although|because|while|since|so)\s|\sand\s(?=(?:i|we|he|she|they|it|my|the)\b)"
    r"|(?<=지만)\s|(?<=는데)\s|(?<=니까)\s|(?<=[아어해]서)\s|(?<=[하되있없었겠]고)\s(?!싶|있)",
    re.IGNORECASE,
)

_NOT: Final = re.compile(
    r"\b(?:not|never|no longer|hardly|used to|stopped|quit|gave up|given up|\w+n['’]?t)\b", re.IGNORECASE
)
_FILLERS: Final = re.compile(
    r"\b(?:any ?more|after all|at all|now|currently|these days|yet|already|still|again|really|start(?:ed)?|began|do"
    r"|does|did|can|could|will|would|in may|actually|just|much|all)\b",
    re.IGNORECASE,
)
_LIKES: Final = re.compile(
    r"(?<!'d )(?<!would )\b(?:(?P<good>love[sd]?|enjoy(?:s|ed)?|adore[sd]?|prefer(?:s|red)?|likes|fond of|fan of"
    r"|(?<=\bi )like|(?<=\bwe )like|(?<=n['’]t )like|(?<=not )like|(?<=really )like|(?<=longer )like|(?<=used to )like"
    r"|(?<=still )like|(?<=do )like)|(?P<bad>hate[sd]?|dislike[sd]?|detest|despise|loathe|(?:can['’]?t|cannot) stand"
    r"|sick of|fed up with))\b",
    re.IGNORECASE,
)
_OBJECT_ENDS: Final = re.compile(
    r"\s(?:at|in|on|with|for|from|to|when|every|who|that|which|as|than)\s.*", re.IGNORECASE
)

_KO_NOT: Final = re.compile(r"(?:^|(?<=\s))(?:안|못)\s|지(?:는|도)?\s?(?:않|못)\S*")
_KO_LIKES: Final = re.compile(
    r"(?P<good>좋아(?!질)|좋(?:다|은|았|습|네)|사랑)|(?P<bad>싫|미워|밉|질렸|질려|지겨|지긋지긋)"
)
_KO_SAID: Final = re.compile(r"[다라자냐]고\s?(?:했|하|말했|말하|그랬|그러)\S*$")
_KO_OBJECT: Final = re.compile(r"([가-힣A-Za-z0-9]+?)(?:을|를|이|가|은|는|도)$")
_KO_ME: Final = frozenset({"저", "나", "제", "내", "우리", "저희", "이제", "요즘", "지금", "오늘", "더", "이상"})
_KO_LEANS: Final = re.compile(r"^(?:거|것|수|싶|중)")
_KO_VOWELS: Final = {"해": "하", "돼": "되", "와": "오", "봐": "보", "줘": "주", "셔": "시"}


@dataclass(frozen=True, slots=True)
class Claim:
    """That `who` likes a matter, or that something is so of it, at `days`; `positive` is False for the opposite."""

    who: frozenset[str]
    matter: frozenset[str]
    liking: bool
    positive: bool
    days: frozenset[str] = frozenset()


_NOTHING: Final = Claim(frozenset(), frozenset(), liking=False, positive=True)


def contradict(one: tuple[Claim, ...], other: tuple[Claim, ...]) -> bool:
    return any(_oppose(a, b) for a in one for b in other)


@lru_cache(_TEXTS)
def claims(text: str, about: str = "") -> tuple[Claim, ...]:
    """One for each clause that makes one; `about` is what was talked of before, which "it" stands for."""
    language = language_of(text)
    found = _korean_claim if language is Language.KO else _english_claim
    read = []
    for said in filter(None, map(str.strip, _CLAUSES.split(text))):
        clause, days = _dated(said, language)
        read.append(replace(found(clause, about), days=days))
    return tuple(claim for claim in read if claim.matter)


def _dated(clause: str, language: Language) -> tuple[str, frozenset[str]]:
    """The clause without its dates and times, and those."""
    days = frozenset(words for kind, words in extraction.entities(clause, language) if kind in ("date", "time"))
    for day in days:
        clause = clause.replace(day, " ")
    return clause, days


def _oppose(a: Claim, b: Claim) -> bool:
    if a.positive is b.positive or a.liking is not b.liking or a.who != b.who:
        return False
    if a.days and b.days and a.days != b.days:
        return False
    shared = a.matter & b.matter
    if a.liking:
        return bool(shared)
    return a.matter == b.matter or (len(shared) >= _SHARED_ENOUGH and (a.matter <= b.matter or b.matter <= a.matter))


def _english_claim(clause: str, about: str) -> Claim:
    liked = _LIKES.search(clause)
    if liked is None:
        if clause.lower().startswith("not "):  # of a sentence whose verb stands elsewhere
            return _NOTHING
        positive = len(_NOT.findall(clause)) % 2 == 0
        said = _FILLERS.sub(" ", _NOT.sub(" ", clause))
        return Claim(_persons(said), all_stems(said), liking=False, positive=positive)
    before = clause[: liked.start()]
    denied = len(_NOT.findall(before)) % 2
    thing = _OBJECT_ENDS.sub("", _FILLERS.sub(" ", clause[liked.end() :]) + " ")
    matter = matter_stems(thing) or (
        matter_stems(about) if re.search(r"\b(?:it|him|her|them|that|this)\b", thing) else frozenset()
    )
    who = matter_stems(_NOT.sub(" ", before)) | _persons(before)
    return Claim(who, matter, liking=True, positive=bool(liked["good"]) is not bool(denied))


def _persons(text: str) -> frozenset[str]:
    """Who else than the speaker it is said of."""
    words = re.findall(r"[a-z]+", text.lower())
    return frozenset(stem(word) for word in words if word in extraction.PERSONS or word in ("he", "she", "they", "you"))


def _korean_claim(clause: str, about: str) -> Claim:
    liked, denied = _KO_LIKES.search(clause), len(_KO_NOT.findall(clause)) % 2
    words = _KO_NOT.sub(" ", _KO_SAID.sub("", clause)).split()
    if not words:
        return _NOTHING
    leans = len(words) > 1 and _KO_LEANS.match(words[-1])
    tail = words[-2:] if leans else words[-1:]
    marked = [found[1] for word in words[: -len(tail)] if (found := _KO_OBJECT.match(word))]
    named = [word for word in marked if word not in _KO_ME]
    bare = [word for word in words[: -len(tail)][-1:] if not _KO_OBJECT.match(word) and word not in _KO_ME]
    thing = (named or bare)[-1:]
    who = frozenset(named[:-1])
    if liked:
        matter = frozenset(thing) or matter_stems(about) or frozenset(about.split())
        return Claim(who, matter, liking=True, positive=bool(liked["good"]) is not bool(denied))
    absent = "없" in tail[0]
    opened = [open_syllable("있" if "없" in word else word[0]) for word in tail]
    verb = "".join(_KO_VOWELS.get(each, each) for each in opened)
    matter = frozenset({*(thing or [tail[0][:2]] * bool(leans)), f"~{verb}"})
    return Claim(who, matter, liking=False, positive=not denied ^ absent)
