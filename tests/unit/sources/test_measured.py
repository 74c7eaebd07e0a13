"""From the labels and buckets of others to the cells that are judged."""

from collections import Counter
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.errors import SourceUnavailable
from serinus.metrics.sketch import SLOW_BIN, bin_of, quantile, upper_edge_ms
from serinus.metrics.snapshot import Cell, CellKey, Outcome
from serinus.sources.answers import Series, read_matrix, read_scalar
from serinus.sources.buckets import Bucket
from serinus.sources.counters import Increase
from serinus.sources.freshness import silent_seconds
from serinus.sources.measured import MAX_ENDPOINTS, Meaning, Measured, outcome_of, status_of

MEANING = Meaning("version", "stable", "next", endpoint="handler", status="code")


def grown(count: int, **labels: str) -> Increase:
    return Increase({"version": "next", "handler": "/buy", **labels}, 0, 15, count)


def canary(measured: Measured, requests: list[Increase], latency: list[Increase]) -> Cell:
    return measured.cells(requests, latency)[CellKey(DeploymentVersion.CANARY, "/buy", True)]


def test_labels_say_which_version_endpoint_and_outcome() -> None:
    requests = [
        grown(90, code="200"),
        grown(4, code="503"),
        grown(3, code="5xx"),
        grown(2, code="404"),
        grown(1, code="0"),
        grown(7, code="200", version="stable", handler=""),
        grown(8, code="200", version="nobody's"),
    ]
    cells = Measured(MEANING).cells(requests, [])
    cell = cells[CellKey(DeploymentVersion.CANARY, "/buy", True)]
    assert cell.outcomes == {Outcome.OK: 90, Outcome.FAILED: 7, Outcome.CLIENT_ERROR: 2, Outcome.CANCELLED: 1}
    assert (cell.errors, cell.valid, cell.error_rate) == (7, 97, 7 / 97)
    assert cells[CellKey(DeploymentVersion.LEGACY, OTHER_ENDPOINT, True)].requests == 7
    assert len(cells) == 2


@pytest.mark.parametrize(
    ("label", "status"),
    [("200", 200), ("5xx", 500), ("4XX", 400), ("5", 500), ("other", 0), ("", 0), ("0", 0), ("1200", 0), ("٥٠٠", 0)],
)
def test_a_status_is_read_as_its_exporter_writes_it(label: str, status: int) -> None:
    assert status_of(label) == status


def test_what_nobody_answered_is_neither_an_error_nor_traffic_that_went_well() -> None:
    assert outcome_of(0) is Outcome.CANCELLED


def test_buckets_keep_their_edges_and_their_numbers() -> None:
    latency = [
        grown(10, le="0.5"),
        grown(70, le="2.0"),
        grown(95, le="5"),
        grown(100, le="+Inf"),
    ]
    found = canary(Measured(MEANING), [grown(100, code="200")], latency).latency
    assert sum(found.values()) == 100
    assert sum(count for bin_, count in found.items() if bin_ < bin_of(0.5)) in {9, 10}
    assert sum(count for bin_, count in found.items() if bin_ > SLOW_BIN) == 30
    assert found[bin_of(5.0)] >= 5


def test_milliseconds_are_milliseconds() -> None:
    meaning = Meaning("version", "stable", "next", "handler", "code", latency_unit_seconds=0.001)
    found = canary(Measured(meaning), [grown(10, code="200")], [grown(4, le="2000"), grown(10, le="+Inf")]).latency
    assert sum(count for bin_, count in found.items() if bin_ > SLOW_BIN) == 6


def test_two_deployments_with_other_buckets_are_not_mixed_up() -> None:
    latency = [
        grown(10, le="1", pod="a"),
        grown(10, le="+Inf", pod="a"),
        grown(0, le="3", pod="b"),
        grown(20, le="+Inf", pod="b"),
    ]
    found = canary(Measured(MEANING), [grown(30, code="200")], latency).latency
    assert sum(count for bin_, count in found.items() if bin_ <= bin_of(1.0)) == 10
    assert found[bin_of(3.0)] == 20


def test_a_histogram_that_knows_the_status_leaves_client_errors_out() -> None:
    latency = [grown(5, le="1", code="200"), grown(9, le="1", code="404"), grown(9, le="+Inf", code="404")]
    found = canary(Measured(MEANING), [grown(14, code="200")], latency).latency
    assert sum(found.values()) == 5


def test_a_histogram_without_edges_has_no_latencies() -> None:
    assert canary(Measured(MEANING), [grown(5, code="200")], [grown(5, le="+Inf")]).latency == {}


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=30), st.floats(0.01, 3), st.floats(1.05, 3))
def test_however_they_come_requests_are_spread_over_their_bucket_as_prometheus_spreads_them(
    counts: list[int], lower: float, factor: float
) -> None:
    bucket, upper = Bucket(lower, lower * factor), lower * factor
    found: Counter[int] = Counter()
    for count in counts:
        found.update(bucket.spread(count))
    assert sum(found.values()) == sum(counts)
    assert all(lower * 1_000 <= upper_edge_ms(bin_) for bin_ in found)
    assert all(bin_ <= bin_of(upper) for bin_ in found)
    if sum(counts) >= 200:
        median_ms = quantile(found, {}, 0.5)
        assert median_ms is not None
        assert median_ms == pytest.approx(1_000 * (lower + upper) / 2, rel=0.02)


def test_the_endless_bucket_is_just_above_the_last_edge() -> None:
    assert Bucket(2.0, inf).spread(3) == {SLOW_BIN + 1: 3}
    assert set(Bucket(1.0, 2.0).spread(5_000)) == set(range(bin_of(1.0 + 1e-9), SLOW_BIN + 1))


def test_endpoints_beyond_a_number_are_one() -> None:
    measured = Measured(MEANING)
    cells = measured.cells([grown(1, code="200", handler=f"/{n}") for n in range(MAX_ENDPOINTS + 40)], [])
    assert len(cells) == MAX_ENDPOINTS + 1
    assert cells[CellKey(DeploymentVersion.CANARY, OTHER_ENDPOINT, True)].requests == 40


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        {"data": {"resultType": "vector", "result": []}},
        {"data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1]]}]}},
        {"data": {"resultType": "matrix", "result": [{"metric": [], "values": [[1, "2"]]}]}},
        {"data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "two"]]}]}},
        {"data": {"resultType": "scalar", "result": ["now"]}},
    ],
)
def test_answers_that_are_none_are_told_apart_from_no_traffic(answer: object) -> None:
    with pytest.raises(SourceUnavailable):
        read_matrix(answer)
    with pytest.raises(SourceUnavailable):
        read_scalar(answer)


def test_values_that_are_no_numbers_are_left_out() -> None:
    values = [[1, "1"], [2, "NaN"], [3, "+Inf"], [4, "5"]]
    answer = {"data": {"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": values}]}}
    assert read_matrix(answer) == (Series({"a": "b"}, ((1.0, 1.0), (4.0, 5.0))),)


def test_samples_are_missed_after_two_and_a_half_scrapes_and_not_before_ten_seconds() -> None:
    quick = [Series({}, ((0.0, 1.0), (1.0, 1.0)))]
    slow = [Series({}, ((0.0, 1.0), (30.0, 1.0)))]
    assert silent_seconds(quick, 11.0) is None
    assert silent_seconds(quick, 11.5) == 10.5
    assert silent_seconds(slow, 105.0) is None
    assert silent_seconds(slow, 105.5) == 75.5
    assert silent_seconds([], 0.0) == inf
