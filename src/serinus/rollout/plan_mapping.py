"""A plan as the plain mapping that people write, with durations and percentages in their units."""

from decimal import Decimal
from typing import Any

from serinus.analysis.criteria import Limit
from serinus.analysis.verdict import Metric
from serinus.rollout.durations import format_duration
from serinus.rollout.plan import ApprovalGate, Plan, Step, Trigger


def plan_to_mapping(plan: Plan) -> dict[str, Any]:
    """What `plan_from_mapping` reads back as an equal plan."""
    return {
        "name": plan.name,
        "final": plan.final.value,
        "watch": format_duration(plan.watch_seconds),
        "cool_down": format_duration(plan.cool_down_seconds),
        "checkpoints": [format_duration(seconds) for seconds in plan.checkpoints_seconds],
        "client_errors": plan.client_errors.value,
        "salt": plan.salt,
        "slo": {
            "error_rate_margin_points": _to_percent(plan.margins.error_rate),
            "p95_margin_percent": _to_percent(plan.margins.p95),
            "min_canary_requests": plan.margins.min_canary_requests,
            "client_error_margin_points": _to_percent(plan.margins.client_error_rate),
        },
        "statistics": {"alpha": plan.alpha, "strict": plan.strict},
        "steps": [_step_to_mapping(step) for step in plan.steps],
        "triggers": [_trigger_to_mapping(trigger) for trigger in plan.triggers],
        "alerts": [{**_limit_to_mapping(rule.limit), "channels": list(rule.channels)} for rule in plan.alert_rules],
        "endpoints": [
            {"template": rule.template, "enabled": rule.enabled, "max_percentage": rule.max_percentage}
            for rule in plan.endpoints
        ],
    }


def _step_to_mapping(step: Step) -> dict[str, Any]:
    return {
        "percentage": step.percentage,
        "bake": format_duration(step.bake_seconds),
        "evidence": step.evidence.value,
        "approvals": [_approval_to_mapping(gate) for gate in step.approvals],
    }


def _approval_to_mapping(gate: ApprovalGate) -> dict[str, Any]:
    seconds = gate.expires_after_seconds
    expiry = {} if seconds is None else {"expires_after": format_duration(seconds), "on_expiry": gate.on_expiry.value}
    return {
        "name": gate.name,
        **expiry,
        "four_eyes": gate.four_eyes,
        "checklist": list(gate.checklist),
        **({"attachment": gate.attachment} if gate.attachment else {}),
        "business_impact": gate.business_impact,
    }


def _trigger_to_mapping(trigger: Trigger) -> dict[str, Any]:
    return {
        **_limit_to_mapping(trigger.limit),
        "severity": trigger.severity.value,
        "deadline": format_duration(trigger.deadline_seconds),
        "channels": list(trigger.channels),
        "at_deadline": trigger.at_deadline.value,
    }


def _limit_to_mapping(limit: Limit) -> dict[str, Any]:
    if limit.metric is Metric.P95:
        return {"name": limit.name, "metric": limit.metric.value, "limit_ms": limit.value}
    return {"name": limit.name, "metric": limit.metric.value, "limit_percent": _to_percent(limit.value)}


def _to_percent(fraction: float) -> float:
    return float(Decimal(repr(fraction)) * 100)
