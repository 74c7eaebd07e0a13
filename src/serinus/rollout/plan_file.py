"""Plans as people write them: TOML files, and the same mapping as an API body."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from serinus.analysis.criteria import Limit
from serinus.analysis.verdict import Metric
from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import InvalidInput, Problem
from serinus.rollout.fields import Fields, Problems
from serinus.rollout.plan import (
    CHANNELS,
    USUAL_CHANNELS,
    AlertRule,
    ApprovalGate,
    AtDeadline,
    Evidence,
    Final,
    Margins,
    OnExpiry,
    Plan,
    Severity,
    Step,
    Trigger,
)
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.toml_lines import key_lines
from serinus.routing.endpoints import canonical
from serinus.routing.split import EVERY_ENDPOINT, EndpointRule

__all__ = ["parse_plan", "plan_from_mapping", "plan_to_mapping"]

SHORTEST_DEADLINE_SECONDS = 10.0  # a slice takes 2 s and closes 1 s later, a tick 1 s, the agents' adoption up to 2 s


class LimitMetric(StrEnum):
    """What a limit can be put on."""

    ERROR_RATE = Metric.ERROR_RATE
    P95 = Metric.P95
    AVAILABILITY = Metric.AVAILABILITY


DEFAULTS = Plan("", (), Margins(0, 0, 0), ())
_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}", re.ASCII)


def parse_plan(text: str) -> Plan:
    """The plan in a TOML source; `InvalidInput` holds every problem with its line."""
    try:
        mapping = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(_syntax_problem(str(error), text)) from error
    return _read(mapping, Problems(key_lines(text)))


def plan_from_mapping(mapping: Mapping[str, object]) -> Plan:
    """The plan in a parsed JSON body of the same shape; `InvalidInput` holds every problem."""
    return _read(mapping, Problems({}))


def _read(mapping: Mapping[str, object], problems: Problems) -> Plan:
    fields = Fields(mapping, "", problems)
    plan = Plan(
        name=fields.text("name", check=_name_objection),
        steps=_steps(fields),
        margins=_margins(fields.table("slo")),
        triggers=tuple(_trigger(item) for item in fields.tables("triggers")),
        alert_rules=tuple(_alert_rule(item) for item in fields.tables("alerts")),
        final=fields.choice("final", Final, default=DEFAULTS.final),
        watch_seconds=fields.duration("watch", default=DEFAULTS.watch_seconds),
        checkpoints_seconds=fields.durations("checkpoints"),
        cool_down_seconds=fields.duration("cool_down", default=DEFAULTS.cool_down_seconds),
        client_errors=fields.choice("client_errors", AtDeadline, default=DEFAULTS.client_errors),
        salt=fields.text("salt", default=DEFAULTS.salt, check=_salt_objection),
        endpoints=tuple(_endpoint(item) for item in fields.tables("endpoints")),
        **_statistics(fields.optional_table("statistics")),
    )
    fields.finish()
    _check_whole(plan, fields)
    problems.raise_if_any()
    return plan


def _steps(fields: Fields) -> tuple[Step, ...]:
    items = fields.tables("steps")
    steps = tuple(_step(item) for item in items)
    if not steps and not fields.has("steps"):
        fields.problem("steps", "is missing; a plan needs at least one step")
    elif not steps:
        fields.problem("steps", "must have at least one step")
    for item, earlier, later in zip(items[1:], steps, steps[1:], strict=False):
        if later.percentage <= earlier.percentage:
            item.problem("percentage", f"must be above the step before ({earlier.percentage:g})")
    return steps


def _step(fields: Fields) -> Step:
    percentage = fields.number("percentage", above=0, at_most=100)
    if percentage == 100 and fields.has("percentage"):
        fields.problem(
            "percentage", 'must be below 100: 100 % is the promotion after the last step (final = "promote")'
        )
    step = Step(
        percentage=percentage,
        bake_seconds=fields.duration("bake"),
        evidence=fields.choice("evidence", Evidence, default=Evidence.OBSERVED),
        approvals=tuple(_approval(item) for item in fields.tables("approvals")),
    )
    _check_unique([approval.name for approval in step.approvals], fields, "approvals")
    fields.finish()
    return step


def _approval(fields: Fields) -> ApprovalGate:
    gate = ApprovalGate(
        name=fields.text("name", check=_name_objection),
        expires_after_seconds=fields.optional_duration("expires_after", at_least=1),
        on_expiry=fields.choice("on_expiry", OnExpiry, default=OnExpiry.HOLD),
        four_eyes=fields.flag("four_eyes", default=False),
        checklist=fields.texts("checklist", check=_short_objection),
        attachment=fields.text("attachment", default="", check=_short_objection),
        business_impact=fields.flag("business_impact", default=False),
    )
    if gate.on_expiry is OnExpiry.ABORT and not fields.has("expires_after"):
        fields.problem("on_expiry", "needs expires_after: what never expires leads to nothing")
    fields.finish()
    return gate


def _margins(fields: Fields) -> Margins:
    margins = Margins(
        error_rate=_fraction(fields.number("error_rate_margin_points", above=0, at_most=100)),
        p95=_fraction(fields.number("p95_margin_percent", above=0, at_most=1_000)),
        min_canary_requests=fields.whole("min_canary_requests", at_least=1),
        client_error_rate=_fraction(fields.number("client_error_margin_points", above=0, at_most=100, default=5)),
    )
    fields.finish()
    return margins


def _statistics(fields: Fields) -> dict[str, Any]:
    read = {
        "alpha": fields.number("alpha", above=0, at_most=0.5, default=DEFAULTS.alpha),
        "strict": fields.flag("strict", default=DEFAULTS.strict),
    }
    fields.finish()
    return read


def _trigger(fields: Fields) -> Trigger:
    severity = fields.choice("severity", Severity)
    channels = fields.texts("channels", check=_channel_objection)
    trigger = Trigger(
        limit=_limit(fields, rolls_back=True),
        severity=severity,
        deadline_seconds=fields.duration("deadline", at_least=SHORTEST_DEADLINE_SECONDS),
        channels=channels if fields.has("channels") else USUAL_CHANNELS[severity],
        at_deadline=fields.choice("at_deadline", AtDeadline, default=AtDeadline.ROLL_BACK),
    )
    fields.finish()
    return trigger


def _alert_rule(fields: Fields) -> AlertRule:
    rule = AlertRule(_limit(fields, rolls_back=False), fields.texts("channels", check=_channel_objection))
    if not rule.channels:
        fields.problem("channels", "must name at least one channel: telling people is all that an alert does")
    fields.finish()
    return rule


def _limit(fields: Fields, *, rolls_back: bool) -> Limit:
    """A limit on a metric, in the unit that the metric has: `limit_ms` for P95, `limit_percent` for rates."""
    name = fields.text("name", check=_name_objection)
    metric = fields.choice("metric", LimitMetric)
    if metric is LimitMetric.P95:
        value = fields.number("limit_ms", above=0, at_most=120_000)
    else:
        value = _fraction(fields.number("limit_percent", above=0, at_most=100))
    return Limit(name, Metric(metric), value, rolls_back)


def _endpoint(fields: Fields) -> EndpointRule:
    rule = EndpointRule(
        template=fields.text("template", check=_template_objection),
        enabled=fields.flag("enabled", default=True),
        max_percentage=fields.number("max_percentage", above=0, at_most=100, default=100),
    )
    fields.finish()
    return rule


def _check_whole(plan: Plan, fields: Fields) -> None:
    """What no single field can say."""
    if not plan.triggers:
        fields.problem(
            "triggers", "must have at least one trigger: without a limit nothing watches the canary at 100 %"
        )
    limits = [*(trigger.limit.name for trigger in plan.triggers), *(rule.limit.name for rule in plan.alert_rules)]
    _check_unique(limits, fields, "triggers")
    _check_unique([canonical(rule.template) for rule in plan.endpoints], fields, "endpoints")


def _check_unique(names: Sequence[str], fields: Fields, key: str) -> None:
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        fields.problem(
            key, f"{name!r} stands there {names.count(name)} times; names tell triggers, alerts and gates apart"
        )


def _name_objection(name: str) -> str | None:
    if _NAME.fullmatch(name):
        return None
    return f"must be 1 to 64 of a-z, 0-9, '-' and '_', not {name[:70]!r}"


def _short_objection(text: str) -> str | None:
    return None if text.strip() and len(text) <= 200 else "must have 1 to 200 characters"


def _channel_objection(channel: str) -> str | None:
    if channel in CHANNELS:
        return None
    meant = get_close_matches(channel, CHANNELS, n=1)
    hint = f"; did you mean {meant[0]!r}?" if meant else ""
    return f"must be one of {', '.join(map(repr, CHANNELS))}, not {channel[:70]!r}{hint}"


def _template_objection(template: str) -> str | None:
    if template in {EVERY_ENDPOINT, OTHER_ENDPOINT} or template.startswith("/"):
        return None
    return f'must be a route template that begins with "/", or "{EVERY_ENDPOINT}" for all others, not {template[:70]!r}'


def _salt_objection(salt: str) -> str | None:
    return None if 0 < len(salt) <= 64 else "must have 1 to 64 characters"


def _syntax_problem(message: str, text: str) -> Problem:
    """Read the place off the message: "… (at line 3, column 5)", or "(at end of document)"."""
    place = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if place is None:
        return Problem("plan", f"is not TOML: {message}")
    line = int(place[1]) if place[1] else len(text.splitlines())
    column = f"column {place[2]}" if place[2] else "end of the file"
    return Problem(column, f"is not TOML: {message[: place.start()]}", line)


def _fraction(percent: float) -> float:
    """0.07 % is the number nearest to 0.0007; dividing the float by 100 gives a neighbour of it."""
    return float(Decimal(repr(percent)) / 100)
