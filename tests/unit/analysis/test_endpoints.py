"""Each endpoint is judged by itself as well, so that one of many cannot hide in the sum of all."""

import math

import numpy as np
import pytest

from made_cells import CRITERIA, begin, cell, judged
from serinus.analysis.analyze import analyze, fold
from serinus.analysis.comparison import Rollback
from serinus.analysis.endpoints import LOG_APART, LOG_WHOLE, MOST_ENDPOINTS
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric, Report, Verdict

QUIET = [f"/busy/{number}" for number in range(9)]


def sliced(number: int, endpoints: dict[str, Compared]) -> Slice:
    return Slice(2.0 * number, 2.0 * number + 2.0, 1, endpoints)


def busy(number: int) -> dict[str, Compared]:
    """Both versions alike, one request in a hundred failing."""
    return {
        name: Compared(cell(500, 5, first_subject=5 * number), cell(100, 1, first_subject=number)) for name in QUIET
    }


def proven(report: Report) -> list[tuple[str | None, Metric]]:
    return [(check.endpoint, check.metric) for check in report.worse if check.verdict is Verdict.FAIL]


def listed(report: Report) -> list[str | None]:
    return [check.endpoint for check in report.endpoints]


def test_an_endpoint_that_fails_is_proven_worse_though_the_sum_of_all_is_within_the_margin() -> None:
    rare = {"/rare": Compared(cell(100, 0), cell(12, 6, first_subject=3))}
    report = judged(*(sliced(number, busy(number) | rare) for number in range(60)))
    whole = report.canary.errors / report.canary.valid - report.legacy.errors / report.legacy.valid
    assert 0 < whole < 0.01
    assert ("/rare", Metric.ERROR_RATE) in proven(report) or (None, Metric.ERROR_RATE) in proven(report)
    assert listed(report) == ["/rare"]
    assert all(check.numbers["counted"] > 3 * check.numbers["expected"] for check in report.endpoints)


def test_what_is_listed_has_the_evidence_that_it_says_it_needs() -> None:
    found, evidence = [], begin()
    for number in range(60):
        rare = {"/rare": Compared(cell(60, 0), cell(3, 1, first_subject=number))}
        evidence = fold(evidence, sliced(number, busy(number) | rare), CRITERIA)
        found += analyze(evidence, CRITERIA, 2.0 * number + 2.0).endpoints
    assert found
    assert all(check.numbers["evidence"] >= check.numbers["evidence_needed"] > 20 for check in found)


def test_one_of_a_hundred_requests_on_a_broken_endpoint_is_too_little_for_the_sum_and_enough_for_itself() -> None:
    def rare(number: int) -> dict[str, Compared]:
        return {"/rare": Compared(cell(60, 0), cell(3, 1, first_subject=number))}

    report = judged(*(sliced(number, busy(number) | rare(number)) for number in range(200)))
    assert proven(report) == [("/rare", Metric.ERROR_RATE)]


def test_a_slow_endpoint_is_named_by_its_p95() -> None:
    slow = {"/slow": Compared(cell(100, 0, seconds=0.1), cell(20, 0, seconds=0.4))}
    report = judged(*(sliced(number, busy(number) | slow) for number in range(40)))
    assert [(check.endpoint, check.metric) for check in report.endpoints] == [("/slow", Metric.P95)]


def test_healthy_endpoints_are_not_listed() -> None:
    report = judged(*(sliced(number, busy(number)) for number in range(60)))
    assert listed(report) == []
    assert proven(report) == []


def test_an_endpoint_that_comes_late_is_judged_from_its_first_request() -> None:
    rare = {"/late": Compared(cell(100, 0), cell(12, 6, first_subject=3))}
    quiet = [sliced(number, busy(number)) for number in range(100)]
    report = judged(*quiet, *(sliced(number, busy(number) | rare) for number in range(100, 130)))
    assert listed(report) == ["/late"]


def test_an_endpoint_that_is_well_again_is_no_longer_listed() -> None:
    bad, good = Compared(cell(100, 0), cell(12, 6)), Compared(cell(100, 1), cell(50, 0))
    slices = [sliced(number, {"/one": bad, "/two": good}) for number in range(20)]
    assert listed(judged(*slices)) == ["/one"]
    slices += [sliced(number, {"/one": good, "/two": good}) for number in range(20, 120)]
    assert listed(judged(*slices)) == []


@pytest.mark.parametrize(("first", "later"), [(1, 0), (1, 40), (10, 5), (40, 10)])
def test_the_parts_of_the_mixture_never_add_up_to_more_than_one(first: int, later: int) -> None:
    evidence = begin()
    for number, count in enumerate((first, *[1] * later)):
        names = {f"/{number}/{each}": Compared(cell(100, 0), cell(20, 0)) for each in range(count)}
        evidence = fold(evidence, sliced(number, names), CRITERIA)
    parts = np.exp(evidence.endpoints.log_weights)
    assert len(parts) == min(first + later, MOST_ENDPOINTS)
    assert 0.8 * (1 - 1e-9) <= parts.sum() <= 1.0 + 1e-9
    assert math.exp(LOG_WHOLE) + math.exp(LOG_APART) == pytest.approx(1.0)


def test_more_endpoints_than_are_kept_apart_are_judged_together() -> None:
    many = {f"/{number}": Compared(cell(100, 0), cell(20, 0)) for number in range(MOST_ENDPOINTS + 8)}
    bad = many | {f"/{MOST_ENDPOINTS + 7}": Compared(cell(100, 0), cell(20, 20))}
    evidence = fold(begin(), sliced(0, many), CRITERIA)
    for number in range(1, 30):
        evidence = fold(evidence, sliced(number, bad), CRITERIA)
    assert len(evidence.endpoints.names) == MOST_ENDPOINTS
    assert evidence.endpoints.log_sums.shape[:2] == (MOST_ENDPOINTS, len(Rollback))
    assert proven(analyze(evidence, CRITERIA, 61.0)) == [(None, Metric.ERROR_RATE)]
