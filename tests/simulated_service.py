"""Made-up services for the statistics: slices drawn from known rates, and what the analysis says of them."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.decider import Answer, Decider, causes
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric
from serinus.metrics.sketch import BINS, mean_ms, upper_edge_ms
from serinus.metrics.snapshot import SLOTS, Cell, Outcome

LIMITS = (
    Limit("errors", Metric.ERROR_RATE, 0.05),
    Limit("p95", Metric.P95, 2_000.0),
    Limit("availability", Metric.AVAILABILITY, 0.99),
)
CRITERIA = Criteria(error_rate_margin=0.005, p95_margin=0.1, min_canary_requests=1_000, limits=LIMITS)
EDGES_MS = np.array([upper_edge_ms(bin_) for bin_ in range(BINS)])
SECONDS = 10.0  # of a look
Latency = Callable[[float], NDArray[np.float64]]


class _Histogram(TypedDict):
    latency: dict[int, int]
    latency_seconds: dict[int, float]


def lognormal(median_ms: float = 200.0, sigma: float = 0.6) -> Latency:
    """Probabilities of the bins when all latencies are multiplied by the argument."""
    return lambda factor: _bins(_normal_cdf(np.log(EDGES_MS[:-1] / (median_ms * factor)) / sigma))


def cache_or_miss(hit_ms: float = 20.0, miss_ms: float = 400.0, misses: float = 0.12) -> Latency:
    """A mixture: most answers come from a cache, some are slow."""
    hit, miss = lognormal(hit_ms, 0.3), lognormal(miss_ms, 0.4)
    return lambda factor: (1 - misses) * hit(factor) + misses * miss(factor)


def _bins(cumulated: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities = np.maximum(np.diff(np.concatenate(([0.0], cumulated, [1.0]))), 0.0)
    return np.asarray(probabilities / probabilities.sum())


def _normal_cdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    # Abramowitz and Stegun 7.1.26, good to 1.5e-7.
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = 1 - tail * np.exp(-z * z)
    return np.asarray(0.5 * (1 + np.sign(x) * erf))


@dataclass(frozen=True)
class Service:
    """`canary_excess` is added to the error rate and `canary_factor` multiplies latencies, from the canary's request
    number `begins` on.

    `drift` gives (error rate multiplier, latency multiplier) at the part 0..1 of the rollout; `shares` are served in
    equal parts.
    """

    error_rate: float = 0.005
    latency: Latency = field(default_factory=lognormal)
    canary_excess: float = 0.0
    canary_factor: float = 1.0
    begins: int = 0
    shares: tuple[float, ...] = (0.05,)
    drift: Callable[[float], tuple[float, float]] = lambda part: (1.0, 1.0)


def daily(part: float) -> tuple[float, float]:
    """Errors and latencies of both versions over three days."""
    wave = math.sin(6 * math.pi * part)
    return 1 + 0.8 * wave, 1 + 0.4 * wave


def slices(service: Service, rng: np.random.Generator, *, requests: int, look: int) -> Iterator[Slice]:
    """Looks of `look` canary requests each, up to `requests`; the split's revision is the share's number, from 1."""
    looks = requests // look
    for number in range(looks):
        part = number / looks
        stage = int(part * len(service.shares))
        share = service.shares[stage]
        errors, slower = service.drift(part)
        bad = number * look >= service.begins
        legacy_p = service.error_rate * errors
        canary_p = min(1.0, legacy_p + service.canary_excess * bad)
        factor = service.canary_factor if bad else 1.0
        legacy = cell(rng, round(look * (1 - share) / share), legacy_p, service.latency(slower))
        canary = cell(rng, look, canary_p, service.latency(slower * factor))
        at = number * SECONDS
        yield Slice(at, at + SECONDS, stage + 1, {"/": Compared(legacy, canary)})


def cell(rng: np.random.Generator, requests: int, error_rate: float, latency: NDArray[np.float64]) -> Cell:
    """Requests of so many users that every one is another user's."""
    errors = int(rng.binomial(requests, error_rate))
    return _cell(rng, np.bincount(rng.integers(0, SLOTS, requests), minlength=SLOTS), errors, latency)


