"""What must be open to go on, as values: every gate with its verdict, its reason and its numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from serinus.analysis.intervals import Interval
from serinus.analysis.verdict import Check, LimitCheck, Metric, Report, Verdict
from serinus.rollout.approval import Approval
from serinus.rollout.plan import ApprovalGate, Evidence
from serinus.rollout.state import Phase, Rollout

FRESH_SECONDS = 10.0  # a slice closes 3 s after it began and a tick follows within 1 s; the rest is for slow stores
OBSERVED_METRICS = (Metric.ERROR_RATE, Metric.P95, Metric.VOLUME)
PROVEN_METRICS = (Metric.ERROR_RATE, Metric.P95)


class GateKind(StrEnum):
    """What a gate asks about: time, whether anybody watches, calm, traffic, the analysis, or a person's word."""

    BAKE = "bake"
    OBSERVATION = "observation"
    CALM = "calm"
    ANALYSIS = "analysis"
    APPROVAL = "approval"


class GateReason(StrEnum):
    """The reasons that gates have of their own, beside those of the analysis' checks.

    Numbers: BAKED and BAKING have `served_seconds` and `needed_seconds`; UNOBSERVED has `silent_seconds` unless no
    slice was ever seen; the others have none.
    """

    BAKED = "baked"
    BAKING = "baking"
    OBSERVED = "observed"
    OBSERVATION_BEGINS = "observation_begins"
    UNOBSERVED = "unobserved"
    CALM = "calm"
    FROZEN = "frozen"
    NOT_MEASURED = "not_measured"
    NO_CANARY_TRAFFIC = "no_canary_traffic"
    APPROVED = "approved"
    APPROVAL_MISSING = "approval_missing"


@dataclass(frozen=True, slots=True)
class GateStatus:
    """One gate now. Open when `verdict` is PASS, and only then.

    `value` and `need` are in the check's native unit (seconds for bake); `opens_at` is known for gates that time opens,
    `metric` and what follows it for those of a check.
    """

    name: str
    kind: GateKind
    verdict: Verdict
    reason: str
    value: float | None = None
    need: float | None = None
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    opens_at: float | None = None
    metric: Metric | None = None
    since: float | None = None
    endpoint: str | None = None
    interval: Interval | None = None

    @property
    def is_open(self) -> bool:
        return self.verdict is Verdict.PASS


def gates(rollout: Rollout, report: Report, now: float) -> tuple[GateStatus, ...]:
    """What stands between this phase and the next: nothing in phases that no gate ends."""
    if rollout.phase is Phase.WATCHING:
        return (*_common(rollout, report, now, rollout.plan.watch_seconds), *_limits(rollout, report), _traffic(report))
    if rollout.phase in {Phase.PROGRESSING, Phase.PAUSED, Phase.HOLDING}:
        return (
            *_common(rollout, report, now, rollout.current_step.bake_seconds),
            *_analysis(rollout, report),
            *(_approval(gate, rollout, now) for gate in rollout.current_step.approvals),
        )
    return ()


def closed(statuses: Iterable[GateStatus]) -> tuple[GateStatus, ...]:
    return tuple(status for status in statuses if not status.is_open)


def is_fresh(report: Report, now: float) -> bool:
    """Whether the report knows what happened in the last seconds; on an older one nothing may advance."""
    return report.through_at is not None and now - report.through_at <= FRESH_SECONDS


def valid_approval(rollout: Rollout, gate: ApprovalGate, now: float) -> Approval | None:
    """The approval that opens `gate` of the present step, unless there is none or it has expired."""
    for approval in rollout.approvals:
        if approval.gate == gate.name and approval.step == rollout.step and not has_expired(approval, gate, now):
            return approval
    return None


def has_expired(approval: Approval, gate: ApprovalGate, now: float) -> bool:
    return gate.expires_after_seconds is not None and now >= approval.at + gate.expires_after_seconds


def served_seconds(rollout: Rollout, report: Report) -> float:
    """For how long the present share has been seen to be stable: a freeze is not, a pause is not counted."""
    if rollout.frozen_by is not None or report.through_at is None:
        return 0.0
    until = min(rollout.pause.at, report.through_at) if rollout.pause else report.through_at
    return max(0.0, until - rollout.stable_since)


def _common(rollout: Rollout, report: Report, now: float, needed_seconds: float) -> tuple[GateStatus, ...]:
    return _bake(rollout, report, now, needed_seconds), _observation(rollout, report, now), _calm(rollout, report)


def _bake(rollout: Rollout, report: Report, now: float, needed_seconds: float) -> GateStatus:
    served = served_seconds(rollout, report)
    baked = served >= needed_seconds
    return GateStatus(
        name=GateKind.BAKE,
        kind=GateKind.BAKE,
        verdict=Verdict.PASS if baked else Verdict.INCONCLUSIVE,
        reason=GateReason.BAKED if baked else GateReason.BAKING,
        value=served,
        need=needed_seconds,
        numbers=MappingProxyType({"served_seconds": served, "needed_seconds": needed_seconds}),
        opens_at=None if baked else now + needed_seconds - served,
    )


