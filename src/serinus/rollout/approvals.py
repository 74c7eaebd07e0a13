"""What becomes of approvals with time: people are told before they expire, then the plan says what follows."""

from dataclasses import replace

from serinus.rollout.approval import Approval
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.gates import has_expired
from serinus.rollout.plan import ApprovalGate, OnExpiry
from serinus.rollout.state import Decision, Rollout, change
from serinus.rollout.triggers import Cause

TOLD_BEFORE_SECONDS = 86_400.0
TOLD_BEFORE_SHARE = 0.25  # of lives so short that a day would be nearly all of them


def cause_of_rollback(rollout: Rollout, now: float) -> Cause | None:
    """An approval that has expired where the plan then wants the canary back."""
    for approval in rollout.approvals:
        gate = _gate(rollout, approval)
        if gate is not None and gate.on_expiry is OnExpiry.ABORT and has_expired(approval, gate, now):
            return Cause(gate.name, "approval_expired")
    return None


def expire(rollout: Rollout, now: float) -> Decision:
    """Close the gates of approvals whose time is over; they are asked for anew."""
    expired = [
        approval
        for approval in rollout.approvals
        if (gate := _gate(rollout, approval)) is not None and has_expired(approval, gate, now)
    ]
    if not expired:
        return Decision(rollout)
    events = tuple(_event(rollout, EventKind.APPROVAL_EXPIRED, approval, "expired", now) for approval in expired)
    gone = {approval.gate for approval in expired}
    kept = tuple(approval for approval in rollout.approvals if approval.gate not in gone)
    waiting = tuple(name for name in rollout.waiting_for if name not in gone)
    return Decision(change(rollout, approvals=kept, waiting_for=waiting), events)


def tell_expiring(rollout: Rollout, now: float) -> Decision:
    """Tell once of each approval that is about to expire: a day before, or a quarter of its life."""
    due = [approval for approval in rollout.approvals if _is_expiring(rollout, approval, now)]
    if not due:
        return Decision(rollout)
    events = tuple(_event(rollout, EventKind.APPROVAL_EXPIRING, approval, "expiring", now) for approval in due)
    told = tuple(replace(each, expiry_told_at=now) if each in due else each for each in rollout.approvals)
    return Decision(change(rollout, approvals=told), events)


def _is_expiring(rollout: Rollout, approval: Approval, now: float) -> bool:
    gate = _gate(rollout, approval)
    if gate is None or gate.expires_after_seconds is None or approval.expiry_told_at is not None:
        return False
    before = min(TOLD_BEFORE_SECONDS, TOLD_BEFORE_SHARE * gate.expires_after_seconds)
    return now >= approval.at + gate.expires_after_seconds - before


def _event(rollout: Rollout, kind: EventKind, approval: Approval, reason: str, now: float) -> Event:
    gate = _gate(rollout, approval)
    life = gate.expires_after_seconds if gate else None
    details: dict[str, Detail] = {
        "gate": approval.gate,
        "by": approval.by,
        "expires_at": None if life is None else approval.at + life,
        "on_expiry": gate.on_expiry if gate else None,
    }
    return Event(kind, now, ITSELF, rollout.id, reason, details)


def _gate(rollout: Rollout, approval: Approval) -> ApprovalGate | None:
    return next((gate for gate in rollout.current_step.approvals if gate.name == approval.gate), None)
