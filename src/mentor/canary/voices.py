"""The words that a persona has for an answer, from `voices.toml`, and which of them are fresh in a conversation."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from mentor.canary.particles import with_particles
from mentor.canary.prompt import Prompt
from mentor.canary.summary import clipped
from mentor.detection import prose_of
from mentor.personas import PERSONAS, Language

_FACT_CHARACTERS: Final = 120
_THEME_CHARACTERS: Final = 40
_QUOTES: Final = {Language.EN: "“{}”", Language.KO: "‘{}’"}
_CODE_MARK: Final = "```"
_QUOTED: Final = re.compile(r"“[^”]*”")
_QUESTION: Final = re.compile(r"[^.!?:;]*\?")
_MARKS: Final = ".!?…？"
_KOREAN_ORDINALS: Final = ("첫", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열")


def voice(prompt: Prompt) -> dict[str, Any]:
    """What is the persona's own, in the language of the message."""
    found: dict[str, Any] = _voices()[prompt.persona][prompt.detected.language]
    return found


def phrase(prompt: Prompt, name: str) -> str:
    """What all personas say alike, each in its own tone of voice; of several lines the first that is fresh."""
    found: str | list[str] = _line(prompt, name)
    line = in_order(found, prompt) if isinstance(found, list) else found
    return line.replace("{name}", PERSONAS[prompt.persona].name[prompt.detected.language]).replace(
        "{strength}", PERSONAS[prompt.persona].strength[prompt.detected.language]
    )


def glad(prompt: Prompt) -> str:
    return fresh(_voices()["glad"][prompt.detected.language], prompt)


def approach(prompt: Prompt) -> list[str]:
    """How the persona would go about it, unless all of that was said in the last turns."""
    line = unused(_voices()["approach"][prompt.persona][prompt.detected.language][prompt.intent], prompt)
    return [line] if line else []


def question(prompt: Prompt) -> str:
    """One of the persona's own for the intent, or one that fits anything where those were asked in the last turns."""
    own = _voices()["question"][prompt.persona][prompt.detected.language][prompt.intent]
    return unused(own, prompt) or fresh(_voices()["more"][prompt.detected.language], prompt)


def varied(prompt: Prompt, name: str) -> str:
    """What all personas say alike, another line with every turn."""
    return fresh(_line(prompt, name), prompt)


def next_step(prompt: Prompt) -> str:
    """What the persona would do next about the matter; another one with the next turn."""
    language = prompt.detected.language
    steps: list[str] = _voices()["next"][prompt.persona][language][prompt.intent]
    filled = steps[prompt.turn_number % len(steps)].replace("{topic}", _theme(prompt))
    filled = filled[0].upper() + filled[1:]
    return with_particles(filled) if language is Language.KO else filled


def fresh(variants: list[str], prompt: Prompt) -> str:
    return unused(variants, prompt) or variants[prompt.turn_number % len(variants)]


def in_order(variants: list[str], prompt: Prompt) -> str:
    """The first is for the first time; the others are there not to say it twice."""
    answers = _answers(prompt)
    return next((variant for variant in variants if _fixed_words(variant) not in answers), "") or fresh(
        variants, prompt
    )


def unused(variants: list[str], prompt: Prompt) -> str | None:
    """The next of `variants` in turn that no answer of the window has used."""
    start = prompt.turn_number % len(variants)
    in_turn = [*variants[start:], *variants[:start]]
    answers = _answers(prompt)
    return next((variant for variant in in_turn if _fixed_words(variant) not in answers), None)


def quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"“{fact(text)}”" for text in texts)


def asked(variants: list[str], prompt: Prompt, texts: Iterable[str]) -> str:
    """A question quoted, with a full stop after it where it brings no mark of its own."""
    line = fresh(variants, prompt).format(said=quoted(texts))
    return line if not line.endswith("”") or line[-2] in _MARKS else f"{line}."


def fact(text: str) -> str:
    prose = prose_of(text)
    if prose.startswith(_CODE_MARK):
        lines = [line for line in prose.splitlines() if not line.startswith(_CODE_MARK)]
        prose = lines[0] + "…" * (len(lines) > 1) if lines else prose
    return clipped(prose.rstrip(".") or prose, _FACT_CHARACTERS)


def ordinal(turn_number: int, language: Language) -> str:
    """As it stands before "turn" or "번째"."""
    if language is Language.KO and turn_number <= len(_KOREAN_ORDINALS):
        return f"{_KOREAN_ORDINALS[turn_number - 1]} "
    return str(turn_number)


def _theme(prompt: Prompt) -> str:
    if not prompt.theme:
        return phrase(prompt, "topic")
    return _QUOTES[prompt.detected.language].format(clipped(prompt.theme, _THEME_CHARACTERS))


def last_question(prompt: Prompt) -> str:
    """The last that was asked in the window, without the user's own words; "" where nothing was."""
    own = (_QUOTED.sub("", turn.ai_response) for turn in reversed(prompt.window))
    asked_ = (found[-1].strip() for text in own if (found := _QUESTION.findall(text)))
    return next(asked_, "")


def _line(prompt: Prompt, name: str) -> Any:
    """The persona's own of that name, or else the one that all share."""
    return voice(prompt).get(name) or _voices()["shared"][prompt.detected.language][name]


def _answers(prompt: Prompt) -> str:
    return " ".join(turn.ai_response for turn in prompt.window)


def _fixed_words(variant: str) -> str:
    """The longer part of it that stands before or after what is filled in."""
    return max(variant.split("{", maxsplit=1)[0], variant.rsplit("}", maxsplit=1)[-1], key=len)


@cache
def _voices() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath("voices.toml").read_text("utf-8"))
