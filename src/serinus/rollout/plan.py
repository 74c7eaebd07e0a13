"""How a rollout is to go: steps, gates, triggers; immutable once it has started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from serinus.analysis.criteria import Criteria, Limit
from serinus.routing.split import EndpointRule

CHANNELS = ("slack", "pagerduty", "email", "sentry", "webhook", "apprise", "log")
"""The ways to reach people; where each leads is the installation's matter."""


class Evidence(StrEnum):
    """How strong an analysis gate's evidence must be: the customer's literal criteria, or a sequential proof."""

    OBSERVED = "observed"
    PROVEN = "proven"


class Final(StrEnum):
    """What follows the last step: CANARY for everybody, or the last share for good."""

    PROMOTE = "promote"
    HOLD = "hold"


class AtDeadline(StrEnum):
    """What an observed breach that is not proven leads to when its deadline comes."""

    ROLL_BACK = "roll_back"
    HOLD = "hold"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"


class OnExpiry(StrEnum):
    """What an approval that has expired leads to: the gate is closed again, or the canary goes back."""

    HOLD = "hold"
    ABORT = "abort"


USUAL_CHANNELS: Mapping[Severity, tuple[str, ...]] = MappingProxyType(
    {
        Severity.CRITICAL: ("pagerduty", "slack"),
        Severity.HIGH: ("slack", "email"),
        Severity.MEDIUM: ("slack",),
    }
)
"""Of a trigger for which the plan names none."""


@dataclass(frozen=True, slots=True)
class ApprovalGate:
    """A person's word, by name; it lapses `expires_after_seconds` after it was given (None: never).

    To be handed in with it: every item of `checklist` ticked, a file of the kind that `attachment` names, a text on the
    business impact. `four_eyes`: not by whoever started the rollout.
    """

    name: str
    expires_after_seconds: float | None = None
    on_expiry: OnExpiry = OnExpiry.HOLD
    four_eyes: bool = False
    checklist: tuple[str, ...] = ()
    attachment: str = ""
    business_impact: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A share of the traffic and what must be true to leave it: stable for `bake_seconds`, then every gate open."""

    percentage: float
    bake_seconds: float
    evidence: Evidence = Evidence.OBSERVED
    approvals: tuple[ApprovalGate, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """A limit that rolls back: `deadline_seconds` after the first breaching slice the canary must be at 0 %."""

    limit: Limit
    severity: Severity
    deadline_seconds: float
    channels: tuple[str, ...] = ()
    at_deadline: AtDeadline = AtDeadline.ROLL_BACK


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A level of the canary's `metric` that people are told of, without any consequence for the traffic."""

    limit: Limit
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Margins:
    """The SLO: how much worse than LEGACY is still good enough, and how many canary requests must be exceeded."""

    error_rate: float
    p95: float
    min_canary_requests: int
    client_error_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole rollout as the operator wrote it. Durations in seconds, rates as fractions, shares in percent."""

    name: str
    steps: tuple[Step, ...]
    margins: Margins
    triggers: tuple[Trigger, ...]
    alert_rules: tuple[AlertRule, ...] = ()
    final: Final = Final.PROMOTE
    watch_seconds: float = 86_400.0
    checkpoints_seconds: tuple[float, ...] = ()
    cool_down_seconds: float = 1_800.0
    client_errors: AtDeadline = AtDeadline.ROLL_BACK
    alpha: float = 0.05
    strict: bool = False
    salt: str = "serinus"
    endpoints: tuple[EndpointRule, ...] = field(default=())

    @property
    def channels(self) -> frozenset[str]:
        """All that triggers and alerts name."""
        return frozenset().union(
            *(trigger.channels for trigger in self.triggers), *(rule.channels for rule in self.alert_rules)
        )

    @property
    def criteria(self) -> Criteria:
        """What the analysis needs to know of the plan."""
        return Criteria(
            error_rate_margin=self.margins.error_rate,
            p95_margin=self.margins.p95,
            min_canary_requests=self.margins.min_canary_requests,
            client_error_margin=self.margins.client_error_rate,
            limits=tuple(trigger.limit for trigger in self.triggers) + tuple(rule.limit for rule in self.alert_rules),
            alpha=self.alpha,
            strict=self.strict,
        )
