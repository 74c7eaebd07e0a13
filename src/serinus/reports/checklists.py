"""The four checklists: every item with what shows that it is done, or that nothing does."""

from collections import Counter

from serinus.reports import figures, promotion
from serinus.reports.document import Item, Unit
from serinus.reports.facts import CANARY, LEGACY, Facts
from serinus.reports.results import results_of
from serinus.reports.words import Words
from serinus.rollout.approval import Approval
from serinus.rollout.events import Event, EventKind
from serinus.rollout.gates import valid_approval
from serinus.rollout.plan import Evidence
from serinus.rollout.state import Rollout

DRILL_VALID_SECONDS = 30 * 86_400.0


def before_the_canary(facts: Facts, words: Words) -> tuple[Item, ...]:
    rollout = facts.rollout
    legacy = facts.baseline.total[LEGACY] if facts.baseline else None
    measured = words("seen_baseline", requests=legacy.requests, p95=figures.p95(legacy)) if legacy else ""
    split = rollout and words("seen_plan", plan=rollout.plan.name, percentage=rollout.plan.steps[0].percentage)
    triggers = ", ".join(trigger.limit.name for trigger in rollout.plan.triggers) if rollout else ""
    installation = facts.installation
    controller = words("seen_controller", seconds=installation.controller_silent_seconds)
    agents = installation.agents
    return (
        _item(words, "baseline", measured if legacy and legacy.requests else ""),
        _item(words, "plan", split or ""),
        _item(words, "triggers", triggers),
        _item(words, "controller", controller if installation.is_watched else ""),
        _item(words, "agents", words("seen_agents", count=len(agents)) if agents else ""),
        _item(words, "drilled", *_drilled(facts, words)),
        _item(words, "channels", ", ".join(installation.channels)),
        _item(words, "alerts_arrive", _arrived(facts, words)),
    )


def code_quality(facts: Facts, words: Words) -> tuple[Item, ...]:
    results = results_of(facts.tests)
    groups = results.groups if results else ()
    failed, skipped = sum(group.failed for group in groups), sum(group.skipped for group in groups)
    passed = sum(group.passed for group in groups)
    counted = words("seen_tests", passed=passed, failed=failed, skipped=skipped) if groups else ""
    integration = [group for group in groups if "integration" in group.name]
    documents = [name for name in (group.name for group in groups) if "docs" in name or "link" in name]
    return (
        _item(words, "tests_pass", counted, done=bool(groups) and not failed),
        _item(words, "none_skipped", counted, done=bool(groups) and not skipped),
        _item(
            words,
            "integration_tests",
            words("seen_group", names=[group.name for group in integration], passed=sum(g.passed for g in integration))
            if integration
            else "",
            done=bool(integration) and not any(group.failed for group in integration),
        ),
        _item(words, "documents_checked", ", ".join(documents), done=bool(documents) and not failed),
    )


def while_it_runs(facts: Facts, words: Words) -> tuple[Item, ...]:
    rollout = facts.rollout
    made = facts.of(EventKind.CHECKPOINT)
    missed = facts.of(EventKind.DEADLINE_MISSED)
    entered = bool(facts.of(EventKind.STEP_ENTERED))
    troubles = _troubles(rollout, words)
    ages = [words.shown(_age(event.details.get("checkpoint_seconds")), Unit.SECONDS) for event in made]
    all_ages = len({event.details.get("checkpoint_seconds") for event in made})
    planned = len(rollout.plan.checkpoints_seconds) if rollout else 0
    return (
        _item(words, "live_metrics", _live(facts, words)),
        _item(words, "checkpoints", ", ".join(ages), done=bool(made) and all_ages == planned),
        _item(words, "feedback", _feedback(facts, words)),
        _item(words, "slo_met", _slo(facts, words), done=_all_pass(facts)),
        _item(words, "calm", troubles or words("seen_calm") if entered else "", done=entered and not troubles),
        _item(words, "no_deadline_missed", _missed(missed, words) if entered else "", done=entered and not missed),
    )


