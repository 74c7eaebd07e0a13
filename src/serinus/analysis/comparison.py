"""The comparative tests as a table, and what one slice's strata say in each of them.

Rollback tests ask "is the canary worse?", promotion tests "is it worse by the margin or more?" with the roles of the
hypotheses exchanged. Each has a small grid of alternatives; the e-value is the mean over the grid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from serinus.analysis import proportions, quantiles
from serinus.analysis.criteria import Criteria
from serinus.analysis.proportions import Pair
from serinus.analysis.quantiles import P95
from serinus.analysis.tables import CANARY, LEGACY, Count, Table
from serinus.metrics.snapshot import SLOTS

Floats: TypeAlias = NDArray[np.float64]

ALTERNATIVES = 6
MOST_SLOTS = SLOTS - 1
MIN_PAST_LATENCIES = 60  # LEGACY latencies before its quantiles are a threshold: three beyond P95


class Rollback(IntEnum):
    """Rows of the rollback tests. The strict ones ask "worse by more than the margin?"."""

    ERRORS = 0
    ERRORS_STRICT = 1
    P95 = 2
    P95_STRICT = 3
    P75 = 4
    P90 = 5
    P99 = 6
    CLIENT_ERRORS = 7


class Promotion(IntEnum):
    """Rows of the promotion tests."""

    ERRORS = 0
    P95 = 1


ERROR_ODDS = np.array([1.5, 2.2, 4.0, 8.0, 20.0, 100.0])
LATENCY_ODDS = np.array([1.25, 1.5, 2.0, 3.5, 8.0])
PROMOTION_ODDS = np.array([0.9, 0.8, 0.7, 0.5])
STRICT_EXCESS = np.array([0.004, 0.012, 0.04, 0.2])
CLIENT_EXCESS = np.array([0.02, 0.05, 0.15, 0.4])
PROMOTION_PARTS = np.array([0.0, 1 / 3, 2 / 3])  # of the margin: how much worse the canary may truly be
QUANTILES = ((Rollback.P95, P95), (Rollback.P75, 0.75), (Rollback.P90, 0.90), (Rollback.P99, 0.99))


def _log_prior(*rows: Sequence[float]) -> Floats:
    prior = np.full((len(rows), ALTERNATIVES), -math.inf)
    for row, weights in zip(prior, rows, strict=True):
        row[: len(weights)] = np.log(np.asarray(weights) / sum(weights))
    return prior


LOG_PRIOR = _log_prior(*([1.0] * alternatives for alternatives in (6, 4, 5, 5, 5, 5, 5, 4)))
PROMOTION_LOG_PRIOR = _log_prior([0.6, 0.25, 0.15], [1.0] * 4)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What LEGACY did before the present slice; thresholds and tilts come from here, so that they are known beforehand.

    `counts` (by `Count`) forgets over about 10,000 requests, `latency` by half in two hours, `slots` (requests,
    errors) never.
    """

    counts: Floats
    latency: Floats
    slots: Floats

    def rate(self, column: Count, of: Count) -> float:
        """Smoothed towards half a percent, so never 0 or 1."""
        return float((self.counts[column] + 0.5) / (self.counts[of] + 100.0))

    @property
    def design_effect(self) -> float:
        """By how much the errors of a slot vary more than independent requests' would (1: not at all)."""
        requests, errors = self.slots
        used = requests > 0
        if errors.sum() == 0 or used.sum() < 2:
            return 1.0
        rate = errors.sum() / requests.sum()
        expected = requests[used] * rate
        spread = (errors[used] - expected) ** 2 / np.maximum(expected * (1 - rate), 1e-12)
        return max(1.0, float(spread.sum() / (used.sum() - 1)))


FORGETTING_REQUESTS = 10_000
HALF_LIFE_SECONDS = 7_200.0


def no_past() -> Past:
    return Past(np.zeros(len(Count)), np.zeros(quantiles.BINS), np.zeros((2, SLOTS)))


def learn(past: Past, table: Table, seconds: float) -> Past:
    """The past with one more slice, `seconds` after the one before."""
    kept = math.exp(-float(table.counts[LEGACY, Count.VALID]) / FORGETTING_REQUESTS)
    faded = 0.5 ** (max(0.0, seconds) / HALF_LIFE_SECONDS)
    return Past(
        past.counts * kept + table.counts[LEGACY],
        past.latency * faded + table.latency[LEGACY],
        past.slots + table.slots[LEGACY],
    )


