"""Traffic with a known truth: seeded streams of slices, the same for every decider.

A run is 50,000 canary requests, looked at after every 100; where a regression has just begun, after each of the first
20 and then after every 10. LEGACY gets what the share leaves over. Latencies are in milliseconds, histograms on the
grid of `serinus.metrics.sketch`.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from serinus.metrics.sketch import BINS, GROWTH, SLOW_BIN, SLOW_SECONDS
from serinus.metrics.snapshot import SLOTS

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

CANARY_REQUESTS = 50_000
LOOK = 100
FINE_LOOKS = ((20, 1), (2_000, 10))  # so many canary requests from the beginning of a regression: so many a look
BEGAN_AT = 1_700_000_000.0
DAY_SECONDS = 86_400.0
BROKEN_USERS = 0.0025  # users whose every request fails, where users are simulated


class Truth(StrEnum):
    """What is right to do: keep HEALTHY, promote no BEYOND (a margin), find WORSE; TOLERABLE may stay or go."""

    HEALTHY = "healthy"
    TOLERABLE = "tolerable"
    BEYOND = "beyond"
    WORSE = "worse"


class Latency(StrEnum):
    NARROW = "lognormal, sigma 0.6"
    WIDE = "lognormal, sigma 1"
    CACHE = "cache hits and misses"


class Stage(NamedTuple):
    """`share` (0..1) of the requests go to CANARY once `after` canary requests have been seen."""

    after: int
    share: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """`error_excess` (a difference of fractions) and `slowdown` (a factor on every latency) are the canary's, from
    canary request `begins_at` on.

    `users` > 0: so many canary users with heavy-tailed activity stay with their version, and half of the errors come
    from the few that always fail. `drifts`: errors and latency follow the time of day, in both versions alike.
    """

    name: str
    truth: Truth
    error_rate: float = 0.005
    error_excess: float = 0.0
    latency: Latency = Latency.NARROW
    slowdown: float = 1.0
    begins_at: int = 0
    users: int = 0
    drifts: bool = False
    requests_per_second: float = 100.0
    stages: tuple[Stage, ...] = (Stage(0, 0.05),)

    @property
    def key(self) -> str:
        return f"{self.truth}: {self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What one version did in one slice; `latency` is bins of the sketch, the slots are subjects' hashes."""

    requests: int
    errors: int
    latency: Ints
    slot_requests: Ints
    slot_errors: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Epoch seconds; `stage` counts the shares so far, from 0."""

    started_at: float
    ended_at: float
    stage: int
    legacy: Counts
    canary: Counts


def slices(scenario: Scenario, seed: int) -> Iterator[Slice]:
    """The run `seed` of a scenario: the same slices, in every process, for ever."""
    rng = np.random.default_rng([seed, zlib.crc32(scenario.key.encode())])
    populations = _populations(scenario, rng) if scenario.users else (None, None)
    seen, now = 0, BEGAN_AT
    while seen < CANARY_REQUESTS:
        stage = max(index for index, each in enumerate(scenario.stages) if seen >= each.after)
        canary_n = _look(scenario, seen)
        legacy_n = round(canary_n / scenario.stages[stage].share) - canary_n
        ended_at = now + (canary_n + legacy_n) / scenario.requests_per_second
        begun = seen >= scenario.begins_at
        canary = _Traffic(scenario, populations[1], now, worse=begun)
        legacy = _Traffic(scenario, populations[0], now, worse=False)
        yield Slice(now, ended_at, stage, legacy.counts(legacy_n, rng), canary.counts(canary_n, rng))
        seen, now = seen + canary_n, ended_at


def _look(scenario: Scenario, seen: int) -> int:
    since = seen - scenario.begins_at
    if scenario.truth is not Truth.WORSE or since < 0:
        return LOOK
    return next((look for until, look in FINE_LOOKS if since < until), LOOK)


@dataclass(frozen=True, slots=True, eq=False)
class _Population:
    """Users of one version: how active (cumulated, ends at 1), in which slot, how often they fail."""

    activity: Floats
    slot: Ints
    error_rate: Floats


def _populations(scenario: Scenario, rng: np.random.Generator) -> tuple[_Population, _Population]:
    share = scenario.stages[0].share
    return (
        _population(round(scenario.users * (1 - share) / share), scenario.error_rate, rng),
        _population(scenario.users, scenario.error_rate, rng),
    )


def _population(users: int, error_rate: float, rng: np.random.Generator) -> _Population:
    activity = np.cumsum(rng.lognormal(0.0, 1.0, users))
    broken = rng.random(users) < BROKEN_USERS
    rates = np.where(broken, 1.0, error_rate - BROKEN_USERS)
    return _Population(activity / activity[-1], rng.integers(0, SLOTS, users), rates)


@dataclass(frozen=True, slots=True, eq=False)
class _Traffic:
    """One version from `at` on: draws its requests."""

    scenario: Scenario
    population: _Population | None
    at: float
    worse: bool = field(kw_only=True)

    def counts(self, requests: int, rng: np.random.Generator) -> Counts:
        slots, errors = self._independent(requests, rng) if self.population is None else self._sticky(requests, rng)
        latency = np.bincount(_bins(self._latency_ms(requests, rng)), minlength=BINS)
        return Counts(requests, int(errors.sum()), latency, slots, errors)

    def _independent(self, requests: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        errors = rng.binomial(requests, min(1.0, self._excess + self._level * self.scenario.error_rate))
        even = np.full(SLOTS, 1 / SLOTS)
        in_error = rng.multinomial(errors, even)
        return in_error + rng.multinomial(requests - errors, even), in_error

    def _sticky(self, requests: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        assert self.population is not None
        who = np.searchsorted(self.population.activity, rng.random(requests))
        failed = rng.random(requests) < self.population.error_rate[who] + self._excess
        slot = self.population.slot[who]
        return _by_slot(slot), _by_slot(slot[failed])

    @property
    def _excess(self) -> float:
        return self.scenario.error_excess if self.worse else 0.0

    @property
    def _level(self) -> float:
        """Errors over a day, as a factor: from 0.2 to 1.8."""
        return 1 + 0.8 * self._time_of_day if self.scenario.drifts else 1.0

    @property
    def _time_of_day(self) -> float:
        return float(np.sin(2 * np.pi * (self.at - BEGAN_AT) / DAY_SECONDS))

    def _latency_ms(self, requests: int, rng: np.random.Generator) -> Floats:
        factor = self.scenario.slowdown if self.worse else 1.0
        if self.scenario.drifts:
            factor *= 1 + 0.3 * self._time_of_day
        normal = rng.standard_normal(requests)
        match self.scenario.latency:
            case Latency.NARROW:
                return np.asarray(300 * factor * np.exp(0.6 * normal))
            case Latency.WIDE:
                return np.asarray(150 * factor * np.exp(normal))
            case Latency.CACHE:
                hit = rng.random(requests) < 0.8
                return np.asarray(factor * np.where(hit, 20 * np.exp(0.4 * normal), 400 * np.exp(0.5 * normal)))


def _by_slot(slot: Ints) -> Ints:
    return np.bincount(slot, minlength=SLOTS).astype(np.int64)


def _bins(latency_ms: Floats) -> Ints:
    """`sketch.bin_of` for many at once; on an edge itself the two may differ by rounding."""
    bins = np.ceil(np.log(latency_ms / (1_000 * SLOW_SECONDS)) / np.log(GROWTH)) + SLOW_BIN
    return np.asarray(np.clip(bins, 0, BINS - 1), dtype=np.int64)
