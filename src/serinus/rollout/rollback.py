"""The way back: begun in one decision, over only when the canary's traffic is seen to have stopped."""

from dataclasses import replace

from serinus.rollout import alert_rules
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.state import AgentStatus, Decision, Fleet, Phase, Receipt, Rollout, change, move
from serinus.rollout.triggers import Cause, channels_of

SKEW_SECONDS = 5.0  # by which clocks of the agents and of the controller may differ
DRAIN_SECONDS = 30.0  # for which requests in flight, streams and websockets are waited for
MANUAL = "manual"


def begin(rollout: Rollout, cause: Cause, *, by: str, at: float) -> Decision:
    """To 0 %, with a receipt that is filled in as the agents confirm."""
    breach = cause.breach
    receipt = Receipt(
        cause=cause.name,
        by=by,
        reason=cause.reason,
        severity=breach.severity if breach else None,
        breach_at=breach.since_at if breach else cause.check.since if cause.check else None,
        decided_at=at,
        deadline_at=breach.deadline_at if breach else None,
        split_revision=0,
        proven=cause.proven,
        deadline_missed_at=breach.missed_at if breach else None,
    )
    event = _started(rollout, cause, receipt)
    decision = move(rollout, Phase.ROLLING_BACK, event, pause=None, waiting_for=(), receipt=receipt)
    revision = decision.rollout.split_revision
    return decision.then(lambda after: Decision(change(after, receipt=replace(receipt, split_revision=revision))))


def follow(rollout: Rollout, fleet: Fleet, now: float) -> Decision:
    """Look at the fleet: which agents have confirmed, which are given up for dead, what is still in flight."""
    receipt = _required(rollout)
    if receipt.split_changed_at is None and _all_stopped(receipt, fleet, now):
        receipt = replace(receipt, split_changed_at=now)
    in_flight = sum(agent.canary_in_flight for agent in fleet.agents if _confirmed(agent, receipt))
    if receipt.split_changed_at is not None and (in_flight == 0 or now >= receipt.split_changed_at + DRAIN_SECONDS):
        return _complete(rollout, _closed(receipt, fleet, in_flight, now), now)
    if receipt.deadline_at is not None and now > receipt.deadline_at and receipt.split_changed_at is None:
        return _tell_missed(rollout, receipt, now)
    return Decision(rollout) if receipt == rollout.receipt else Decision(change(rollout, receipt=receipt))


def _all_stopped(receipt: Receipt, fleet: Fleet, now: float) -> bool:
    """Every agent has confirmed the split or is on LEGACY by itself; a fleet that was never heard gets its time too."""
    if not fleet.agents:
        return now > receipt.decided_at + fleet.stale_after_seconds + SKEW_SECONDS
    return all(_confirmed(agent, receipt) or _given_up(agent, fleet, now) for agent in fleet.agents)


def _confirmed(agent: AgentStatus, receipt: Receipt) -> bool:
    return agent.split_revision >= receipt.split_revision


def _given_up(agent: AgentStatus, fleet: Fleet, now: float) -> bool:
    return now > agent.heard_at + fleet.stale_after_seconds + SKEW_SECONDS


def _closed(receipt: Receipt, fleet: Fleet, in_flight: int, now: float) -> Receipt:
    return replace(
        receipt,
        last_canary_at=max((at for agent in fleet.agents if (at := agent.last_canary_at) is not None), default=None),
        completed_at=now,
        in_flight=in_flight,
        unheard=tuple(sorted(agent.agent for agent in fleet.agents if not _confirmed(agent, receipt))),
    )


def _complete(rollout: Rollout, receipt: Receipt, now: float) -> Decision:
    untold = receipt.deadline_met is False and receipt.deadline_missed_at is None
    told = _tell_missed(rollout, receipt, now) if untold else Decision(change(rollout, receipt=receipt))
    return told.then(lambda after: move(after, Phase.ROLLED_BACK, _completed(after, now), finished_at=now)).then(
        lambda after: _settle(after, now)
    )


def _settle(rollout: Rollout, now: float) -> Decision:
    """Everything that was open about the canary is over: it has no traffic left."""
    kind = EventKind.BREACH_CLEARED
    cleared = tuple(
        Event(kind, now, ITSELF, rollout.id, "rolled_back", {}, breach.incident, channels_of(rollout, breach.trigger))
        for breach in rollout.breaches
    )
    resolved = alert_rules.resolve(rollout, now, reason="rolled_back")
    return Decision(change(resolved.rollout, breaches=(), frozen_by=None), cleared + resolved.events)


def _tell_missed(rollout: Rollout, receipt: Receipt, now: float) -> Decision:
    if receipt.deadline_missed_at is not None:
        return Decision(rollout) if receipt == rollout.receipt else Decision(change(rollout, receipt=receipt))
    told = change(rollout, receipt=replace(receipt, deadline_missed_at=now))
    details: dict[str, Detail] = {"trigger": receipt.cause, "deadline_at": receipt.deadline_at}
    return Decision(told, (_event(told, EventKind.DEADLINE_MISSED, now, "not_confirmed_in_time", details),))


def _started(rollout: Rollout, cause: Cause, receipt: Receipt) -> Event:
    details: dict[str, Detail] = {
        "cause": cause.name,
        "proven": cause.proven,
        "severity": receipt.severity,
        "deadline_at": receipt.deadline_at,
        "step": rollout.step,
        "percentage": rollout.percentage,
        "worse_on": list(cause.endpoints),
    }
    details |= detailed(cause.check) if cause.check else {}
    return replace(
        _event(rollout, EventKind.ROLLBACK_STARTED, receipt.decided_at, cause.reason, details),
        actor=receipt.by,
        incident=cause.breach.incident if cause.breach else None,
        channels=cause.channels,
    )


def _completed(rollout: Rollout, now: float) -> Event:
    receipt = _required(rollout)
    details: dict[str, Detail] = {
        "cause": receipt.cause,
        "breach_at": receipt.breach_at,
        "decided_at": receipt.decided_at,
        "split_changed_at": receipt.split_changed_at,
        "last_canary_at": receipt.last_canary_at,
        "completed_at": receipt.completed_at,
        "deadline_at": receipt.deadline_at,
        "deadline_met": receipt.deadline_met,
        "in_flight": receipt.in_flight,
        "unheard": list(receipt.unheard),
    }
    return _event(rollout, EventKind.ROLLBACK_COMPLETED, now, receipt.reason, details)


def _event(rollout: Rollout, kind: EventKind, at: float, reason: str, details: dict[str, Detail]) -> Event:
    receipt = rollout.receipt
    cause = receipt.cause if receipt and receipt.severity else MANUAL  # a comparison may bear the name of a trigger
    incident = next((breach.incident for breach in rollout.breaches if breach.trigger == cause), None)
    return Event(kind, at, ITSELF, rollout.id, reason, details, incident, channels_of(rollout, cause))


def _required(rollout: Rollout) -> Receipt:
    if rollout.receipt is None:
        raise ValueError(f"rollout {rollout.id} is {rollout.phase} without a receipt")
    return rollout.receipt
