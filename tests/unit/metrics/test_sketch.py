"""The grid keeps its edges, and a quantile is the order statistic within a bin, exact where a bin's latencies agree."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.metrics.sketch import BINS, BINS_PER_TENTH, GROWTH, SLOW_BIN, bin_of, quantile, upper_edge_ms

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "sketch.json").read_text(encoding="utf-8"))
SHORTEST_SECONDS, LONGEST_SECONDS = 0.0005, 120.0

Draw = Callable[[random.Random], float]
SHAPES: dict[str, Draw] = {
    "lognormal": lambda source: source.lognormvariate(-3, 0.6),
    "wide lognormal": lambda source: source.lognormvariate(-2, 1.0),
    "exponential": lambda source: source.expovariate(20),
    "uniform": lambda source: source.uniform(0.001, 3.0),
    "pareto": lambda source: 0.002 * source.paretovariate(1.1),
    "cache or miss": lambda source: source.gauss(0.004, 0.0002) if source.random() < 0.93 else source.gauss(0.9, 0.05),
    "constant": lambda _source: 0.25,
}


def quantile_of(latencies: list[float], q: float) -> float | None:
    seconds: dict[int, float] = {}
    for each in latencies:
        seconds[bin_of(each)] = seconds.get(bin_of(each), 0.0) + each
    return quantile(Counter(map(bin_of, latencies)), seconds, q)


def order_statistic_ms(latencies: list[float], q: float) -> float:
    return 1_000 * sorted(latencies)[max(1, math.ceil(q * len(latencies))) - 1]


@pytest.mark.parametrize("vector", VECTORS["edges"], ids=lambda vector: f"bin {vector['bin']}")
def test_a_golden_bin_keeps_its_edge(vector: dict[str, float]) -> None:
    assert upper_edge_ms(int(vector["bin"])) == pytest.approx(vector["upper_edge_ms"], rel=1e-12)


@pytest.mark.parametrize("vector", VECTORS["latencies"], ids=lambda vector: f"{vector['ms']} ms")
def test_a_golden_latency_keeps_its_bin(vector: dict[str, str]) -> None:
    assert bin_of(float(vector["ms"]) / 1_000) == vector["bin"]


def test_two_seconds_are_exactly_an_edge() -> None:
    assert bin_of(2.0) == SLOW_BIN
    assert bin_of(math.nextafter(2.0, 3.0)) == SLOW_BIN + 1
    assert upper_edge_ms(SLOW_BIN) == 2_000.0


@pytest.mark.parametrize("bin_", range(0, BINS - 1 - BINS_PER_TENTH, 40))
def test_ten_percent_slower_is_eight_bins(bin_: int) -> None:
    assert upper_edge_ms(bin_ + BINS_PER_TENTH) == pytest.approx(1.1 * upper_edge_ms(bin_), rel=1e-12)


@pytest.mark.parametrize("bin_", [0, 1, 500, SLOW_BIN, BINS - 2])
def test_a_bin_takes_its_upper_edge_and_nothing_beyond(bin_: int) -> None:
    edge = upper_edge_ms(bin_) / 1_000
    assert (bin_of(edge), bin_of(math.nextafter(edge, math.inf))) == (bin_, bin_ + 1)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_longer_latency_is_never_in_an_earlier_bin(one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert 0 <= bin_of(short) <= bin_of(long) <= BINS - 1


def test_the_last_bin_is_open() -> None:
    assert bin_of(math.inf) == BINS - 1
    assert upper_edge_ms(BINS - 1) == math.inf


@pytest.mark.parametrize("size", [1, 2, 20, 333, 10_000])
@pytest.mark.parametrize("shape", SHAPES)
def test_quantiles_are_within_one_percent_of_the_exact_order_statistic(shape: str, size: int) -> None:
    source = random.Random(f"{shape} {size}")
    latencies = [min(max(SHAPES[shape](source), SHORTEST_SECONDS), LONGEST_SECONDS) for _ in range(size)]
    for q in (0.5, 0.75, 0.95, 0.99):
        assert quantile_of(latencies, q) == pytest.approx(order_statistic_ms(latencies, q), rel=0.01)


@given(st.lists(st.floats(SHORTEST_SECONDS, LONGEST_SECONDS), min_size=1), st.floats(0, 1))
def test_any_quantile_of_any_latencies_is_within_a_bin(latencies: list[float], q: float) -> None:
    assert quantile_of(latencies, q) == pytest.approx(order_statistic_ms(latencies, q), rel=GROWTH - 1)


@given(st.floats(SHORTEST_SECONDS, LONGEST_SECONDS), st.integers(1, 2_000), st.floats(0, 1))
def test_a_quantile_of_latencies_that_are_all_alike_is_exact(seconds: float, size: int, q: float) -> None:
    assert quantile_of([seconds] * size, q) == pytest.approx(1_000 * seconds, rel=1e-9)


@pytest.mark.parametrize("name", ["D8s_v5_read_only", "D8s_v5_read_write", "B8ms_read_only", "B8ms_read_write"])
def test_quantiles_of_real_database_latencies_are_within_one_percent(shared_data: Path, name: str) -> None:
    text = (shared_data / "traffic" / f"azure_vmnoise_pg25_{name}.csv").read_text(encoding="utf-8")
    latencies = [float(line.split(",")[-1]) / 1_000 for line in text.splitlines()[1:]]
    for q in (0.5, 0.95, 0.99):
        assert quantile_of(latencies, q) == pytest.approx(order_statistic_ms(latencies, q), rel=0.01)


@given(st.lists(st.floats(1.95, 2.05), min_size=1), st.floats(0, 1))
def test_a_quantile_is_above_two_seconds_exactly_when_the_order_statistic_is(latencies: list[float], q: float) -> None:
    value = quantile_of(latencies, q)
    assert value is not None
    assert (value > 2_000) == (order_statistic_ms(latencies, q) > 2_000)


def test_without_its_sum_a_bin_stands_for_its_middle() -> None:
    middle = quantile({500: 3}, {}, 0.5)
    assert middle == pytest.approx(upper_edge_ms(500) / math.sqrt(GROWTH))


def test_without_requests_there_is_no_quantile() -> None:
    assert quantile({}, {}, 0.95) is None


def test_latencies_beyond_the_grid_are_reported_as_its_ends() -> None:
    assert quantile({0: 1}, {}, 0.5) == upper_edge_ms(0)
    assert quantile({BINS - 1: 1}, {}, 0.5) == upper_edge_ms(BINS - 2)