def before_everybody(facts: Facts, words: Words) -> tuple[Item, ...]:
    """The last step's own gates, by the evidence that its plan asks for."""
    rollout = facts.rollout
    last = rollout is not None and rollout.is_last_step
    proofs = promotion.proof(facts) if last else ()
    unproven = [finding for finding in proofs if not promotion.passed(finding)]
    needed = rollout is not None and rollout.plan.steps[-1].evidence is Evidence.PROVEN
    proven = "; ".join(map(words.finding, unproven or proofs))
    step = rollout and words("step_of", number=rollout.step + 1, count=len(rollout.plan.steps))
    items = [_item(words, "last_step", step or "", done=last)]
    items += [_item(words, "slo_met", _slo(facts, words), done=last and _all_pass(facts))]
    if needed:
        items += [_item(words, "proven", proven, done=bool(proofs) and not unproven)]
    for gate in rollout.plan.steps[-1].approvals if rollout else ():
        given = promotion.approval(facts, gate.name)
        if given is None and rollout and last:
            given = valid_approval(rollout, gate, facts.now)
        items += [_item(words, "approval", _approved(given, words), gate=gate.name)]
    return tuple(items)


def _drilled(facts: Facts, words: Words) -> tuple[str, bool]:
    """The last drill; one of over a month ago shows nothing."""
    event = facts.last_drill
    if event is None:
        return "", False
    fresh = facts.now - event.at <= DRILL_VALID_SECONDS
    return words(
        "seen_drill", at=event.at, outcome=words.reason(event.reason)
    ), fresh and event.reason == "drill_passed"


def _item(words: Words, name: str, evidence: str, done: bool | None = None, *, gate: str = "") -> Item:  # noqa: FBT001
    """Without `done`, an item is done when there is evidence."""
    is_done = bool(evidence) if done is None else done
    label = words(f"item_{name}", gate=gate)
    return Item(f"{name}:{gate}" if gate else name, label, is_done, evidence or words("no_evidence"))


def _arrived(facts: Facts, words: Words) -> str:
    """Alerts that people's own channels have taken: the log does not count."""
    taken = Counter(told.channel for told in facts.told if told.settled_at is not None and told.error is None)
    return ", ".join(
        words("seen_told", channel=channel, count=count) for channel, count in taken.items() if channel != "log"
    )


def _troubles(rollout: Rollout | None, words: Words) -> str:
    if rollout is not None and rollout.breaches:
        return words("basis_breaches", names=[breach.trigger for breach in rollout.breaches])
    return words("basis_frozen", name=rollout.frozen_by) if rollout and rollout.frozen_by else ""


def _missed(missed: tuple[Event, ...], words: Words) -> str:
    triggers = [str(event.details.get("trigger", "")) for event in missed]
    return words("seen_deadlines_missed", names=triggers) if triggers else words("seen_no_deadline_missed")


def _live(facts: Facts, words: Words) -> str:
    report = facts.report
    if report is None or report.through_at is None:
        return ""
    return words("seen_figures", seconds=max(0.0, facts.now - report.through_at), requests=report.canary.requests)


def _feedback(facts: Facts, words: Words) -> str:
    values = facts.window.total[CANARY].values
    return ", ".join(words("seen_values", name=name, count=measured.count) for name, measured in values.items())


def _slo(facts: Facts, words: Words) -> str:
    return "; ".join(map(words.finding, promotion.slo(facts)))


def _all_pass(facts: Facts) -> bool:
    found = promotion.slo(facts)
    return bool(found) and all(map(promotion.passed, found))


def _approved(given: Approval | None, words: Words) -> str:
    """Who, when, and what was handed in."""
    if given is None:
        return ""
    handed_in = given.handed_in
    attachment = handed_in.attachment
    parts = (
        words("seen_approval", by=given.by, at=given.at),
        given.reason,
        ", ".join(f"✔ {item}" for item in handed_in.checked),
        words("seen_attachment", name=attachment.name, digest=attachment.digest[:12]) if attachment else "",
        handed_in.business_impact,
    )
    return "; ".join(filter(None, parts))


def _age(value: object) -> float | None:
    return value if isinstance(value, int | float) else None
