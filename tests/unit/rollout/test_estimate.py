"""What a plan will take: the arithmetic between traffic, gates and bake times."""

import math
from dataclasses import replace

import pytest

from serinus.analysis.forecast import measured
from serinus.metrics.snapshot import Cell
from serinus.plans import load_shipped
from serinus.rollout.estimate import Baseline, EstimatedGate, PlanEstimate, Regression, estimate, lognormal

PHASE4 = load_shipped("phase4")
PER_DAY = 20_000 / 86_400
USUAL = Baseline(0.005, lognormal(800.0, 2.7))


def gate_seconds(found: PlanEstimate, step: int) -> dict[str, float]:
    return {gate.gate: gate.seconds for gate in found.steps[step].gates}


def detection(found: PlanEstimate, regression: Regression, step: int = 0) -> float:
    return next(each.requests for each in found.steps[step].detections if each.regression == regression)


def test_a_stated_p95_is_the_histograms_p95() -> None:
    assert USUAL.p95_ms == pytest.approx(800.0, rel=1e-3)
    assert Baseline(0.0, lognormal(30.0, 5.0)).p95_ms == pytest.approx(30.0, rel=1e-3)


def test_twenty_thousand_requests_a_day_miss_the_first_steps_volume_by_a_minute_and_a_half() -> None:
    found = estimate(PHASE4, USUAL, PER_DAY)
    first = found.steps[0]
    assert first.canary_requests_per_second * 86_400 == pytest.approx(1_000)
    assert [gate.gate for gate in first.late] == [EstimatedGate.VOLUME]
    assert first.binding.seconds - 86_400 == pytest.approx(1.001 * 86_400 - 86_400 + 4)
    assert [step.binding.gate for step in found.steps[1:]] == [EstimatedGate.BAKE] * 3


def test_ten_times_the_traffic_leaves_the_bake_times_alone() -> None:
    found = estimate(PHASE4, USUAL, 10 * PER_DAY)
    assert found.seconds == sum(step.bake_seconds for step in PHASE4.steps)
    assert found.left_after_seconds[-1] == found.seconds
    assert not any(step.late for step in found.steps)


def test_only_a_proven_step_waits_for_proofs() -> None:
    found = estimate(PHASE4, USUAL, PER_DAY)
    proofs = {EstimatedGate.PROVEN_ERRORS, EstimatedGate.PROVEN_P95}
    assert [bool(proofs & set(gate_seconds(found, step))) for step in range(4)] == [False, False, False, True]


def test_a_gate_that_cannot_be_decided_within_its_bake_time_is_named_and_binds() -> None:
    found = estimate(PHASE4, USUAL, PER_DAY / 10)
    last = found.steps[-1]
    assert EstimatedGate.PROVEN_P95 in {gate.gate for gate in last.late}
    assert last.binding.gate is EstimatedGate.PROVEN_P95


def test_wider_latencies_and_more_errors_take_longer_to_prove() -> None:
    usual = gate_seconds(estimate(PHASE4, USUAL, PER_DAY), 3)
    wide = gate_seconds(estimate(PHASE4, Baseline(0.02, lognormal(800.0, 6.0)), PER_DAY), 3)
    for gate in (EstimatedGate.PROVEN_ERRORS, EstimatedGate.PROVEN_P95):
        assert wide[gate] > 1.5 * usual[gate]


def test_clustered_users_take_longer_in_proportion_to_the_design_effect() -> None:
    clustered = replace(USUAL, design_effect=3.0)
    once, thrice = (gate_seconds(estimate(PHASE4, each, PER_DAY), 3) for each in (USUAL, clustered))
    ratio = (thrice[EstimatedGate.PROVEN_ERRORS] - 4) / (once[EstimatedGate.PROVEN_ERRORS] - 4)
    assert ratio == pytest.approx(3.0)
    assert thrice[EstimatedGate.PROVEN_P95] == once[EstimatedGate.PROVEN_P95]


def test_larger_regressions_are_found_sooner() -> None:
    found = estimate(PHASE4, USUAL, PER_DAY)
    for step in found.steps:
        errors = [each.requests for each in step.detections if each.regression.error_rate]
        slower = [each.requests for each in step.detections if each.regression.slowdown > 1]
        assert errors == sorted(errors, reverse=True)
        assert slower == sorted(slower, reverse=True)


def test_a_strict_plan_takes_longer_to_find_what_is_near_the_margin() -> None:
    plain, strict = (estimate(plan, USUAL, PER_DAY) for plan in (PHASE4, replace(PHASE4, strict=True)))
    assert detection(strict, Regression(error_rate=0.01)) > 2 * detection(plain, Regression(error_rate=0.01))


def test_a_regression_within_the_margin_is_never_rolled_back() -> None:
    tolerant = replace(PHASE4, margins=replace(PHASE4.margins, error_rate=0.02, p95=0.3), triggers=())
    found = estimate(tolerant, USUAL, PER_DAY)
    assert math.isinf(detection(found, Regression(error_rate=0.01)))
    assert math.isinf(detection(found, Regression(slowdown=1.2)))
    assert math.isfinite(detection(found, Regression(slowdown=1.5)))


def test_latencies_beyond_the_histogram_are_never_proven() -> None:
    seconds = gate_seconds(estimate(PHASE4, Baseline(0.005, lognormal(600_000.0, 2.7)), PER_DAY), 3)
    assert math.isfinite(seconds[EstimatedGate.PROVEN_ERRORS])
    assert math.isinf(seconds[EstimatedGate.OBSERVED_P95])
    assert math.isinf(seconds[EstimatedGate.PROVEN_P95])


def test_a_legacy_without_a_single_error_can_be_compared() -> None:
    found = estimate(PHASE4, Baseline(0.0, USUAL.latency), PER_DAY)
    assert math.isfinite(found.seconds)
    assert 0 < detection(found, Regression(error_rate=0.05)) < 100


def test_nothing_measured_is_no_baseline() -> None:
    assert measured([]) is None
    assert measured([Cell()]) is None
