"""The commands that steer a rollout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from serinus.cli.lines import rollout_line
from serinus.cli.plan_source import read_text
from serinus.cli.session import PERCENTAGE, Session, with_session

reason_option = click.option("--reason", default="", help="Why; it stands in the event.")


@click.command()
@click.argument("plan")
@click.option("--force", is_flag=True, help="During the cool-down after a rollback; needs a reason.")
@reason_option
@with_session
def start(session: Session, plan: str, *, force: bool, reason: str) -> None:
    """Start a rollout by PLAN: a TOML file, or the name of a plan that ships with serinus."""
    _order(session, "start", {**_plan(plan), "force": force, "reason": reason})


@click.command()
@click.option("--cap", "cap_percentage", type=PERCENTAGE, help="Lower the share to this, in percent.")
@reason_option
@with_session
def pause(session: Session, *, cap_percentage: float | None, reason: str) -> None:
    """Stay at the present share, or at a smaller one; the triggers stay on."""
    _order(session, "pause", {"cap_percentage": cap_percentage, "reason": reason})


@click.command()
@reason_option
@with_session
def resume(session: Session, *, reason: str) -> None:
    """Go on where the pause began."""
    _order(session, "resume", {"reason": reason})


@click.command()
@reason_option
@with_session
def advance(session: Session, *, reason: str) -> None:
    """Go to the next step without the rest of the bake time; over what is inconclusive only with --reason."""
    _order(session, "advance", {"reason": reason})


@click.command()
@reason_option
@with_session
def promote(session: Session, *, reason: str) -> None:
    """Go to 100 % from the last step, without the rest of the bake time."""
    _order(session, "promote", {"reason": reason})


@click.command()
@reason_option
@with_session
def hold(session: Session, *, reason: str) -> None:
    """Stay at the last step's share for good; after a promotion: go back to it."""
    _order(session, "hold", {"reason": reason})


@click.command()
@reason_option
@with_session
def rollback(session: Session, *, reason: str) -> None:
    """Go back to 0 %, at once."""
    _order(session, "rollback", {"reason": reason})


def _order(session: Session, verb: str, body: Mapping[str, Any]) -> None:
    session.show(session.client.post(f"/rollout/{verb}", body), rollout_line)


def _plan(name: str) -> dict[str, str]:
    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        return {"plan": name}
    return {"source": read_text(name)}