def _observation(rollout: Rollout, report: Report, now: float) -> GateStatus:
    name = kind = GateKind.OBSERVATION
    if report.through_at is not None and is_fresh(report, now) and report.through_at > rollout.step_started_at:
        return GateStatus(name, kind, Verdict.PASS, GateReason.OBSERVED)
    if now - rollout.step_started_at <= FRESH_SECONDS:
        return GateStatus(name, kind, Verdict.INCONCLUSIVE, GateReason.OBSERVATION_BEGINS)
    if report.through_at is None:
        return GateStatus(name, kind, Verdict.ERROR, GateReason.UNOBSERVED)
    silent = MappingProxyType({"silent_seconds": max(0.0, now - report.through_at)})
    return GateStatus(name, kind, Verdict.ERROR, GateReason.UNOBSERVED, numbers=silent)


def _calm(rollout: Rollout, report: Report) -> GateStatus:
    """Closed by a freeze, and by what the report knows and the state has not been told of yet."""
    breached = any(
        limit.breached for trigger in rollout.plan.triggers if (limit := report.limits.get(trigger.limit.name))
    )
    held = any(check.verdict is Verdict.FAIL for check in report.holds)
    if rollout.frozen_by is None and not rollout.breaches and not breached and not held:
        return GateStatus(GateKind.CALM, GateKind.CALM, Verdict.PASS, GateReason.CALM)
    return GateStatus(GateKind.CALM, GateKind.CALM, Verdict.FAIL, GateReason.FROZEN)


def _analysis(rollout: Rollout, report: Report) -> tuple[GateStatus, ...]:
    """The literal criteria, the proofs where the step demands them, and that no test says worse."""
    statuses = [*_positive(report.slo, OBSERVED_METRICS, "")]
    if rollout.current_step.evidence is Evidence.PROVEN:
        statuses += _positive(report.proof, PROVEN_METRICS, "proof:")
    return (*statuses, *_negative(report.worse, "worse:"), *_limits(rollout, report))


def _positive(checks: tuple[Check, ...], metrics: tuple[Metric, ...], prefix: str) -> list[GateStatus]:
    """Gates that need a PASS; a metric that the report does not speak of is an error, not a pass."""
    measured = {check.metric for check in checks}
    missing = [_not_measured(f"{prefix}{metric}") for metric in metrics if metric not in measured]
    return [*(_of_check(f"{prefix}{check.name}", check) for check in checks), *missing]


def _negative(checks: Iterable[Check], prefix: str) -> list[GateStatus]:
    """Tests that could only find harm close the way by finding it, or by not being able to look."""
    harmful = {Verdict.FAIL, Verdict.ERROR}
    return [_of_check(f"{prefix}{check.name}", check) for check in checks if check.verdict in harmful]


def _limits(rollout: Rollout, report: Report) -> list[GateStatus]:
    limits: Mapping[str, LimitCheck] = report.limits
    names = [trigger.limit.name for trigger in rollout.plan.triggers]
    found = _negative((limits[name].check for name in names if name in limits), "limit:")
    return [*found, *(_not_measured(f"limit:{name}") for name in names if name not in limits)]


def _traffic(report: Report) -> GateStatus:
    value = float(report.canary.valid)
    verdict, reason = (
        (Verdict.PASS, GateReason.OBSERVED) if value else (Verdict.INCONCLUSIVE, GateReason.NO_CANARY_TRAFFIC)
    )
    return GateStatus("traffic", GateKind.ANALYSIS, verdict, reason, value=value, need=1.0)


def _of_check(name: str, check: Check) -> GateStatus:
    return GateStatus(
        name=name,
        kind=GateKind.ANALYSIS,
        verdict=check.verdict,
        reason=check.reason,
        value=check.value,
        need=check.need,
        numbers=check.numbers,
        metric=check.metric,
        since=check.since,
        endpoint=check.endpoint,
        interval=check.interval,
    )


def _not_measured(name: str) -> GateStatus:
    return GateStatus(name, GateKind.ANALYSIS, Verdict.ERROR, GateReason.NOT_MEASURED)


def _approval(gate: ApprovalGate, rollout: Rollout, now: float) -> GateStatus:
    if valid_approval(rollout, gate, now):
        return GateStatus(gate.name, GateKind.APPROVAL, Verdict.PASS, GateReason.APPROVED)
    return GateStatus(gate.name, GateKind.APPROVAL, Verdict.INCONCLUSIVE, GateReason.APPROVAL_MISSING)
