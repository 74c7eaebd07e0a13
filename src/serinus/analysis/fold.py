"""Folding slices into the evidence, one after the other; each slice once, when it has closed."""

import math
from dataclasses import replace

import numpy as np

from serinus.analysis.accumulator import Beginnings, accumulate, forget_gains
from serinus.analysis.arrays import Floats
from serinus.analysis.arrivals import fold_arrivals, no_arrivals
from serinus.analysis.comparison import ALTERNATIVES, Promotion, Ratios, Rollback, compare, learn, no_past
from serinus.analysis.criteria import Criteria, Desired
from serinus.analysis.endpoints import fold_endpoints, no_endpoint_evidence
from serinus.analysis.evidence import Comparison, Evidence, Segment, StepEvidence
from serinus.analysis.limits import fold_limits, no_limit_evidence
from serinus.analysis.slices import Slice
from serinus.analysis.strata import Closed, gather
from serinus.analysis.tables import Matched, Tally, empty_table, empty_tally, matched
from serinus.analysis.tabulation import tabulate
from serinus.analysis.watches import CUSUM_CAP, MILDEST, WATCH_OF, Watch

NOT_DESIRED = Desired()
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
        endpoints=no_endpoint_evidence(),
        limits=no_limit_evidence(criteria.limits),
        past=no_past(),
    )


def enter_step(evidence: Evidence, *, at: float, split_revision: int, desired: Desired = NOT_DESIRED) -> Evidence:
    """Figures and promotion evidence begin again; slices of an earlier split still count for the rollback evidence."""
    return replace(evidence, step=_no_step_evidence(at, split_revision=split_revision, desired=desired))


def _no_step_evidence(at: float, *, split_revision: int, desired: Desired = NOT_DESIRED) -> StepEvidence:
    return StepEvidence(
        started_at=at,
        split_revision=split_revision,
        table=empty_table(),
        tally=empty_tally(),
        log_products=np.zeros((len(Promotion), ALTERNATIVES)),
        arrivals=no_arrivals(),
        desired=desired,
    )


def fold(evidence: Evidence, slice_: Slice, criteria: Criteria) -> Evidence:
    """The evidence with one more closed slice. A slice with counts that cannot be is left out, and noted."""
    through_at = max(evidence.through_at or -math.inf, slice_.ended_at)
    if not slice_.endpoints:
        return _without_comparison(evidence, slice_, through_at)
    strata = tabulate(list(slice_.endpoints.values()))
    if strata is None:
        return replace(evidence, through_at=through_at, unusable=evidence.unusable + 1, unusable_at=slice_.ended_at)
    summed = strata.summed()
    closed, still_open = gather(evidence.open, list(slice_.endpoints), strata, slice_)
    limits = fold_limits(
        evidence.limits, summed, criteria.limits, started_at=slice_.started_at, ended_at=slice_.ended_at
    )
    step = evidence.step
    if slice_.split_revision >= step.split_revision:
        arrivals = fold_arrivals(step.arrivals, slice_, strata, step.desired)
        step = replace(step, table=step.table + summed, arrivals=arrivals)
    folded = replace(evidence, through_at=through_at, step=step, limits=limits, open=still_open)
    return folded if closed is None else _compare(folded, closed, criteria, slice_.ended_at)


def _without_comparison(evidence: Evidence, slice_: Slice, through_at: float) -> Evidence:
    """With nothing in it but requests that the breakers diverted, or nothing at all."""
    step = evidence.step
    if slice_.diverted and slice_.split_revision >= step.split_revision:
        step = replace(step, arrivals=fold_arrivals(step.arrivals, slice_, None, step.desired))
    return replace(evidence, through_at=through_at, step=step)


def _compare(evidence: Evidence, closed: Closed, criteria: Criteria, at: float) -> Evidence:
    """The evidence with the strata that closed at `at`; those of an earlier split count for a rollback only."""
    ratios, tallies = compare(closed.strata, evidence.past, criteria), matched(closed.strata)
    beginnings, log_weight = evidence.comparison.beginnings.next(at)
    added = Segment(float(closed.started_at.min()), 0.0, tallies.summed())
    begun = (evidence.comparison.beginnings.log_total, log_weight)
    return replace(
        evidence,
        step=_fold_step(evidence.step, closed, (ratios, tallies), added.tally),
        comparison=_fold_comparison(evidence.comparison, ratios.rollback.sum(axis=0), added, (beginnings, log_weight)),
        endpoints=fold_endpoints(evidence.endpoints, closed, (ratios.rollback, tallies), begun),
        past=learn(evidence.past, closed.strata),
    )


def _fold_step(step: StepEvidence, closed: Closed, said: tuple[Ratios, Matched], everything: Tally) -> StepEvidence:
    """With the strata of the present split, whose tallies are `everything` unless the split has just changed."""
    (_, promotion), tallies = said
    present = [row for row, revision in enumerate(closed.split_revisions) if revision >= step.split_revision]
    if not present:
        return step
    if len(present) < len(promotion):
        everything, promotion = tallies.only(present).summed(), promotion[present]
    return replace(step, tally=step.tally + everything, log_products=step.log_products + promotion.sum(axis=0))


def _fold_comparison(
    comparison: Comparison, ratios: Floats, added: Segment, begun: tuple[Beginnings, float]
) -> Comparison:
    cusums = ratios[MILDEST, 0].tolist()
    segments = tuple(_grow(comparison.segments[watch], added, cusums[watch]) for watch in Watch)
    beginnings, log_weight = begun
    return Comparison(
        log_sums=forget_gains(accumulate(comparison.log_sums, ratios, log_weight), _settled(segments)),
        beginnings=beginnings,
        segments=segments,
        whole=comparison.whole + added.tally,
    )


def _grow(segment: Segment, step: Segment, nats: float) -> Segment:
    cusum = min(segment.cusum + nats, CUSUM_CAP)
    if cusum <= 0:
        return NO_SEGMENT
    return Segment(min(segment.since, step.since), cusum, segment.tally + step.tally)


def _settled(segments: tuple[Segment, ...]) -> np.typing.NDArray[np.bool_]:
    """By `Rollback` row: whether nothing speaks against the canary in its watch any more."""
    return np.asarray(np.array([segment.cusum <= 0 for segment in segments])[WATCH_OF])
