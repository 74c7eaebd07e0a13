"""As many of the users come to the canary as the split sends there, or the rollout holds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from made_cells import CRITERIA
from serinus.analysis.analyze import Evidence, analyze, enter_step, fold, start
from serinus.analysis.criteria import Desired
from serinus.analysis.reasons import Reason
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Check, Metric
from serinus.metrics.snapshot import SLOTS, Cell, Outcome

SHARE = 0.1


def came(rng: np.random.Generator, users: int, *, share: float = SHARE) -> NDArray[np.int64]:
    """Requests of heavy-tailed users, by version (LEGACY, canary) and slot."""
    requests = np.minimum(rng.pareto(2.5, users) + 1, 400).astype(np.int64)
    slots, canary = rng.integers(0, SLOTS, users), rng.random(users) < share
    return np.stack(
        [np.bincount(slots[arm], weights=requests[arm], minlength=SLOTS).astype(np.int64) for arm in (~canary, canary)]
    )


def cell(slots: NDArray[np.int64]) -> Cell:
    return Cell(outcomes={Outcome.OK: int(slots.sum())}, slot_requests=tuple(slots.tolist()), slot_errors=(0,) * SLOTS)


def after(*slices: Slice, desired: Desired | None = None) -> Evidence:
    evidence = enter_step(start(CRITERIA, 0.0), at=0.0, split_revision=1, desired=desired or Desired(SHARE))
    for each in slices:
        evidence = fold(evidence, each, CRITERIA)
    return evidence


def mismatch(evidence: Evidence) -> Check | None:
    found = [check for check in analyze(evidence, CRITERIA, 3.0).holds if check.metric is Metric.SAMPLE_RATIO]
    return found[0] if found else None


def one_slice(legacy: NDArray[np.int64], canary: NDArray[np.int64], endpoint: str = "/") -> Slice:
    return Slice(0.0, 2.0, 1, {endpoint: Compared(cell(legacy), cell(canary))})


def test_users_that_come_as_the_split_sends_them_are_no_mismatch() -> None:
    for seed in range(40):
        evidence = after(one_slice(*came(np.random.default_rng(seed), 4_000)))
        assert mismatch(evidence) is None


def test_a_canary_that_loses_half_of_its_requests_is_a_mismatch_that_says_by_how_much() -> None:
    legacy, canary = came(np.random.default_rng(1), 8_000)
    check = mismatch(after(one_slice(legacy, canary // 2)))
    assert check is not None
    assert check.reason is Reason.SAMPLE_RATIO_MISMATCH
    assert check.value == pytest.approx(0.05, abs=0.01)
    assert check.need == pytest.approx(SHARE)
    assert check.interval is not None
    assert check.interval.high < SHARE


def test_a_router_that_sends_nobody_to_the_canary_is_a_mismatch() -> None:
    legacy, canary = came(np.random.default_rng(2), 4_000)
    assert mismatch(after(one_slice(legacy + canary, np.zeros_like(canary)))) is not None


def test_a_few_users_are_never_a_mismatch_however_many_requests_they_make() -> None:
    legacy = np.zeros(SLOTS, dtype=np.int64)
    legacy[:20] = 5_000
    assert mismatch(after(one_slice(legacy, np.zeros_like(legacy)))) is None


def test_the_requests_that_the_breaker_kept_from_the_canary_came_to_it_all_the_same() -> None:
    legacy, canary = came(np.random.default_rng(3), 8_000)
    kept = Slice(0.0, 2.0, 1, {"/": Compared(cell(legacy), cell(canary // 4))}, {"/": tuple(canary - canary // 4)})
    assert mismatch(after(kept)) is None
    assert mismatch(after(one_slice(legacy, canary // 4))) is not None


def test_what_the_breaker_diverts_counts_even_when_nothing_else_came() -> None:
    legacy, canary = came(np.random.default_rng(4), 8_000)
    only = Slice(0.0, 2.0, 1, {}, {"/": tuple(canary)})
    assert mismatch(after(one_slice(legacy, np.zeros_like(canary)), only)) is None


def test_an_endpoint_with_a_cap_is_expected_to_have_its_cap() -> None:
    capped = one_slice(*came(np.random.default_rng(5), 8_000, share=0.02), endpoint="/capped")
    assert mismatch(after(capped)) is not None
    assert mismatch(after(capped, desired=Desired(SHARE, {"/capped": 0.02}))) is None


def test_nothing_is_expected_where_nothing_is_split() -> None:
    legacy, canary = came(np.random.default_rng(6), 4_000)
    for share in (0.0, 1.0):
        assert mismatch(after(one_slice(legacy, canary), desired=Desired(share))) is None
