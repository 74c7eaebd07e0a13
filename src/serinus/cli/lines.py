"""A rollout and a status in one line each: for logs, for pipes, and for answers to commands."""

from collections.abc import Mapping
from typing import Any

from serinus.cli.tables import clock, milliseconds, percent, share
from serinus.cli.tongue import language, say
from serinus.messages import render_name

Answer = Mapping[str, Any]


def rollout_line(rollout: Answer, spoken: str | None = None) -> str:
    """A rollout in one line, for logs and for answers to commands.

    What it waits for and is frozen by is named in the language of the command line, or in `spoken`.
    """
    spoken = spoken or language()
    parts = [
        rollout["phase"].replace("_", " "),
        f"step {rollout['step'] + 1} of {rollout['step_count']}",
        f"share {share(rollout['desired_percentage'])} (observed {share(rollout['observed_percentage'])})",
    ]
    if report := rollout["report"]:
        legacy, canary = report["legacy"], report["canary"]
        parts.append(f"errors {percent(canary['error_rate'])} (legacy {percent(legacy['error_rate'])})")
        parts.append(f"P95 {milliseconds(canary['p95_ms'])} (legacy {milliseconds(legacy['p95_ms'])})")
    if rollout["frozen_by"]:
        parts.append(f"frozen by {render_name(rollout['frozen_by'], spoken)}")
    closed = [gate for gate in rollout["gates"] if not gate["is_open"]]
    parts += [f"waits for {render_name(gate['name'], spoken)}: {gate['message']}" for gate in closed[:1]]
    return f"rollout {rollout['id']} by {rollout['plan']}: {', '.join(parts)}"


def status_line(status: Answer, spoken: str | None = None) -> str:
    """A status in one line: what `--watch` writes where it cannot draw."""
    if status["rollout"] is not None:
        return f"{clock(status['at'])} {rollout_line(status['rollout'], spoken)}"
    config = status["config"]
    off = "" if config["enabled"] else ", disabled"
    desired, observed = share(config["canary_percentage"]), share(config["observed_percentage"])
    return f"{clock(status['at'])} no rollout, share {desired} (observed {observed}){off}"


def spoken_line(status: Answer, spoken: str | None = None) -> str:
    """`status_line` in the language of the command line, or in `spoken`."""
    line = status_line(status, spoken)
    return line[:20] + say(line[20:], spoken)
