"""Limits with deadlines: what is breached since when, what freezes the rollout, and what rolls it back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from serinus.analysis.verdict import Check, LimitCheck, Metric, Report, Verdict
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.plan import AtDeadline, Severity, Trigger
from serinus.rollout.state import Breach, Decision, Fleet, Phase, Rollout, change

SAFETY_SECONDS = 10.0  # before a deadline: a tick, the agents' adoption, and a store that answers slowly
SAFETY_SHARE = 0.25  # of deadlines so short that ten seconds would leave no time to look
NAMED_ENDPOINTS = 3  # of those that are worse by themselves: the rest stands in the incident's report
BREAKER = "breaker"  # what freezes while an agent has stopped its own canary traffic

_URGENCY = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why to roll back: `proven` by a test, or only observed when the deadline came.

    `endpoints` are those that are proven worse by themselves, the clearest first.
    """

    name: str
    reason: str
    proven: bool = False
    check: Check | None = None
    breach: Breach | None = None
    channels: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()


def act_at(breach: Breach, trigger: Trigger) -> float:
    """When a breach that is only observed rolls back: the last instant from which the deadline can still be met.

    A breach first seen after its deadline, when enough had at last been counted, is looked at for a moment all the
    same: one that comes and goes must not roll back by surprise.
    """
    margin = min(SAFETY_SECONDS, SAFETY_SHARE * trigger.deadline_seconds)
    return breach.deadline_at - margin if breach.seen_at <= breach.deadline_at else breach.seen_at + margin


def track(rollout: Rollout, report: Report, now: float) -> Decision:
    """Open and clear breaches. Figures that cannot be used do neither."""
    before = {breach.trigger: breach for breach in rollout.breaches}
    after: list[Breach] = []
    events: list[Event] = []
    for trigger in rollout.plan.triggers:
        old = before.get(trigger.limit.name)
        new = _tracked(rollout, trigger, report.limits.get(trigger.limit.name), now)
        after += [new] if new else []
        events += _breach_events(rollout, trigger, report, (old, new), now)
    if tuple(after) == rollout.breaches:
        return Decision(rollout)
    return Decision(change(rollout, breaches=tuple(after)), tuple(events))


def cause_of_rollback(rollout: Rollout, report: Report, now: float) -> Cause | None:
    """What demands a rollback now, the most urgent first: a proven limit, a proven regression, a deadline."""
    proven = [cause for trigger in _by_urgency(rollout) if (cause := _proven_limit(rollout, trigger, report))]
    worse = [_proven_worse(rollout, check) for check in report.worse if _rolls_back(rollout, check)]
    due = [cause for trigger in _by_urgency(rollout) if (cause := _due(rollout, trigger, report, now))]
    cause = next(iter((*proven, *worse, *due)), None)
    endpoints = tuple(check.endpoint for check in report.endpoints if check.endpoint is not None)
    return cause and replace(cause, channels=_told(rollout, cause), endpoints=endpoints[:NAMED_ENDPOINTS])


def freeze(rollout: Rollout, report: Report, fleet: Fleet, now: float) -> Decision:
    """Stop advancing while anything looks wrong. Approvals lapse: they were given for a canary that looked well."""
    cause = _freezing(rollout, report, fleet, now)
    if cause == rollout.frozen_by:
        return Decision(rollout)
    if cause is None:
        event = Event(EventKind.THAWED, now, ITSELF, rollout.id, reason=rollout.frozen_by or "")
        return Decision(change(rollout, frozen_by=None, stable_since=now), (event,))
    frozen = Event(EventKind.FROZEN, now, ITSELF, rollout.id, reason=cause, details=_check_details(cause, report))
    lapsed = (
        Event(EventKind.APPROVAL_EXPIRED, now, ITSELF, rollout.id, reason="frozen", details={"gate": approval.gate})
        for approval in rollout.approvals
    )
    return Decision(change(rollout, frozen_by=cause, approvals=(), waiting_for=()), (frozen, *lapsed))


def tell_missed(rollout: Rollout, now: float) -> Decision:
    """Tell once of a deadline that passed with the canary still serving, by the plan's wish or for want of evidence."""
    missed = [breach for breach in rollout.breaches if _has_missed(breach, now)]
    if not missed:
        return Decision(rollout)
    breaches = tuple(replace(breach, missed_at=now) if breach in missed else breach for breach in rollout.breaches)
    events = tuple(_missed_event(rollout, breach, now) for breach in missed)
    return Decision(change(rollout, breaches=breaches), events)


def channels_of(rollout: Rollout, name: str) -> tuple[str, ...]:
    """Where the plan wants to be told about the trigger `name`; none for what is no trigger: the defaults."""
    return next((trigger.channels for trigger in rollout.plan.triggers if trigger.limit.name == name), ())


def _tracked(rollout: Rollout, trigger: Trigger, limit: LimitCheck | None, now: float) -> Breach | None:
    breach = _breach(rollout, trigger)
    if limit is None or limit.check.verdict is Verdict.ERROR:
        return breach
    if not is_beyond(limit):
        return None
    environment = limit.environment and rollout.phase is not Phase.WATCHING
    if breach is None:
        since_at = began_at(rollout, limit.check, now)
        deadline_at = since_at + trigger.deadline_seconds
        return Breach(trigger.limit.name, trigger.severity, since_at, now, deadline_at, environment)
    if breach.environment and not environment:
        deadline_at = max(breach.deadline_at, now + trigger.deadline_seconds)
        return replace(breach, environment=False, deadline_at=deadline_at)
    return replace(breach, environment=environment)


