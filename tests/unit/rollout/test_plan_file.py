"""Plans as people write them: read whole, with every problem at its line."""

import json
import tomllib
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.analysis.verdict import Metric
from serinus.errors import InvalidInput, NotFound
from serinus.plans import load_shipped, shipped_names, shipped_text
from serinus.rollout.durations import format_duration, parse_duration
from serinus.rollout.plan import AtDeadline, Evidence, Final, Plan, Severity
from serinus.rollout.plan_file import parse_plan, plan_from_mapping, plan_to_mapping
from serinus.routing.canary_router import CanaryRouter
from serinus.routing.split import EndpointRule

HOUR = 3_600.0
SMALL = """\
name = "small"

[slo]
error_rate_margin_points = 0.5
p95_margin_percent = 10
min_canary_requests = 1000

[[steps]]
percentage = 5
bake = "1h"

[[steps]]
percentage = 50
bake = "1h30m"

[[triggers]]
name = "errors"
metric = "error_rate"
limit_percent = 5
severity = "critical"
deadline = "60s"
"""


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        parse_plan(text)
    return [(problem.line, problem.where, problem.message) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


def test_the_customers_plan_says_what_the_agreement_says() -> None:
    plan = load_shipped("phase4")
    assert [(step.percentage, step.bake_seconds / HOUR) for step in plan.steps] == [
        (5, 24),
        (10, 48),
        (25, 72),
        (50, 24),
    ]
    assert [step.evidence for step in plan.steps] == [Evidence.OBSERVED] * 3 + [Evidence.PROVEN]
    assert [gate.name for gate in plan.steps[0].approvals] == ["user-feedback"]
    assert [gate.name for gate in plan.steps[3].approvals] == ["end-to-end-test", "management"]
    assert (plan.margins.error_rate, plan.margins.p95, plan.margins.min_canary_requests) == (0.005, 0.1, 1_000)
    assert plan.checkpoints_seconds == (HOUR, 6 * HOUR, 24 * HOUR)
    assert (plan.cool_down_seconds, plan.final) == (1_800, Final.PROMOTE)
    assert [
        (each.limit.metric, each.limit.value, each.severity, each.deadline_seconds, each.channels)
        for each in plan.triggers
    ] == [
        (Metric.ERROR_RATE, 0.05, Severity.CRITICAL, 60, ("pagerduty", "slack")),
        (Metric.P95, 2_000, Severity.HIGH, 300, ("slack", "email")),
        (Metric.AVAILABILITY, 0.99, Severity.MEDIUM, 900, ("slack",)),
    ]
    assert [(rule.limit.metric, rule.limit.value, rule.channels) for rule in plan.alert_rules] == [
        (Metric.ERROR_RATE, 0.01, ("slack",)),
        (Metric.P95, 2_000, ("pagerduty",)),
    ]


def test_the_routers_default_share_is_that_of_the_plans_first_step() -> None:
    assert load_shipped("phase4").steps[0].percentage == CanaryRouter.CANARY_TRAFFIC_PERCENTAGE


@pytest.mark.parametrize(
    ("line", "times"),
    [
        *((f"percentage = {share}", 1) for share in (5, 10, 25, 50)),
        *((f'bake = "{hours}h"', times) for hours, times in ((24, 2), (48, 1), (72, 1))),
        *((line, 1) for line in ("error_rate_margin_points = 0.5", "p95_margin_percent = 10")),
        *((line, 1) for line in ("min_canary_requests = 1000", 'cool_down = "30m"')),
        *((f"limit_percent = {limit}", 1) for limit in (5, 99, 1)),
        ("limit_ms = 2000", 2),
        *((f'deadline = "{deadline}"', 1) for deadline in ("60s", "5m", "15m")),
    ],
)
def test_every_number_of_the_brief_stands_in_the_plan_as_often_as_in_the_brief(line: str, times: int) -> None:
    settings = [text.split("#")[0].strip() for text in shipped_text("phase4").splitlines()]
    assert settings.count(line) == times


def test_the_demos_plan_starts_at_20_percent_and_keeps_the_proof_and_the_approvals() -> None:
    demo, real = load_shipped("demo"), load_shipped("phase4")
    assert [step.percentage for step in demo.steps] == [20, 50]
    assert (demo.steps[-1].evidence, len(demo.steps[-1].approvals)) == (Evidence.PROVEN, 2)
    assert (demo.margins.error_rate, demo.margins.p95) == (real.margins.error_rate, real.margins.p95)
    assert (demo.triggers, demo.alert_rules) == (real.triggers, real.alert_rules)
    assert sum(step.bake_seconds for step in demo.steps) + demo.watch_seconds < 60
    assert shipped_text("demo").count("# lowered") >= 5


def test_a_plan_that_does_not_ship_is_named_with_those_that_do() -> None:
    assert shipped_names() == ("demo", "phase4")
    with pytest.raises(NotFound, match="demo, phase4"):
        load_shipped("phase5")


@pytest.mark.parametrize("name", shipped_names())
def test_a_plan_survives_being_written_as_a_mapping_and_as_json(name: str) -> None:
    plan = load_shipped(name)
    assert plan_from_mapping(json.loads(json.dumps(plan_to_mapping(plan)))) == plan


@given(
    points=st.decimals(min_value="0.001", max_value="50", places=3),
    percentage=st.decimals(min_value="0.01", max_value="99.99", places=2),
    bake=st.one_of(st.integers(0, 10**7), st.decimals(min_value=0, max_value=10**6, places=3)),
)
def test_numbers_survive_the_change_of_unit_exactly(points: Any, percentage: Any, bake: Any) -> None:
    mapping = tomllib.loads(SMALL)
    mapping["slo"]["error_rate_margin_points"] = float(points)
    mapping["steps"] = [{"percentage": float(percentage), "bake": f"{bake}s"}]
    plan = plan_from_mapping(mapping)
    assert plan.steps[0].bake_seconds == float(bake)
    assert plan.steps[0].percentage == float(percentage)
    written = plan_to_mapping(plan)
    assert written["slo"]["error_rate_margin_points"] == float(points)
    assert plan_from_mapping(written) == plan


def test_defaults_are_those_of_the_plan_itself() -> None:
    plan = parse_plan(SMALL)
    bare = Plan(plan.name, plan.steps, plan.margins, plan.triggers)
    assert plan == bare


def test_all_problems_are_reported_at_once_each_with_its_line() -> None:
    text = """\
name = "A b"
chekpoints = ["1h"]
[slo]
error_rate_margin_points = nan
p95_margin_percent = "10"
[[steps]]
percentage = 10
bake = 5
[[steps]]
percentage = 5 # goes back
bake = "5x"
evidence = "prove"
[[steps]]
percentage = 100
bake = "1h"
approvals = ["x"]
"""
    assert [(line, where) for line, where, _ in problems(text)] == [
        (None, "triggers"),
        (1, "name"),
        (2, "chekpoints"),
        (3, "slo.min_canary_requests"),
        (4, "slo.error_rate_margin_points"),
        (5, "slo.p95_margin_percent"),
        (8, "steps[0].bake"),
        (10, "steps[1].percentage"),
        (11, "steps[1].bake"),
        (12, "steps[1].evidence"),
        (14, "steps[2].percentage"),
        (16, "steps[2].approvals[0]"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('name = "small"', "", None, "is missing"),
        ('name = "small"', 'name = "small"\nfinall = "hold"', 2, "did you mean 'final'"),
        ('name = "small"', 'name = "small"\nfinal = "stay"', 2, "must be one of 'promote', 'hold', not 'stay'"),
        ('name = "small"', 'name = "small"\ncheckpoints = ["6h", "1h"]', 2, "must grow"),
        ('name = "small"', 'name = "small"\nsalt = ""', 2, "1 to 64 characters"),
        ("percentage = 50", "percentage = 100", 13, "100 % is the promotion"),
        ("percentage = 50", "percentage = 101", 13, "at most 100"),
        ("percentage = 50", "percentage = 0", 13, "must be above 0"),
        ("percentage = 50", "percentage = true", 13, "must be a number, not true or false"),
        ("percentage = 50", "percentage = inf", 13, "at most 100"),
        ("percentage = 50", "percentage = 5", 13, "above the step before (5)"),
        ("percentage = 50", "", 12, "is missing"),
        ('bake = "1h30m"', 'bake = "-1h"', 14, "duration with its unit"),
        ('bake = "1h30m"', 'bake = "90"', 14, "duration with its unit"),
        ('bake = "1h30m"', 'bake = "1h"\nevidence = "provn"', 15, "did you mean 'proven'"),
        ('bake = "1h30m"', 'bake = "1h"\napprovals = [{ name = "x" }, { name = "x" }]', 15, "'x' stands there 2 times"),
        ('bake = "1h30m"', 'bake = "1h"\napprovals = [{ nam = "x" }]', 15, "did you mean 'name'"),
        ("min_canary_requests = 1000", "min_canary_requests = 999.5", 6, "must be a whole number"),
        ("min_canary_requests = 1000", "min_canary_requests = 0", 6, "must be at least 1"),
        ("p95_margin_percent = 10", "p95_margin_percent = -10", 5, "must be above 0"),
        ("limit_percent = 5", "limit_ms = 5", 16, "is missing"),
        ("limit_percent = 5", "limit_percent = 500", 19, "at most 100"),
        ('deadline = "60s"', 'deadline = "0s"', 21, "must be at least 10 s"),
        ('deadline = "60s"', 'deadline = "60s"\nchannels = "slack"', 22, "must be a list, not a text"),
        ('deadline = "60s"', 'deadline = "60s"\nchannels = ["Slack!"]', 22, "must be one of 'slack'"),
        ('deadline = "60s"', 'deadline = "60s"\nchannels = ["slack", "slack"]', 22, "stands there twice"),
        ('severity = "critical"', 'severity = "urgent"', 20, "must be one of 'critical', 'high', 'medium'"),
        ('metric = "error_rate"', 'metric = "volume"', 18, "must be one of 'error_rate', 'p95', 'availability'"),
    ],
)
def test_a_mistake_is_named_at_its_line(old: str, new: str, line: int | None, message: str) -> None:
    found = problems(changed(old, new))
    assert any(at == line and message in text for at, _, text in found), found


def test_triggers_and_alerts_have_different_names() -> None:
    alert = '[[alerts]]\nname = "errors"\nmetric = "p95"\nlimit_ms = 2000\nchannels = ["slack"]\n'
    assert any("'errors' stands there 2 times" in message for _, _, message in problems(SMALL + alert))


def test_endpoints_are_route_templates_with_one_rule_each() -> None:
    rules = '[[endpoints]]\ntemplate = "/a/{id}"\nenabled = false\n[[endpoints]]\ntemplate = "*"\nmax_percentage = 10\n'
    plan = parse_plan(SMALL + rules)
    assert plan.endpoints == (EndpointRule("/a/{id}", enabled=False), EndpointRule("*", max_percentage=10))
    again = '[[endpoints]]\ntemplate = "/a/{id}/"\n[[endpoints]]\ntemplate = "a"\n'
    found = problems(SMALL + rules + again)
    assert any("'/a/{id}' stands there 2 times" in message for _, _, message in found)
    assert any("begins with" in message for _, _, message in found)


def test_an_alert_without_a_channel_is_refused() -> None:
    alert = '[[alerts]]\nname = "slow"\nmetric = "p95"\nlimit_ms = 2000\n'
    assert any("at least one channel" in message for _, _, message in problems(SMALL + alert))


def test_broken_toml_is_one_problem_with_its_line() -> None:
    assert problems('name = "x"\nbake = \n')[0][:2] == (2, "column 8")
    assert problems("x = [1,")[0][0] == 1


def test_a_mapping_that_is_no_plan_is_refused_without_lines() -> None:
    with pytest.raises(InvalidInput) as caught:
        plan_from_mapping({"steps": 3, "slo": [], "triggers": [1], "name": None})
    assert {problem.where for problem in caught.value.problems} >= {"steps", "slo", "triggers[0]", "name"}
    assert all(problem.line is None for problem in caught.value.problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["name", "slo", "steps", "triggers", "alerts", "endpoints", "checkpoints", "statistics", "watch"]
)


@given(st.dictionaries(KEYS, JSON, max_size=6), st.sampled_from(["slo", "steps", "triggers", "none"]), JSON)
def test_no_body_whatever_makes_the_reader_fail_other_than_by_naming_problems(
    rubbish: dict[str, Any], spoiled: str, value: Any
) -> None:
    mapping = tomllib.loads(SMALL) | rubbish
    if spoiled in mapping and isinstance(mapping[spoiled], list) and mapping[spoiled]:
        first = mapping[spoiled][0]
        if isinstance(first, dict) and first:
            first[next(iter(first))] = value
    with suppress(InvalidInput):
        plan = plan_from_mapping(mapping)
        assert plan_from_mapping(plan_to_mapping(plan)) == plan


@given(st.text(max_size=60))
def test_no_text_whatever_makes_the_parser_fail_other_than_by_naming_problems(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_plan(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("3d", 259_200), ("1h30m", 5_400), ("0.5s", 0.5)]
)
def test_durations_are_read_in_their_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "10", "-1s", "1 h", "1w", "1h-5m", "١s", "1e3s", "1h\n"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


@given(st.floats(min_value=0, max_value=10**8).map(lambda seconds: round(seconds, 3)))
def test_a_duration_survives_being_written(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_the_plans_criteria_carry_every_limit_and_margin() -> None:
    plan = replace(load_shipped("phase4"), strict=True, client_errors=AtDeadline.HOLD)
    criteria = plan.criteria
    assert [limit.name for limit in criteria.limits] == [
        *("error-rate", "p95", "availability", "error-rate-alert", "p95-alert")
    ]
    assert [limit.rolls_back for limit in criteria.limits] == [True] * 3 + [False] * 2
    assert (criteria.error_rate_margin, criteria.min_canary_requests, criteria.strict) == (0.005, 1_000, True)
