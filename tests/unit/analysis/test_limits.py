"""Absolute limits: what proves a breach, what is only observed, and what the environment did to both versions."""

from dataclasses import replace

import pytest

from made_cells import AVAILABILITY, CRITERIA, ERRORS, LIMITS, P95, cell, folded, judged, slice_of
from serinus.analysis.criteria import Limit
from serinus.analysis.reasons import Reason
from serinus.analysis.slices import Slice
from serinus.analysis.verdict import Metric, Report, Verdict
from serinus.metrics.snapshot import Cell, Outcome


def rolled_back(report: Report) -> set[str]:
    limits = {check.check.name for check in report.limits.values() if check.check.verdict is Verdict.FAIL}
    return limits | {f"worse {check.name}" for check in report.worse if check.verdict is Verdict.FAIL}


def failures_needed(requests: int, legacy: tuple[int, int], history: tuple[Slice, ...] = ()) -> int | None:
    """The fewest failures among `requests` of the canary that roll it back; `legacy` is (requests, failures)."""
    past = folded(*history)
    for failed in range(1, requests + 1):
        last = slice_of(len(history), cell(*legacy, first_subject=5), cell(requests, failed))
        if rolled_back(judged(last, past=past)):
            return failed
    return None


@pytest.mark.parametrize(
    ("requests", "alone", "beside_a_good_legacy"),
    [
        (1, None, None),
        (2, None, None),
        (3, 3, 3),
        (4, 3, 3),
        (5, 3, 3),
        (10, 4, 3),
        (20, 4, 3),
        (50, 6, 3),
        (100, 8, 3),
    ],
)
def test_so_many_failures_of_so_many_requests_roll_back(
    requests: int, alone: int | None, beside_a_good_legacy: int | None
) -> None:
    assert failures_needed(requests, (0, 0)) == alone
    assert failures_needed(requests, (19 * requests, 0)) == beside_a_good_legacy


def test_a_dead_canary_is_found_at_its_fourth_request_after_a_long_healthy_time() -> None:
    healthy = tuple(slice_of(n, cell(1_900, 9, first_subject=n * 11), cell(100)) for n in range(200))
    assert failures_needed(3, (57, 0), healthy) is None
    assert failures_needed(4, (76, 0), healthy) == 4


def test_one_failure_in_three_requests_is_no_breach() -> None:
    report = judged(slice_of(0, cell(57), cell(3, 1)))
    assert not any(limit.breached for limit in report.limits.values())
    assert not rolled_back(report)


def test_a_rate_above_the_limit_on_too_few_requests_is_neither_kept_nor_breached() -> None:
    limit = judged(slice_of(0, cell(0), cell(100, 2))).limits[AVAILABILITY]
    assert (limit.check.verdict, limit.check.reason) == (Verdict.INCONCLUSIVE, Reason.LIMIT_UNCLEAR)
    assert limit.check.value == pytest.approx(0.98)
    assert not limit.breached


def test_failures_of_one_subject_among_many_prove_nothing() -> None:
    one = replace(cell(50), outcomes={Outcome.OK: 50, Outcome.FAILED: 30})
    slots, errors = list(one.slot_requests), list(one.slot_errors)
    slots[7], errors[7] = slots[7] + 30, 30
    report = judged(slice_of(0, cell(950), replace(one, slot_requests=tuple(slots), slot_errors=tuple(errors))))
    assert not rolled_back(report)
    assert not any(limit.breached or limit.actionable for limit in report.limits.values())


def test_a_lone_subject_is_believed_after_ten_failures() -> None:
    assert not rolled_back(judged(slice_of(0, cell(0), cell(9, 9, subjects=1))))
    assert rolled_back(judged(slice_of(0, cell(0), cell(10, 10, subjects=1))))


def test_a_breach_is_observed_before_it_is_proven_and_says_since_when() -> None:
    slices = [slice_of(n, cell(0), cell(50)) for n in range(3)] + [slice_of(3, cell(0), cell(150, 14))]
    limit = judged(*slices).limits[ERRORS]
    assert limit.check.verdict is Verdict.INCONCLUSIVE
    assert limit.check.reason == Reason.LIMIT_BREACHED
    assert limit.breached
    assert limit.actionable
    assert limit.check.since == 6.0
    assert limit.check.numbers["more_requests"] > 0


def test_a_breach_of_fewer_than_a_hundred_requests_is_not_acted_upon_unproven() -> None:
    limit = judged(slice_of(0, cell(0), cell(40, 6))).limits[ERRORS]
    assert limit.breached
    assert not limit.actionable


def test_a_breach_that_was_clear_once_lasts_as_long_as_its_stretch() -> None:
    clear = [slice_of(0, cell(0), cell(100, 14))]
    fading = [slice_of(n, cell(0), cell(20, n % 2)) for n in range(1, 9)]
    alone = judged(*clear, *fading).limits[ERRORS]
    assert alone.breached
    assert alone.check.since == 0.0


