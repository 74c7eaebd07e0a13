"""`serinus approve`: a person's word for a gate, with what has to be handed in."""

import sys
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

import click

from serinus.cli.lines import rollout_line
from serinus.cli.session import UNUSABLE, Failure, Session, with_session
from serinus.cli.tongue import language, say
from serinus.messages import render_name, render_report

OVER = frozenset({"rolling_back", "rolled_back", "succeeded"})


@click.command()
@click.argument("gate")
@click.option("--check", "checked", multiple=True, help="Tick this item of the gate's checklist; once for each.")
@click.option(
    "--attach",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that the gate asks for; its name and SHA-256 are recorded, the file stays where it is.",
)
@click.option("--impact", default="", help="The business impact, in words.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reason", default="", help="Why; it stands in the event.")
@with_session
def approve(  # noqa: PLR0913 - each is an option
    session: Session, gate: str, *, checked: tuple[str, ...], attach: Path | None, impact: str, yes: bool, reason: str
) -> None:
    """Open the approval GATE of the present step, on the strength of the figures that are shown before.

    On a terminal, what the gate asks for and no option gave is asked for.
    """
    rollout = session.client.get("/rollout")
    if rollout["phase"] in OVER:
        raise Failure("Not possible in the present state: no rollout is running; start one first")
    if rollout["report"] is None:
        raise Failure("the rollout has not been judged yet, so there is nothing to approve on; wait for the controller")
    _show(rollout)
    wanted = _gate(rollout, gate)
    if wanted and not yes and sys.stdin.isatty():
        checked, attach, impact = _asked(wanted, checked, attach, impact)
        click.confirm(say(f"Approve {gate!r}?"), abort=True, err=True)
    body = {
        "gate": gate,
        "step": rollout["step"],
        "report_at": rollout["report"]["at"],
        "reason": reason,
        "checked": list(checked),
        "attachment": _attachment(attach) if attach else None,
        "business_impact": impact,
    }
    session.show(session.client.post("/rollout/approve", body), rollout_line)


def _show(rollout: Mapping[str, Any]) -> None:
    click.echo(say(rollout_line(rollout)), err=True)
    report, spoken = rollout["report"], language()
    named = [(render_name(check["name"], spoken), check) for check in report["slo"]]
    named += [
        (render_report("proof_of", spoken, check=render_name(check["name"], spoken)), check)
        for check in report["proof"]
    ]
    for name, check in named:
        verdict = render_name(check["verdict"], spoken)
        click.echo(f"  {name}: {verdict}, {check['message']}", err=True)


def _gate(rollout: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """As the plan defines it; empty for one that the step does not have, which the service will say."""
    gates = rollout["definition"]["steps"][rollout["step"]]["approvals"]
    return next((gate for gate in gates if gate["name"] == name), {})


def _asked(
    gate: Mapping[str, Any], checked: tuple[str, ...], attach: Path | None, impact: str
) -> tuple[tuple[str, ...], Path | None, str]:
    """What the options gave, and the answers of who sits at the terminal."""
    for item in gate.get("checklist", ()):
        if item not in checked and click.confirm(say(f"Done: {item}?"), err=True):
            checked = (*checked, item)
    if gate.get("attachment") and attach is None:
        attach = click.prompt(say(f"File of the {gate['attachment']}"), type=click.Path(path_type=Path), err=True)
    if gate.get("business_impact") and not impact:
        impact = click.prompt(say("Business impact"), err=True)
    return checked, attach, impact


def _attachment(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            return {"name": path.name, "digest": file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", UNUSABLE) from error
