"""Forms of speech by name, in English and in Korean, from `forms.toml`."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

_FILE: Final = "forms.toml"


def form(name: str) -> re.Pattern[str]:
    """What finds it, in either language and in any case."""
    both = _forms()[name]
    return re.compile("|".join((*both["en"], *both["ko"])), re.IGNORECASE)


@cache
def _forms() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath(_FILE).read_text("utf-8"))
