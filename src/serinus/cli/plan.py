"""`serinus plan`: plans, looked at without any service."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from serinus.cli.estimate import estimate
from serinus.cli.plan_source import named_text, placed
from serinus.cli.session import UNUSABLE, Output, with_output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from serinus.rollout.plan import Plan


@click.group()
def plan() -> None:
    """Check and show plans, and estimate what they will take."""


plan.add_command(estimate)


@plan.command()
@click.argument("file", metavar="PLAN")
@with_output
def check(output: Output, file: str) -> None:
    """Find every problem of PLAN (a file, "-" for standard input, or one that ships); exits with 2 when there is any.

    Channels that the plan names and that the settings of this environment do not configure are warned of.
    """
    from serinus.errors import InvalidInput
    from serinus.rollout.plan_file import parse_plan

    try:
        found = parse_plan(named_text(file))
    except InvalidInput as error:
        problems = [{"where": each.where, "message": each.message, "line": each.line} for each in error.problems]
        if output.as_json:
            output.show({"valid": False, "problems": problems}, str)
        else:
            click.echo("\n".join(placed(file, error.problems)), err=True)
        click.get_current_context().exit(UNUSABLE)
    warnings = list(_warnings(found))
    for warning in () if output.as_json else warnings:
        click.echo(f"{file}: {warning}", err=True)
    answer = {"valid": True, "problems": [], "warnings": warnings}
    output.show(answer, lambda _: f"{file}: the plan {found.name} can be used")


def _warnings(found: "Plan") -> "Iterator[str]":
    """What the plan is not to blame for, and would be missed at three in the morning."""
    from serinus.alerts.addresses import advice_for
    from serinus.errors import InvalidInput
    from serinus.settings import load

    try:
        settings = load()
    except InvalidInput as error:
        yield f"whether its channels are configured cannot be said: {error}"
        return
    if advice := advice_for(found.name, found.channels, settings):
        yield advice


@plan.command()
@click.argument("name", required=False)
@with_output
def show(output: Output, name: str | None) -> None:
    """Show the plan NAME (a file, or one that ships with serinus), or list those that ship."""
    from serinus.plans import shipped_names
    from serinus.rollout.plan_file import parse_plan
    from serinus.rollout.plan_mapping import plan_to_mapping

    if name is None:
        output.show({"plans": list(shipped_names())}, lambda answer: "\n".join(answer["plans"]))
        return
    text = named_text(name)
    output.show(plan_to_mapping(parse_plan(text)), lambda _: _highlighted(text))


def _highlighted(text: str) -> "RenderableType":
    from rich.syntax import Syntax

    return Syntax(text.rstrip(), "toml", theme="ansi_dark", background_color="default", word_wrap=True)
