"""The databases that one suite runs on: each is a name and a way to make the URL of an empty one."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

BACKENDS: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "sqlite in memory": lambda _request, _folder: "sqlite+aiosqlite://",
    "sqlite file": lambda _request, folder: f"sqlite+aiosqlite:///{folder / 'serinus.db'}",
    "postgresql": lambda request, _folder: str(request.getfixturevalue("postgresql_server").url()),
}
SHARED = ("sqlite file", "postgresql")
"""Those that several processes can open."""
NEEDED = {"postgresql": (pytest.mark.tool("postgresql"), pytest.mark.slow)}


def params(names: Iterable[str]) -> list[Any]:
    """The first of `names` is for every run; the others say the same of slower databases."""
    first, *others = names
    return [
        pytest.param(first, marks=NEEDED.get(first, ())),
        *(pytest.param(name, marks=NEEDED.get(name, pytest.mark.slow)) for name in others),
    ]


def url_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """The body of a fixture that is given one of `params`."""
    return BACKENDS[request.param](request, folder)
