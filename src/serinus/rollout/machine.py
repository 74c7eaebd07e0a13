"""The one function that decides what happens next when nobody has ordered anything."""

from dataclasses import asdict
from functools import partial

from serinus.analysis.verdict import Report
from serinus.rollout import alert_rules, approvals, rollback, triggers
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.gates import GateKind, GateStatus, closed, gates, is_fresh
from serinus.rollout.plan import Final
from serinus.rollout.state import Decision, Fleet, Phase, Rollout, anew, change, move

OBSERVED_SHARE = 0.25  # of the agents' `stale_after`: how often the state remembers that somebody watched


def decide(rollout: Rollout, report: Report, fleet: Fleet, now: float) -> Decision:
    """The next state, at most one step further. Rollback is judged before anything else, also after a long absence."""
    match rollout.phase:
        case Phase.PENDING:
            return _begin(rollout, fleet, now)
        case Phase.ROLLING_BACK:
            return rollback.follow(rollout, fleet, now)
        case Phase.ROLLED_BACK | Phase.SUCCEEDED:
            return Decision(rollout)
    tracked = triggers.track(rollout, report, now)
    cause = triggers.cause_of_rollback(tracked.rollout, report, now) or approvals.cause_of_rollback(rollout, now)
    if cause is not None:
        return tracked.then(partial(rollback.begin, cause=cause, by=ITSELF, at=now))
    return (
        tracked.then(partial(triggers.tell_missed, now=now))
        .then(partial(alert_rules.watch, report=report, now=now))
        .then(partial(triggers.freeze, report=report, fleet=fleet, now=now))
        .then(partial(_observe, report=report, fleet=fleet, now=now))
        .then(partial(approvals.expire, now=now))
        .then(partial(approvals.tell_expiring, now=now))
        .then(partial(_check_in, report=report, now=now))
        .then(partial(_proceed, report=report, now=now))
    )


def step_entered(rollout: Rollout, at: float, step: int, actor: str = ITSELF) -> Event:
    """The event that tells of the share and what it will take to leave it."""
    entered = rollout.plan.steps[step]
    details: dict[str, Detail] = {
        "step": step,
        "steps": len(rollout.plan.steps),
        "percentage": entered.percentage,
        "bake_seconds": entered.bake_seconds,
        "evidence": entered.evidence,
        "approvals": [gate.name for gate in entered.approvals],
    }
    return Event(EventKind.STEP_ENTERED, at, actor, rollout.id, details=details)


def next_step(rollout: Rollout, statuses: tuple[GateStatus, ...], *, by: str, reason: str, at: float) -> Decision:
    """One step further, with the gates as they stood: who orders it must have looked at them."""
    step = rollout.step + 1
    details: dict[str, Detail] = {
        "from_percentage": rollout.percentage,
        "percentage": rollout.plan.steps[step].percentage,
        "gates": _told(statuses),
    }
    advanced = Event(EventKind.ADVANCED, at, by, rollout.id, reason, details)
    after = change(rollout, step=step, **anew(at))
    return Decision(after, (advanced, step_entered(rollout, at, step, by)))


def to_everybody(rollout: Rollout, statuses: tuple[GateStatus, ...], *, by: str, reason: str, at: float) -> Decision:
    """The promotion: CANARY for all, LEGACY as the way back until the watch is over."""
    details: dict[str, Detail] = {"watch_seconds": rollout.plan.watch_seconds, "gates": _told(statuses)}
    promoted = Event(EventKind.PROMOTED, at, by, rollout.id, reason, details)
    return move(rollout, Phase.WATCHING, promoted, promoted_at=at, **anew(at))


def _begin(rollout: Rollout, fleet: Fleet, now: float) -> Decision:
    """The first share is given out once a controller ticks and an agent is there to be watched."""
    if not any(now - agent.heard_at <= fleet.stale_after_seconds for agent in fleet.agents):
        return Decision(rollout)
    return move(rollout, Phase.PROGRESSING, step_entered(rollout, now, rollout.step), **anew(now))


