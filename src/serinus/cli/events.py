"""`serinus events` and `serinus history`."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.patience import Patience
from serinus.cli.session import Failure, Session, with_session

if TYPE_CHECKING:
    from rich.console import RenderableType

AGAIN_SECONDS = 1.0


@click.command()
@click.option("--after", type=click.IntRange(0), help="Only those with a greater number.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens; with --json, one value a line.")
@with_session
def events(session: Session, *, after: int | None, limit: int, follow: bool) -> None:
    """List what happened, the oldest first."""
    client = session.client
    page = client.get("/events", after=after, limit=limit)
    if not follow:
        session.show(page, lambda answer: "\n".join(map(_line, answer["events"])) or "nothing has happened yet")
        return
    with suppress(KeyboardInterrupt):  # the way to end it
        _write(session, page["events"])
        _write(session, _coming(session, page["next_after"]))


@click.command()
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="At most so many.")
@with_session
def history(session: Session, *, limit: int) -> None:
    """List the rollouts, the latest first."""
    session.show(session.client.get("/history", limit=limit), _render_history)


def _coming(session: Session, after: int) -> Iterator[Mapping[str, Any]]:
    """Event by event as they are stored, over as many connections as it takes."""
    client, patience = session.client, Patience()
    patience.heard()
    while True:
        try:
            for event in client.follow("/events/stream", after=after):
                patience.heard()
                after = event["sequence"]
                yield event
        except Failure as error:
            patience.bear(error)
        time.sleep(AGAIN_SECONDS)


def _write(session: Session, several: Iterable[Mapping[str, Any]]) -> None:
    for event in several:
        click.echo(json.dumps(event, ensure_ascii=False) if session.as_json else _line(event))


def _line(event: Mapping[str, Any]) -> str:
    """On one line, whatever people wrote."""
    at, why = event["at"], f": {event['message']}" if event["message"] else ""
    told = " ".join(f"{event['title']}{why}".split())
    return f"{event['sequence']:>6}  {at[:10]} {at[11:19]}  {told}"


def _render_history(answer: Mapping[str, Any]) -> "RenderableType":
    from serinus.cli.tables import clock, table

    rows = [
        (
            rollout["id"],
            rollout["plan"],
            rollout["phase"].replace("_", " "),
            rollout["started_by"],
            clock(rollout["started_at"]),
            clock(rollout["finished_at"]),
        )
        for rollout in answer["rollouts"]
    ]
    return table("rollout", "plan", "phase", "by", "started", "finished", rows=rows) if rows else "no rollouts yet"
