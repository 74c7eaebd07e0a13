"""Texts of our own in the styles of other sources: `tests/unit/mentor/other_styles.toml` and `other_tones.toml`.

Of each list, the first line and every second one after it may be looked at; the others are only measured.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "tests" / "unit" / "mentor"
SEEN, HELD = 0, 1


def personas(lang: str, half: int) -> list[dict[str, str]]:
    """With "text" and "label" (a persona), like the rows of `../shared/data/routing`."""
    table = _table("other_styles.toml")
    return [
        {"text": text, "label": name}
        for name, texts in table.items()
        if name != "out_of_scope"
        for text in _half(texts[lang], half)
    ]


def out_of_scope(lang: str, half: int) -> list[str]:
    return list(_half(_table("other_styles.toml")["out_of_scope"][lang], half))


def labels(kind: str, lang: str, half: int) -> list[dict[str, str]]:
    """`kind` is "tone", "intent" or "pace"."""
    table = _table("other_tones.toml")[kind]
    return [{"text": text, "label": name} for name, texts in table.items() for text in _half(texts[lang], half)]


def _half(text: str, half: int) -> Iterator[str]:
    return iter(text.strip().splitlines()[half::2])


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text("utf-8"))
