"""The judgement alone, as an experiment would use it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_cells import CRITERIA, cell, slice_of
from serinus.analysis.decider import Answer, Decider, causes, counted
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric, Verdict
from serinus.metrics.sketch import BINS, bin_of
from serinus.metrics.snapshot import Cell, Outcome
from simulated_service import Service, slices

DOCUMENT = Path(__file__).parents[3] / "docs" / "statistics.md"


def test_the_example_in_the_document_finds_its_regression() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    left: dict[str, Any] = {}
    exec(code, left)
    assert left["answer"] is Answer.ROLL_BACK
    assert left["number"] < 20
    assert "worse" in left["decider"].report.worse[0].reason


def answers(service: Service, *, requests: int, seed: int = 3) -> list[Answer]:
    decider = Decider(CRITERIA)
    return [decider.feed(each) for each in slices(service, np.random.default_rng(seed), requests=requests, look=100)]


def test_a_good_canary_is_held_until_it_is_proven_and_then_promoted() -> None:
    found = answers(Service(error_rate=0.001), requests=6_000)
    assert found[:10] == [Answer.HOLD] * 10
    assert found[-1] is Answer.PROMOTE
    assert Answer.ROLL_BACK not in found


def test_another_split_begins_the_proof_anew_and_not_the_evidence_against_the_canary() -> None:
    ramp = answers(Service(error_rate=0.001, shares=(0.05, 0.25)), requests=12_000)
    assert ramp[59] is Answer.PROMOTE
    assert ramp[60:70] == [Answer.HOLD] * 10
    assert ramp[-1] is Answer.PROMOTE
    decider = Decider(CRITERIA)
    bad = [
        decider.feed(slice_of(number, cell(300), cell(30, 1, first_subject=number), revision=number + 1))
        for number in range(12)
    ]
    assert bad[0] is Answer.HOLD
    assert bad[-1] is Answer.ROLL_BACK


def test_what_goes_wrong_in_both_versions_rolls_nothing_back() -> None:
    decider = Decider(CRITERIA)
    found = [decider.feed(slice_of(number, cell(400, 80), cell(40, 8))) for number in range(20)]
    assert set(found) == {Answer.HOLD}
    assert not causes(decider.report)


def test_a_cause_names_the_figure_that_it_is_about() -> None:
    decider = Decider(CRITERIA)
    answers_ = [decider.feed(slice_of(number, cell(400), cell(40, seconds=1.0))) for number in range(10)]
    assert answers_[-1] is Answer.ROLL_BACK
    assert causes(decider.report)[0].metric is Metric.P95


@pytest.mark.parametrize(
    "broken",
    [
        Cell(outcomes={Outcome.OK: -5}),
        counted(10, 20, [0] * BINS),
        Cell(outcomes={Outcome.OK: 5}, latency={-1: 5}),
        Cell(outcomes={Outcome.OK: 5}, latency={BINS: 5}),
        Cell(outcomes={Outcome.OK: 5}, latency={3: 5}, latency_seconds={3: float("nan")}),
        Cell(outcomes={Outcome.OK: 5}, latency={3: 5}, latency_seconds={4: 1.0}),
        Cell(outcomes={Outcome.OK: 5}, slot_requests=(1, 2), slot_errors=(1, 2)),
    ],
)
def test_counts_that_cannot_be_are_never_a_promotion(broken: Cell) -> None:
    decider = Decider(CRITERIA)
    found = [Answer.HOLD]
    for number, each in enumerate(
        slices(Service(error_rate=0.001), np.random.default_rng(3), requests=6_000, look=100)
    ):
        pair = each.endpoints["/"] if number < 59 else Compared(each.endpoints["/"].legacy, broken)
        found.append(decider.feed(Slice(each.started_at, each.ended_at, 1, {"/": pair})))
    assert found[-2:] == [Answer.PROMOTE, Answer.HOLD]
    assert {check.verdict for check in (*decider.report.slo, *decider.report.proof)} == {Verdict.ERROR}


def test_a_version_without_traffic_and_empty_slices_are_held_for_ever() -> None:
    for pair in (Compared(cell(500), Cell()), Compared(Cell(), cell(500)), Compared()):
        decider = Decider(CRITERIA)
        endpoints = {"/": pair} if pair != Compared() else {}
        found = {decider.feed(Slice(2.0 * n, 2.0 * n + 2, 1, endpoints)) for n in range(30)}
        assert found == {Answer.HOLD}


def test_a_histogram_of_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="10 bins instead of 1043"):
        counted(5, 0, [0] * 10)


def test_counted_requests_are_those_of_a_process() -> None:
    histogram = [0] * BINS
    histogram[bin_of(0.2)] = 50
    assert counted(50, 2, histogram).error_rate == cell(50, 2).error_rate
    assert counted(50, 2, histogram).latency == cell(50, 2).latency
