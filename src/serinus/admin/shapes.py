"""The JSON that the admin API answers. Rates and margins are fractions (0.005 is 0.5 %), shares are percentages."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from serinus.analysis.verdict import Metric, Verdict
from serinus.deployment import DeploymentVersion
from serinus.rollout.gates import GateKind
from serinus.rollout.plan import Severity
from serinus.rollout.state import Phase
from serinus.routing.canary_router import Reason
from serinus.storage.splits import SplitSource

Fraction = Annotated[float | None, Field(description="a fraction: 0.01 is 1 %")]
Milliseconds = Annotated[float | None, Field(description="milliseconds")]
Percentage = Annotated[float, Field(ge=0, le=100)]


def instant(epoch_seconds: float) -> datetime:
    """As ISO 8601 with Z once it is JSON."""
    return datetime.fromtimestamp(epoch_seconds, UTC)


def instant_or_none(epoch_seconds: float | None) -> datetime | None:
    return None if epoch_seconds is None else instant(epoch_seconds)


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleShape(Shape):
    """An endpoint's part in the canary: a route template, "*" for all that have no rule, or "(other)"."""

    template: str = Field(min_length=1, max_length=512)
    enabled: bool = True
    max_percentage: float = Field(100.0, ge=0, le=100, allow_inf_nan=False)


class ConfigShape(Shape):
    """`observed_percentage` is the canary's part of the last minute's requests; None without any."""

    enabled: bool
    canary_percentage: Percentage
    observed_percentage: float | None
    endpoints: list[RuleShape]
    known_endpoints: list[str]
    salt_id: str = Field(description="tells two salts apart without giving one away")
    revision: int
    source: SplitSource
    changed_at: datetime | None
    changed_by: str


class VersionShape(Shape):
    version: DeploymentVersion
    request_count: int
    error_count: int
    client_error_count: int
    error_rate: Fraction
    availability: Fraction
    avg_response_time_ms: Milliseconds
    p50_response_time_ms: Milliseconds
    p95_response_time_ms: Milliseconds
    p99_response_time_ms: Milliseconds
    last_updated: datetime | None


class CheckShape(Shape):
    """One question and its answer; `reason` is a stable code, `message` says it in the language asked for."""

    name: str
    metric: Metric
    verdict: Verdict
    value: float | None
    need: float | None
    reason: str
    message: str
    numbers: dict[str, float]
    since: datetime | None


class TrafficShape(Shape):
    legacy_requests: int
    canary_requests: int
    legacy_percentage: float | None
    canary_percentage: float | None


class IntervalsShape(Shape):
    """95 % for this window alone: for the eye, not for deciding, which the checks do."""

    error_rate_difference: tuple[float, float] | None
    p95_increase: tuple[float, float] | None


class ComparisonShape(Shape):
    """CANARY against LEGACY, over the requests that the bucket alone assigned, so that their users are alike."""

    error_rate_difference: Fraction
    p95_increase: Fraction
    intervals: IntervalsShape
    traffic_split: TrafficShape
    slo: list[CheckShape]


class PairShape(Shape):
    legacy: VersionShape
    canary: VersionShape


class MetricsShape(PairShape):
    window_seconds: float
    endpoint: str | None
    comparison: ComparisonShape
    endpoints: dict[str, PairShape]


class FiguresShape(Shape):
    requests: int
    valid: int
    errors: int
    client_errors: int
    error_rate: Fraction
    availability: Fraction
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class LimitShape(Shape):
    name: str
    check: CheckShape
    breached: bool
    actionable: bool
    environment: bool


class ReportShape(Shape):
    """What the controller saw at its last tick."""

    at: datetime
    through_at: datetime | None
    legacy: FiguresShape
    canary: FiguresShape
    slo: list[CheckShape]
    proof: list[CheckShape]
    worse: list[CheckShape]
    holds: list[CheckShape]
    limits: list[LimitShape]


class GateShape(Shape):
    name: str
    kind: GateKind
    verdict: Verdict
    is_open: bool
    value: float | None
    need: float | None
    reason: str
    message: str
    numbers: dict[str, float]
    opens_at: datetime | None


