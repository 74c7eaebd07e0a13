"""What a metric family is: its name and meaning for people, and where its numbers come from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import Any, Generic, TypeAlias, TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from serinus.metrics.sketch import SLOW_BIN, upper_edge_ms
from serinus.metrics.snapshot import Cell

BUCKET_BINS = tuple(SLOW_BIN + 32 * step for step in range(-18, 9))  # factor 1.46 from 2 ms to 42 s; 2 s is one of them

Facts = TypeVar("Facts")
Sample: TypeAlias = tuple[Sequence[str], Any]
"""The labels' values, and a number or, for a histogram, the `Cell` that has the latencies."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family(Generic[Facts]):
    """One family of series. `samples` reads them from the facts of a scrape; what is not known is not a number."""

    name: str
    meaning: str
    samples: Callable[[Facts], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE

    @property
    def exposed_name(self) -> str:
        """As queries write it."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name

    def metric(self, facts: Facts | None) -> Metric:
        """Without facts its name, kind and meaning alone."""
        samples = () if facts is None else self.samples(facts)
        if self.kind is Kind.HISTOGRAM:
            return _histogram(self.name, self.meaning, self.labels, samples)
        family = CounterMetricFamily if self.kind is Kind.COUNTER else GaugeMetricFamily
        metric = family(self.name, self.meaning, labels=self.labels)
        for values, number in samples:
            metric.add_metric(values, number)
        return metric


def single(number: float | None) -> Iterator[Sample]:
    """The only sample of a family without labels."""
    yield (), known(number)


def known(number: float | None) -> float:
    """Series that are there before there is anything to say hold no number, so that nothing compares with them."""
    return nan if number is None else float(number)


def _histogram(name: str, meaning: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    metric = HistogramMetricFamily(name, meaning, labels=labels)
    for values, cell in samples:
        metric.add_metric(values, list(_buckets(cell)), sum_value=cell.latency_sum_seconds)
    return metric


def _buckets(cell: Cell) -> Iterator[tuple[str, float]]:
    """Cumulative counts by upper edge in seconds; every edge is one of the grid, so no count is guessed."""
    latency: Mapping[int, int] = cell.latency
    for edge in BUCKET_BINS:
        yield repr(round(upper_edge_ms(edge) / 1_000, 6)), sum(count for bin_, count in latency.items() if bin_ <= edge)
    yield "+Inf", sum(latency.values())