def _cell(rng: np.random.Generator, slots: NDArray[np.int64], errors: int, latency: NDArray[np.float64]) -> Cell:
    requests = int(slots.sum())
    slot_errors = rng.multivariate_hypergeometric(slots, errors, method="marginals")
    return Cell(
        outcomes={Outcome.OK: requests - errors, Outcome.FAILED: errors},
        **_histogram(rng, requests, latency),
        slot_requests=tuple(slots.tolist()),
        slot_errors=tuple(slot_errors.tolist()),
    )


def _histogram(rng: np.random.Generator, requests: int, latency: NDArray[np.float64]) -> _Histogram:
    counts = rng.multinomial(requests, latency)
    filled = {int(bin_): int(counts[bin_]) for bin_ in np.flatnonzero(counts)}
    return {
        "latency": filled,
        "latency_seconds": {bin_: count * mean_ms(bin_, 0, 0) / 1_000 for bin_, count in filled.items()},
    }


def clustered_slices(
    rng: np.random.Generator, *, users: int, requests: int, look: int, share: float, broken: float, errors: float
) -> Iterator[Slice]:
    """Sticky users of unequal activity; the part `broken` of all users fails always, in either version."""
    latency = lognormal()(1.0)
    arms = [_Users(rng, round(users * part / share), broken, errors) for part in (1 - share, share)]
    for number in range(requests // look):
        at = number * SECONDS
        legacy, canary = (
            arm.cell(rng, round(look * part / share), latency)
            for arm, part in zip(arms, (1 - share, share), strict=True)
        )
        yield Slice(at, at + SECONDS, 1, {"/": Compared(legacy, canary)})


class _Users:
    def __init__(self, rng: np.random.Generator, count: int, broken: float, errors: float) -> None:
        weights = rng.pareto(1.5, count) + 1
        self.activity = weights / weights.sum()
        self.slots = rng.integers(0, SLOTS, count)
        self.rates = np.where(rng.random(count) < broken, 1.0, errors)

    def cell(self, rng: np.random.Generator, requests: int, latency: NDArray[np.float64]) -> Cell:
        who = rng.choice(len(self.slots), requests, p=self.activity)
        failed = rng.random(requests) < self.rates[who]
        return Cell(
            outcomes={Outcome.OK: int(requests - failed.sum()), Outcome.FAILED: int(failed.sum())},
            **_histogram(rng, requests, latency),
            slot_requests=tuple(np.bincount(self.slots[who], minlength=SLOTS).tolist()),
            slot_errors=tuple(np.bincount(self.slots[who[failed]], minlength=SLOTS).tolist()),
        )


@dataclass(frozen=True)
class Run:
    """`rolled_back_after` and `promoted_after` are canary requests, None when it never came to that."""

    rolled_back_after: int | None
    promoted_after: int | None
    reason: str | None


def judge(stream: Iterator[Slice], criteria: Criteria = CRITERIA, *, until_promoted: bool = False) -> Run:
    """Look after every slice, as the controller does, and act on the first verdict."""
    decider, requests, promoted = Decider(criteria), 0, None
    for slice_ in stream:
        answer = decider.feed(slice_)
        requests += sum(compared.canary.requests for compared in slice_.endpoints.values())
        if answer is Answer.ROLL_BACK:
            return Run(requests, promoted, causes(decider.report)[0].name)
        if promoted is None and answer is Answer.PROMOTE:
            promoted = requests
            if until_promoted:
                break
    return Run(None, promoted, None)


def bound(runs: int, rate: float) -> int:
    """The largest count that a true `rate` still explains with 1 %."""
    chances = [math.comb(runs, count) * rate**count * (1 - rate) ** (runs - count) for count in range(runs + 1)]
    return next(count for count in range(runs + 1) if sum(chances[: count + 1]) >= 0.99)
