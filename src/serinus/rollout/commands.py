"""What people may order, and what is refused, with a word on what to do instead.

A person may skip the rest of a bake, and with a reason go on although an analysis is still INCONCLUSIVE (`advance`).
Nobody may go on over a FAIL, an ERROR, a freeze, a missing approval, or promote without all the evidence that the plan
asks for. Going back is never refused while there is a canary to take back.
"""

from dataclasses import dataclass, replace
from math import ceil, isfinite

from serinus.analysis.verdict import Report, Verdict
from serinus.errors import InvalidInput, Problem, Refused
from serinus.rollout import rollback
from serinus.rollout.approval import NOTHING, Approval, HandedIn, objections
from serinus.rollout.approvals import refuse_stale, told, wanted_gate
from serinus.rollout.durations import format_duration
from serinus.rollout.events import Detail, Event, EventKind
from serinus.rollout.gates import GateKind, GateStatus, closed, gates, valid_approval
from serinus.rollout.machine import next_step, to_everybody
from serinus.rollout.plan import Plan
from serinus.rollout.state import Decision, Pause, Phase, Rollout, anew, change, move
from serinus.rollout.triggers import Cause
from serinus.routing.split import EndpointRule


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants it, when, why in their own words, and from which address as far as it is known.

    `standing` is the rollout's as they saw it; an order without one is for whatever the rollout has become.
    """

    by: str
    at: float
    reason: str = ""
    origin: str = ""
    standing: str | None = None


def start(  # noqa: PLR0913 - all that a start can be told; each by keyword
    plan: Plan,
    order: Order,
    *,
    id: str,  # noqa: A002 - the word that callers and the state use
    previous: Rollout | None,
    split_revision: int,
    force: bool = False,
    endpoints: tuple[EndpointRule, ...] | None = None,
) -> Decision:
    """A rollout that is PENDING at 0 %; `previous` is the latest one, `split_revision` that of the split in force.

    Raises `InvalidInput` for `endpoints` that nobody could route by.
    """
    if previous is not None:
        _refuse_over(previous, order, force=force)
    rollout = Rollout(
        id=id,
        plan=plan,
        phase=Phase.PENDING,
        started_by=order.by,
        started_at=order.at,
        step=0,
        step_started_at=order.at,
        stable_since=order.at,
        split_revision=split_revision + 1,
        endpoints=endpoints,
    )
    details: dict[str, Detail] = {
        "plan": plan.name,
        "percentages": [step.percentage for step in plan.steps],
        "final": plan.final,
        "salt": rollout.split.salt,
        "forced": force,
    }
    return Decision(rollout, (_event(rollout, EventKind.STARTED, order, details),))


def pause(rollout: Rollout, order: Order, cap_percentage: float | None = None) -> Decision:
    """Stay here, or at the smaller share `cap_percentage`; the triggers stay on, the bake time stands still."""
    if cap_percentage is not None and not 0 < cap_percentage < rollout.percentage:
        raise Refused(f"a pause can only lower the share, which is {rollout.percentage:g} %; to go to 0 %, roll back")
    if rollout.phase is Phase.WATCHING and cap_percentage is None:
        raise Refused("CANARY serves everybody: hold goes back to the last step's share, rollback to 0 %")
    if rollout.phase is Phase.PAUSED:
        return _lower_cap(rollout, order, cap_percentage)
    _require(rollout, "pause", Phase.PROGRESSING, Phase.HOLDING, Phase.WATCHING)
    back = Phase.HOLDING if rollout.phase is Phase.HOLDING else Phase.PROGRESSING
    pausing = Pause(order.at, order.by, order.reason, cap_percentage, back)
    restart = {} if cap_percentage is None else anew(order.at)
    event = _event(rollout, EventKind.PAUSED, order, {"cap_percentage": cap_percentage})
    return move(rollout, Phase.PAUSED, event, pause=pausing, promoted_at=None, **restart)


def resume(rollout: Rollout, order: Order) -> Decision:
    """Go on where the pause began; after a smaller share the step's own share is served from the beginning."""
    _require(rollout, "resume", Phase.PAUSED)
    paused = rollout.pause
    if paused is None:
        raise Refused("the rollout is paused without a pause on record; roll it back")
    served = max(0.0, paused.at - rollout.stable_since)
    restart = {"stable_since": order.at - served} if paused.cap_percentage is None else anew(order.at)
    event = _event(rollout, EventKind.RESUMED, order)
    return move(rollout, paused.phase, event, pause=None, **restart)


