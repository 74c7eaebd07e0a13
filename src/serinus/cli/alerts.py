"""`serinus alerts`: the channels that people are told on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import FAILED, Session, with_session
from serinus.cli.tongue import say

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.group()
def alerts() -> None:
    """Try out the channels that people are told on."""


@alerts.command()
@click.argument("channel", required=False)
@with_session
def test(session: Session, *, channel: str | None) -> None:
    """Send a marked test alert now, to CHANNEL or to all that are configured; exits with 1 when one did not take it."""
    answer = session.client.post("/alerts/test", {"channel": channel})
    session.show(answer, _render)
    if not all(result["delivered"] for result in answer["results"]):
        click.get_current_context().exit(FAILED)


def _render(answer: Mapping[str, Any]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for result in answer["results"]:
        sign, style = ("✔", "green") if result["delivered"] else ("✖", "red")
        told = "delivered" if result["delivered"] else result["error"]
        grid.add_row(Text(f"{sign} {result['channel']}", style=style), Text(say(f"{told} ({result['seconds']:.1f} s)")))
    return grid