def _observe(rollout: Rollout, report: Report, fleet: Fleet, now: float) -> Decision:
    """Remember that somebody watched; time in which nobody did is not bake time.

    Over a gap longer than `stale_after` the agents have been on LEGACY by themselves, so the canary had no traffic. A
    pause is no gap, but one that it ended is.
    """
    last = rollout.step_started_at if rollout.observed_at is None else rollout.observed_at
    if not is_fresh(report, now) or now - last < OBSERVED_SHARE * fleet.stale_after_seconds:
        return Decision(rollout)
    counted_to = now if rollout.pause is None else rollout.pause.at
    if counted_to - last <= fleet.stale_after_seconds:
        return Decision(change(rollout, observed_at=now))
    served = max(0.0, last - rollout.stable_since)
    return Decision(change(rollout, observed_at=now, stable_since=counted_to - served))


def _check_in(rollout: Rollout, report: Report, now: float) -> Decision:
    """Tell the figures at every checkpoint of the step that has come since the last look."""
    due = [
        seconds
        for seconds in rollout.plan.checkpoints_seconds[rollout.checkpoints_done :]
        if now >= rollout.step_started_at + seconds
    ]
    if not due:
        return Decision(rollout)
    events = tuple(_checkpoint(rollout, report, seconds, now) for seconds in due)
    return Decision(change(rollout, checkpoints_done=rollout.checkpoints_done + len(due)), events)


def _checkpoint(rollout: Rollout, report: Report, seconds: float, now: float) -> Event:
    checks: list[Detail] = [dict(detailed(check)) for check in (*report.slo, *report.proof)]
    details: dict[str, Detail] = {
        "checkpoint_seconds": seconds,
        "step": rollout.step,
        "percentage": rollout.percentage,
        "legacy": asdict(report.legacy),
        "canary": asdict(report.canary),
        "checks": checks,
    }
    return Event(EventKind.CHECKPOINT, now, ITSELF, rollout.id, details=details)


def _proceed(rollout: Rollout, report: Report, now: float) -> Decision:
    """Go on if every gate is open; ask for approvals when nothing else is missing."""
    if rollout.phase not in {Phase.PROGRESSING, Phase.WATCHING}:
        return Decision(rollout)
    statuses = gates(rollout, report, now)
    if rollout.is_last_step and rollout.plan.final is Final.HOLD:  # approvals are for the promotion, not for staying
        statuses = tuple(status for status in statuses if status.kind is not GateKind.APPROVAL)
    shut = closed(statuses)
    if all(status.kind is GateKind.APPROVAL for status in shut):
        return _ask(rollout, shut, now) if shut else _go_on(rollout, statuses, now)
    return Decision(rollout)


def _go_on(rollout: Rollout, statuses: tuple[GateStatus, ...], now: float) -> Decision:
    if rollout.phase is Phase.WATCHING:
        event = Event(EventKind.SUCCEEDED, now, ITSELF, rollout.id, details={"gates": _told(statuses)})
        return move(rollout, Phase.SUCCEEDED, event, finished_at=now)
    if not rollout.is_last_step:
        return next_step(rollout, statuses, by=ITSELF, reason="gates_open", at=now)
    if rollout.plan.final is Final.PROMOTE:
        return to_everybody(rollout, statuses, by=ITSELF, reason="gates_open", at=now)
    details: dict[str, Detail] = {"percentage": rollout.percentage, "gates": _told(statuses)}
    return move(rollout, Phase.HOLDING, Event(EventKind.HOLDING, now, ITSELF, rollout.id, "gates_open", details))


def _ask(rollout: Rollout, missing: tuple[GateStatus, ...], now: float) -> Decision:
    names = [status.name for status in missing if status.name not in rollout.waiting_for]
    if not names:
        return Decision(rollout)
    events = tuple(
        Event(EventKind.GATE_WAITING, now, ITSELF, rollout.id, "approval_missing", {"gate": name, "step": rollout.step})
        for name in names
    )
    return Decision(change(rollout, waiting_for=(*rollout.waiting_for, *names)), events)


def _told(statuses: tuple[GateStatus, ...]) -> list[Detail]:
    return [{"name": status.name, **detailed(status)} for status in statuses]
