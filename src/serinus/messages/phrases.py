"""What is said in English where it happens (help, refusals, errors), in the reader's language.

The English sentence is its own key: ``phrases.ko.toml`` holds each with its Korean, and `{placeholders}` for what
varies. So what is raised deep inside needs to know of no language; whoever shows it translates it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from string import Formatter

from serinus.messages import DEFAULT_LANGUAGE, LANGUAGES, catalogue
from serinus.messages.particles import settled

LISTED = ", "


def translate(text: str, language: str) -> str:
    """The same in `language`, paragraph by paragraph; a sentence that the book does not know stays as it is."""
    if language == DEFAULT_LANGUAGE:
        return text
    return "\n".join(_sentence(line, language) for line in text.split("\n"))


def knows(text: str, language: str) -> bool:
    return bool(language == DEFAULT_LANGUAGE or _entry(text, language))


def preferred(tags: Iterable[str], default: str) -> str:
    """The first language that there is of tags such as ``ko-KR;q=0.9``."""
    primary = (tag.partition(";")[0].strip().partition("-")[0].lower() for tag in tags)
    return next((tag for tag in primary if tag in LANGUAGES), default)


def _sentence(text: str, language: str) -> str:
    bare = text.strip()
    found = _entry(bare, language)
    if found is None:
        return text.replace(bare, _unknown(bare, language)) if bare else text
    template, values = found
    said = settled(template.format(**{name: _value(value, language) for name, value in values.items()}))
    return text.replace(bare, said) if bare else text


def _unknown(text: str, language: str) -> str:
    """A name, or what stands before and behind a colon, each by itself."""
    head, colon, rest = text.partition(": ")
    return f"{_sentence(head, language)}{colon}{_sentence(rest, language)}" if colon else _named(text, language)


def _value(text: str, language: str) -> str:
    """A phrase, or a name, or a list of them; anything else stands for itself."""
    parts = text.split(LISTED)
    if _entry(text, language) and not all(_entry(part, language) for part in parts):
        return _sentence(text, language)
    return LISTED.join(_name(part, language) for part in parts)


def _name(code: str, language: str) -> str:
    return _sentence(code, language) if _entry(code, language) else _named(code, language)


def _named(code: str, language: str) -> str:
    texts, key = catalogue(language), code.replace(" ", "_")
    found = (texts[section].get(key) for section in ("names", "brief"))
    return next((name for name in found if name and "{" not in name), code)


def _entry(text: str, language: str) -> tuple[str, Mapping[str, str]] | None:
    """The translation of the first pattern that fits, and what stands in its places."""
    exact, patterns = _book(language)
    if text in exact:
        return exact[text], {}
    matches = ((template, pattern.fullmatch(text)) for pattern, template in patterns)
    return next(((template, match.groupdict()) for template, match in matches if match), None)


@cache
def _book(language: str) -> tuple[Mapping[str, str], list[tuple[re.Pattern[str], str]]]:
    """Plain sentences, and patterns: those that say most by themselves come first."""
    source = files("serinus.messages").joinpath(f"phrases.{language}.toml").read_text(encoding="utf-8")
    entries = [entry for section in tomllib.loads(source).values() for entry in section.items()]
    plain = {english.format(): own.format() for english, own in entries if not _places(english)}
    patterned = sorted(((english, own) for english, own in entries if _places(english)), key=_wordless)
    return plain, [(_pattern(english), own) for english, own in patterned]


def _pattern(english: str) -> re.Pattern[str]:
    parts = Formatter().parse(english)
    pattern = "".join(re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _, _ in parts)
    return re.compile(pattern, re.DOTALL)


def _places(english: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(english) if name}


def _wordless(entry: tuple[str, str]) -> int:
    return -len(re.sub(r"\{\w+\}", "", entry[0]))