def column_pair(tables: Sequence[Table], events: Count, requests: Count) -> Pair:
    counts = np.stack([table.counts for table in tables])
    return Pair(
        counts[:, CANARY, requests], counts[:, CANARY, events], counts[:, LEGACY, requests], counts[:, LEGACY, events]
    )


def latency_pair(tables: Sequence[Table], threshold: int, shift: int = 0) -> Pair:
    """Requests slower than an edge; the canary's edge is `shift` bins further up."""
    latency = np.stack([table.latency for table in tables])
    seen = np.maximum(latency.sum(axis=-1), 0.0)
    beyond = min(threshold + shift, quantiles.LARGEST_THRESHOLD)
    return Pair(
        seen[:, CANARY],
        quantiles.slower(latency[:, CANARY], beyond),
        seen[:, LEGACY],
        quantiles.slower(latency[:, LEGACY], threshold),
    )


def rollback_ratios(tables: Sequence[Table], past: Past, criteria: Criteria) -> Floats:
    """The log-likelihood ratios of the strata together: `Rollback` x `ALTERNATIVES`."""
    ratios = np.zeros((len(Rollback), ALTERNATIVES))
    tempering = 1.0 / past.design_effect
    errors = column_pair(tables, Count.ERRORS, Count.VALID)
    _put(ratios, Rollback.ERRORS, tempering * proportions.share(errors, ERROR_ODDS))
    base = past.rate(Count.ERRORS, Count.VALID)
    strict = _difference(errors, base, criteria.error_rate_margin, base + criteria.error_rate_margin + STRICT_EXCESS)
    _put(ratios, Rollback.ERRORS_STRICT, tempering * strict)
    clients = column_pair(tables, Count.CLIENT_ERRORS, Count.ANSWERED)
    base = past.rate(Count.CLIENT_ERRORS, Count.ANSWERED)
    excess = base + criteria.client_error_margin + CLIENT_EXCESS
    _put(ratios, Rollback.CLIENT_ERRORS, _difference(clients, base, criteria.client_error_margin, excess))
    if past.latency.sum() >= MIN_PAST_LATENCIES:
        _put_latency(ratios, tables, past, criteria)
    return ratios


def _put_latency(ratios: Floats, tables: Sequence[Table], past: Past, criteria: Criteria) -> None:
    for row, q in QUANTILES:
        threshold = min(quantiles.quantile_bin(past.latency, q), quantiles.LARGEST_THRESHOLD)
        _put(ratios, row, proportions.share(latency_pair(tables, threshold), LATENCY_ODDS))
    threshold = min(quantiles.quantile_bin(past.latency, P95), quantiles.LARGEST_THRESHOLD)
    beyond = math.ceil(quantiles.bins_of_increase(criteria.p95_margin) - 1e-9)
    _put(ratios, Rollback.P95_STRICT, proportions.share(latency_pair(tables, threshold, beyond), LATENCY_ODDS))


def promotion_ratios(tables: Sequence[Table], past: Past, criteria: Criteria) -> Floats:
    """The log-likelihood ratios of the strata together: `Promotion` x `ALTERNATIVES`."""
    ratios = np.zeros((len(Promotion), ALTERNATIVES))
    errors = column_pair(tables, Count.ERRORS, Count.VALID)
    base = past.rate(Count.ERRORS, Count.VALID)
    alternatives = base + criteria.error_rate_margin * PROMOTION_PARTS
    proof = _difference(errors, base, criteria.error_rate_margin, alternatives)
    _put(ratios, Promotion.ERRORS, proof / past.design_effect)
    if past.latency.sum() >= MIN_PAST_LATENCIES:
        threshold = min(quantiles.quantile_bin(past.latency, P95), quantiles.LARGEST_THRESHOLD)
        within = math.floor(quantiles.bins_of_increase(criteria.p95_margin) + 1e-9)
        _put(ratios, Promotion.P95, proportions.share(latency_pair(tables, threshold, within), PROMOTION_ODDS))
    return ratios


def _difference(pair: Pair, legacy_p: float, margin: float, canary_p: Floats) -> Floats:
    tilts = proportions.tilts_towards(pair, margin, np.minimum(canary_p, 1 - 1e-6), legacy_p)
    return proportions.difference(pair, margin, tilts)


def _put(ratios: Floats, row: int, by_stratum: Floats) -> None:
    ratios[row, : by_stratum.shape[1]] = by_stratum.sum(axis=0)
