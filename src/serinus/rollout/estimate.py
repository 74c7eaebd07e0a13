"""What a plan will take on a service with so much traffic: step by step, gate by gate."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from serinus.analysis import forecast
from serinus.analysis.forecast import Baseline, Onset, Regression, lognormal
from serinus.rollout.plan import Evidence, Plan, Step

LOOK_SECONDS = 4.0  # from a request to the report that knows of it: its slice closes after 3 s, a tick follows within 1
REGRESSIONS = (
    *(Regression(error_rate=excess) for excess in (0.005, 0.01, 0.05)),
    *(Regression(slowdown=factor) for factor in (1.2, 1.5, 2.0)),
)


class EstimatedGate(StrEnum):
    """The gates that time or traffic opens; calm, observation and approvals cannot be foreseen."""

    BAKE = "bake"
    VOLUME = "volume"
    OBSERVED_ERRORS = "observed_error_rate"
    OBSERVED_P95 = "observed_p95"
    PROVEN_ERRORS = "proven_error_rate"
    PROVEN_P95 = "proven_p95"


@dataclass(frozen=True, slots=True)
class GateEstimate:
    """When a gate opens for a canary that equals LEGACY, from the step's beginning; infinite: never.

    `requests` of the canary, 0 for the bake. Proofs are medians; the observed margins are kept by 95 of 100 canaries.
    """

    gate: EstimatedGate
    requests: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Detection:
    """How long a regression that begins with the step lasts before it is proven, and rolled back."""

    regression: Regression
    requests: float
    seconds: float


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """`gates` begin with the bake; `approvals` are the people's words that come on top."""

    percentage: float
    canary_requests_per_second: float
    evidence: Evidence
    gates: tuple[GateEstimate, ...]
    approvals: tuple[str, ...]
    detections: tuple[Detection, ...]

    @property
    def binding(self) -> GateEstimate:
        """The gate that opens last; the bake, where nothing takes longer."""
        return max(self.gates, key=lambda gate: gate.seconds)

    @property
    def late(self) -> tuple[GateEstimate, ...]:
        """The gates that cannot be decided within the bake time; where others wait for the volume, it alone."""
        bake, volume, *others = self.gates
        own = (volume, *(gate for gate in others if gate.requests > volume.requests))
        return tuple(gate for gate in own if gate.seconds > bake.seconds)


@dataclass(frozen=True, slots=True)
class PlanEstimate:
    """`seconds` from the start to the last step's end, without the time that people take to approve."""

    requests_per_second: float
    steps: tuple[StepEstimate, ...]

    @property
    def seconds(self) -> float:
        return sum(step.binding.seconds for step in self.steps)

    @property
    def left_after_seconds(self) -> tuple[float, ...]:
        """When each step will be left, from the start."""
        return tuple(accumulate(step.binding.seconds for step in self.steps))


def estimate(plan: Plan, baseline: Baseline, requests_per_second: float) -> PlanEstimate:
    """By the mean traffic (above 0) of all users, on endpoints that follow the split."""
    steps: list[StepEstimate] = []
    elapsed = 0.0
    for step in plan.steps:
        steps.append(_step(plan, step, baseline, (requests_per_second * step.percentage / 100, elapsed)))
        elapsed += steps[-1].binding.seconds if math.isfinite(steps[-1].binding.seconds) else step.bake_seconds
    return PlanEstimate(requests_per_second, tuple(steps))


def _step(plan: Plan, step: Step, baseline: Baseline, known: tuple[float, float]) -> StepEstimate:
    """`known`: canary requests per second, and seconds since the start."""
    rate, elapsed = known
    requests = _gate_requests(plan, step, baseline)
    gates = (GateEstimate(gate, count, _seconds(count, rate)) for gate, count in requests)
    return StepEstimate(
        percentage=step.percentage,
        canary_requests_per_second=rate,
        evidence=step.evidence,
        gates=(GateEstimate(EstimatedGate.BAKE, 0.0, step.bake_seconds), *gates),
        approvals=tuple(gate.name for gate in step.approvals),
        detections=tuple(_detections(plan, step, baseline, (rate, elapsed))),
    )


def _gate_requests(plan: Plan, step: Step, baseline: Baseline) -> Iterator[tuple[EstimatedGate, float]]:
    share = step.percentage / 100
    volume = plan.margins.min_canary_requests + 1.0
    yield EstimatedGate.VOLUME, volume
    errors, p95 = forecast.observed_requests(baseline, plan.criteria, share)
    yield EstimatedGate.OBSERVED_ERRORS, max(volume, errors)
    yield EstimatedGate.OBSERVED_P95, max(volume, p95)
    if step.evidence is Evidence.PROVEN:
        errors, p95 = forecast.proof_requests(baseline, plan.criteria, share)
        yield EstimatedGate.PROVEN_ERRORS, max(volume, errors)
        yield EstimatedGate.PROVEN_P95, max(volume, p95)


def _detections(plan: Plan, step: Step, baseline: Baseline, known: tuple[float, float]) -> Iterator[Detection]:
    rate, elapsed = known
    for regression in REGRESSIONS:
        onset = Onset(regression, elapsed, rate)
        requests = forecast.detection_requests(baseline, plan.criteria, step.percentage / 100, onset)
        yield Detection(regression, requests, _seconds(requests, rate))


def _seconds(requests: float, rate: float) -> float:
    return requests / rate + LOOK_SECONDS if rate > 0 else math.inf


__all__ = [
    "Baseline",
    "Detection",
    "EstimatedGate",
    "GateEstimate",
    "PlanEstimate",
    "Regression",
    "StepEstimate",
    "estimate",
    "lognormal",
]
