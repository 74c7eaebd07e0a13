"""Absolute limits on the canary alone: one-sample sequential tests, and the stretch that a breach rests on."""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum

import numpy as np

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


def limit_counts(limit: Limit, table: Table, arm: int) -> tuple[float, float]:
    """Requests and events of one version."""
    row = table.counts[arm]
    match limit.metric:
        case Metric.P95:
            seen = max(0.0, float(table.latency[arm].sum()))
            return seen, float(quantiles.slower(table.latency[arm], quantiles.threshold_of(limit.value)))
        case Metric.AVAILABILITY:
            return float(row[Count.VALID]), float(row[Count.FAILED])
        case Metric.CLIENT_ERROR_RATE:
            return float(row[Count.ANSWERED]), float(row[Count.CLIENT_ERRORS])
        case _:
            return float(row[Count.VALID]), float(row[Count.ERRORS])


def fold_limits(
    evidence: LimitEvidence, table: Table, limits: Sequence[Limit], *, started_at: float, ended_at: float
) -> LimitEvidence:
    """The evidence with one more slice of all endpoints together."""
    counts = np.array([limit_counts(limit, table, CANARY) + limit_counts(limit, table, LEGACY) for limit in limits])
    if not limits or counts[:, Part.CANARY_N].max() <= 0:
        return evidence
    bounds = np.array([allowed(limit) for limit in limits])
    ratios = proportions.limit(counts[:, Part.CANARY_N], counts[:, Part.CANARY_X], bounds, LIMIT_ODDS)
    beginnings, log_weight = evidence.beginnings.next(ended_at)
    cusums = np.clip(evidence.cusums + ratios[:, 0], 0.0, CUSUM_CAP)
    running = cusums > 0
    stretch = np.where(running[:, None], evidence.counts + counts, 0.0)
    total = evidence.total + float(table.counts[CANARY, Count.VALID])
    return replace(
        evidence,
        log_sums=forget_gains(accumulate(evidence.log_sums, ratios, log_weight), ~running),
        beginnings=beginnings,
        cusums=cusums,
        since=np.where(running, np.minimum(evidence.since, started_at), math.inf),
        counts=stretch,
        slots=np.where(running[:, None, None], evidence.slots + _slots(limits, table), 0.0),
        latency=np.where(running[:, None], evidence.latency + table.latency[CANARY], 0.0),
        seconds=np.where(running[:, None], evidence.seconds + table.seconds[CANARY], 0.0),
        clearest=np.where(running, np.maximum(evidence.clearest, _clearness(stretch, bounds, total)), -math.inf),
        total=total,
    )


def _slots(limits: Sequence[Limit], table: Table) -> Floats:
    """Of the canary, limits x (requests, events) x `SLOTS`; every event but a client error is taken for an error."""
    kinds = (Count.CLIENT_ERRORS if limit.metric is Metric.CLIENT_ERROR_RATE else Count.ERRORS for limit in limits)
    return np.stack([slots_of(table.slots[CANARY], kind) for kind in kinds])


def _clearness(counts: Floats, bounds: Floats, total: float) -> Floats:
    """By how many nats the stretches are clearer than an observed breach must be."""
    requests, events = counts[:, Part.CANARY_N], counts[:, Part.CANARY_X]
    rates = np.divide(events, requests, out=np.zeros_like(events), where=requests > 0)
    nats = np.where(rates > bounds, requests * planner.divergence(rates, bounds), 0.0)
    return np.asarray(nats - BREACH_NATS - math.log1p(total / BREACH_REQUESTS))