def approve(
    rollout: Rollout,
    order: Order,
    *,
    gate: str,
    step: int,
    report_at: float | None,
    handed_in: HandedIn = NOTHING,
) -> Decision:
    """Open the approval `gate` of `step` (counted from 0), on the strength of the report of the instant `report_at`."""
    _require(rollout, "approve", Phase.PROGRESSING, Phase.PAUSED, Phase.HOLDING)
    wanted = wanted_gate(rollout, gate, step)
    if given := valid_approval(rollout, wanted, order.at):
        raise Refused(f"{gate!r} has already been approved by {given.by}; nothing is left to do")
    if rollout.frozen_by is not None:
        raise Refused(f"the rollout is frozen by {rollout.frozen_by}: approve once that is over")
    if wanted.four_eyes and order.by == rollout.started_by:
        raise Refused(f"{order.by} started this rollout, and {gate!r} asks for four eyes: somebody else has to approve")
    if missing := objections(wanted, handed_in):
        raise Refused(f"{gate!r} asks for more: {'; '.join(missing)}")
    refuse_stale(rollout, report_at, order.at)
    approval = Approval(gate, step, order.by, order.at, report_at, order.reason, handed_in)
    others = tuple(given for given in rollout.approvals if given.gate != gate)
    after = change(
        rollout,
        approvals=(*others, approval),
        waiting_for=tuple(name for name in rollout.waiting_for if name != gate),
    )
    return Decision(after, (_event(rollout, EventKind.APPROVED, order, told(approval)),))


def advance(rollout: Rollout, order: Order, report: Report) -> Decision:
    """To the next step at once: without the rest of the bake, and with a reason over what is INCONCLUSIVE."""
    _require(rollout, "advance", Phase.PROGRESSING)
    if rollout.is_last_step:
        raise Refused("this is the last step: promote takes the canary to 100 %")
    statuses = gates(rollout, report, order.at)
    in_the_way = [status for status in closed(statuses) if not _may_be_skipped(status)]
    _refuse_closed("advance", in_the_way)
    unsure = [status for status in closed(statuses) if status.kind is GateKind.ANALYSIS]
    if unsure and not order.reason.strip():
        raise Refused(f"give a reason to advance although {_listed(unsure)}, or wait")
    return _with_origin(next_step(rollout, statuses, by=order.by, reason=order.reason, at=order.at), order)


def promote(rollout: Rollout, order: Order, report: Report) -> Decision:
    """To 100 % from the last step: without the rest of the bake, but with everything else that the plan asks for."""
    _require(rollout, "promote", Phase.PROGRESSING, Phase.HOLDING)
    if not rollout.is_last_step:
        raise Refused(f"this is step {rollout.step + 1} of {len(rollout.plan.steps)}: advance to the last one first")
    statuses = gates(rollout, report, order.at)
    _refuse_closed("promote", [status for status in closed(statuses) if status.kind is not GateKind.BAKE])
    return _with_origin(to_everybody(rollout, statuses, by=order.by, reason=order.reason, at=order.at), order)


def hold(rollout: Rollout, order: Order) -> Decision:
    """Stay at the last step's share for good, triggers on; during the watch this takes the promotion back."""
    _require(rollout, "hold", Phase.PROGRESSING, Phase.WATCHING)
    if not rollout.is_last_step:
        raise Refused(f"hold is for the last step's share; to stay at {rollout.percentage:g} %, pause")
    restart = anew(order.at) if rollout.phase is Phase.WATCHING else {}
    event = _event(rollout, EventKind.HOLDING, order, {"percentage": rollout.current_step.percentage})
    return move(rollout, Phase.HOLDING, event, promoted_at=None, **restart)


def roll_back(rollout: Rollout, order: Order) -> Decision:
    """To 0 %, from whatever phase has a canary to take back; a rollback that runs is left running."""
    if rollout.phase is Phase.PENDING:
        raise Refused("the rollout has no traffic yet: abort ends it")
    return abort(rollout, order)


def abort(rollout: Rollout, order: Order) -> Decision:
    """Roll back also a rollout that is still pending; wins over whatever else was about to happen."""
    if rollout.phase is Phase.ROLLING_BACK:
        return Decision(rollout)
    if not rollout.is_active:
        raise Refused(f"the rollout has ended ({rollout.phase}): set the share through the configuration instead")
    cause = Cause(rollback.MANUAL, order.reason)
    return _with_origin(rollback.begin(rollout, cause, by=order.by, at=order.at), order)


