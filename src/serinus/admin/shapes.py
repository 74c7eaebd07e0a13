"""The JSON that the admin API answers. Rates and margins are fractions (0.005 is 0.5 %), shares are percentages."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serinus.admin.text import OneLine
from serinus.analysis.verdict import Metric, Verdict
from serinus.deployment import DeploymentVersion
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


class AttachmentShape(Shape):
    """A file that was handed in: its name, and its SHA-256 in hexadecimal."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), OneLine]
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


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


class MeasuredShape(Shape):
    request_count: int
    error_count: int
    error_rate: Fraction
    availability: Fraction
    p50_response_time_ms: Milliseconds
    p95_response_time_ms: Milliseconds
    p99_response_time_ms: Milliseconds


class VersionShape(MeasuredShape):
    version: DeploymentVersion
    client_error_count: int
    avg_response_time_ms: Milliseconds
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
    endpoint: str | None = None
    interval: tuple[float, float] | None = Field(
        default=None, description="holds the true value, at every look, with a chance of 95 %"
    )


class TrafficShape(Shape):
    legacy_requests: int
    canary_requests: int
    legacy_percentage: float | None
    canary_percentage: float | None


class IntervalsShape(Shape):
    """95 %, at every look while the window grows: for the eye, not for deciding, which the checks do."""

    error_rate_difference: tuple[float, float] | None
    p95_increase: tuple[float, float] | None


class ValueShape(Shape):
    """A business measure that the service recorded (`serinus.record_value`); the interval is 95 % for this window."""

    name: str
    legacy_count: int
    canary_count: int
    legacy_mean: float | None
    canary_mean: float | None
    difference: float | None
    interval: tuple[float, float] | None


class DifferenceShape(Shape):
    """CANARY against LEGACY, over the requests that the bucket alone assigned, so that their users are alike."""

    error_rate_difference: Fraction
    p95_increase: Fraction
    intervals: IntervalsShape


class ComparisonShape(DifferenceShape):
    traffic_split: TrafficShape
    slo: list[CheckShape]
    values: list[ValueShape]


class PairShape(Shape):
    legacy: VersionShape
    canary: VersionShape


class EndpointShape(PairShape):
    comparison: DifferenceShape


class MetricsShape(PairShape):
    window_seconds: float
    endpoint: str | None
    comparison: ComparisonShape
    endpoints: dict[str, EndpointShape]


class BoundedShape(MeasuredShape):
    """With 95 % intervals, each for its point alone: for the eye."""

    error_rate_interval: tuple[float, float] | None
    p95_interval_ms: tuple[float, float] | None
    p99_interval_ms: tuple[float, float] | None


class PointShape(Shape):
    """What both versions did from `at` until the next point."""

    at: datetime
    legacy: BoundedShape
    canary: BoundedShape


class TimelineShape(Shape):
    """Every point from `since` to `until`, which are whole numbers of the resolution; the last one may still grow."""

    resolution_seconds: int
    since: datetime
    until: datetime
    endpoint: str | None
    points: list[PointShape]


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


class EventsShape(Shape):
    events: list[EventShape]
    next_after: int


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


class TrialShape(Shape):
    channel: str
    delivered: bool
    error: str | None
    seconds: float


class TrialsShape(Shape):
    results: list[TrialShape]
