"""Absolute limits on the canary alone: one-sample sequential tests, and the stretch that a breach rests on."""

import math
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serinus.analysis import planner, proportions, quantiles
from serinus.analysis.accumulator import Beginnings, accumulate, forget_gains
from serinus.analysis.arrays import Floats
from serinus.analysis.criteria import Limit
from serinus.analysis.evidence import LimitEvidence
from serinus.analysis.tables import CANARY, LEGACY, Count, Table, slots_of
from serinus.analysis.verdict import Metric
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import SLOTS

LIMIT_ODDS = np.array([1.5, 2.5, 5.0, 20.0, 170.0])
LIMIT_LOG_PRIOR = np.full(len(LIMIT_ODDS), -math.log(len(LIMIT_ODDS)))
CUSUM_CAP = 6.0  # nats: how much evidence a recovery must outweigh before the breach counts as over
# An observed breach is at least as clear as a one-sided 5 % test of its stretch (z = 1.645, z²/2 nats), and clearer the
# more has been looked at, for the stretch is picked out of everything since the start.
BREACH_NATS = 1.353
BREACH_REQUESTS = 1_000.0
P95_EVENTS = 0.05  # P95 is above the limit when more than this part is slower
_COLUMNS = {
    Metric.AVAILABILITY: (Count.VALID, Count.FAILED),
    Metric.CLIENT_ERROR_RATE: (Count.ANSWERED, Count.CLIENT_ERRORS),
}  # requests and events; the others' are valid requests and errors


class Part(IntEnum):
    """Columns of `LimitEvidence.counts`."""

    CANARY_N = 0
    CANARY_X = 1
    LEGACY_N = 2
    LEGACY_X = 3


def no_limit_evidence(limits: Sequence[Limit]) -> LimitEvidence:
    rows = len(limits)
    return LimitEvidence(
        log_sums=np.full((rows, len(LIMIT_ODDS)), -math.inf),
        beginnings=Beginnings(),
        cusums=np.zeros(rows),
        since=np.full(rows, math.inf),
        counts=np.zeros((rows, len(Part))),
        slots=np.zeros((rows, 2, SLOTS)),
        latency=np.zeros((rows, BINS)),
        seconds=np.zeros((rows, BINS)),
        clearest=np.full(rows, -math.inf),
    )


def allowed(limit: Limit) -> float:
    """The fraction of events at which the limit is met."""
    match limit.metric:
        case Metric.P95:
            return P95_EVENTS
        case Metric.AVAILABILITY:
            return 1 - limit.value
        case _:
            return limit.value


class _Bounds(NamedTuple):
    """What does not change from slice to slice, a row for each limit; `requests` and `events` are columns of counts."""

    allowed: tuple[float, ...]
    requests: NDArray[np.intp]
    events: NDArray[np.intp]
    slower: tuple[tuple[int, int], ...]
    """(row, first slow bin) of the limits on P95."""
    client_errors: tuple[int, ...]
    """Rows of the limits whose events are client errors; every other event is taken for an error."""


@lru_cache(maxsize=64)
def _bounds(limits: tuple[Limit, ...]) -> _Bounds:
    columns = [_COLUMNS.get(limit.metric, (Count.VALID, Count.ERRORS)) for limit in limits]
    return _Bounds(
        allowed=tuple(map(allowed, limits)),
        requests=np.array([requests for requests, _ in columns], dtype=np.intp),
        events=np.array([events for _, events in columns], dtype=np.intp),
        slower=tuple(
            (row, quantiles.threshold_of(limit.value) + 1)
            for row, limit in enumerate(limits)
            if limit.metric is Metric.P95
        ),
        client_errors=tuple(row for row, limit in enumerate(limits) if limit.metric is Metric.CLIENT_ERROR_RATE),
    )


def limit_counts(limits: tuple[Limit, ...], table: Table) -> Floats:
    """Requests and events of both versions: limits x `Part`."""
    bounds = _bounds(limits)
    counts = np.empty((len(limits), len(Part)))
    for arm, parts in ((CANARY, slice(0, 2)), (LEGACY, slice(2, 4))):
        row = table.counts[arm]
        counts[:, parts.start], counts[:, parts.start + 1] = row[bounds.requests], row[bounds.events]
        if bounds.slower:
            seen = max(0.0, float(table.latency[arm].sum()))
        for place, first in bounds.slower:
            counts[place, parts] = seen, min(max(float(table.latency[arm, first:].sum()), 0.0), seen)
    return counts


def fold_limits(
    evidence: LimitEvidence, table: Table, limits: tuple[Limit, ...], *, started_at: float, ended_at: float
) -> LimitEvidence:
    """The evidence with one more slice of all endpoints together."""
    counts = limit_counts(limits, table)
    if not limits or counts[:, Part.CANARY_N].max() <= 0:
        return evidence
    bounds = _bounds(limits)
    ratios = proportions.limit(counts[:, Part.CANARY_N], counts[:, Part.CANARY_X], np.array(bounds.allowed), LIMIT_ODDS)
    beginnings, log_weight = evidence.beginnings.next(ended_at)
    cusums = np.minimum(np.maximum(evidence.cusums + ratios[:, 0], 0.0), CUSUM_CAP)
    running = cusums > 0
    stretch = np.where(running[:, None], evidence.counts + counts, 0.0)
    total = evidence.total + float(table.counts[CANARY, Count.VALID])
    return LimitEvidence(
        log_sums=forget_gains(accumulate(evidence.log_sums, ratios, log_weight), ~running),
        beginnings=beginnings,
        cusums=cusums,
        since=np.where(running, np.minimum(evidence.since, started_at), math.inf),
        counts=stretch,
        slots=_stretch(evidence.slots, _slots(bounds, table), running),
        latency=_stretch(evidence.latency, table.latency[CANARY], running),
        seconds=_stretch(evidence.seconds, table.seconds[CANARY], running),
        clearest=np.where(running, np.maximum(evidence.clearest, _clearness(stretch, bounds, total)), -math.inf),
        total=total,
    )


def _stretch(kept: Floats, added: Floats, running: NDArray[np.bool_]) -> Floats:
    """With what is added to each row that is running; the others begin anew. `added` is a row for each, or for all."""
    if not running.any():
        return np.zeros(kept.shape)
    return np.where(running.reshape(-1, *(1,) * (kept.ndim - 1)), kept + added, 0.0)


def _slots(bounds: _Bounds, table: Table) -> Floats:
    """Of the canary, (requests, events) x `SLOTS`, for each limit if they differ."""
    errors = slots_of(table.slots[CANARY], Count.ERRORS)
    if not bounds.client_errors:
        return errors
    slots = np.repeat(errors[None], len(bounds.allowed), axis=0)
    slots[list(bounds.client_errors)] = slots_of(table.slots[CANARY], Count.CLIENT_ERRORS)
    return slots


def _clearness(counts: Floats, bounds: _Bounds, total: float) -> list[float]:
    """By how many nats the stretches are clearer than an observed breach must be."""
    rows = zip(counts[:, Part.CANARY_N].tolist(), counts[:, Part.CANARY_X].tolist(), bounds.allowed, strict=True)
    bar = BREACH_NATS + math.log1p(total / BREACH_REQUESTS)
    return [
        (requests * planner.limit_growth(events / requests, bound) if requests > 0 else 0.0) - bar
        for requests, events, bound in rows
    ]
