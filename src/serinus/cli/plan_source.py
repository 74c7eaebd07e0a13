"""Where a plan's text comes from."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from serinus.cli.session import UNUSABLE, Failure
from serinus.cli.tongue import say
from serinus.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from serinus.rollout.plan import Plan


def named_plan(name: str) -> "Plan":
    """Of a file, or the one that ships under this name; a Failure with every problem and its place."""
    from serinus.rollout.plan_file import parse_plan

    try:
        return parse_plan(named_text(name))
    except InvalidInput as error:
        raise Failure("\n".join(placed(name, error.problems)), UNUSABLE) from error


def placed(name: str, problems: Iterable[Problem]) -> Iterator[str]:
    """As compilers say where, so that editors find the line."""
    file = "<stdin>" if name == "-" else name
    for each in problems:
        place = f"{file}:{each.line}" if each.line else file
        yield f"{place}: {each.where}: {say(each.message)}"


def named_text(name: str) -> str:
    """Of a file, or of the plan that ships with serinus under this name."""
    from serinus.plans import shipped_text

    return (
        read_text(name) if name == "-" or Path(name).suffix == ".toml" or Path(name).is_file() else shipped_text(name)
    )


def read_text(file: str) -> str:
    """Of a file; "-" is standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}", UNUSABLE) from error
    except UnicodeDecodeError as error:
        raise Failure(f"cannot read {file}: it is no text in UTF-8", UNUSABLE) from error
