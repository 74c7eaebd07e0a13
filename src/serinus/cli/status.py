"""`serinus status`, once or for as long as one looks."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from serinus.cli.lines import spoken_line
from serinus.cli.patience import Patience
from serinus.cli.session import ATTENTION, ROLLED_BACK, Failure, Session, with_session
from serinus.cli.view import FittedStatus, status_view

EXIT_CODES = {"ok": 0, "attention": ATTENTION, "rolled_back": ROLLED_BACK}
ENDED = {"rolled_back", "succeeded"}


@click.command()
@click.option("--watch", "-w", is_flag=True, help="Follow it until the rollout has ended, or Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.1, 3_600), default=1.0, show_default=True, help="Seconds between two looks."
)
@with_session
def status(session: Session, *, watch: bool, interval: float) -> None:
    """Show how everything fares. Exits with 0 when all is well, 5 when somebody should look, 6 after a rollback."""
    if watch and session.as_json:
        raise click.UsageError("--watch and --json exclude each other: a program asks again by itself")
    if watch:
        try:
            last = _watch(session, interval)
        except KeyboardInterrupt:  # the way to end it
            return
    else:
        last = session.client.get("/status")
        session.show(last, partial(status_view, language=session.language))
    click.get_current_context().exit(EXIT_CODES[last["health"]])


def _watch(session: Session, interval: float) -> dict[str, Any]:
    console = session.console
    if not console.is_terminal:
        return _write_changes(_looks(session, interval))
    from rich.live import Live

    with Live(console=console, auto_refresh=False, screen=False) as live:
        for last in _looks(session, interval):
            live.update(FittedStatus(last, session.language), refresh=True)
    return last


def _write_changes(looks: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A line for every look that differs from the one before in more than its time."""
    written = ""
    for last in looks:
        line = spoken_line(last)
        if line[20:] != written:
            click.echo(line)
            written = line[20:]
    return last


def _looks(session: Session, interval: float) -> Iterator[dict[str, Any]]:
    """One after another, until a rollout that was seen running has ended."""
    following = False
    for last in _answers(session, interval):
        yield last
        rollout = last["rollout"]
        active = rollout is not None and rollout["phase"] not in ENDED
        if not active and following:
            return
        following = active


def _answers(session: Session, interval: float) -> Iterator[dict[str, Any]]:
    """Whatever is answered; a silence in between is borne."""
    client, patience = session.client, Patience()
    while True:
        try:
            answer = client.get("/status")
        except Failure as error:
            patience.bear(error)
        else:
            patience.heard()
            yield answer
        time.sleep(interval)
