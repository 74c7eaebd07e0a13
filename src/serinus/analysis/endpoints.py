"""Each endpoint by itself: what one of many does badly is diluted in the sum of all.

Half of the comparative evidence speaks for all endpoints together, half is spread over them by weights that are fixed
when an endpoint is first compared, before anything is known of how it does: E = E_all / 2 + sum of v_e E_e / 2. An
endpoint that comes late has begun with the others and seen nothing, so its e-value starts at the weights already spent.
"""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.accumulator import accumulate, forget_gains
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import ALTERNATIVES, Rollback
from serinus.analysis.evidence import EndpointEvidence
from serinus.analysis.strata import Closed
from serinus.analysis.tables import CANARY, LEGACY, SLOT_KINDS, Count, Latencies, Matched, Tally
from serinus.analysis.watches import CUSUM_CAP, MILDEST, WATCH_OF, Watch
from serinus.metrics.sketch import BINS, mean_ms
from serinus.metrics.snapshot import SLOTS

MOST_ENDPOINTS = 32
"""Later ones speak through all endpoints together only."""
LOG_WHOLE = LOG_APART = -math.log(2)
FIRST_PART = 0.8
"""Of the endpoints' part, for those that are compared first, together; the others share the rest as they come."""


_NO_LATENCY = np.zeros((2, BINS))
_MIDDLES_SECONDS = np.array([mean_ms(bin_, 0, 0) / 1_000 for bin_ in range(BINS)])


def no_endpoint_evidence() -> EndpointEvidence:
    return _rows(0, -math.inf)


def _rows(endpoints: int, log_sum: float) -> EndpointEvidence:
    watches = len(Watch)
    return EndpointEvidence(
        names=(),
        log_weights=np.zeros(endpoints),
        log_sums=np.full((endpoints, len(Rollback), ALTERNATIVES), log_sum),
        cusums=np.zeros((endpoints, watches)),
        since=np.full((endpoints, watches), math.inf),
        counts=np.zeros((endpoints, watches, 2, len(Count))),
        slots=np.zeros((endpoints, watches, SLOT_KINDS, SLOTS)),
        latency=np.zeros((endpoints, 2, BINS)),
    )


def fold_endpoints(
    evidence: EndpointEvidence, closed: Closed, said: tuple[Floats, Matched], begun: tuple[float, float]
) -> EndpointEvidence:
    """The evidence with the strata that closed together.

    `said`: their log-likelihood ratios (strata x `Rollback` x alternatives) and tallies. `begun`: the log of all
    beginnings' weights before, and of this evaluation's.
    """
    ratios, tallies = said
    log_total, log_weight = begun
    evidence = _admit(evidence, closed, log_total)
    places = {name: row for row, name in enumerate(evidence.names)}
    rows = [places.get(name, -1) for name in closed.endpoints]
    started_at = closed.started_at
    if -1 in rows:
        strata = [index for index, row in enumerate(rows) if row >= 0]
        ratios, tallies, started_at = ratios[strata], tallies.only(strata), started_at[strata]
        rows = [row for row in rows if row >= 0]
    added = _Added(
        log_ratios=_spread(ratios, rows, len(places)),
        since=np.full((len(places), 1), math.inf),
        counts=_spread(tallies.counts, rows, len(places)),
        slots=_spread(tallies.slots, rows, len(places)),
        latencies=tallies.latencies._replace(rows=_rows_of(rows)[tallies.latencies.rows]),
    )
    np.minimum.at(added.since[:, 0], rows, started_at)
    return _grow(evidence, added, log_weight)


class _Added(NamedTuple):
    """What one evaluation adds, by endpoint; the rows of `latencies` are endpoints x versions."""

    log_ratios: Floats
    since: Floats
    counts: Floats
    slots: Floats
    latencies: Latencies


def _rows_of(endpoints: Sequence[int]) -> NDArray[np.intp]:
    """Rows of strata x versions as rows of endpoints x versions."""
    return np.asarray((2 * np.array(endpoints, dtype=np.intp)[:, None] + [LEGACY, CANARY]).ravel())


