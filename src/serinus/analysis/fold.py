"""Folding slices into the evidence, one after the other; each slice once, when it has closed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from functools import reduce
from operator import add

import numpy as np

from serinus.analysis.accumulator import Beginnings, accumulate, forget_gains
from serinus.analysis.comparison import (
    ALTERNATIVES,
    Past,
    Promotion,
    Rollback,
    learn,
    no_past,
    promotion_ratios,
    rollback_ratios,
)
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Comparison, Evidence, OpenStratum, Segment, StepEvidence
from serinus.analysis.limits import fold_limits, no_limit_evidence
from serinus.analysis.slices import Slice
from serinus.analysis.strata import gather
from serinus.analysis.tables import Table, empty_table, empty_tally, is_usable, matched, table_of, total

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
    strata = gather(evidence.open, tables, slice_)
    seconds = through_at - evidence.through_at if evidence.through_at is not None else 0.0
    return replace(
        evidence,
        through_at=through_at,
        open=strata.open,
        step=_fold_step(evidence, strata.closed, criteria, summed if _in_step(evidence, slice_) else None),
        comparison=_fold_comparison(evidence, strata.closed, criteria, slice_.ended_at),
        limits=fold_limits(
            evidence.limits, summed, criteria.limits, started_at=slice_.started_at, ended_at=slice_.ended_at
        ),
        past=learn(evidence.past, summed, seconds),
    )


def _in_step(evidence: Evidence, counted: Slice | OpenStratum) -> bool:
    return counted.split_revision >= evidence.step.split_revision


def _fold_step(
    evidence: Evidence, closed: Sequence[OpenStratum], criteria: Criteria, summed: Table | None
) -> StepEvidence:
    step = evidence.step
    if summed is not None:
        step = replace(step, table=step.table + summed)
    tables = [stratum.table for stratum in closed if _in_step(evidence, stratum)]
    if not tables:
        return step
    return replace(
        step,
        tally=reduce(add, map(matched, tables), step.tally),
        log_products=step.log_products + promotion_ratios(tables, evidence.past, criteria),
    )


def _fold_comparison(evidence: Evidence, closed: Sequence[OpenStratum], criteria: Criteria, at: float) -> Comparison:
    comparison, past = evidence.comparison, evidence.past
    if not closed:
        return comparison
    tables = [stratum.table for stratum in closed]
    ratios = rollback_ratios(tables, past, criteria)
    added = reduce(add, map(matched, tables))
    started_at = min(stratum.started_at for stratum in closed)
    segments = tuple(
        _grow(comparison.segments[watch], Segment(started_at, float(ratios[WATCHED[watch][0], 0]), added))
        for watch in Watch
    )
    beginnings, log_weight = comparison.beginnings.next(at)
    return Comparison(
        log_sums=forget_gains(accumulate(comparison.log_sums, ratios, log_weight), _settled(segments)),
        beginnings=beginnings,
        segments=segments,
        whole=comparison.whole + added,
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


__all__ = ["WATCHED", "Past", "Watch", "enter_step", "fold", "start"]
