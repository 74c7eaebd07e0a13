"""`serinus config`: the split, read and changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import PERCENTAGE, Session, with_session
from serinus.cli.tongue import say

if TYPE_CHECKING:
    from rich.console import RenderableType

SWITCH = {"on": True, "off": False}


@click.group()
def config() -> None:
    """Read or change the split."""


@config.command()
@with_session
def get(session: Session) -> None:
    """Show the split in force."""
    session.show(session.client.get("/config"), _render)


@config.command(name="set")
@click.option("--percentage", type=PERCENTAGE, help="The canary's share, 0 to 100; decimals are allowed.")
@click.option("--enabled/--disabled", default=None, help="Whether anybody gets the canary.")
@click.option("--endpoint", "endpoints", multiple=True, metavar="TEMPLATE=on|off|MAX", help="An endpoint's part.")
@click.option("--revision", type=int, help="Change only this revision of the split.")
@click.option("--reason", default="", help="Why; it stands in the event.")
@with_session
def set_(session: Session, **wanted: Any) -> None:
    """Change the split. While a rollout runs, 0 or --disabled rolls it back, and a smaller share pauses and caps it."""
    revision, rules = wanted["revision"], wanted["endpoints"]
    body = {
        "canary_percentage": wanted["percentage"],
        "enabled": wanted["enabled"],
        "reason": wanted["reason"],
    }
    if rules:
        current = session.client.get("/config")
        revision = current["revision"] if revision is None else revision
        body["endpoints"] = _merged(current["endpoints"], rules)
    elif body["canary_percentage"] is None and body["enabled"] is None:
        raise click.UsageError("say what to change: --percentage, --enabled, --disabled or --endpoint")
    session.show(session.client.post("/config", body, revision=revision), _render)


def _merged(current: list[dict[str, Any]], rules: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rules in force with those given over them."""
    merged = {rule["template"]: rule for rule in current}
    for rule in rules:
        template, _, part = rule.rpartition("=")
        merged[template] = {"template": template, **_part(rule, part)}
    return list(merged.values())


def _part(rule: str, part: str) -> dict[str, Any]:
    if part in SWITCH:
        return {"enabled": SWITCH[part]}
    try:
        return {"max_percentage": PERCENTAGE(part)}
    except click.BadParameter:
        message = f"{rule!r} should end in =on, =off, or a percentage such as =10"
        raise click.BadParameter(message, param_hint="--endpoint") from None


def _render(answer: Mapping[str, Any]) -> "RenderableType":
    from rich.console import Group

    from serinus.cli.tables import clock, share, table

    enabled = "" if answer["enabled"] else ", disabled"
    changed = f"{clock(answer['changed_at'])} by {answer['changed_by']}" if answer["changed_at"] else "never"
    lines = [
        f"share     {share(answer['canary_percentage'])}{enabled} (observed {share(answer['observed_percentage'])})",
        f"revision  {answer['revision']} ({answer['source']})",
        f"changed   {changed}",
    ]
    if answer["canary_percentage"] and not answer["enabled"]:
        lines.append("Nobody gets the canary: `serinus config set --enabled` switches it on")
    if answer["known_endpoints"]:
        lines.append(f"endpoints {' '.join(answer['known_endpoints'])}")
    rules = [
        (rule["template"], "on" if rule["enabled"] else "off", share(rule["max_percentage"]))
        for rule in answer["endpoints"]
    ]
    return Group(*map(say, lines), *([table("endpoint", "takes part", ">at most", rows=rules)] if rules else []))