def endpoint_tally(evidence: EndpointEvidence, row: int, watch: Watch) -> Tally:
    """The segment of one endpoint's watch. Latencies stand in the middle of their bins, and there are P95's only."""
    latency = evidence.latency[row] if watch is Watch.P95 else _NO_LATENCY
    return Tally(evidence.counts[row, watch], latency, latency * _MIDDLES_SECONDS, evidence.slots[row, watch])


def _grow(evidence: EndpointEvidence, added: _Added, log_weight: float) -> EndpointEvidence:
    """Segments that are not running any more begin anew, and what they had proven is over."""
    cusums = np.minimum(np.maximum(evidence.cusums + added.log_ratios[:, MILDEST, 0], 0.0), CUSUM_CAP)
    running = cusums > 0
    log_sums = accumulate(evidence.log_sums, added.log_ratios, log_weight)
    return EndpointEvidence(
        names=evidence.names,
        log_weights=evidence.log_weights,
        log_sums=forget_gains(log_sums, ~running[:, WATCH_OF]),
        cusums=cusums,
        since=np.where(running, np.minimum(evidence.since, added.since), math.inf),
        counts=np.where(running[..., None, None], evidence.counts + added.counts[:, None], 0.0),
        slots=_slots(evidence.slots, added.slots, running),
        latency=_latency(evidence.latency, added.latencies, running[:, Watch.P95]),
    )


def _slots(kept: Floats, added: Floats, running: NDArray[np.bool_]) -> Floats:
    slots = np.zeros(kept.shape)
    endpoints, watches = running.nonzero()
    slots[endpoints, watches] = kept[endpoints, watches] + added[endpoints]
    return slots


def _latency(kept: Floats, added: Latencies, running: NDArray[np.bool_]) -> Floats:
    latency = np.zeros(kept.shape)
    latency[running] = kept[running]
    here = running.repeat(2)[added.rows]
    np.add.at(latency.reshape(-1), added.rows[here] * BINS + added.bins[here], added.counts[here])
    return latency


def _admit(evidence: EndpointEvidence, closed: Closed, log_total: float) -> EndpointEvidence:
    """Endpoints not compared before get a row, the busiest first, while there are any left."""
    if len(evidence.names) == MOST_ENDPOINTS or set(evidence.names).issuperset(closed.endpoints):
        return evidence
    requests = closed.strata.counts[:, CANARY, Count.ANSWERED]
    unknown = {name: -requests[at] for at, name in enumerate(closed.endpoints) if name not in evidence.names}
    names = sorted(unknown, key=lambda name: (unknown[name], name))[: MOST_ENDPOINTS - len(evidence.names)]
    weights = _later_weights(len(evidence.names), len(names)) if evidence.names else _first_weights(len(names))
    added = replace(_rows(len(names), log_total), names=tuple(names), log_weights=np.log(weights))
    arrays = {
        each.name: np.concatenate((getattr(evidence, each.name), getattr(added, each.name)))
        for each in fields(EndpointEvidence)
        if each.name != "names"
    }
    return EndpointEvidence(names=(*evidence.names, *names), **arrays)


def _first_weights(endpoints: int) -> Floats:
    return FIRST_PART * _by_rank(endpoints)


def _later_weights(before: int, endpoints: int) -> Floats:
    return (1 - FIRST_PART) * _by_rank(MOST_ENDPOINTS)[before : before + endpoints]


def _by_rank(endpoints: int) -> Floats:
    """Parts of 1 that follow the traffic, which is by Zipf's law as a rule."""
    parts = 1 / np.arange(1, endpoints + 1)
    return np.asarray(parts / parts.sum())


def _spread(values: Floats, rows: Sequence[int], endpoints: int) -> Floats:
    """The strata's values, added up by endpoint."""
    if list(rows) == list(range(endpoints)):
        return values
    spread = np.zeros((endpoints, *values.shape[1:]))
    if len(set(rows)) == len(rows):
        spread[rows] = values
    else:
        np.add.at(spread, rows, values)
    return spread
