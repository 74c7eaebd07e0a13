"""A rollout as the API shows it."""

from serinus.admin.rollout_shapes import (
    ApprovalShape,
    PlannedStepShape,
    ReceiptShape,
    RolloutShape,
    RolloutSummary,
    StepShape,
)
from serinus.admin.shapes import instant, instant_or_none
from serinus.admin.views import (
    approval_shape,
    breach_shape,
    fields_of,
    gate_shape,
    pause_shape,
    receipt_shape,
    report_shape,
    trigger_shape,
)
from serinus.analysis.verdict import Report
from serinus.rollout.gates import GateKind, GateStatus, gates
from serinus.rollout.plan import Plan
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.state import Phase, Rollout

PROMOTED = frozenset({Phase.WATCHING, Phase.SUCCEEDED})


def summary(rollout: Rollout, language: str) -> RolloutSummary:
    return RolloutSummary(
        id=rollout.id,
        plan=rollout.plan.name,
        phase=rollout.phase,
        started_by=rollout.started_by,
        started_at=instant(rollout.started_at),
        finished_at=instant_or_none(rollout.finished_at),
        receipt=_receipt(rollout, language),
    )


def rollout_shape(
    rollout: Rollout, report: Report | None, *, now: float, observed_percentage: float | None, language: str
) -> RolloutShape:
    """`report` is the latest one; without it nothing is known of the gates yet."""
    statuses = gates(rollout, report, now) if report else ()
    return RolloutShape(
        **dict(summary(rollout, language)),
        **fields_of(rollout, ("step", "revision", "standing", "split_revision", "frozen_by")),
        step_count=len(rollout.plan.steps),
        step_started_at=instant(rollout.step_started_at),
        steps=_steps(rollout),
        final=rollout.plan.final,
        watch_seconds=rollout.plan.watch_seconds,
        desired_percentage=rollout.percentage,
        observed_percentage=observed_percentage,
        gates=[gate_shape(status, language) for status in statuses],
        seconds_left=_seconds_left(statuses, now),
        triggers=[trigger_shape(trigger) for trigger in rollout.plan.triggers],
        breaches=[breach_shape(breach, now) for breach in rollout.breaches],
        pause=pause_shape(rollout.pause) if rollout.pause else None,
        approvals=_approvals(rollout),
        waiting_for=list(rollout.waiting_for),
        promoted_at=instant_or_none(rollout.promoted_at),
        report=report_shape(report, language) if report else None,
        definition=plan_to_mapping(rollout.plan),
    )


def _approvals(rollout: Rollout) -> list[ApprovalShape]:
    gates_by_name = {gate.name: gate for gate in rollout.current_step.approvals}
    return [approval_shape(approval, gates_by_name.get(approval.gate)) for approval in rollout.approvals]


def plan_steps(plan: Plan) -> list[PlannedStepShape]:
    return [
        PlannedStepShape(
            step=index,
            approvals=[gate.name for gate in step.approvals],
            **fields_of(step, ("percentage", "bake_seconds", "evidence")),
        )
        for index, step in enumerate(plan.steps)
    ]


def _steps(rollout: Rollout) -> list[StepShape]:
    return [StepShape(**dict(step), state=_state(rollout, step.step)) for step in plan_steps(rollout.plan)]


def _state(rollout: Rollout, index: int) -> str:
    if index < rollout.step or rollout.phase in PROMOTED:
        return "done"
    return "current" if index == rollout.step else "ahead"


def _seconds_left(statuses: tuple[GateStatus, ...], now: float) -> float | None:
    bake = next((status for status in statuses if status.kind is GateKind.BAKE), None)
    if bake is None:
        return None
    return max(0.0, bake.opens_at - now) if bake.opens_at is not None else 0.0


def _receipt(rollout: Rollout, language: str) -> ReceiptShape | None:
    return receipt_shape(rollout.receipt, language) if rollout.receipt else None
