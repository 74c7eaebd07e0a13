"""The comparative tests as a table, and what one slice's strata say in each of them.

Rollback tests ask "is the canary worse?", promotion tests "is it worse by the margin or more?" with the roles of the
hypotheses exchanged. Each has a small grid of alternatives; the e-value is the mean over the grid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from serinus.analysis import proportions, quantiles
from serinus.analysis.arrays import Floats
from serinus.analysis.criteria import Criteria
from serinus.analysis.proportions import Pair
from serinus.analysis.quantiles import P95
from serinus.analysis.tables import CANARY, LEGACY, Count, Latencies, Strata, slots_of
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import SLOTS

ALTERNATIVES = 6
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
_ROUNDING = 1e-9
_NO_EXCESS = np.zeros(len(PROMOTION_PARTS))  # fills up the row of client errors: they gate no promotion
_MARGIN_REQUESTS = np.array([Count.VALID, Count.ANSWERED])
_MARGIN_EVENTS = np.array([Count.ERRORS, Count.CLIENT_ERRORS])
_RATES = ((Count.ERRORS, Count.VALID), (Count.CLIENT_ERRORS, Count.ANSWERED))
QUANTILES = ((Rollback.P95, P95), (Rollback.P75, 0.75), (Rollback.P90, 0.90), (Rollback.P99, 0.99))
_QUANTILES = tuple(q for _, q in QUANTILES)
# The share tests in the order of their events; after them comes the promotion test of P95.
_SHARE_ROWS = np.array([Rollback.ERRORS, *(row for row, _ in QUANTILES), Rollback.P95_STRICT])
_SHARE_ODDS = np.ones((len(_SHARE_ROWS) + 1, ALTERNATIVES))  # odds of 1 say nothing: they fill up shorter grids
_SHARE_ODDS[0] = ERROR_ODDS
_SHARE_ODDS[1:-1, : len(LATENCY_ODDS)] = LATENCY_ODDS
_SHARE_ODDS[-1, : len(PROMOTION_ODDS)] = PROMOTION_ODDS


def _log_prior(*rows: Sequence[float]) -> Floats:
    prior = np.full((len(rows), ALTERNATIVES), -math.inf)
    for row, weights in zip(prior, rows, strict=True):
        row[: len(weights)] = np.log(np.asarray(weights) / sum(weights))
    return prior


LOG_PRIOR = _log_prior(*([1.0] * alternatives for alternatives in (6, 4, 5, 5, 5, 5, 5, 4)))
PROMOTION_LOG_PRIOR = _log_prior([0.6, 0.25, 0.15], [1.0] * 4)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What LEGACY did in the strata before; thresholds and tilts come from here, so that they are known beforehand.

    `counts` (by `Count`) forgets over about 10,000 requests, `slots` (requests, errors) never, and `latency` over 2,000
    requests: while slow ones of a cold start or an incident make up more than a twentieth of it, P95's threshold is
    beyond nearly all the present ones, and the proof stands still. Evidence comes by requests, so they are what
    forgets, not the clock.
    """

    counts: Floats
    latency: Floats
    slots: Floats

    def rate(self, column: Count, of: Count) -> float:
        """Smoothed towards half a percent, so never 0 or 1."""
        return float((self.counts[column] + 0.5) / (self.counts[of] + 100.0))

    @property
    def design_effect(self) -> float:
        """By how much the errors of a slot vary more than independent requests' would (1: not at all).

        The estimate's own standard error is taken off, so that independent requests are not tempered by chance.
        """
        requests, errors = self.slots
        used, total, all_errors = int(np.count_nonzero(requests)), float(requests.sum()), float(errors.sum())
        if all_errors == 0 or all_errors >= total or used < 2:
            return 1.0
        rate, freedom = all_errors / total, used - 1
        # The sum over slots of (errors - requests rate)² / (requests rate (1 - rate)), multiplied out.
        squares = float(errors @ (errors / np.maximum(requests, 1.0)))
        spread = (squares - all_errors * rate) / (rate * (1 - rate))
        return max(1.0, spread / freedom - math.sqrt(2 / freedom))


FORGETTING_REQUESTS = 10_000
FORGETTING_LATENCIES = 2_000  # a hundred of them beyond P95


def no_past() -> Past:
    return Past(np.zeros(len(Count)), np.zeros(BINS), np.zeros((2, SLOTS)))


def learn(past: Past, strata: Strata) -> Past:
    """The past with the strata compared since; never with one that still waits to be compared."""
    requests = strata.counts[:, LEGACY, Count.VALID]
    total = float(requests.sum())
    after = total - requests.cumsum()  # of each stratum: those that came later, and make it be forgotten
    kept, kept_latency = np.exp(-after / FORGETTING_REQUESTS), np.exp(-after / FORGETTING_LATENCIES)
    found = strata.latencies
    weights = np.zeros((len(strata), 2))
    weights[:, LEGACY] = kept_latency
    latency = np.bincount(found.bins, found.counts * weights.ravel()[found.rows], BINS)
    return Past(
        past.counts * math.exp(-total / FORGETTING_REQUESTS) + kept @ strata.counts[:, LEGACY],
        past.latency * math.exp(-total / FORGETTING_LATENCIES) + latency,
        past.slots + slots_of(strata.slots[:, LEGACY].sum(axis=0), Count.ERRORS),
    )


