"""`serinus` as a decider: the shipped analysis and triggers, under the customer's plan."""

from dataclasses import replace
from math import inf, log

from benchmarks.decisions.deciders import Answer
from benchmarks.decisions.streams import BEGAN_AT, Counts, Slice

from serinus.analysis import analyze as analysis
from serinus.analysis.slices import Compared
from serinus.analysis.slices import Slice as AnalysedSlice
from serinus.metrics.snapshot import Cell, Outcome
from serinus.plans import load_shipped
from serinus.rollout.commands import Order, start
from serinus.rollout.gates import closed, gates
from serinus.rollout.plan import Evidence, Plan, Step
from serinus.rollout.state import Phase, Rollout, anew
from serinus.rollout.triggers import cause_of_rollback, track

CLOSES_AFTER_SECONDS = 1.0


class Serinus:
    """Rolls back what the triggers roll back: a proven regression or limit.

    A rollback for a breach that is only observed, at its deadline, is answered as DUE. Promotes when every gate of a
    `proven` step is open, its bake time aside.
    """

    def __init__(self) -> None:
        self._plan = _plan()
        self._rollout = _begun(self._plan)
        self._evidence = analysis.enter_step(
            analysis.start(self._plan.criteria, BEGAN_AT), at=BEGAN_AT, split_revision=1
        )
        self._stage, self._promoted = 0, False

    def feed(self, slice_: Slice) -> Answer | None:
        if slice_.stage != self._stage:
            self._stage = slice_.stage
            self._evidence = analysis.enter_step(self._evidence, at=slice_.started_at, split_revision=1 + slice_.stage)
        self._evidence = analysis.fold(self._evidence, _analysed(slice_), self._plan.criteria)
        return self._answer(slice_.ended_at + CLOSES_AFTER_SECONDS)

    def _answer(self, now: float) -> Answer | None:
        if not self._may_answer():
            return None
        report = analysis.analyze(self._evidence, self._plan.criteria, now)
        self._rollout = track(self._rollout, report, now).rollout
        cause = cause_of_rollback(self._rollout, report, now)
        if cause is not None:
            return Answer.ROLL_BACK if cause.proven else Answer.DUE
        if closed(gates(self._rollout, report, now)):
            return None
        self._promoted = True
        return Answer.PROMOTE

    def _may_answer(self) -> bool:
        """Whether there can be an answer, so that nobody asks in vain: weighted e-values add up to the largest at most.

        A promotion is answered once. A breach must be clear at some time, and is looked at until it is over.
        """
        evidence, criteria = self._evidence, self._plan.criteria
        against = (evidence.comparison.log_sums, evidence.endpoints.log_sums, evidence.limits.log_sums)
        if max(sums.max(initial=-inf) for sums in against) >= -log(criteria.alpha):
            return True
        if self._rollout.breaches or evidence.limits.clearest.max(initial=-inf) >= 0:
            return True
        proofs = evidence.step.log_products.max(axis=1)
        return not self._promoted and bool((proofs >= -log(criteria.promotion_alpha)).all())


def _plan() -> Plan:
    return replace(load_shipped("phase4"), steps=(Step(percentage=5, bake_seconds=0, evidence=Evidence.PROVEN),))


def _begun(plan: Plan) -> Rollout:
    pending = start(plan, Order(by="benchmark", at=BEGAN_AT), id="run", previous=None, split_revision=0).rollout
    return replace(pending, phase=Phase.PROGRESSING, **anew(BEGAN_AT))


def _analysed(slice_: Slice) -> AnalysedSlice:
    compared = Compared(legacy=_cell(slice_.legacy), canary=_cell(slice_.canary))
    return AnalysedSlice(slice_.started_at, slice_.ended_at, 1 + slice_.stage, {"/": compared})


def _cell(counts: Counts) -> Cell:
    used = counts.latency.nonzero()[0]
    return Cell(
        outcomes={Outcome.OK: counts.requests - counts.errors, Outcome.FAILED: counts.errors},
        latency=dict(zip(used.tolist(), counts.latency[used].tolist(), strict=True)),
        slot_requests=tuple(counts.slot_requests.tolist()),
        slot_errors=tuple(counts.slot_errors.tolist()),
    )