class StepShape(Shape):
    """`state`: done, current or ahead."""

    step: int = Field(description="counted from 0")
    percentage: float
    bake_seconds: float
    evidence: str
    approvals: list[str]
    state: str


class PauseShape(Shape):
    at: datetime
    by: str
    reason: str
    cap_percentage: float | None


class ApprovalShape(Shape):
    gate: str
    step: int
    by: str
    at: datetime
    report_at: datetime | None
    reason: str


class BreachShape(Shape):
    trigger: str
    severity: Severity
    since: datetime
    seen_at: datetime
    deadline_at: datetime
    seconds_left: float
    environment: bool


class ReceiptShape(Shape):
    cause: str
    by: str
    reason: str
    message: str
    severity: Severity | None
    proven: bool
    breach_at: datetime | None
    decided_at: datetime
    split_changed_at: datetime | None
    last_canary_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime | None
    deadline_met: bool | None
    in_flight: int
    unheard: list[str]


class TriggerShape(Shape):
    name: str
    metric: Metric
    value: float
    severity: Severity
    deadline_seconds: float
    at_deadline: str


class RolloutSummary(Shape):
    id: str
    plan: str
    phase: Phase
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    receipt: ReceiptShape | None


class RolloutShape(RolloutSummary):
    step: int = Field(description="counted from 0")
    step_count: int
    step_started_at: datetime
    steps: list[StepShape]
    final: str
    watch_seconds: float
    desired_percentage: float
    observed_percentage: float | None
    revision: int
    split_revision: int
    gates: list[GateShape]
    seconds_left: float | None = Field(description="of the bake time, or of the watch after the promotion")
    triggers: list[TriggerShape]
    breaches: list[BreachShape]
    frozen_by: str | None
    pause: PauseShape | None
    approvals: list[ApprovalShape]
    waiting_for: list[str]
    promoted_at: datetime | None
    report: ReportShape | None
    definition: dict[str, Any] = Field(description="the plan as `start` takes it")


class AgentShape(Shape):
    name: str
    heard_at: datetime
    seconds_ago: float
    split_revision: int
    adopted: bool = Field(description="whether it routes by the split in force")
    last_canary_at: datetime | None
    canary_in_flight: int
    breaker_open: bool
    dropped: int


class ControllerShape(Shape):
    heard_at: datetime | None
    seconds_ago: float | None
    alive: bool


class EventShape(Shape):
    """`title` says what happened, `message` why, as far as that is known (else empty)."""

    sequence: int
    kind: str
    at: datetime
    actor: str
    rollout_id: str | None
    reason: str
    title: str
    message: str
    incident: str | None
    details: dict[str, Any]


class Health(StrEnum):
    """ATTENTION: somebody should look at the `problems`. ROLLED_BACK: the last rollout went back, or is going."""

    OK = "ok"
    ATTENTION = "attention"
    ROLLED_BACK = "rolled_back"


class ProblemShape(Shape):
    code: str
    message: str


class StatusShape(Shape):
    """Everything that `serinus status` shows."""

    at: datetime
    health: Health
    problems: list[ProblemShape]
    config: ConfigShape
    rollout: RolloutShape | None
    metrics: PairShape
    controller: ControllerShape
    agents: list[AgentShape]


class EventsShape(Shape):
    events: list[EventShape]
    next_after: int


class HistoryShape(Shape):
    rollouts: list[RolloutSummary]


class ExplanationShape(Shape):
    """CANARY by bucket means `point` < `threshold`, of 2^32 points."""

    user_id: str | None
    endpoint: str
    version: DeploymentVersion
    reason: Reason
    point: int | None
    bucket: int | None
    threshold: int
    percentage: float
    rule: RuleShape | None
    split_revision: int


class TokenShape(Shape):
    id: str
    name: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None


class TokensShape(Shape):
    tokens: list[TokenShape]


class CreatedToken(TokenShape):
    token: str = Field(description="the secret; it is not shown again")
