"""`serinus drill`: rehearse the rollback."""

import time
from collections.abc import Mapping
from typing import Any

import click

from serinus.cli.session import FAILED, NO_ANSWER, Failure, Session, with_session
from serinus.cli.tongue import say

LONGEST_SECONDS = 1_200.0
POLL_SECONDS = 0.5
TIMES = ("seen", "decided", "split_changed", "last_canary", "alerted", "recovered")
ALERT_SECONDS = 60.0


@click.command()
@click.option("--fault", type=click.Choice(["errors", "latency", "outage"]), default="errors", show_default=True)
@click.option(
    "--scope",
    type=click.Choice(["staging", "live-shadow"]),
    default="staging",
    show_default=True,
    help="Stand-ins made for the drill, or the running service's own applications behind a private layer.",
)
@click.option("--plan", help="Drill the triggers of this plan that ships; else those of the latest rollout, or phase4.")
@click.option("--path", default="/health", show_default=True, help="What GET asks a live service for; must do no harm.")
@click.option("--reason", default="", help="Why; asked for in the shadow of a service whose users have the canary.")
@with_session
def drill(session: Session, *, fault: str, scope: str, plan: str | None, path: str, reason: str) -> None:
    """Break a canary on purpose, for synthetic users alone, and measure the way back against the deadlines.

    Runs in the service, in a private copy with a store in memory: no real user's request, split or figure is touched.
    Takes about 20 seconds. Exits with 0 when every deadline was kept, with 1 when one was missed.
    """
    client = session.client
    body = {"fault": fault, "scope": scope, "plan": plan, "path": path, "reason": reason}
    started = client.post("/drill", body)
    click.echo(started["title"], err=True)
    try:
        ended = _wait(session, started)
    except KeyboardInterrupt:
        click.echo(say("The drill goes on in the service; `serinus report drill` says how it has ended"), err=True)
        click.get_current_context().exit(FAILED)
    session.show(ended, lambda event: _told(event, session.language))
    if not ended["details"].get("passed"):
        click.get_current_context().exit(FAILED)


def _wait(session: Session, started: Mapping[str, Any]) -> Mapping[str, Any]:
    """For the event that ends the drill."""
    client, after = session.client, started["sequence"]
    gives_up_at = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < gives_up_at:
        page = client.get("/events", after=after, limit=1_000)
        for event in page["events"]:
            if event["kind"] == "drill_completed" and event["incident"] == started["incident"]:
                ended: Mapping[str, Any] = event
                return ended
        after = page["next_after"]
        time.sleep(POLL_SECONDS)  # until the next look
    raise Failure("the drill has not ended; did the service stop? See `serinus events`", NO_ANSWER)


def _told(event: Mapping[str, Any], language: str) -> str:
    from serinus.messages import format_value, render_report

    details = event["details"]
    if "fault_at" not in details:
        return f"✖ {event['message']}: {details['error']}"
    began_at, limit = details["fault_at"], details["deadline_seconds"]
    lines = [event["title"]]
    for name in TIMES:
        at = details[f"{name}_at"]
        allowed = (details["decided_at"] or began_at) - began_at + ALERT_SECONDS if name == "alerted" else limit
        after = format_value(None if at is None else at - began_at, "duration", language)
        of = render_report("drill_of", language, allowed=allowed)
        sign = "✖" if name in details["missed"] else "✔"
        lines.append(f"  {sign} {render_report(f'drill_{name}', language)}: {after} {of}")
    counts = {name: details[name] for name in ("requests", "canary_requests", "hurt")}
    lines.append(f"  {render_report('drill_counts', language, **counts)}")
    return "\n".join((*lines, f"{'✔' if details['passed'] else '✖'} {event['message']}"))