def _breach_events(
    rollout: Rollout, trigger: Trigger, report: Report, change_of: tuple[Breach | None, Breach | None], now: float
) -> Iterable[Event]:
    old, new = change_of
    breach = new or old
    if breach is None:
        return
    limit = report.limits.get(breach.trigger)
    details = detailed(limit.check) if limit else {}
    details |= {"severity": breach.severity, "since_at": breach.since_at, "deadline_at": breach.deadline_at}

    def event(kind: EventKind) -> Event:
        return Event(kind, now, ITSELF, rollout.id, breach.trigger, details, breach.incident, trigger.channels)

    if old is None:
        yield event(EventKind.BREACH_OPENED)
    if new is None:
        yield event(EventKind.BREACH_CLEARED)
    elif new.environment and not (old and old.environment):
        yield event(EventKind.ENVIRONMENT_INCIDENT)


def _proven_limit(rollout: Rollout, trigger: Trigger, report: Report) -> Cause | None:
    name = trigger.limit.name
    limit, breach = report.limits.get(name), _breach(rollout, trigger)
    if limit is None or limit.check.verdict is not Verdict.FAIL or breach is None or breach.environment:
        return None
    return Cause(name, limit.check.reason, proven=True, check=limit.check, breach=breach, channels=trigger.channels)


def _proven_worse(rollout: Rollout, check: Check) -> Cause:
    """A breach that is open at the time is dealt with by the same rollback, so its deadline is the rollback's."""
    trigger = next((trigger for trigger in _by_urgency(rollout) if _breach(rollout, trigger)), None)
    if trigger is None:
        return Cause(check.name, check.reason, proven=True, check=check)
    breach = _breach(rollout, trigger)
    return Cause(check.name, check.reason, proven=True, check=check, breach=breach, channels=trigger.channels)


def _due(rollout: Rollout, trigger: Trigger, report: Report, now: float) -> Cause | None:
    """An observed breach whose time is up; one that can no longer be looked at gets no benefit of the doubt."""
    breach, limit = _breach(rollout, trigger), report.limits.get(trigger.limit.name)
    if breach is None or breach.environment or trigger.at_deadline is AtDeadline.HOLD or now < act_at(breach, trigger):
        return None
    blind = limit is None or limit.check.verdict is Verdict.ERROR
    if not blind and limit is not None and not limit.actionable:
        return None
    check = limit.check if limit else None
    return Cause(trigger.limit.name, "deadline", check=check, breach=breach, channels=trigger.channels)


def _told(rollout: Rollout, cause: Cause) -> tuple[str, ...]:
    """Whom the plan tells of the cause, and of every limit that is breached at the time: a canary that fails whole is
    proven to be below its availability before its error rate is proven, and is critical all the same.
    """
    breached = [trigger for trigger in _by_urgency(rollout) if _is_breached(_breach(rollout, trigger))]
    return tuple(dict.fromkeys((*cause.channels, *(name for trigger in breached for name in trigger.channels))))


def _is_breached(breach: Breach | None) -> bool:
    return breach is not None and not breach.environment


def _rolls_back(rollout: Rollout, check: Check) -> bool:
    tolerated = check.metric is Metric.CLIENT_ERROR_RATE and rollout.plan.client_errors is AtDeadline.HOLD
    return check.verdict is Verdict.FAIL and not tolerated


def _freezing(rollout: Rollout, report: Report, fleet: Fleet, now: float) -> str | None:
    if rollout.breaches:
        return rollout.breaches[0].trigger
    failed = [check.name for check in (*report.holds, *report.worse) if check.verdict is Verdict.FAIL]
    if any(agent.breaker_open for agent in fleet.agents if now - agent.heard_at <= fleet.stale_after_seconds):
        failed.append(BREAKER)
    return next(iter(failed), None)


def _check_details(name: str, report: Report) -> Mapping[str, Detail]:
    checks = (*report.holds, *report.worse, *(limit.check for limit in report.limits.values()))
    return next((detailed(check) for check in checks if check.name == name), {})


def _has_missed(breach: Breach, now: float) -> bool:
    return now > breach.deadline_at and breach.missed_at is None and not breach.environment


def _missed_event(rollout: Rollout, breach: Breach, now: float) -> Event:
    trigger = next(trigger for trigger in rollout.plan.triggers if trigger.limit.name == breach.trigger)
    held = trigger.at_deadline is AtDeadline.HOLD
    details: dict[str, Detail] = {"trigger": breach.trigger, "deadline_at": breach.deadline_at}
    return Event(
        EventKind.DEADLINE_MISSED,
        now,
        ITSELF,
        rollout.id,
        reason="held_by_plan" if held else "too_little_evidence",
        details=details,
        incident=breach.incident,
        channels=trigger.channels,
    )


def is_beyond(limit: LimitCheck) -> bool:
    return limit.breached or limit.check.verdict is Verdict.FAIL


def began_at(rollout: Rollout, check: Check, now: float) -> float:
    return now if check.since is None else min(now, max(rollout.started_at, check.since))


def _breach(rollout: Rollout, trigger: Trigger) -> Breach | None:
    return next((breach for breach in rollout.breaches if breach.trigger == trigger.limit.name), None)


def _by_urgency(rollout: Rollout) -> list[Trigger]:
    return sorted(rollout.plan.triggers, key=lambda trigger: _URGENCY[trigger.severity])
