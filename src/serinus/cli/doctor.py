"""`serinus doctor`: what is missing or wrong, and what to do about it."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import FAILED, NO_ANSWER, Failure, Session, with_session
from serinus.cli.tongue import say
from serinus.errors import SerinusError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from serinus.inspection import Findings
    from serinus.settings import Settings

OK, WARNING, WRONG = "ok", "warning", "wrong"
SIGNS = {OK: ("✔", "green"), WARNING: ("!", "yellow"), WRONG: ("✖", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is what to do unless the state is OK."""

    name: str
    state: str
    message: str
    advice: str = ""


@click.command()
@with_session
def doctor(session: Session) -> None:
    """Look at the settings, the store, tokens, controller, agents and the service; exits with 1 when one is wrong."""
    found = list(_examine(session))
    session.show({"findings": [asdict(finding) for finding in found]}, _render)
    if any(finding.state == WRONG for finding in found):
        click.get_current_context().exit(FAILED)


def _examine(session: Session) -> Iterator[Finding]:
    from serinus.settings import load, unknown_variables

    for name, meant in unknown_variables(dict(os.environ)).items():
        advice = f"did you mean {meant}?" if meant else "unset it; `serinus doctor` knows all that there are"
        yield Finding("settings", WARNING, f"nothing reads {name}", advice)
    try:
        settings = load()
    except SerinusError as error:
        yield Finding("settings", WRONG, str(error), "correct the environment variables that are named")
        return
    yield Finding("settings", OK, "all settings can be used")
    yield from _examine_store(settings)
    if settings.kept_split_path:
        yield _kept_split(settings, settings.kept_split_path)
    if settings.prometheus_url:
        yield _source(settings)
    yield _examine_service(session)


def _source(settings: "Settings") -> Finding:
    """Whether the Prometheus that is to measure both versions does."""
    from serinus import inspection

    name, selector = "prometheus", settings.prometheus_requests
    try:
        found = asyncio.run(inspection.look_at_source(settings))
    except SerinusError as error:
        advice = "correct SERINUS_PROMETHEUS_URL or the selectors; nothing is judged until it answers"
        return Finding(name, WRONG, f"{inspection.shown_prometheus(settings)}: {error}", advice)
    if found is None or not found.legacy:
        label = f'{settings.prometheus_version_label}="{settings.prometheus_legacy}"'
        return Finding(name, WRONG, f"{selector} has no series with {label}", "see docs/howto/prometheus.md")
    message = f"measures LEGACY in {found.legacy} series, CANARY in {found.canary}, latencies in {found.latency}"
    if settings.prometheus_latency and not found.latency:
        return Finding(name, WARNING, message, f"{settings.prometheus_latency} has none: P95 cannot be judged")
    return Finding(name, OK, message)


def _examine_store(settings: "Settings") -> Iterator[Finding]:
    from serinus import inspection

    url = inspection.shown_url(settings)
    if missing := inspection.missing_file(settings):
        advice = (
            "start the service once, which makes it, though not its folder; or set SERINUS_DATABASE_URL to where it is"
        )
        yield Finding("store", WRONG, f"there is no file {missing}", advice)
        return
    try:
        found = asyncio.run(inspection.look(settings))
    except SerinusError as error:
        advice = "start the service once, which makes the tables; else check SERINUS_DATABASE_URL and the file's rights"
        yield Finding("store", WRONG, f"{url}: {error}", advice)
        return
    yield Finding("store", OK, f"{url} answers")
    yield _tokens(settings, found)
    yield _controller(found)
    yield _agents(found)
    yield _channels(settings)
    yield from _plans_channels(settings, found)


def _kept_split(settings: "Settings", path: Path) -> Finding:
    """What a start without the store begins with."""
    from serinus import inspection

    name = "kept split"
    try:
        share = inspection.kept_share(settings)
    except (OSError, SerinusError) as error:
        advice = "delete it: the service keeps another one when it hears from the store"
        return Finding(name, WARNING, f"{path} cannot be used: {error}", advice)
    if not os.access(path.parent, os.W_OK):
        advice = "set SERINUS_STATE_DIR to a folder that the service may write into"
        return Finding(name, WARNING, f"none can be kept in {path.parent}", advice)
    if share is None:
        return Finding(name, OK, "none: a start without the store serves LEGACY")
    return Finding(name, OK, f"a start without the store serves {share:g} % CANARY ({path})")


def _tokens(settings: "Settings", found: "Findings") -> Finding:
    if settings.admin_token or found.admins:
        extra = " and SERINUS_ADMIN_TOKEN" if settings.admin_token else ""
        return Finding("tokens", OK, f"{found.tokens} in force{extra}")
    advice = "make one: serinus token create NAME --role admin"
    return Finding("tokens", WRONG, "nobody can be admin", advice)


def _controller(found: "Findings") -> Finding:
    if found.controller_seconds_ago is None:
        return Finding("controller", WRONG, "none was ever heard", "start `serinus serve` or `serinus controller`")
    message = f"heard {found.controller_seconds_ago:.0f} s ago"
    if found.controller_seconds_ago > 10:
        return Finding("controller", WRONG, message, "start `serinus serve` or `serinus controller`; see its log")
    return Finding("controller", OK, message)


def _agents(found: "Findings") -> Finding:
    if not found.agents:
        advice = "start the service on this store: without an agent nobody gets the canary"
        return Finding("agents", WARNING, "none has been heard lately", advice)
    if found.dropped:
        message = f"{found.dropped} requests are not counted: the store was away for more than half an hour"
        advice = "look into the services' logs for why; the number begins anew with the processes"
        return Finding("agents", WARNING, f"{', '.join(found.agents)}; {message}", advice)
    return Finding("agents", OK, ", ".join(found.agents))


def _channels(settings: "Settings") -> Finding:
    from serinus.alerts.addresses import addresses_of

    if there := sorted(addresses_of(settings).names):
        return Finding("alerts", OK, f"alerts go to {', '.join(there)}; try them: serinus alerts test")
    advice = "set SERINUS_SLACK_WEBHOOK_URL, SERINUS_PAGERDUTY_ROUTING_KEY or another; see docs/howto/alerts.md"
    return Finding("alerts", WARNING, "alerts go to the log alone", advice)


def _plans_channels(settings: "Settings", found: "Findings") -> Iterator[Finding]:
    """What the running rollout counts on and nobody would hear."""
    from serinus.alerts.addresses import advice_for

    if found.plan is not None and (advice := advice_for(found.plan.name, found.plan.channels, settings)):
        yield Finding("plan's channels", WRONG, advice, "set them where the service runs; see docs/howto/alerts.md")


def _examine_service(session: Session) -> Finding:
    try:
        session.client.get("/config")
    except Failure as error:
        if error.exit_code == NO_ANSWER:
            return Finding("service", WRONG, error.message, "start it, or correct --url")
        return Finding("service", WRONG, error.message, "give a valid token: --token or SERINUS_TOKEN")
    return Finding("service", OK, f"{session.url} answers and knows the token")


def _render(answer: Mapping[str, Any]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for finding in answer["findings"]:
        sign, style = SIGNS[finding["state"]]
        grid.add_row(Text(f"{sign} {say(finding['name'])}", style=style), Text(say(finding["message"])))
        if finding["advice"]:
            grid.add_row("", Text(f"→ {say(finding['advice'])}", style="bold"))
    return grid
