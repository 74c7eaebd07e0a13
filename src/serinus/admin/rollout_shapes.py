"""The JSON of a rollout, and of everything around it that a status shows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from serinus.admin.shapes import AttachmentShape, CheckShape, ConfigShape, Fraction, PairShape, Shape
from serinus.analysis.verdict import Metric, Verdict
from serinus.rollout.gates import GateKind
from serinus.rollout.plan import Severity
from serinus.rollout.state import Phase


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
    endpoints: list[CheckShape] = Field(description="proven worse by themselves, the clearest first")


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
    since: datetime | None = None
    endpoint: str | None = None
    interval: tuple[float, float] | None = None
    opens_at: datetime | None


class PlannedStepShape(Shape):
    step: int = Field(description="counted from 0")
    percentage: float
    bake_seconds: float
    evidence: str
    approvals: list[str]


class StepShape(PlannedStepShape):
    """`state`: done, current or ahead."""

    state: str


class PlanShape(Shape):
    name: str
    final: str
    steps: list[PlannedStepShape]
    source: str = Field(description="TOML, as `start` takes it")


class PlansShape(Shape):
    plans: list[PlanShape]


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
    expires_at: datetime | None
    checked: list[str]
    attachment: AttachmentShape | None
    business_impact: str


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
    standing: str = Field(description="what orders name in If-Match; differs as soon as one should look again")
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


class HistoryShape(Shape):
    rollouts: list[RolloutSummary]


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


class Health(StrEnum):
    """ATTENTION: somebody should look at the `problems`. ROLLED_BACK: the last rollout went back, or is going."""

    OK = "ok"
    ATTENTION = "attention"
    ROLLED_BACK = "rolled_back"


class ProblemShape(Shape):
    code: str
    message: str


class Users(StrEnum):
    """How users fare because of the canary, in the order of urgency but for the last ones, which need nobody."""

    HURT = "hurt"
    HURT_BY_BOTH = "hurt_by_both"
    UNWATCHED = "unwatched"
    SUSPECTED = "suspected"
    UNJUDGED = "unjudged"
    PROMOTED = "promoted"
    UNCLEAR = "unclear"
    FINE = "fine"
    GOING_BACK = "going_back"
    ON_LEGACY = "on_legacy"


class UsersShape(Shape):
    """`message` says it in a sentence; `finding` is what it rests on, as far as there is one thing: `about` which."""

    state: Users
    message: str
    finding: str | None
    about: Metric | None


class StatusShape(Shape):
    """Everything that `serinus status` shows."""

    at: datetime
    health: Health
    users: UsersShape
    problems: list[ProblemShape]
    config: ConfigShape
    rollout: RolloutShape | None
    metrics: PairShape
    controller: ControllerShape
    agents: list[AgentShape]
