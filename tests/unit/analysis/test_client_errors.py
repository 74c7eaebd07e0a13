"""Client errors speak against a canary when many subjects have them, never when one does."""

from dataclasses import replace

import pytest

from made_cells import CRITERIA, begin, cell, judged, slice_of
from serinus.analysis.analyze import analyze, fold
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.reasons import Reason
from serinus.analysis.slices import Slice
from serinus.analysis.verdict import Metric, Report, Verdict
from serinus.metrics.snapshot import SLOTS, Cell, Outcome, merge

CLIENT_ERRORS = Metric.CLIENT_ERROR_RATE


def refusals(count: int, *, subject: int = 3) -> Cell:
    slots = tuple(count * (slot == subject) for slot in range(SLOTS))
    return Cell({Outcome.CLIENT_ERROR: count}, {429: count}, slot_client_errors=slots)


def throttled(number: int, others: Cell) -> Slice:
    """250 answers of 429 to one client of the canary."""
    return slice_of(number, cell(1_900, client_errors=20), merge((others, refusals(250))))


def verdict(report: Report) -> Verdict:
    return next(check.verdict for check in report.worse if check.metric is CLIENT_ERRORS)


def usual(number: int) -> Cell:
    return cell(100, client_errors=1, first_subject=7 * number)


def test_one_throttled_client_holds_the_canary_and_does_not_roll_it_back() -> None:
    report = judged(*(throttled(number, usual(number)) for number in range(20)))
    assert report.canary.client_errors == 5_020
    assert verdict(report) is Verdict.PASS
    assert [(check.metric, check.reason) for check in report.holds] == [(CLIENT_ERRORS, Reason.WORSE_FOR_FEW_SUBJECTS)]


def test_a_throttled_client_holds_nothing_once_it_has_calmed_down() -> None:
    evidence = begin()
    for number in range(20):
        evidence = fold(evidence, throttled(number, usual(number)), CRITERIA)
    for number in range(20, 35):
        evidence = fold(evidence, slice_of(number, cell(1_900, client_errors=20), usual(number)), CRITERIA)
    report = analyze(evidence, CRITERIA, 71.0)
    assert report.holds == ()
    assert verdict(report) is Verdict.PASS


@pytest.mark.parametrize("others", [0, 5])
def test_a_throttled_client_that_is_nearly_alone_on_the_canary_does_not_roll_it_back(others: int) -> None:
    report = judged(*(throttled(number, cell(others, subjects=1)) for number in range(20)))
    assert verdict(report) is Verdict.PASS


def test_not_found_for_everybody_is_proven_worse_beside_a_throttled_client() -> None:
    broken = [throttled(number, cell(70, client_errors=30, first_subject=30 * number)) for number in range(10)]
    report = judged(*broken)
    assert verdict(report) is Verdict.FAIL


def test_not_found_for_everybody_is_proven_worse_within_two_hundred_requests() -> None:
    broken = [slice_of(n, cell(1_900, client_errors=20), cell(16, client_errors=4, first_subject=n)) for n in range(10)]
    assert verdict(judged(*broken)) is Verdict.FAIL


def test_a_limit_on_client_errors_is_not_breached_by_one_client() -> None:
    criteria: Criteria = replace(CRITERIA, limits=(Limit("refused", CLIENT_ERRORS, 0.2, rolls_back=False),))
    one = judged(*(throttled(number, usual(number)) for number in range(10)), criteria=criteria)
    everybody = [slice_of(n, cell(1_900), cell(50, client_errors=50)) for n in range(10)]
    assert not one.limits["refused"].breached
    assert judged(*everybody, criteria=criteria).limits["refused"].breached
