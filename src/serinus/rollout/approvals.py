"""Which approvals a step takes, and what becomes of them with time: told before they expire, then as the plan says."""

from dataclasses import replace

from serinus.errors import Refused
from serinus.rollout.approval import Approval
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.gates import has_expired
from serinus.rollout.plan import ApprovalGate, OnExpiry
from serinus.rollout.state import Decision, Rollout, change
from serinus.rollout.triggers import Cause

REPORT_VALID_SECONDS = 900.0  # an approver may read and think for so long before the report is too old to speak for
CLOCK_SKEW_SECONDS = 5.0
TOLD_BEFORE_SECONDS = 86_400.0
TOLD_BEFORE_SHARE = 0.25  # of lives so short that a day would be nearly all of them


def wanted_gate(rollout: Rollout, gate: str, step: int) -> ApprovalGate:
    """The gate by its name; raises `Refused` for one that the present step does not have."""
    wanted = {approval.name: approval for approval in rollout.current_step.approvals}
    if step != rollout.step:
        raise Refused(f"the rollout is at step {rollout.step}, not {step}: look at its report, then approve that step")
    if gate not in wanted:
        raise Refused(f"this step has no approval {gate!r}; it asks for: {', '.join(wanted) or 'none'}")
    return wanted[gate]


def refuse_stale(rollout: Rollout, report_at: float | None, now: float) -> None:
    """Raise `Refused` unless the report that an approval rests on is a recent one, of the present share."""
    if report_at is None:
        raise Refused("an approval names the report it rests on: read the rollout, and give its report's time")
    if not now - REPORT_VALID_SECONDS <= report_at <= now + CLOCK_SKEW_SECONDS:
        raise Refused(
            "the report that the approval rests on is not a recent one: look at the present one and approve again"
        )
    if report_at < rollout.step_started_at:
        raise Refused(
            "the approval rests on a report from before this share: look at the present one and approve again"
        )


def told(approval: Approval) -> dict[str, Detail]:
    """An approval as its event tells of it."""
    handed_in = approval.handed_in
    attachment = handed_in.attachment
    return {
        "gate": approval.gate,
        "step": approval.step,
        "report_at": approval.report_at,
        "checked": list(handed_in.checked),
        "attachment": {"name": attachment.name, "digest": attachment.digest} if attachment else None,
        "business_impact": handed_in.business_impact,
    }


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
    marked = tuple(replace(each, expiry_told_at=now) if each in due else each for each in rollout.approvals)
    return Decision(change(rollout, approvals=marked), events)


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
