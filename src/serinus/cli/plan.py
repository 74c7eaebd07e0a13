"""`serinus plan`: plans, looked at without any service."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serinus.cli.session import UNUSABLE, Failure, Session, with_session

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.group()
def plan() -> None:
    """Check and show plans."""


@plan.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@with_session
def check(session: Session, file: str) -> None:
    """Find every problem of the plan in FILE ("-" reads standard input); exits with 2 when there is one."""
    from serinus.errors import InvalidInput
    from serinus.rollout.plan_file import parse_plan

    try:
        found = parse_plan(_read(file))
    except InvalidInput as error:
        problems = [{"where": each.where, "message": each.message, "line": each.line} for each in error.problems]
        if session.as_json:
            session.show({"valid": False, "problems": problems}, str)
        else:
            click.echo("\n".join(f"{file}: {each}" for each in error.problems), err=True)
        click.get_current_context().exit(UNUSABLE)
    session.show({"valid": True, "problems": []}, lambda _: f"{file}: the plan {found.name} can be used")


@plan.command()
@click.argument("name", required=False)
@with_session
def show(session: Session, name: str | None) -> None:
    """Show the plan NAME (a file, or one that ships with serinus), or list those that ship."""
    from serinus.plans import shipped_names, shipped_text
    from serinus.rollout.plan_file import parse_plan
    from serinus.rollout.plan_mapping import plan_to_mapping

    if name is None:
        session.show({"plans": list(shipped_names())}, lambda answer: "\n".join(answer["plans"]))
        return
    text = _read(name) if Path(name).suffix == ".toml" or Path(name).is_file() else shipped_text(name)
    session.show(plan_to_mapping(parse_plan(text)), lambda _: _highlighted(text))


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"cannot read {file}: {error}", UNUSABLE) from error


def _highlighted(text: str) -> "RenderableType":
    from rich.syntax import Syntax

    return Syntax(text.rstrip(), "toml", theme="ansi_dark", background_color="default", word_wrap=True)