def test_a_breach_is_over_after_enough_good_requests() -> None:
    outage = [slice_of(0, cell(190, 60), cell(10, 3))]
    calm = [slice_of(n, cell(1_900), cell(100)) for n in range(1, 15)]
    assert judged(*outage).limits[ERRORS].breached
    assert not any(limit.breached for limit in judged(*outage, *calm).limits.values())


def test_an_outage_of_both_versions_is_an_incident_of_the_environment() -> None:
    report = judged(slice_of(0, cell(1_900, 600), cell(100, 32)))
    assert report.limits[ERRORS].environment
    assert report.limits[AVAILABILITY].environment
    assert report.limits[ERRORS].check.reason == Reason.ENVIRONMENT_INCIDENT
    assert not any(check.verdict is Verdict.FAIL for check in report.worse)


def test_what_an_environment_incident_proved_is_not_held_against_the_canary_afterwards() -> None:
    outage = [slice_of(0, cell(1_900, 600), cell(100, 32))]
    calm = [slice_of(n, cell(1_900, 9, first_subject=n * 7), cell(100)) for n in range(1, 30)]
    blip = [slice_of(30, cell(1_900, 9), cell(100, 3))]
    assert not rolled_back(judged(*outage, *calm, *blip))


def test_a_canary_that_fails_more_than_a_failing_legacy_is_no_incident_of_the_environment() -> None:
    report = judged(*(slice_of(n, cell(1_900, 130), cell(100, 60)) for n in range(3)))
    assert not report.limits[ERRORS].environment
    assert rolled_back(report)


def test_an_observed_breach_beside_a_legacy_at_the_limit_is_taken_for_the_environments() -> None:
    limit = judged(*(slice_of(n, cell(1_900, 94), cell(100, 9 - n)) for n in range(2))).limits[ERRORS]
    assert limit.breached
    assert limit.check.verdict is Verdict.INCONCLUSIVE
    assert limit.environment


def test_an_observed_breach_beside_a_legacy_clearly_below_the_limit_is_the_canarys() -> None:
    limit = judged(*(slice_of(n, cell(1_900, 60), cell(100, 9 - n)) for n in range(2))).limits[ERRORS]
    assert limit.breached
    assert not limit.environment


def test_an_observed_breach_of_a_canary_clearly_worse_than_legacy_is_its_own_however_little_legacy_there_was() -> None:
    limit = judged(slice_of(0, cell(110), cell(100, 11))).limits[ERRORS]
    assert limit.breached
    assert not limit.environment


def test_without_legacy_traffic_there_is_no_veto() -> None:
    report = judged(slice_of(0, cell(0), cell(100, 30)))
    assert not report.limits[ERRORS].environment
    assert report.limits[ERRORS].check.verdict is Verdict.FAIL


def test_slow_answers_breach_the_p95_limit_and_are_reported_in_milliseconds() -> None:
    limit = judged(slice_of(0, cell(0), cell(60, seconds=2.5))).limits[P95]
    assert limit.check.verdict is Verdict.FAIL
    assert limit.check.value == pytest.approx(2_500, rel=0.013)
    assert limit.check.need == 2_000


def test_exactly_two_seconds_are_within_the_limit() -> None:
    assert judged(slice_of(0, cell(0), cell(300, seconds=2.0))).limits[P95].check.verdict is Verdict.PASS


def test_requests_that_hang_count_as_slow_before_they_end_and_once_only() -> None:
    hanging = replace(cell(20), slow_opened=40)
    ended = replace(cell(0), slow_closed=40, latency=cell(40, seconds=9.0).latency)
    slow = judged(slice_of(0, cell(0), hanging)).limits[P95]
    assert slow.check.verdict is Verdict.FAIL
    both = judged(slice_of(0, cell(0), hanging), slice_of(1, cell(0), ended)).limits[P95]
    assert both.check.numbers["counted"] == 40
    assert both.check.numbers["requests"] == 60


def test_degraded_answers_are_errors_and_leave_the_service_available() -> None:
    degraded = Cell(outcomes={Outcome.OK: 60, Outcome.DEGRADED: 40})
    report = judged(slice_of(0, cell(0), degraded))
    assert report.limits[ERRORS].check.verdict is Verdict.FAIL
    assert report.limits[AVAILABILITY].check.verdict is Verdict.PASS
    assert report.limits[AVAILABILITY].check.value == 1.0


def test_the_level_of_an_alert_is_observed_and_never_rolls_back() -> None:
    alert = Limit("error alert", Metric.ERROR_RATE, 0.01, rolls_back=False)
    criteria = replace(CRITERIA, limits=(alert,))
    limit = judged(slice_of(0, cell(0), cell(400, 60)), criteria=criteria).limits["error alert"]
    assert limit.breached
    assert limit.check.verdict is Verdict.INCONCLUSIVE


def test_an_alert_takes_nothing_from_the_limits_that_roll_back() -> None:
    alert = Limit("error alert", Metric.ERROR_RATE, 0.01, rolls_back=False)
    criteria = replace(CRITERIA, limits=(*LIMITS, alert))
    needed = [slice_of(0, cell(0), cell(10, failed)) for failed in (3, 4)]
    assert [bool(rolled_back(judged(each, criteria=criteria))) for each in needed] == [False, True]