def configure(
    rollout: Rollout,
    order: Order,
    *,
    enabled: bool | None = None,
    percentage: float | None = None,
    endpoints: tuple[EndpointRule, ...] | None = None,
) -> Decision:
    """Set the split during a rollout: off or 0 % rolls back, a smaller share pauses and caps, a raise is refused.

    Endpoint rules replace those in force; the step's figures and bake time begin anew with them.
    """
    if percentage is not None and not (isfinite(percentage) and 0 <= percentage <= 100):
        raise InvalidInput(Problem("canary_percentage", f"must be between 0 and 100, not {percentage}"))
    if enabled is False or percentage == 0:
        return abort(rollout, order)
    _require(rollout, "configure", Phase.PENDING, Phase.PROGRESSING, Phase.PAUSED, Phase.HOLDING, Phase.WATCHING)
    if percentage is not None and percentage > rollout.percentage:
        raise Refused(f"the plan decides when the share grows beyond {rollout.percentage:g} %: use advance or resume")
    decision = Decision(rollout)
    if percentage is not None and percentage < rollout.percentage:
        decision = pause(rollout, order, percentage)
    if endpoints is None or endpoints == rollout.split.endpoints:
        return decision
    return decision.then(lambda after: _with_endpoints(after, order, endpoints))


def _with_endpoints(rollout: Rollout, order: Order, endpoints: tuple[EndpointRule, ...]) -> Decision:
    rules: list[Detail] = [
        {"template": rule.template, "enabled": rule.enabled, "max_percentage": rule.max_percentage}
        for rule in endpoints
    ]
    after = change(rollout, endpoints=endpoints, **anew(order.at))
    return Decision(after, (_event(rollout, EventKind.CONFIG_CHANGED, order, {"endpoints": rules}),))


def _lower_cap(rollout: Rollout, order: Order, cap_percentage: float | None) -> Decision:
    if cap_percentage is None or rollout.pause is None:
        raise Refused("the rollout is paused already: resume, or pause with a smaller share")
    capped = replace(rollout.pause, cap_percentage=cap_percentage)
    event = _event(rollout, EventKind.PAUSED, order, {"cap_percentage": cap_percentage})
    return Decision(change(rollout, pause=capped, **anew(order.at)), (event,))


def _refuse_over(previous: Rollout, order: Order, *, force: bool) -> None:
    if previous.is_active:
        raise Refused(f"rollout {previous.id} is {previous.phase}: finish it or roll it back before starting another")
    if previous.phase is not Phase.ROLLED_BACK or previous.finished_at is None:
        return
    over_at = previous.finished_at + previous.plan.cool_down_seconds
    if order.at >= over_at:
        return
    if not force:
        left = ceil(over_at - order.at)
        wait = format_duration(left if left < 120 else 60 * ceil(left / 60))
        raise Refused(f"rollout {previous.id} was rolled back; wait another {wait}, or force it and say why")
    if not order.reason.strip():
        raise Refused("forcing a start during the cool-down needs a reason")


def _may_be_skipped(status: GateStatus) -> bool:
    unsure = status.kind is GateKind.ANALYSIS and status.verdict is Verdict.INCONCLUSIVE
    return status.kind is GateKind.BAKE or unsure


def _refuse_closed(verb: str, in_the_way: list[GateStatus]) -> None:
    if in_the_way:
        raise Refused(f"cannot {verb}: {_listed(in_the_way)}")


def _listed(statuses: list[GateStatus]) -> str:
    return ", ".join(f"{status.name} is {status.verdict} ({status.reason.replace('_', ' ')})" for status in statuses)


def _require(rollout: Rollout, verb: str, *phases: Phase) -> None:
    if rollout.phase not in phases:
        raise Refused(
            f"cannot {verb} a rollout that is {rollout.phase}; this is possible when it is {', '.join(phases)}"
        )


def _event(rollout: Rollout, kind: EventKind, order: Order, details: dict[str, Detail] | None = None) -> Event:
    return Event(kind, order.at, order.by, rollout.id, order.reason, (details or {}) | _origin(order))


def _with_origin(decision: Decision, order: Order) -> Decision:
    events = (
        replace(event, details={**event.details, **_origin(order)}) if event.actor == order.by else event
        for event in decision.events
    )
    return Decision(decision.rollout, tuple(events))


def _origin(order: Order) -> dict[str, Detail]:
    return {"from": order.origin} if order.origin else {}
