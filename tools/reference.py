"""Write docs/reference.md from the code: settings, commands, the shipped plan's numbers, events, metrics.

Run: `python tools/reference.py`; a test compares the page with what this would write.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from mentor.settings import MentorSettings
from serinus.admin.families import Family
from serinus.admin.metrics_of_machinery import AGENT, PROCESS
from serinus.admin.prometheus import EVERYBODY
from serinus.alerts.alert import LEVELS, channels_for
from serinus.analysis.criteria import Limit
from serinus.analysis.verdict import Metric
from serinus.cli.main import COMMANDS, EXIT_CODES, main
from serinus.messages import catalogue
from serinus.plans import load_shipped
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan import Plan
from serinus.settings import PREFIX, Settings

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
INTRODUCTION = """\
# Reference

Every setting, command, threshold, event and metric, written from the code by `tools/reference.py`. The HTTP API has
[a guide of its own](api.md).
"""


SETTINGS = """\
Environment variables. A wrong value stops the start and says why; `serinus doctor` finds misspelt names.
"""
OF_COMMANDS = """\
`serinus COMMAND --help` says the rest. All commands take `--json`; those that speak to a service take `--url`,
`--token` and `--language`.
"""
OF_PLAN = """\
`serinus plan show phase4` prints the file with its comments; every number is the plan's and can be changed there.
"""
OF_EVENTS = """\
Stored for ever, told once. The channels are those of an event for which the plan names none.
"""

OF_METRICS = """\
What `/metrics` tells Prometheus; [how to use it](howto/prometheus.md). It is everybody's, the same whichever process is
asked: over instances take the `max`, never the `sum`. A gauge of which nothing is known yet is `NaN`.
"""


def page() -> str:
    sections = {
        "Settings": [SETTINGS, *_table(("variable", "meaning", "default"), _settings(Settings, PREFIX))],
        "Settings of mentor": _table(("variable", "meaning", "default"), _settings(MentorSettings, "MENTOR_")),
        "Commands": [OF_COMMANDS, *_table(("command", "does", "options"), _commands()), "", *_exit_codes()],
        "Thresholds of the shipped plan": [
            OF_PLAN,
            *_table(("threshold", "phase4"), _thresholds(load_shipped("phase4"))),
        ],
        "Events": [OF_EVENTS, *_table(("event", "level", "channels", "says"), _events())],
        "Metrics": [OF_METRICS, *_table(("metric", "kind", "labels", "means"), _metrics(EVERYBODY))],
        "Metrics of the process that answers": _table(
            ("metric", "kind", "labels", "means"), _metrics((*PROCESS, *AGENT))
        ),
    }
    text = "\n".join("\n".join((f"\n## {title}", *lines)) for title, lines in sections.items())
    return f"{INTRODUCTION}{text}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (head, ["---"] * len(head), *rows)
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _settings(kind: type[BaseSettings], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in kind.model_fields.items():
        default = _default(field.get_default(call_default_factory=False))
        yield f"`{prefix}{name.upper()}`", field.description or "", default


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value() or None
    if value is None or value == "":
        return "–"
    return f"`{int(value) if isinstance(value, bool) else value}`"


def _commands() -> Iterator[tuple[str, str, str]]:
    context = click.Context(main)
    for name, (_, line) in COMMANDS.items():
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(f"no command {name!r}")
        parts = command.commands if isinstance(command, click.Group) else {"": command}
        for part, each in parts.items():
            does = each.get_short_help_str(200) if part else line
            yield f"`{f'serinus {name} {part}'.strip()}`", does, _options(each)


COMMON = {"--help", "--json", "--url", "--token", "--language", "--color"}


def _options(command: click.Command) -> str:
    names = (option.opts[0] for option in command.params if isinstance(option, click.Option) and not option.hidden)
    return " ".join(f"`{name}`" for name in names if name not in COMMON) or "–"


def _exit_codes() -> list[str]:
    lines = [line.strip() for line in EXIT_CODES.splitlines()]
    rows = [tuple(line.split("  ", 1)) for line in lines if line[:1].isdigit()]
    return _table(("exit code", "means"), rows)


def _thresholds(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "error rate: canary − LEGACY", f"less than {100 * plan.margins.error_rate:g} percentage points"
    yield "P95: (canary − LEGACY) / LEGACY", f"less than {100 * plan.margins.p95:g} %"
    yield "canary requests in a step", f"more than {plan.margins.min_canary_requests:,}"
    for number, step in enumerate(plan.steps, 1):
        approvals = ", ".join(gate.name for gate in step.approvals)
        wanted = f"stable for {_hours(step.bake_seconds)}, {step.evidence}"
        yield f"step {number}: {step.percentage:g} %", f"{wanted}, approved: {approvals}" if approvals else wanted
    for trigger in plan.triggers:
        limit = trigger.limit
        yield (
            f"trigger {limit.name} ({trigger.severity})",
            f"{_beyond(limit)}: 0 % within {trigger.deadline_seconds:g} s, told on {', '.join(trigger.channels)}",
        )
    for rule in plan.alert_rules:
        yield f"alert {rule.limit.name}", f"{_beyond(rule.limit)}: told on {', '.join(rule.channels)}"
    yield "watch after 100 %", _hours(plan.watch_seconds)
    yield "cool-down after a rollback", f"{plan.cool_down_seconds / 60:g} min"


def _beyond(limit: Limit) -> str:
    if limit.metric is Metric.P95:
        return f"P95 above {limit.value:g} ms"
    side = "below" if limit.metric is Metric.AVAILABILITY else "above"
    return f"{limit.metric.replace('_', ' ')} {side} {100 * limit.value:g} %"


def _hours(seconds: float) -> str:
    return f"{seconds / 3_600:g} h"


def _events() -> Iterator[tuple[str, str, str, str]]:
    texts = catalogue("en")["events"]
    for kind in EventKind:
        channels = ", ".join(channels_for(Event(kind, 0.0, ""))) or "–"
        yield f"`{kind}`", LEVELS.get(kind, "–"), channels, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", texts[kind])


def _metrics(families: Iterable[Family[Any]]) -> Iterator[tuple[str, str, str, str]]:
    for family in families:
        labels = " ".join(f"`{label}`" for label in family.labels) or "–"
        yield f"`{family.exposed_name}`", family.kind, labels, family.meaning


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
