"""From the domain's values to the API's shapes."""

from collections.abc import Iterable
from typing import Any

from serinus.admin.rollout_shapes import (
    AgentShape,
    ApprovalShape,
    BreachShape,
    FiguresShape,
    GateShape,
    LimitShape,
    PauseShape,
    ReceiptShape,
    ReportShape,
    TriggerShape,
)
from serinus.admin.shapes import (
    AttachmentShape,
    CheckShape,
    ConfigShape,
    EventShape,
    ExplanationShape,
    RuleShape,
    TokenShape,
    instant,
    instant_or_none,
)
from serinus.analysis.verdict import Check, Figures, Report
from serinus.messages import render, render_event, render_finding
from serinus.rollout.approval import Approval
from serinus.rollout.events import ITSELF, Event
from serinus.rollout.gates import GateStatus
from serinus.rollout.plan import ApprovalGate, Trigger
from serinus.rollout.state import AgentStatus, Breach, Pause, Receipt
from serinus.routing.canary_router import Explanation
from serinus.routing.split import EndpointRule
from serinus.storage.splits import StoredSplit
from serinus.storage.tokens import Token


def fields_of(value: object, names: Iterable[str]) -> dict[str, Any]:
    """The named attributes, for shapes that call them as the domain does."""
    return {name: getattr(value, name) for name in names}


def rule_shape(rule: EndpointRule) -> RuleShape:
    return RuleShape(template=rule.template, enabled=rule.enabled, max_percentage=rule.max_percentage)


def config_shape(
    stored: StoredSplit, *, salt_id: str, observed_percentage: float | None, templates: Iterable[str]
) -> ConfigShape:
    return ConfigShape(
        enabled=stored.split.enabled,
        canary_percentage=stored.split.percentage,
        observed_percentage=observed_percentage,
        endpoints=[rule_shape(rule) for rule in stored.split.endpoints],
        known_endpoints=list(templates),
        salt_id=salt_id,
        revision=stored.split.revision,
        source=stored.source,
        changed_at=instant_or_none(stored.changed_at),
        changed_by=stored.changed_by,
    )


def check_shape(check: Check, language: str) -> CheckShape:
    return CheckShape(
        **fields_of(check, ("name", "metric", "verdict", "value", "need", "reason")),
        message=render_finding(check, language),
        numbers=dict(check.numbers),
        since=instant_or_none(check.since),
        endpoint=check.endpoint,
        interval=check.interval,
    )


def gate_shape(status: GateStatus, language: str) -> GateShape:
    return GateShape(
        **fields_of(status, ("name", "kind", "verdict", "is_open", "value", "need", "reason")),
        message=render_finding(status, language),
        numbers=dict(status.numbers),
        since=instant_or_none(status.since),
        endpoint=status.endpoint,
        interval=status.interval,
        opens_at=instant_or_none(status.opens_at),
    )


def report_shape(report: Report, language: str) -> ReportShape:
    def checks(several: Iterable[Check]) -> list[CheckShape]:
        return [check_shape(check, language) for check in several]

    return ReportShape(
        at=instant(report.at),
        through_at=instant_or_none(report.through_at),
        legacy=_figures(report.legacy),
        canary=_figures(report.canary),
        slo=checks(report.slo),
        proof=checks(report.proof),
        worse=checks(report.worse),
        holds=checks(report.holds),
        endpoints=checks(report.endpoints),
        limits=[
            LimitShape(
                name=name,
                check=check_shape(limit.check, language),
                **fields_of(limit, ("breached", "actionable", "environment")),
            )
            for name, limit in report.limits.items()
        ],
    )


def receipt_shape(receipt: Receipt, language: str) -> ReceiptShape:
    times = ("breach_at", "split_changed_at", "last_canary_at", "completed_at", "deadline_at")
    return ReceiptShape(
        **fields_of(receipt, ("cause", "by", "reason", "severity", "proven", "deadline_met", "in_flight")),
        **{name: instant_or_none(getattr(receipt, name)) for name in times},
        message=render(receipt.reason, {}, language) if receipt.by == ITSELF else receipt.reason,
        decided_at=instant(receipt.decided_at),
        unheard=list(receipt.unheard),
    )


def breach_shape(breach: Breach, now: float) -> BreachShape:
    return BreachShape(
        **fields_of(breach, ("trigger", "severity", "environment")),
        since=instant(breach.since_at),
        seen_at=instant(breach.seen_at),
        deadline_at=instant(breach.deadline_at),
        seconds_left=breach.deadline_at - now,
    )


def trigger_shape(trigger: Trigger) -> TriggerShape:
    return TriggerShape(
        **fields_of(trigger.limit, ("name", "metric", "value")),
        **fields_of(trigger, ("severity", "deadline_seconds", "at_deadline")),
    )


def pause_shape(pause: Pause) -> PauseShape:
    return PauseShape(at=instant(pause.at), **fields_of(pause, ("by", "reason", "cap_percentage")))


def approval_shape(approval: Approval, gate: ApprovalGate | None) -> ApprovalShape:
    """`gate` is the plan's, where the present step has it."""
    life = gate.expires_after_seconds if gate else None
    handed_in = approval.handed_in
    attachment = handed_in.attachment
    return ApprovalShape(
        **fields_of(approval, ("gate", "step", "by", "reason")),
        at=instant(approval.at),
        report_at=instant_or_none(approval.report_at),
        expires_at=None if life is None else instant(approval.at + life),
        checked=list(handed_in.checked),
        attachment=AttachmentShape(name=attachment.name, digest=attachment.digest) if attachment else None,
        business_impact=handed_in.business_impact,
    )


def agent_shape(agent: AgentStatus, *, split_revision: int, now: float) -> AgentShape:
    return AgentShape(
        name=agent.agent,
        heard_at=instant(agent.heard_at),
        seconds_ago=max(0.0, now - agent.heard_at),
        adopted=agent.split_revision >= split_revision,
        last_canary_at=instant_or_none(agent.last_canary_at),
        **fields_of(agent, ("split_revision", "canary_in_flight", "breaker_open", "dropped")),
    )


def event_shape(event: Event, language: str) -> EventShape:
    title, why = render_event(event, language)
    return EventShape(
        sequence=event.sequence or 0,
        kind=event.kind,
        at=instant(event.at),
        title=title,
        message=why,
        details=dict(event.details),
        **fields_of(event, ("actor", "rollout_id", "reason", "incident")),
    )


def explanation_shape(explanation: Explanation) -> ExplanationShape:
    return ExplanationShape(
        user_id=explanation.subject,
        version=explanation.assignment.version,
        reason=explanation.assignment.reason,
        rule=rule_shape(explanation.rule) if explanation.rule else None,
        **fields_of(explanation, ("endpoint", "point", "bucket", "threshold", "percentage", "split_revision")),
    )


def token_shape(token: Token) -> TokenShape:
    return TokenShape(
        **fields_of(token, ("id", "name", "role", "created_by")),
        created_at=instant(token.created_at),
        expires_at=instant_or_none(token.expires_at),
        revoked_at=instant_or_none(token.revoked_at),
    )


def _figures(figures: Figures) -> FiguresShape:
    return FiguresShape(**fields_of(figures, FiguresShape.model_fields))
