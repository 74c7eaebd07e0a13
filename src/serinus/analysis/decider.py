"""The statistics without a service around them: slices in, an answer after each.

For experiments and benchmarks. A rollout adds what is not statistics: bake times, approvals, and the deadlines of
breaches that are only observed.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import chain

from serinus.analysis.analyze import analyze, enter_step, fold, start
from serinus.analysis.criteria import Criteria
from serinus.analysis.slices import GRACE_SECONDS, Slice
from serinus.analysis.verdict import Check, Report, Verdict
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import Cell, Outcome


class Answer(StrEnum):
    """ROLL_BACK: proven worse than LEGACY or beyond a limit. PROMOTE: proven within the margins, on this split."""

    HOLD = "hold"
    ROLL_BACK = "roll_back"
    PROMOTE = "promote"


class Decider:
    """Feed it one rollout's slices in the order of their ends, each once.

    A slice with a higher `split_revision` begins a step: the proof for a promotion begins anew, the evidence for a
    rollback goes on. Answers may be repeated, and may change until they are acted on.
    """

    def __init__(self, criteria: Criteria, *, at: float = 0.0) -> None:
        """`at`: when the rollout begins, in epoch seconds."""
        self._criteria = criteria
        self._evidence = start(criteria, at)
        self.report: Report = analyze(self._evidence, criteria, at)
        """What the last answer rests on: every figure, with its verdict, reason and numbers."""

    def feed(self, slice_: Slice) -> Answer:
        if slice_.split_revision > self._evidence.step.split_revision:
            revision = slice_.split_revision
            self._evidence = enter_step(self._evidence, at=slice_.started_at, split_revision=revision)
        self._evidence = fold(self._evidence, slice_, self._criteria)
        self.report = analyze(self._evidence, self._criteria, slice_.ended_at + GRACE_SECONDS)
        if causes(self.report):
            return Answer.ROLL_BACK
        return Answer.PROMOTE if _is_proven_good(self.report) else Answer.HOLD


def causes(report: Report) -> tuple[Check, ...]:
    """The checks that demand a rollback, those against LEGACY first."""
    limits = (limit.check for limit in report.limits.values() if not limit.environment)
    return tuple(check for check in (*report.worse, *limits) if check.verdict is Verdict.FAIL)


def _is_proven_good(report: Report) -> bool:
    calm = not report.holds and not any(limit.breached for limit in report.limits.values())
    return calm and all(check.verdict is Verdict.PASS for check in chain(report.slo, report.proof))


def counted(requests: int, errors: int, histogram: Sequence[int]) -> Cell:
    """What one version did: `requests`, of which `errors` failed, and how many there were in each bin of the sketch.

    `histogram` has `BINS` numbers (`serinus.metrics.sketch.bin_of` says which is whose). Without slots every request
    is taken for another user's. Raises ValueError for a histogram of another length.
    """
    if len(histogram) != BINS:
        raise ValueError(f"the histogram has {len(histogram)} bins instead of {BINS}")
    return Cell(
        outcomes={Outcome.OK: requests - errors, Outcome.FAILED: errors},
        latency={bin_: int(count) for bin_, count in enumerate(histogram) if count},
    )


__all__ = ["Answer", "Decider", "causes", "counted"]
