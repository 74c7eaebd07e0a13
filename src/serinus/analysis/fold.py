"""Folding slices into the evidence, one after the other; each slice once, when it has closed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import reduce
from itertools import compress
from operator import add

import numpy as np

from serinus.analysis.accumulator import Beginnings, accumulate, forget_gains
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import ALTERNATIVES, Promotion, Rollback, compare, learn, no_past
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Comparison, Evidence, OpenStratum, Segment, StepEvidence
from serinus.analysis.limits import fold_limits, no_limit_evidence
from serinus.analysis.slices import Slice
from serinus.analysis.strata import gather
from serinus.analysis.tables import empty_table, empty_tally, is_usable, matched, table_of, total

CUSUM_CAP = 12.0  # nats


class Watch(IntEnum):
    """The comparisons that keep a CUSUM segment, in the order of `Comparison.segments`."""

    ERRORS = 0
    P95 = 1
    CLIENT_ERRORS = 2


# The rollback tests that each segment guards; the first alternative of the first is the mildest.
WATCHED: Mapping[Watch, tuple[Rollback, ...]] = {
    Watch.ERRORS: (Rollback.ERRORS, Rollback.ERRORS_STRICT),
    Watch.P95: (Rollback.P95, Rollback.P95_STRICT, Rollback.P75, Rollback.P90, Rollback.P99),
    Watch.CLIENT_ERRORS: (Rollback.CLIENT_ERRORS,),
}
NO_SEGMENT = Segment(math.inf, 0.0, empty_tally())


def start(criteria: Criteria, at: float) -> Evidence:
    """No evidence yet, for a rollout that starts at `at` (epoch seconds)."""
    return Evidence(
        started_at=at,
        step=_no_step_evidence(at, split_revision=0),
        comparison=Comparison(
            log_sums=np.full((len(Rollback), ALTERNATIVES), -math.inf),
            beginnings=Beginnings(),
            segments=(NO_SEGMENT,) * len(Watch),
            whole=empty_tally(),
        ),
        limits=no_limit_evidence(criteria.limits),
        past=no_past(),
    )


def enter_step(evidence: Evidence, *, at: float, split_revision: int) -> Evidence:
    """Figures and promotion evidence begin again; slices of an earlier split still count for the rollback evidence."""
    return replace(evidence, step=_no_step_evidence(at, split_revision=split_revision))


def _no_step_evidence(at: float, *, split_revision: int) -> StepEvidence:
    return StepEvidence(at, split_revision, empty_table(), empty_tally(), np.zeros((len(Promotion), ALTERNATIVES)))


def fold(evidence: Evidence, slice_: Slice, criteria: Criteria) -> Evidence:
    """The evidence with one more closed slice. A slice with counts that cannot be is left out, and noted."""
    through_at = max(evidence.through_at or -math.inf, slice_.ended_at)
    if not all(is_usable(cell) for compared in slice_.endpoints.values() for cell in compared):
        return replace(evidence, through_at=through_at, unusable=evidence.unusable + 1, unusable_at=slice_.ended_at)
    tables = {endpoint: table_of(compared.legacy, compared.canary) for endpoint, compared in slice_.endpoints.items()}
    summed = total(tables)
    closed, still_open = gather(evidence.open, tables, slice_)
    judged = _compare(replace(evidence, open=still_open), closed, criteria, slice_.ended_at)
    step = judged.step
    if slice_.split_revision >= step.split_revision:
        step = replace(step, table=step.table + summed)
    span = {"started_at": slice_.started_at, "ended_at": slice_.ended_at}
    return replace(
        judged,
        through_at=through_at,
        step=step,
        limits=fold_limits(evidence.limits, summed, criteria.limits, **span),
        past=learn(evidence.past, [stratum.table for stratum in closed]),
    )


def _compare(evidence: Evidence, closed: Sequence[OpenStratum], criteria: Criteria, at: float) -> Evidence:
    """The evidence with the strata that closed at `at`; those of an earlier split count for a rollback only."""
    if not closed:
        return evidence
    ratios = compare([stratum.table for stratum in closed], evidence.past, criteria)
    tallies = [matched(stratum.table) for stratum in closed]
    added = Segment(min(stratum.started_at for stratum in closed), 0.0, reduce(add, tallies))
    comparison = _fold_comparison(evidence.comparison, ratios.rollback.sum(axis=0), added, at)
    present = [stratum.split_revision >= evidence.step.split_revision for stratum in closed]
    step = replace(
        evidence.step,
        tally=reduce(add, compress(tallies, present), evidence.step.tally),
        log_products=evidence.step.log_products + ratios.promotion[present].sum(axis=0),
    )
    return replace(evidence, comparison=comparison, step=step)


def _fold_comparison(comparison: Comparison, ratios: Floats, added: Segment, at: float) -> Comparison:
    segments = tuple(
        _grow(comparison.segments[watch], replace(added, cusum=float(ratios[WATCHED[watch][0], 0]))) for watch in Watch
    )
    beginnings, log_weight = comparison.beginnings.next(at)
    return Comparison(
        log_sums=forget_gains(accumulate(comparison.log_sums, ratios, log_weight), _settled(segments)),
        beginnings=beginnings,
        segments=segments,
        whole=comparison.whole + added.tally,
    )


def _grow(segment: Segment, step: Segment) -> Segment:
    cusum = min(segment.cusum + step.cusum, CUSUM_CAP)
    if cusum <= 0:
        return NO_SEGMENT
    return Segment(min(segment.since, step.since), cusum, segment.tally + step.tally)


def _settled(segments: tuple[Segment, ...]) -> np.typing.NDArray[np.bool_]:
    settled = np.zeros(len(Rollback), dtype=np.bool_)
    for watch, segment in zip(Watch, segments, strict=True):
        settled[list(WATCHED[watch])] = segment.cusum <= 0
    return settled
