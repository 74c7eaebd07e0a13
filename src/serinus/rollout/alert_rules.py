"""The plan's alert rules: people are told, the traffic is left alone."""

from serinus.analysis.verdict import LimitCheck, Report, Verdict
from serinus.rollout.events import ITSELF, Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.plan import AlertRule
from serinus.rollout.state import Decision, Rollout, change
from serinus.rollout.triggers import began_at, is_beyond


def watch(rollout: Rollout, report: Report, now: float) -> Decision:
    """Raise and resolve alerts, once for each incident."""
    followed = [_follow(rollout, rule, report.limits.get(rule.limit.name), now) for rule in rollout.plan.alert_rules]
    alerts = tuple(incident for incident, _ in followed if incident)
    if alerts == rollout.alerts:
        return Decision(rollout)
    return Decision(change(rollout, alerts=alerts), tuple(event for _, event in followed if event))


def resolve(rollout: Rollout, now: float, *, reason: str) -> Decision:
    """All that is raised is over."""
    raised = ((rule, _raised(rollout, rule)) for rule in rollout.plan.alert_rules)
    events = tuple(
        Event(EventKind.ALERT_RESOLVED, now, ITSELF, rollout.id, reason, incident=incident, channels=rule.channels)
        for rule, incident in raised
        if incident
    )
    return Decision(change(rollout, alerts=()), events)


def _follow(rollout: Rollout, rule: AlertRule, limit: LimitCheck | None, now: float) -> tuple[str | None, Event | None]:
    """The rule's incident from now on, and the event of a change; figures that cannot be used change nothing."""
    raised = _raised(rollout, rule)
    if limit is None or limit.check.verdict is Verdict.ERROR or is_beyond(limit) == (raised is not None):
        return raised, None
    kind = EventKind.ALERT_RESOLVED if raised else EventKind.ALERT_RAISED
    incident = raised or f"{rule.limit.name}@{began_at(rollout, limit.check, now):.0f}"
    event = Event(kind, now, ITSELF, rollout.id, rule.limit.name, detailed(limit.check), incident, rule.channels)
    return None if raised else incident, event


def _raised(rollout: Rollout, rule: AlertRule) -> str | None:
    return next((each for each in rollout.alerts if each.rpartition("@")[0] == rule.limit.name), None)
