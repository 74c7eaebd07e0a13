"""`serinus metrics` and `serinus explain`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import Session, with_session
from serinus.cli.tongue import language, say
from serinus.messages import format_value, render_name

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command()
@click.option("--window", default="5m", show_default=True, help="How far back: 90s, 5m, 24h, at most 30d.")
@click.option("--endpoint", help="One endpoint alone: a path or a template.")
@with_session
def metrics(session: Session, *, window: str, endpoint: str | None) -> None:
    """Compare both versions' figures."""
    session.show(session.client.get("/metrics", window=window, endpoint=endpoint), _render_metrics)


@click.command()
@click.argument("user")
@click.option("--endpoint", help="A path or a template; by default any that has no rule of its own.")
@with_session
def explain(session: Session, user: str, *, endpoint: str | None) -> None:
    """Say which version USER gets, and why."""
    session.show(session.client.get("/explain", user_id=user, endpoint=endpoint), _render_explanation)


def _render_metrics(answer: Mapping[str, Any]) -> "RenderableType":
    from rich.console import Group

    from serinus.cli.tables import count, increase, milliseconds, pair_rows, percent, points, share, table

    comparison = answer["comparison"]
    traffic = comparison["traffic_split"]
    window = format_value(answer["window_seconds"], "duration", language())
    whole = table(f"last {window}", ">LEGACY", ">CANARY", rows=pair_rows(answer))
    lines = [
        f"error rate  {_estimate(comparison, 'error_rate_difference', points)}",
        f"P95         {_estimate(comparison, 'p95_increase', increase)}",
        f"traffic     {share(traffic['canary_percentage'])} canary",
        *(
            f"{render_name(check['name'], language())}: {render_name(check['verdict'], language())}, {check['message']}"
            for check in comparison["slo"]
        ),
    ]
    rows = [
        (
            template,
            *(count(pair[version]["request_count"]) for version in ("legacy", "canary")),
            *(percent(pair[version]["error_rate"]) for version in ("legacy", "canary")),
            *(milliseconds(pair[version]["p95_response_time_ms"]) for version in ("legacy", "canary")),
        )
        for template, pair in answer["endpoints"].items()
    ]
    columns = (f">{version}\n{name}" for name in ("requests", "error rate", "P95") for version in ("LEGACY", "CANARY"))
    return Group(whole, *map(say, lines), *([table("endpoint", *columns, rows=rows)] if rows else []))


def _estimate(comparison: Mapping[str, Any], name: str, shown: Callable[[float | None], str]) -> str:
    interval = comparison["intervals"][name]
    between = "" if interval is None else f" (95 %: {shown(interval[0])} to {shown(interval[1])})"
    return shown(comparison[name]) + between


PLACES = {"*": "", "(other)": " on what is no known endpoint"}
REASONS = {
    "disabled": "the canary is disabled",
    "endpoint_off": "this endpoint does not take part",
    "pinned": "the user is pinned to it",
    "no_subject": "there is no user to hash",
}


def _render_explanation(answer: Mapping[str, Any]) -> str:
    why = REASONS.get(answer["reason"])
    if why is None:
        sign = "is below" if answer["version"] == "canary" else "is not below"
        why = f"point {answer['point']} {sign} {answer['threshold']}, which is {answer['percentage']:g} % of 2^32"
    where = PLACES.get(answer["endpoint"], f" on {answer['endpoint']}")
    return f"{answer['user_id']} gets {answer['version'].upper()}{where}: {why} (split {answer['split_revision']})"
