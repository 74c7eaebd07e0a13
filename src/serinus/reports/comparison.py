"""CANARY against LEGACY over the rollout so far, or over the last day."""

from serinus.reports import figures, rollouts
from serinus.reports.document import Section, Text
from serinus.reports.facts import CANARY, Facts
from serinus.reports.promotion import gates, promotion, side_by_side
from serinus.reports.words import Words


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    window = facts.window
    pair = window.total
    nothing = None if pair[CANARY].requests else Text(words("text_no_canary"))
    return (
        *((words.section("standing", rollouts.standing(words, facts.rollout)),) if facts.rollout else ()),
        words.section("measured", nothing, figures.both(words, pair), figures.difference(words, side_by_side(facts))),
        words.section("feedback", figures.values(words, pair)),
        *judgement(facts, words),
        words.section("plots", *figures.plots(words, window, figures.marks(words, facts.events))),
        words.section("trend", figures.trend(words, window), figures.peak_hours(words, window)),
        words.section("endpoints", figures.endpoints(words, window)),
    )


def judgement(facts: Facts, words: Words) -> tuple[Section, ...]:
    """What the controller made of it, in the present step; nothing before its first look.

    Of a rollout that was promoted it is what the promotion rested on, and what is watched since.
    """
    report, promoted = facts.report, promotion(facts)
    if report is None:
        return ()
    of_step = (
        figures.checks(words, report.slo, words("label_slo")),
        figures.checks(words, report.proof, words("label_proof")),
    )
    section = words.section(
        "judgement",
        figures.findings(words, gates(promoted), words("label_promotion", at=promoted.at)) if promoted else None,
        Text(words("text_judgement", at=report.at)),
        *(() if promoted else of_step),
        figures.checks(words, report.worse, words("label_worse")),
        figures.checks(words, report.endpoints, words("label_endpoints")),
        figures.checks(words, (each.check for each in report.limits.values()), words("label_limits")),
        figures.checks(words, report.holds, words("label_holds")),
    )
    return (section,)
