"""`serinus replay`: what a plan would have done with the requests of an access log."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.plan_source import named_plan
from serinus.cli.session import UNUSABLE, Failure, Output, with_output
from serinus.messages import render_event, render_label

if TYPE_CHECKING:
    from rich.console import RenderableType

    from serinus.cli.access_log import AccessLog, Naming
    from serinus.rollout.replay import Recorded, Replay

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


@click.command()
@click.argument("log", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--plan", "plans", multiple=True, required=True, help="A file or a shipped plan; twice to compare two.")
@click.option("--format", "format_", type=click.Choice(["csv", "jsonl", "combined"]), help="By default, by LOG's name.")
@click.option("--column", "columns", multiple=True, metavar="FIELD=NAME", help="What LOG calls a field.")
@click.option("--latency-unit", type=click.Choice(["s", "ms", "us"]), default="s", show_default=True)
@click.option("--legacy", default="legacy", show_default=True, help="What LOG calls LEGACY.")
@click.option("--canary", default="canary", show_default=True, help="What LOG calls CANARY.")
@with_output
def replay(
    output: Output, log: str, *, plans: tuple[str, ...], format_: str | None, columns: tuple[str, ...], **names: str
) -> None:
    """Judge the requests of LOG by a plan, as if it had been in force, and list what would have happened.

    Fields: timestamp (epoch seconds or ISO 8601), version, status, latency; if known subject and path. CSV has them in
    its first line, JSON lines as keys; the combined format of Apache and nginx has latency and version at its end.
    The versions stay as they were recorded, whatever share the plan would have set; approvals are taken to be given as
    soon as they are asked for.

    \b
    serinus replay access.csv --plan phase4 --column latency=duration_ms --latency-unit ms
    serinus replay access.log --plan phase4 --plan mine.toml
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from serinus.cli.access_log import AccessLog

    if len(plans) > 2:
        raise Failure("two plans fit side by side, not more", UNUSABLE)
    parsed = [named_plan(name) for name in plans]
    naming = _naming(columns, names)
    with _lines(log) as lines:
        source = AccessLog(lines, format_ or FORMATS.get(Path(log).suffix, "combined"), naming)
        requests = _sorted(source, log)
    from serinus.rollout.replay import Replay

    replays = [Replay(each, requests[0].at // 2 * 2) for each in parsed]
    _run(replays, requests)
    answer = {
        "requests": len(requests),
        "unusable_lines": source.unusable,
        "problems": source.problems,
        "replays": [_outcome(each, output.language) for each in replays],
    }
    output.show(answer, partial(_render, language=output.language))


def _naming(columns: tuple[str, ...], names: Mapping[str, str]) -> "Naming":
    from serinus.cli.access_log import FIELDS, Naming

    mapped = dict(column.partition("=")[::2] for column in columns)
    wrong = [name for name, column in mapped.items() if name not in FIELDS or not column]
    if wrong:
        raise Failure(f"--column {wrong[0]}: give FIELD=NAME, where FIELD is one of {', '.join(FIELDS)}", UNUSABLE)
    if names["legacy"].lower() == names["canary"].lower():
        raise Failure("--legacy and --canary are the same name", UNUSABLE)
    return Naming(mapped, names["latency_unit"], names["legacy"], names["canary"])


@contextmanager
def _lines(log: str) -> Iterator[Iterable[str]]:
    """Bytes that are no UTF-8 are kept from ending the command; they matter to nothing that is read."""
    if log == "-":
        yield (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    try:
        opened = Path(log).open(encoding="utf-8", errors="replace", newline="\n")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Failure(f"cannot read {log}: {error.strerror}", UNUSABLE) from error
    with opened:
        yield opened


def _sorted(source: "AccessLog", log: str) -> "list[Recorded]":
    requests = sorted(source, key=lambda request: request.at)
    if not requests:
        first = f": {source.problems[0]}" if source.problems else ""
        raise Failure(f"{log} has no request that can be used{first}", UNUSABLE)
    return requests


def _run(replays: "list[Replay]", requests: "list[Recorded]") -> None:
    """All plans look at the same windows, until the last one has come to its end."""
    from rich.console import Console
    from rich.progress import Progress

    from serinus.rollout.replay import windows

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("replay", total=len(requests))
        for window in windows(requests):
            for each in replays:
                each.see(window)
            progress.advance(task, window.requests)
            if not any(each.rollout.is_active for each in replays):
                break


def _outcome(found: "Replay", language: str) -> dict[str, Any]:
    rollout = found.rollout
    return {
        "plan": rollout.plan.name,
        "phase": rollout.phase,
        "step": rollout.step,
        "percentage": rollout.percentage,
        "looked_at": _iso(found.looked_at),
        "closed_gates": list(found.closed_gates),
        "events": [_event(event, language) for event in found.events],
    }


def _event(event: Any, language: str) -> dict[str, Any]:
    title, message = render_event(event, language)
    return {"at": _iso(event.at), "kind": event.kind, "title": title, "message": message, "details": {**event.details}}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _render(answer: Mapping[str, Any], language: str) -> "RenderableType":
    """The plans' events side by side, in the order of time."""
    from rich.console import Group
    from rich.text import Text

    from serinus.cli.tables import clock, count, table
    from serinus.messages.phrases import translate

    say = partial(render_label, language=language)
    replays = answer["replays"]
    happened = sorted((event["at"], side) for side, each in enumerate(replays) for event in each["events"])
    told = [iter(each["events"]) for each in replays]
    rows = []
    for at, side in happened:
        cells = [""] * len(replays)
        cells[side] = _told(next(told[side]))
        rows.append((clock(at), *cells))
    lines: Iterable[str] = (
        say("replay_read", requests=count(answer["requests"]), unusable=count(answer["unusable_lines"])),
        *(translate(problem, language) for problem in answer["problems"]),
        *(_end(each, say) for each in replays),
        say("replay_note"),
    )
    return Group(table("UTC", *(each["plan"] for each in replays), rows=rows), *map(Text, lines))


def _told(event: Mapping[str, Any]) -> str:
    return f"{event['title']}: {event['message']}" if event["message"] else str(event["title"])


def _end(found: Mapping[str, Any], say: Any) -> str:
    known = {"plan": found["plan"], "phase": say(found["phase"]), "percentage": found["percentage"]}
    if found["closed_gates"]:
        return str(say("replay_waiting", gates=found["closed_gates"], **known))
    return str(say("replay_end", **known))
