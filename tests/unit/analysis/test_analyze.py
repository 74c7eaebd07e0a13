"""The report: four verdicts, each with its reason, and never a PASS on ignorance."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_cells import CRITERIA, ERRORS, begin, cell, judged, slice_of
from serinus.analysis.analyze import analyze, enter_step, fold
from serinus.analysis.criteria import Criteria
from serinus.analysis.reasons import NUMBERS, Reason
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Check, Metric, Report, Verdict
from serinus.metrics.snapshot import Cell, Outcome
from simulated_service import Service, cache_or_miss, slices


def checks(report: Report) -> Iterator[Check]:
    yield from (*report.slo, *report.proof, *report.worse, *report.holds)
    yield from (limit.check for limit in report.limits.values())


def by_metric(found: tuple[Check, ...], metric: Metric) -> Check:
    return next(check for check in found if check.metric is metric)


def drawn(service: Service, *, requests: int, look: int = 100, seed: int = 1) -> list[Slice]:
    return list(slices(service, np.random.default_rng(seed), requests=requests, look=look))


def after(stream: list[Slice], criteria: Criteria = CRITERIA) -> Report:
    evidence = begin(criteria)
    for each in stream:
        if each.split_revision > evidence.step.split_revision:
            evidence = enter_step(evidence, at=each.started_at, split_revision=each.split_revision)
        evidence = fold(evidence, each, criteria)
    return analyze(evidence, criteria, stream[-1].ended_at + 1)


# No data, and which.


def test_before_any_slice_the_collector_is_silent() -> None:
    report = analyze(begin(), CRITERIA, 30.0)
    assert {check.reason for check in checks(report)} == {Reason.COLLECTOR_SILENT, Reason.FEW_REQUESTS}
    assert not any(check.verdict is Verdict.PASS for check in checks(report))


@pytest.mark.parametrize(
    ("legacy", "canary", "reason"),
    [
        (cell(500), cell(0), Reason.NO_CANARY_TRAFFIC),
        (cell(0), cell(5_000), Reason.NO_LEGACY_TRAFFIC),
        (cell(0), cell(0), Reason.NO_CANARY_TRAFFIC),
    ],
)
def test_missing_traffic_is_named(legacy: Cell, canary: Cell, reason: Reason) -> None:
    report = judged(slice_of(0, legacy, canary))
    compared = (*report.slo[:2], *report.proof, *report.worse)
    assert {(check.verdict, check.reason) for check in compared} == {(Verdict.INCONCLUSIVE, reason)}


def test_versions_that_were_never_there_together_cannot_be_compared() -> None:
    criteria = replace(CRITERIA, min_canary_requests=100)
    report = judged(slice_of(0, cell(500), cell(0)), slice_of(1, cell(0), cell(500), endpoint="/b"), criteria=criteria)
    assert {check.reason for check in report.slo[:2]} == {Reason.NO_CONCURRENT_TRAFFIC}


def test_an_empty_slice_is_fresh_and_says_nothing() -> None:
    evidence = begin()
    report = analyze(fold(evidence, Slice(0.0, 2.0, 1), CRITERIA), CRITERIA, 3.0)
    assert report.through_at == 2.0
    assert {check.reason for check in report.slo[:2]} == {Reason.NO_CANARY_TRAFFIC}
    assert not any(check.verdict is Verdict.PASS for check in (*report.slo, *report.proof, *report.worse))


def test_counts_that_stopped_coming_are_stale() -> None:
    report = judged(slice_of(0, cell(19_000), cell(1_500)), after=11.0)
    assert {check.reason for check in (*report.slo[:2], *report.proof)} == {Reason.STALE}


@pytest.mark.parametrize(
    "bad",
    [
        Cell({Outcome.OK: -1}),
        Cell({Outcome.OK: math.nan}),  # type: ignore[dict-item]
        Cell({Outcome.OK: 5}, latency={3: math.inf}),  # type: ignore[dict-item]
        Cell({Outcome.OK: 5}, latency={100_000: 1}),
        Cell({Outcome.OK: 5}, latency={400: 1}, latency_seconds={400: math.inf}),
        Cell({Outcome.OK: 5}, latency={400: 1}, latency_seconds={-1: 1.0}),
        Cell({Outcome.OK: 5}, slot_requests=(5,), slot_errors=(0,)),
        Cell({Outcome.CLIENT_ERROR: 5}, slot_client_errors=(5,)),
    ],
)
def test_counts_that_cannot_be_are_an_error_and_leave_no_trace(bad: Cell) -> None:
    good = drawn(Service(error_rate=0.001), requests=6_000)
    report = after([*good, slice_of(400, cell(100), bad)])
    assert {check.verdict for check in (*report.slo, *report.proof)} == {Verdict.ERROR}
    assert report.canary.requests == 6_000


def test_an_error_in_the_counts_is_history_after_five_good_minutes() -> None:
    bad = slice_of(0, cell(100), Cell({Outcome.OK: -1}))
    good = [slice_of(n, cell(1_900), cell(100)) for n in range(160)]
    assert by_metric(judged(bad, *good).slo, Metric.VOLUME).verdict is Verdict.PASS


# Margins, observed.


def test_the_observed_criteria_are_the_literal_ones() -> None:
    legacy, canary = cell(19_000, 19), cell(1_001, 5)
    report = judged(slice_of(0, legacy, canary))
    errors, p95, volume = report.slo
    assert errors.value == pytest.approx(5 / 1_001 - 0.001)
    assert [errors.verdict, p95.verdict, volume.verdict] == [Verdict.PASS] * 3
    assert errors.need == 0.005


def test_the_volume_must_be_exceeded_not_reached() -> None:
    report = judged(slice_of(0, cell(19_000), cell(1_000)))
    assert [check.verdict for check in report.slo] == [Verdict.INCONCLUSIVE] * 3
    assert by_metric(report.slo, Metric.VOLUME).numbers["more_requests"] == 1


def test_client_errors_are_no_volume() -> None:
    report = judged(slice_of(0, cell(19_000), cell(900, client_errors=5_000)))
    assert by_metric(report.slo, Metric.VOLUME).value == 900


def test_a_margin_that_is_missed_is_a_fail() -> None:
    report = judged(slice_of(0, cell(19_000), cell(2_000, 12, seconds=0.23)))
    assert [check.verdict for check in report.slo] == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]
    assert report.slo[1].value == pytest.approx(0.15)


def test_a_ramp_while_the_day_gets_worse_for_both_looks_like_no_difference() -> None:
    service = Service(
        error_rate=0.002, shares=(0.05, 0.5), drift=lambda part: (1 + 9 * (part >= 0.5), 1 + (part >= 0.5))
    )
    together = [replace(each, split_revision=1) for each in drawn(service, requests=30_000)]
    errors, p95, _ = after(together).slo
    assert abs(errors.value or 1) < 0.003
    assert abs(p95.value or 1) < 0.05
    pooled_legacy = sum(c.legacy.errors for s in together for c in s.endpoints.values()) / sum(
        c.legacy.valid for s in together for c in s.endpoints.values()
    )
    pooled_canary = sum(c.canary.errors for s in together for c in s.endpoints.values()) / 30_000
    assert pooled_canary - pooled_legacy > 0.005  # what pooling over time would have said


def test_an_endpoint_with_a_smaller_share_does_not_bend_the_comparison() -> None:
    def both(number: int) -> Slice:
        bad, good = Compared(cell(950, 95, first_subject=number), cell(50, 5)), Compared(cell(500), cell(500))
        return Slice(2.0 * number, 2.0 * number + 2, 1, {"/bad": bad, "/good": good})

    report = judged(*(both(number) for number in range(40)))
    assert report.slo[0].value == pytest.approx(0.0, abs=1e-9)
    assert not any(check.verdict is Verdict.FAIL for check in (*report.worse, *report.holds))


# Margins, proven.


def test_a_canary_like_legacy_is_proven_to_be_within_both_margins() -> None:
    report = after(drawn(Service(error_rate=0.001), requests=6_000))
    assert [check.verdict for check in report.proof] == [Verdict.PASS, Verdict.PASS]
    assert report.proof[0].numbers["evidence"] >= 20


def test_a_proof_that_is_not_there_yet_says_how_many_requests_it_needs() -> None:
    service = Service(error_rate=0.005)
    early = after(drawn(service, requests=1_200)).proof[0]
    assert (early.verdict, early.reason) == (Verdict.INCONCLUSIVE, Reason.NOT_YET_PROVEN)
    assert 300 < early.numbers["more_requests"] < 6_000


def test_evidence_that_was_read_while_it_was_fresh_is_stale_later_all_the_same() -> None:
    evidence = fold(begin(), slice_of(0, cell(19_000, 19), cell(1_001, 1)), CRITERIA)
    fresh, stale, again = (analyze(evidence, CRITERIA, now) for now in (3.0, 60.0, 4.0))
    assert [check.verdict for check in fresh.slo] == [Verdict.PASS] * 3
    assert {check.reason for check in stale.slo[:2]} == {Reason.STALE}
    assert (fresh.at, stale.at, again.at) == (3.0, 60.0, 4.0)
    assert again.slo == fresh.slo
    looser = replace(CRITERIA, min_canary_requests=1_001)
    assert analyze(evidence, looser, 3.0).slo[2].verdict is Verdict.INCONCLUSIVE


def test_what_waits_for_requests_says_how_long_they_take_at_the_pace_of_the_step() -> None:
    report = judged(*(slice_of(number, cell(300), cell(30)) for number in range(10)))
    (volume,) = (check for check in report.slo if check.metric is Metric.VOLUME)
    assert volume.numbers["more_requests"] == 701
    assert volume.numbers["more_seconds"] == pytest.approx(701 / 15)
    proof = report.proof[0].numbers
    assert proof["more_seconds"] == pytest.approx(proof["more_requests"] / 15)
    few = judged(slice_of(0, cell(9), cell(1_100))).slo[0]
    assert (few.reason, few.numbers["more_seconds"]) == (Reason.FEW_LEGACY_REQUESTS, pytest.approx(91 / 4.5))


def test_nothing_is_proven_on_the_customers_thousand_requests_alone() -> None:
    report = judged(slice_of(0, cell(19_000, 190), cell(1_001, 10)))
    assert report.slo[0].verdict is Verdict.PASS
    assert {check.verdict for check in report.proof} == {Verdict.INCONCLUSIVE}


def test_a_slower_canary_is_never_proven_to_be_as_fast() -> None:
    report = after(drawn(Service(error_rate=0.001, canary_factor=1.12), requests=12_000))
    assert by_metric(report.proof, Metric.P95).verdict is Verdict.INCONCLUSIVE


def test_figures_and_proof_begin_again_with_each_step() -> None:
    evidence = begin()
    for each in drawn(Service(error_rate=0.001), requests=6_000):
        evidence = fold(evidence, each, CRITERIA)
    report = analyze(enter_step(evidence, at=600.0, split_revision=2), CRITERIA, 601.0)
    assert report.canary.requests == 0
    assert not any(check.verdict is Verdict.PASS for check in (*report.slo, *report.proof))


def test_slices_of_an_earlier_split_count_against_the_canary_and_not_for_it() -> None:
    evidence = enter_step(begin(), at=2.0, split_revision=2)
    evidence = fold(evidence, slice_of(1, cell(190), cell(10, 6), revision=1), CRITERIA)
    report = analyze(evidence, CRITERIA, 5.0)
    assert report.canary.requests == 0
    assert report.limits[ERRORS].breached


# Worse than LEGACY.


def test_more_errors_than_legacy_are_proven_and_explained() -> None:
    quiet = [slice_of(n, cell(1_900, 9, first_subject=7 * n), cell(100)) for n in range(20)]
    broken = [
        slice_of(n, cell(1_900, 9, first_subject=7 * n), cell(100, 4, first_subject=9 * n)) for n in range(20, 25)
    ]
    check = by_metric(judged(*quiet, *broken).worse, Metric.ERROR_RATE)
    assert (check.verdict, check.reason) == (Verdict.FAIL, Reason.WORSE)
    assert check.numbers["counted"] == 20
    assert check.numbers["expected"] == pytest.approx(500 * 9 / 1_900, abs=0.5)
    assert check.numbers["evidence"] > check.numbers["evidence_needed"]
    assert check.since == 40.0


def test_slower_answers_than_legacys_are_proven() -> None:
    report = after(drawn(Service(canary_factor=1.5, latency=cache_or_miss()), requests=1_500, look=50))
    check = by_metric(report.worse, Metric.P95)
    assert check.verdict is Verdict.FAIL
    assert (check.value or 0) > 0.1
    assert by_metric(report.worse, Metric.ERROR_RATE).verdict is Verdict.PASS


def test_a_canary_that_answers_not_found_to_many_is_proven_worse_by_its_client_errors() -> None:
    report = judged(*(slice_of(n, cell(1_900, client_errors=60), cell(80, client_errors=20)) for n in range(10)))
    assert by_metric(report.worse, Metric.CLIENT_ERROR_RATE).verdict is Verdict.FAIL
    assert by_metric(report.worse, Metric.ERROR_RATE).verdict is Verdict.PASS


def test_a_few_more_client_errors_are_tolerated() -> None:
    report = judged(*(slice_of(n, cell(1_900, client_errors=60), cell(96, client_errors=6)) for n in range(40)))
    assert by_metric(report.worse, Metric.CLIENT_ERROR_RATE).verdict is Verdict.PASS


def test_a_canary_that_is_worse_by_less_than_the_margin_is_held_and_not_rolled_back() -> None:
    stream = [slice_of(n, cell(19_000, 1, first_subject=n), cell(1_000, n % 3, first_subject=5 * n)) for n in range(30)]
    report = judged(*stream)
    assert not any(check.verdict is Verdict.FAIL for check in report.worse)
    assert [(check.verdict, check.reason) for check in report.holds] == [(Verdict.FAIL, Reason.WORSE_WITHIN_TOLERANCE)]


def test_the_strict_switch_waits_for_proof_beyond_the_margin() -> None:
    stream = drawn(Service(error_rate=0.001, canary_excess=0.007), requests=2_000, look=50, seed=3)
    assert by_metric(after(stream).worse, Metric.ERROR_RATE).verdict is Verdict.FAIL
    assert by_metric(after(stream, replace(CRITERIA, strict=True)).worse, Metric.ERROR_RATE).verdict is Verdict.PASS


def test_one_client_that_fails_a_thousand_times_holds_the_canary_and_does_not_roll_it_back() -> None:
    def broken_client(number: int) -> Slice:
        healthy = cell(100)
        slots, errors = list(healthy.slot_requests), list(healthy.slot_errors)
        slots[3], errors[3] = slots[3] + 8, 8
        canary = replace(healthy, outcomes={Outcome.OK: 100, Outcome.FAILED: 8}, slot_requests=tuple(slots))
        return slice_of(number, cell(1_900, 2, first_subject=number), replace(canary, slot_errors=tuple(errors)))

    report = judged(*(broken_client(number) for number in range(20)))
    assert not any(check.verdict is Verdict.FAIL for check in report.worse)
    assert not any(limit.breached for limit in report.limits.values())
    assert [check.reason for check in report.holds] == [Reason.WORSE_FOR_FEW_SUBJECTS]


def test_a_service_with_few_requests_is_compared_across_slices() -> None:
    """One request a second at 50 %: no slice has enough of both versions."""
    evidence, number = begin(), 0
    report = analyze(evidence, CRITERIA, 0.0)
    while not any(check.verdict is Verdict.FAIL for check in report.worse) and number < 400:
        legacy, canary = (cell(1), cell(0)) if number % 2 else (cell(0), cell(1, 1, first_subject=number))
        if number % 8 == 0:
            canary = cell(1, 1, first_subject=number)
        elif number % 2 == 0:
            canary = cell(1, first_subject=number)
        evidence = fold(evidence, slice_of(number, legacy, canary), replace(CRITERIA, limits=()))
        report = analyze(evidence, replace(CRITERIA, limits=()), 2.0 * number + 3)
        number += 1
    assert 40 < number < 200


def test_the_report_shows_legacy_as_it_was_when_the_canary_had_its_traffic() -> None:
    report = judged(slice_of(0, cell(1_000), cell(0)), slice_of(1, cell(1_000, 100), cell(100)))
    assert report.legacy.valid == 2_000
    assert report.legacy.error_rate == pytest.approx(0.05)


# All together.


def test_every_reason_comes_with_its_numbers_and_no_infinity() -> None:
    streams = [
        [slice_of(0, cell(19_000), cell(n, f, seconds=s)) for n, f, s in [(count, failed, seconds)]]
        for count, failed, seconds in [(0, 0, 0.2), (3, 1, 0.2), (80, 9, 2.5), (2_000, 300, 0.2), (1_500, 0, 0.2)]
    ]
    outage = [slice_of(0, cell(1_900, 600), cell(100, 32))]
    for report in (judged(*stream) for stream in (*streams, outage, [])):
        for check in checks(report):
            assert set(check.numbers) == set(NUMBERS[Reason(check.reason)]), check
            assert all(math.isfinite(number) for number in check.numbers.values()), check


counts = st.integers(0, 60)


@given(data=st.data())
@settings(max_examples=60)
def test_nothing_passes_without_enough_data(data: st.DataObject) -> None:
    evidence = begin()
    for number in range(data.draw(st.integers(0, 12))):
        n_l, n_c = data.draw(counts), data.draw(counts)
        legacy, canary = (cell(n, data.draw(st.integers(0, n))) for n in (n_l, n_c))
        evidence = fold(evidence, slice_of(number, legacy, canary), CRITERIA)
    report = analyze(evidence, CRITERIA, (evidence.through_at or 0.0) + 1)
    assert report.canary.valid <= CRITERIA.min_canary_requests
    assert not any(check.verdict is Verdict.PASS for check in (*report.slo, *report.proof))