class Ratios(NamedTuple):
    """Log-likelihood ratios of one slice: strata x tests x `ALTERNATIVES`, the tests by `Rollback` and `Promotion`."""

    rollback: Floats
    promotion: Floats


def compare(strata: Strata, past: Past, criteria: Criteria) -> Ratios:
    """What the strata say in every test; to say it of several strata together, add up."""
    counts = strata.counts
    ratios = Ratios(*(np.zeros((len(counts), len(tests), ALTERNATIVES)) for tests in (Rollback, Promotion)))
    _compare_shares(ratios, counts, strata.latencies, (past, criteria))
    _compare_margins(ratios, counts, past, criteria)
    tempering = 1 / past.design_effect
    if tempering < 1:
        ratios.rollback[:, Rollback.ERRORS : Rollback.ERRORS_STRICT + 1] *= tempering
        ratios.promotion[:, Promotion.ERRORS] *= tempering
    return ratios


def _compare_shares(ratios: Ratios, counts: Floats, latencies: Latencies, known: tuple[Past, Criteria]) -> None:
    """All share tests in one call, strata x tests in rows."""
    past, criteria = known
    strata, tests = len(counts), 1
    requests, events = counts[:, :, Count.VALID, None], counts[:, :, Count.ERRORS, None]
    if past.latency.sum() >= MIN_PAST_LATENCIES:
        seen, slow = _slow(latencies, strata, past, criteria)
        tests += slow.shape[2]
        requests, events = np.concatenate((requests, seen), axis=2), np.concatenate((events, slow), axis=2)
    pair = Pair(*(table[:, arm].ravel() for arm in (CANARY, LEGACY) for table in (requests, events)))
    shares = proportions.share(pair, np.tile(_SHARE_ODDS[:tests], (strata, 1))).reshape(strata, tests, ALTERNATIVES)
    ratios.rollback[:, _SHARE_ROWS[:tests]] = shares[:, : len(_SHARE_ROWS)]
    if tests > 1:
        ratios.promotion[:, Promotion.P95] = shares[:, -1]


def _slow(latencies: Latencies, strata: int, past: Past, criteria: Criteria) -> tuple[Floats, Floats]:
    """Requests seen, and those beyond LEGACY's past quantiles, strata x version x test; the canary's last two edges are
    shifted by the margin.
    """
    usual = quantiles.thresholds(past.latency, _QUANTILES)
    increase = quantiles.bins_of_increase(criteria.p95_margin)
    shifted = usual[0] + np.array([math.ceil(increase - _ROUNDING), math.floor(increase + _ROUNDING)])
    edges = np.minimum(np.concatenate((usual, shifted)), quantiles.LARGEST_THRESHOLD)
    passed = np.bincount(edges + 1, minlength=BINS).cumsum()  # how many of the edges a latency in each bin is beyond
    columns = len(edges) + 1
    places = latencies.rows * columns + passed[latencies.bins]
    counted = np.bincount(places, latencies.counts, 2 * strata * columns).reshape(strata, 2, columns)
    beyond, canary = counted[:, :, ::-1].cumsum(axis=2)[:, :, ::-1], passed[edges + 1]
    legacy = np.concatenate((canary[: len(usual)], canary[:1], canary[:1]))
    slow = np.empty((strata, 2, len(edges)))
    slow[:, LEGACY], slow[:, CANARY] = beyond[:, LEGACY, legacy], beyond[:, CANARY, canary]
    seen = np.maximum(beyond[:, :, :1], 0.0).repeat(len(edges), axis=2)
    return seen, np.maximum(np.minimum(slow, seen), 0.0)


def _compare_margins(ratios: Ratios, counts: Floats, past: Past, criteria: Criteria) -> None:
    """The difference tests in one call: of errors, then of client errors, and the strata of each."""
    strict = len(STRICT_EXCESS)
    columns = _MARGIN_REQUESTS, _MARGIN_EVENTS
    pair = Pair(*(counts[:, arm, each].T[..., None] for arm in (CANARY, LEGACY) for each in columns))
    base = np.array([[[past.rate(*columns)]] for columns in _RATES])
    margin = np.array([[[criteria.error_rate_margin]], [[criteria.client_error_margin]]])
    promotion = PROMOTION_PARTS * criteria.error_rate_margin - criteria.error_rate_margin
    excesses = np.array([[[*STRICT_EXCESS, *promotion]], [[*CLIENT_EXCESS, *_NO_EXCESS]]])
    tilts = proportions.tilts_towards(pair, margin, base + margin + excesses, base)
    errors, client_errors = proportions.difference(pair, margin, tilts)
    ratios.rollback[:, Rollback.ERRORS_STRICT, :strict] = errors[:, :strict]
    ratios.promotion[:, Promotion.ERRORS, : len(PROMOTION_PARTS)] = errors[:, strict:]
    ratios.rollback[:, Rollback.CLIENT_ERRORS, : len(CLIENT_EXCESS)] = client_errors[:, : len(CLIENT_EXCESS)]
