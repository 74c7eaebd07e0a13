"""LEGACY before the rollout: what CANARY will be measured against."""

from serinus.reports import figures, rollouts
from serinus.reports.document import Section, Text, Unit
from serinus.reports.facts import LEGACY, Facts
from serinus.reports.words import Words
from serinus.storage.rollups import DAY


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    window = facts.window
    legacy = window.total[LEGACY]
    covered = [point for point in window.timeline if point.cells[LEGACY].requests]
    measured = words.facts(
        ("since_at", window.since_at, Unit.INSTANT),
        ("until_at", window.until_at, Unit.INSTANT),
        ("covered", len(covered) * window.resolution_seconds, Unit.SECONDS),
        ("requests_a_day", legacy.requests / window.seconds * DAY, Unit.COUNT),
        ("slow_requests", figures.slow(legacy), Unit.COUNT),
    )
    nothing = None if legacy.requests else Text(words("text_no_baseline"))
    return (
        words.section("measured", nothing, measured, figures.figures(words, {LEGACY.upper(): legacy})),
        words.section("plots", *figures.plots(words, window)),
        words.section("pattern", figures.peak_hours(words, window), figures.daily_pattern(words, window)),
        words.section("endpoints", figures.endpoints(words, window)),
        *((words.section("plan", rollouts.standing(words, facts.rollout)),) if facts.rollout else ()),
    )
