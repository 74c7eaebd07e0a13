"""Each endpoint by itself: what one of many does badly is diluted in the sum of all.

Half of the comparative evidence speaks for all endpoints together, half is spread over them by weights that are fixed
when an endpoint is first compared, before anything is known of how it does: E = E_all / 2 + sum of v_e E_e / 2. An
endpoint that comes late has begun with the others and seen nothing, so its e-value starts at the weights already spent.
"""

import math
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from serinus.analysis.accumulator import accumulate, forget_gains
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import ALTERNATIVES, Rollback
from serinus.analysis.evidence import EndpointEvidence
from serinus.analysis.strata import Closed
from serinus.analysis.tables import CANARY, SLOT_KINDS, Count, Tally
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
    evidence: EndpointEvidence, closed: Closed, said: tuple[Floats, Tally], begun: tuple[float, float]
) -> EndpointEvidence:
    """The evidence with the strata that closed together.

    `said`: their log-likelihood ratios (strata x `Rollback` x alternatives) and tallies. `begun`: the log of all
    beginnings' weights before, and of this evaluation's.
    """
    ratios, tallies = said
    log_total, log_weight = begun
    evidence = _admit(evidence, closed, log_total)
    places = {name: row for row, name in enumerate(evidence.names)}
    strata = [index for index, name in enumerate(closed.endpoints) if name in places]
    rows = [places[closed.endpoints[index]] for index in strata]
    added = replace(
        _rows(len(places), 0.0),
        names=evidence.names,
        log_sums=_spread(ratios[strata], rows, len(places)),
        counts=_spread(tallies.counts[strata], rows, len(places))[:, None],
        slots=_spread(tallies.slots[strata], rows, len(places))[:, None],
        latency=_spread(tallies.latency[strata], rows, len(places)),
    )
    np.minimum.at(added.since, rows, closed.started_at[strata, None])
    return _grow(evidence, added, log_weight)


def endpoint_tally(evidence: EndpointEvidence, row: int, watch: Watch) -> Tally:
    """The segment of one endpoint's watch. Latencies stand in the middle of their bins, and there are P95's only."""
    latency = evidence.latency[row] if watch is Watch.P95 else _NO_LATENCY
    return Tally(evidence.counts[row, watch], latency, latency * _MIDDLES_SECONDS, evidence.slots[row, watch])


def _grow(evidence: EndpointEvidence, added: EndpointEvidence, log_weight: float) -> EndpointEvidence:
    """Segments that are not running any more begin anew, and what they had proven is over."""
    cusums = np.clip(evidence.cusums + added.log_sums[:, MILDEST, 0], 0.0, CUSUM_CAP)
    running = cusums > 0
    log_sums = accumulate(evidence.log_sums, added.log_sums, log_weight)
    return EndpointEvidence(
        names=evidence.names,
        log_weights=evidence.log_weights,
        log_sums=forget_gains(log_sums, ~running[:, WATCH_OF]),
        cusums=cusums,
        since=np.where(running, np.minimum(evidence.since, added.since), math.inf),
        counts=np.where(running[..., None, None], evidence.counts + added.counts, 0.0),
        slots=np.where(running[..., None, None], evidence.slots + added.slots, 0.0),
        latency=np.where(running[:, Watch.P95, None, None], evidence.latency + added.latency, 0.0),
    )


def _admit(evidence: EndpointEvidence, closed: Closed, log_total: float) -> EndpointEvidence:
    """Endpoints not compared before get a row, the busiest first, while there are any left."""
    requests = closed.table.counts[:, CANARY, Count.ANSWERED]
    unknown = {name: -requests[at] for at, name in enumerate(closed.endpoints) if name not in evidence.names}
    names = sorted(unknown, key=lambda name: (unknown[name], name))[: MOST_ENDPOINTS - len(evidence.names)]
    if not names:
        return evidence
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
    spread = np.zeros((endpoints, *values.shape[1:]))
    if len(set(rows)) == len(rows):
        spread[rows] = values
    else:
        np.add.at(spread, rows, values)
    return spread
