"""What the analysis says: four verdicts, each with its reason and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from serinus.analysis.intervals import Interval


class Verdict(StrEnum):
    """Only PASS advances a rollout. INCONCLUSIVE is too little data; ERROR is data that cannot be used."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"


class Metric(StrEnum):
    """What limits and margins are about; native units: fractions 0..1 for rates, milliseconds for P95."""

    ERROR_RATE = "error_rate"
    P95 = "p95"
    AVAILABILITY = "availability"
    CLIENT_ERROR_RATE = "client_error_rate"
    VOLUME = "volume"
    SAMPLE_RATIO = "sample_ratio"


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer.

    `reason` is a code of `serinus.messages`, filled in there with `numbers`; `value` and `need` are in the metric's
    native unit (for a comparison: difference as a fraction, or P95 increase as a fraction); `since` is the epoch
    second at which what the verdict speaks of began. `endpoint` is set where it speaks of one endpoint only. `interval`
    holds the true value at every look with a chance of 95 %.
    """

    name: str
    metric: Metric
    verdict: Verdict
    reason: str
    value: float | None = None
    need: float | None = None
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    since: float | None = None
    endpoint: str | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """An absolute limit on the canary alone. `check.verdict` FAIL: proven beyond the limit.

    `breached`: observed beyond it (freeze and page). `actionable`: observed on enough requests, failures and subjects
    to act at the deadline even without proof. `environment`: the canary is not proven worse and LEGACY is beyond the
    limit too (or, if nothing is proven, as close to it as the canary), so rolling back would not help.
    """

    check: Check
    breached: bool = False
    actionable: bool = False
    environment: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """One version in the present step, LEGACY weighted to when the canary had its traffic."""

    requests: int = 0
    valid: int = 0
    errors: int = 0
    client_errors: int = 0
    error_rate: float | None = None
    availability: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a decision rests on, at the instant `at`; `through_at` is the end of the last slice counted.

    `slo`: the observed criteria of the present step (error rate, P95, volume). `proof`: the same two margins by the
    sequential non-inferiority test. `worse`: one check per comparison, FAIL when the canary is proven worse than
    LEGACY and estimated beyond the margin. `holds`: reasons (verdict FAIL) not to advance that are none to roll back.
    `limits`: by trigger name. `endpoints`: those proven worse by themselves, the clearest first; at most
    the part alpha of them is wrongly there, in expectation.
    """

    at: float
    through_at: float | None
    legacy: Figures
    canary: Figures
    slo: tuple[Check, ...]
    proof: tuple[Check, ...]
    worse: tuple[Check, ...]
    limits: Mapping[str, LimitCheck]
    holds: tuple[Check, ...] = ()
    endpoints: tuple[Check, ...] = ()
