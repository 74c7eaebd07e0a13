"""Whether the rollout may begin, or go on to everybody: checklists with their evidence, tests, SLO, risk."""

from serinus.analysis.verdict import Check, Metric
from serinus.reports import figures, promotion, rollouts
from serinus.reports.checklists import before_everybody, before_the_canary, code_quality, while_it_runs
from serinus.reports.document import Checklist, Item, Section, Table, Text, Unit, Value
from serinus.reports.facts import CANARY, LEGACY, Facts
from serinus.reports.results import results_of
from serinus.reports.risk import risk
from serinus.reports.words import Words

UNITS = {Metric.P95: Unit.MILLISECONDS, Metric.VOLUME: Unit.COUNT}
TIERS = (
    ("tier_before", before_the_canary),
    ("tier_quality", code_quality),
    ("tier_running", while_it_runs),
    ("tier_everybody", before_everybody),
)


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    tiers = [(name, items(facts, words)) for name, items in TIERS]
    everything = [item for _, items in tiers for item in items]
    return (
        words.section("summary", Text(_summary(everything, words)), _standing(facts, words)),
        *(words.section(name, Checklist(items)) for name, items in tiers),
        words.section("slo", _slo(facts, words), _observed(facts, words)),
        words.section("tests", *_tests(facts, words)),
        words.section("plan", *_plan(facts, words)),
        words.section("risk", *risk(facts, words)),
    )


def _summary(items: list[Item], words: Words) -> str:
    done = sum(item.done for item in items)
    return words("text_ready" if done == len(items) else "text_not_ready", done=done, count=len(items))


def _standing(facts: Facts, words: Words) -> Table | Text:
    return rollouts.standing(words, facts.rollout) if facts.rollout else Text(words("text_no_rollout"))


def _slo(facts: Facts, words: Words) -> Table | Text:
    """The three criteria, what they need and what there is."""
    columns = tuple(words.column(name) for name in ("criterion", "legacy", "canary", "verdict", "finding"))
    if promotion.promotion(facts):
        return Table(columns, tuple(_promoted(finding, words) for finding in promotion.slo(facts)))
    if facts.report is None:
        return Text(words("text_not_judged"))
    legacy, canary = facts.report.legacy, facts.report.canary
    values: dict[str, tuple[Value, Value, Unit]] = {
        "error_rate": (legacy.error_rate, canary.error_rate, Unit.FRACTION),
        "p95": (legacy.p95_ms, canary.p95_ms, Unit.MILLISECONDS),
        "volume": (legacy.requests, canary.requests, Unit.COUNT),
    }
    return Table(columns, tuple(_criterion(check, values, words) for check in facts.report.slo))


def _criterion(check: Check, values: dict[str, tuple[Value, Value, Unit]], words: Words) -> tuple[Value, ...]:
    legacy, canary, unit = values.get(check.metric, (None, None, Unit.TEXT))
    shown = (words.shown(legacy, unit), words.shown(canary, unit))
    return (words.name(check.metric), *shown, words(f"verdict_{check.verdict}"), figures.finding(words, check))


def _promoted(finding: promotion.Finding, words: Words) -> tuple[Value, ...]:
    """As it was when CANARY was promoted."""
    metric, numbers = Metric(finding["name"]), finding["numbers"]
    figures_of = (numbers.get("legacy"), numbers.get("canary", numbers.get("requests")))
    shown = (words.shown(value, UNITS.get(metric, Unit.FRACTION)) for value in figures_of)
    return (words.name(metric), *shown, words(f"verdict_{finding['verdict']}"), words.finding(finding))


def _observed(facts: Facts, words: Words) -> Table | None:
    pair = facts.window.total
    return figures.both(words, pair) if pair[CANARY].requests or pair[LEGACY].requests else None


def _tests(facts: Facts, words: Words) -> tuple[Text | Table | None, ...]:
    results = results_of(facts.tests)
    if results is None or facts.tests is None:
        return (Text(words("text_no_tests")),)
    columns = (
        words.column("group"),
        *(words.column(name, Unit.COUNT) for name in ("passed", "failed", "skipped")),
    )
    rows = tuple((group.name, group.passed, group.failed, group.skipped) for group in results.groups)
    said = words(
        "text_tests",
        at=facts.tests.at,
        by=facts.tests.actor,
        seconds=results.seconds,
        source=facts.tests.details.get("source") or "",
    )
    named = [(name, words("failed")) for name in results.failures] + [
        (name, words("skipped")) for name in results.skips
    ]
    listed = Table((words.column("test"), words.column("result")), tuple(named)) if named else None
    return Text(said), Table(columns, rows), listed, words.facts(("tests_digest", results.digest, Unit.TEXT))


def _plan(facts: Facts, words: Words) -> tuple[Table | Text, ...]:
    if facts.rollout is None:
        return (Text(words("text_no_rollout")),)
    return rollouts.steps(words, facts.rollout.plan), rollouts.triggers(words, facts.rollout.plan)
