"""Answers without a language model: puts the user's own facts in order, in the persona's voice, and invents none."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from mentor.canary import extraction
from mentor.canary.acts import Act, act_of, asks_to_recall, tells
from mentor.canary.particles import with_particles
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.summary import Statement, clipped, sentences
from mentor.detection import Intent, Tone
from mentor.personas import Language
from mentor.sessions import OFFLINE

_TEXTS: Final = 2_048  # old statements are looked at again with every turn of their conversation
_FACTS: Final = 3
_RECALLED: Final = 3
_FACT_CHARACTERS: Final = 120
_THEME_CHARACTERS: Final = 40
_HEAVY: Final = frozenset({Tone.FRUSTRATED, Tone.ANXIOUS, Tone.URGENT, Tone.CONFUSED})
_LIGHT: Final = frozenset({Tone.PLAYFUL})
_QUOTES: Final = {Language.EN: "“{}”", Language.KO: "‘{}’"}
_DANGER: Final = re.compile(
    r"\b(?:suicid(?:e|al)|kill(?:ing)? myself|end(?:ing)? my life|want to die|hurt(?:ing)? myself|self-?harm"
    r"|don't want to (?:live|be alive)|better off dead)"
    r"|자살|자해|죽고 ?싶|목숨을 끊|스스로 목숨|살고 ?싶지 ?않|사라지고 ?싶",
    re.IGNORECASE,
)


class OfflineResponder:
    """Deterministic: the same prompt gives the same answer."""

    def compose(self, prompt: Prompt) -> Answer:
        act = act_of(prompt.message)
        parts = [*_safety(prompt), *_COMPOSED[act](prompt)]
        if act not in _ENDS_ITSELF:
            parts.append(_closing(act, prompt))
        return Answer(" ".join(parts), suggestion(prompt), OFFLINE)


def suggestion(prompt: Prompt) -> str:
    """The next step that the persona would take, for what the user wants to do and about what they talk about."""
    language = prompt.detected.language
    if _DANGER.search(prompt.message):
        return _phrase(prompt, "safe")
    if not prompt.theme and act_of(prompt.message) in _ENDS_ITSELF:
        return _phrase(prompt, "begin")
    sentence: str = _voices()["next"][prompt.persona][language][prompt.intent]
    filled = sentence.replace("{topic}", _theme(prompt))
    filled = filled[0].upper() + filled[1:]
    return with_particles(filled) if language is Language.KO else filled


def _theme(prompt: Prompt) -> str:
    language = prompt.detected.language
    if not prompt.theme:
        topic: str = _phrase(prompt, "topic")
        return topic
    return _QUOTES[language].format(clipped(prompt.theme, _THEME_CHARACTERS))


def _greeting(prompt: Prompt) -> list[str]:
    return [_voice(prompt)["hello"]]


def _thanks(prompt: Prompt) -> list[str]:
    return [_voice(prompt)["thanks"]]


def _abuse(prompt: Prompt) -> list[str]:
    return [_voice(prompt)["calm"]]


def _farewell(prompt: Prompt) -> list[str]:
    return [_voice(prompt)["bye"]]


def _pause(prompt: Prompt) -> list[str]:
    """Nothing to take up: back to what was said last, if anything was."""
    if _mood(prompt) == "light":
        return [_fresh(_voice(prompt)["light"], prompt)]
    said = _voice(prompt)["pause"].format(said=_quoted(sentences(prompt.message)[:1]))
    facts = _facts(prompt)[-1:]
    return [said, *([_phrase(prompt, "last").format(facts=_quoted(facts))] if facts else [])]


def _summary(prompt: Prompt) -> list[str]:
    facts = [statement.text for statement in prompt.summary if tells(statement.text)]
    return [_phrase(prompt, "summary").format(facts=_quoted(facts)) if facts else _phrase(prompt, "nothing")]


def _recall(prompt: Prompt) -> list[str]:
    found = _related(prompt, most=_RECALLED)
    return [_said(prompt, each) for each in found] or [_phrase(prompt, "unknown")]


def _question(prompt: Prompt) -> list[str]:
    """What was asked, what is known of it, and how the persona would go about it."""
    voice, intent = _voice(prompt), prompt.intent
    parts = [_fresh(voice["asked"], prompt).format(said=_quoted(sentences(prompt.message)[:_FACTS]))]
    facts = _facts(prompt)
    if intent is Intent.LEARNING and extraction.theme(prompt.message, prompt.detected.language):
        facts = [each.text for each in _related(prompt, most=_FACTS)]
    if facts:
        parts.append(_fresh(voice["facts"], prompt).format(facts=_quoted(facts)))
    elif intent is Intent.LEARNING:
        parts.append(_phrase(prompt, "no_source"))
    approach = _voices()["approach"][prompt.persona][prompt.detected.language][intent]
    return [*parts, *_preference(prompt), *([approach] if _unused([approach], prompt) else [])]


def _statement(prompt: Prompt) -> list[str]:
    voice = _voice(prompt)
    said = _quoted(sentences(prompt.message)[:_FACTS])
    earlier = [_said(prompt, each) for each in _related(prompt, most=1)]
    earlier = [line for line in earlier if _unused([line], prompt)]
    return [_fresh(voice[_mood(prompt)], prompt), _fresh(voice["heard"], prompt).format(said=said), *earlier]


_COMPOSED: Final = {
    Act.GREETING: _greeting,
    Act.INTRODUCTION: _greeting,
    Act.ABUSE: _abuse,
    Act.THANKS: _thanks,
    Act.FAREWELL: _farewell,
    Act.PAUSE: _pause,
    Act.SUMMARY: _summary,
    Act.RECALL: _recall,
    Act.QUESTION: _question,
    Act.STATEMENT: _statement,
}


_NEXT_BEST: Final = (Intent.SEEK_ADVICE, Intent.REFLECTION, Intent.PROBLEM_SOLVING, Intent.PLANNING)
"""Whose questions are asked when those of the present intent are used up."""
_ENDS_ITSELF: Final = frozenset({Act.GREETING, Act.INTRODUCTION, Act.ABUSE, Act.FAREWELL})
_CLOSED: Final = {Act.THANKS: "onward", Act.RECALL: "meant", Act.SUMMARY: "missing"}


def _closing(act: Act, prompt: Prompt) -> str:
    """One question, that was not asked in the last turns."""
    if _DANGER.search(prompt.message):
        return _phrase(prompt, "company")
    if act is Act.RECALL and not _related(prompt, most=1):
        return _phrase(prompt, "again")
    if act in _CLOSED:
        return _phrase(prompt, _CLOSED[act])
    if act in (Act.STATEMENT, Act.PAUSE) and _mood(prompt) == "light":
        return _fresh(_voices()["glad"][prompt.detected.language], prompt)
    questions = _voices()["question"][prompt.persona][prompt.detected.language]
    others = [each for intent in _NEXT_BEST for each in questions[intent]]
    return _unused(questions[prompt.intent], prompt) or _unused(others, prompt, start=0) or others[0]


def _safety(prompt: Prompt) -> list[str]:
    return [_phrase(prompt, "safety")] if _DANGER.search(prompt.message) else []


def _mood(prompt: Prompt) -> str:
    if prompt.detected.tone in _HEAVY or _DANGER.search(prompt.message):
        return "heavy"
    return "light" if prompt.detected.tone in _LIGHT else "plain"


def _preference(prompt: Prompt) -> list[str]:
    if prompt.preferences and prompt.intent in (Intent.SEEK_ADVICE, Intent.PLANNING):
        kept = prompt.preferences[-1]
        if not any(kept in fact for fact in _facts(prompt)):
            return [_phrase(prompt, "preference").format(preference=_fact(kept))]
    return []


def _facts(prompt: Prompt) -> list[str]:
    """What the user has told of the matter, most relevant first chosen, in the order in which it was said."""
    told = [each for each in prompt.known if tells(each.text)][:_FACTS]
    return [each.text for each in sorted(told, key=lambda each: each.turn_number)]


def _related(prompt: Prompt, *, most: int) -> list[Statement]:
    """Earlier statements that share a telling word with the message: the most relevant, in the order of the turns."""
    language = prompt.detected.language
    words = _words(prompt.message, language)
    found = [each for each in prompt.known if words & _words(each.text, language) and _is_told(each.text)]
    return sorted(found[:most], key=lambda statement: statement.turn_number)


@lru_cache(_TEXTS)
def _words(text: str, language: Language) -> frozenset[str]:
    """What a text may be recognised by: its content words, and its dates, times and numbers."""
    entities = (words for _, words in extraction.entities(text, language))
    return frozenset((*extraction.content_words(text, language), *entities))


@lru_cache(_TEXTS)
def _is_told(text: str) -> bool:
    return tells(text) and not asks_to_recall(text)


def _said(prompt: Prompt, statement: Statement) -> str:
    return _phrase(prompt, "said").format(turn=statement.turn_number, said=_fact(statement.text))


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"“{_fact(text)}”" for text in texts)


def _fact(text: str) -> str:
    return clipped(text.rstrip(".") or text, _FACT_CHARACTERS)


def _fresh(variants: list[str], prompt: Prompt) -> str:
    return _unused(variants, prompt) or variants[prompt.turn_number % len(variants)]


def _unused(variants: list[str], prompt: Prompt, *, start: int | None = None) -> str | None:
    """The next of `variants` in turn, from `start` or the turn's own on, that no answer of the window has used."""
    start = prompt.turn_number % len(variants) if start is None else start
    in_turn = [*variants[start:], *variants[:start]]
    answers = " ".join(turn.ai_response for turn in prompt.window)
    return next((variant for variant in in_turn if _fixed_words(variant) not in answers), None)


def _fixed_words(variant: str) -> str:
    """The longer part of it that stands before or after what is filled in."""
    return max(variant.split("{", maxsplit=1)[0], variant.rsplit("}", maxsplit=1)[-1], key=len)


def _phrase(prompt: Prompt, name: str) -> str:
    phrase: str = _voices()["recall"][prompt.detected.language][name]
    return phrase


def _voice(prompt: Prompt) -> dict[str, Any]:
    voice: dict[str, Any] = _voices()[prompt.persona][prompt.detected.language]
    return voice


@cache
def _voices() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath("voices.toml").read_text("utf-8"))
