"""From increases of a Prometheus's series to cells: whose labels mean which version, endpoint and outcome."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf, isnan
from typing import TypeAlias

from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.sketch import mean_ms
from serinus.metrics.snapshot import Cell, CellKey, Outcome
from serinus.sources.buckets import Bucket
from serinus.sources.counters import Increase

MAX_ENDPOINTS = 512
LE = "le"

_Counts: TypeAlias = Mapping[CellKey, Mapping[int, int]]
_Group: TypeAlias = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """The labels' names, and the values of the version's label; without `endpoint` all is one endpoint.

    `latency_unit_seconds`: how many seconds the histogram's `le` counts in (1, or 0.001).
    """

    version: str
    legacy: str
    canary: str
    endpoint: str
    status: str
    latency_unit_seconds: float = 1.0

    def version_of(self, labels: Mapping[str, str]) -> DeploymentVersion | None:
        values = {self.legacy: DeploymentVersion.LEGACY, self.canary: DeploymentVersion.CANARY}
        return values.get(labels.get(self.version, ""))


class Measured:
    """Turns increases into cells, all of them compared: whoever splits the traffic is believed to split it by user."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._endpoints = {OTHER_ENDPOINT}
        self._buckets: dict[tuple[CellKey, float, float], Bucket] = {}

    def cells(self, requests: Iterable[Increase], latency: Iterable[Increase]) -> dict[CellKey, Cell]:
        outcomes, statuses = self._outcomes(requests)
        latencies = self._latencies(latency)
        keys = {*outcomes, *latencies}
        return {key: _cell(outcomes.get(key, {}), statuses.get(key, {}), latencies.get(key, {})) for key in keys}

    def _outcomes(
        self, requests: Iterable[Increase]
    ) -> tuple[Mapping[CellKey, Mapping[Outcome, int]], Mapping[CellKey, Mapping[int, int]]]:
        outcomes: defaultdict[CellKey, Counter[Outcome]] = defaultdict(Counter)
        statuses: defaultdict[CellKey, Counter[int]] = defaultdict(Counter)
        for increase in requests:
            key = self._key(increase.labels)
            if key is not None and increase.count:
                status = status_of(increase.labels.get(self._meaning.status, ""))
                outcomes[key][outcome_of(status)] += increase.count
                statuses[key][status] += increase.count
        return outcomes, statuses

    def _latencies(self, increases: Iterable[Increase]) -> _Counts:
        counts: defaultdict[CellKey, Counter[int]] = defaultdict(Counter)
        for key, lower, upper, count in self._in_buckets(increases):
            if (key, lower, upper) not in self._buckets:
                self._buckets[key, lower, upper] = Bucket(lower, upper)
            counts[key].update(self._buckets[key, lower, upper].spread(count))
        return counts

    def _in_buckets(self, increases: Iterable[Increase]) -> Iterator[tuple[CellKey, float, float, int]]:
        """Each histogram by itself, for their edges may differ; `le` counts cumulatively."""
        histograms: defaultdict[_Group, dict[float, Increase]] = defaultdict(dict)
        for increase in increases:
            group = frozenset(pair for pair in increase.labels.items() if pair[0] != LE)
            histograms[group][self._edge(increase.labels)] = increase
        for by_edge in histograms.values():
            labels = next(iter(by_edge.values())).labels
            key = self._key(labels)
            if key is not None and self._is_timed(labels):
                yield from ((key, *piece) for piece in _pieces(by_edge))

    def _key(self, labels: Mapping[str, str]) -> CellKey | None:
        version = self._meaning.version_of(labels)
        return None if version is None else CellKey(version, self._endpoint(labels), compared=True)

    def _endpoint(self, labels: Mapping[str, str]) -> str:
        endpoint = labels.get(self._meaning.endpoint, "") or OTHER_ENDPOINT
        if endpoint not in self._endpoints:
            if len(self._endpoints) > MAX_ENDPOINTS:
                return OTHER_ENDPOINT
            self._endpoints.add(endpoint)
        return endpoint

    def _is_timed(self, labels: Mapping[str, str]) -> bool:
        """Client errors are not, as far as the histogram knows the status: they are quick, and nobody's fault."""
        status = labels.get(self._meaning.status)
        return status is None or outcome_of(status_of(status)) in {Outcome.OK, Outcome.FAILED}

    def _edge(self, labels: Mapping[str, str]) -> float:
        """In seconds; what is no number is beyond all."""
        try:
            edge = float(labels.get(LE, "+Inf"))
        except ValueError:
            return inf
        return inf if isnan(edge) else edge * self._meaning.latency_unit_seconds


def status_of(label: str) -> int:
    """Such as 503, or 500 for the class that is written 5xx or 5; 0 for what is none."""
    digits = label.lower().removesuffix("xx")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 3 else 0
    number = number * 100 if 1 <= number <= 5 else number
    return number if 100 <= number <= 599 else 0


def outcome_of(status: int) -> Outcome:
    """What had no status was answered by nobody: it counts for nobody, and not as traffic that went well."""
    if not status:
        return Outcome.CANCELLED
    if status >= 500:
        return Outcome.FAILED
    return Outcome.CLIENT_ERROR if status >= 400 else Outcome.OK


def _pieces(by_edge: Mapping[float, Increase]) -> Iterator[tuple[float, float, int]]:
    """(lower, upper, count) of each bucket; what is below nothing is in the first."""
    lower, below = 0.0, 0
    edges = sorted(edge for edge in by_edge if edge > 0)
    if edges == [inf]:
        return  # a histogram without edges has no latencies
    for edge in edges:
        count = by_edge[edge].count - below
        if count > 0:
            yield lower, edge, count
            below = by_edge[edge].count
        lower = edge


def _cell(outcomes: Mapping[Outcome, int], statuses: Mapping[int, int], latency: Mapping[int, int]) -> Cell:
    return Cell(
        outcomes=dict(outcomes),
        statuses=dict(statuses),
        latency=dict(latency),
        latency_seconds={bin_: count * mean_ms(bin_, 0, 0) / 1_000 for bin_, count in latency.items()},
    )
