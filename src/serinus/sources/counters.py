"""From counters that only grow, and begin anew when their process does, to what was counted between two readings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from serinus.sources.answers import Series

FORGET_SECONDS = 86_400.0  # a series without samples for so long is another one when it comes again

_Identity: TypeAlias = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Increase:
    """What one series counted after `since_at` up to `until_at` (Prometheus's clock)."""

    labels: Mapping[str, str]
    since_at: float
    until_at: float
    count: int


class Counters:
    """Remembers where every series stood. A series never seen before began at 0, unless nothing is remembered at all.

    Increases are differences of raw samples, so they are whole and add up, where `increase()` extrapolates to the edges
    of its window. A value below the one before is a restart: the counter began at 0 in between.
    """

    def __init__(self, last: Mapping[_Identity, tuple[float, float]] | None = None) -> None:
        self._is_warm = last is not None
        self._last = dict(last or {})

    def copy(self) -> "Counters":
        """One that remembers the same and goes on by itself."""
        return Counters(self._last if self._is_warm else None)

    def increases(self, series: Iterable[Series], *, after: float) -> list[Increase]:
        """What is later than what is remembered, or than `after` for a series that is not.

        Earlier samples only tell where it stood. The first reading counts no series from 0: its past is not known.
        """
        found = [increase for each in series if (increase := self._increase(each, after))]
        self._is_warm = True
        return found

    def forget(self, before_at: float) -> None:
        """Let go of the series that had no sample since then."""
        self._last = {key: last for key, last in self._last.items() if last[0] >= before_at}

    def _increase(self, series: Series, after: float) -> Increase | None:
        key = frozenset(series.labels.items())
        start = self._last.get(key) or self._start(series, after)
        samples = [start, *(sample for sample in series.samples if sample[0] > start[0])]
        self._last[key] = samples[-1]
        if len(samples) == 1:
            return None
        grown = sum(_grown(before, value) for (_, before), (_, value) in pairwise(samples))
        return Increase(series.labels, start[0], samples[-1][0], round(grown))

    def _start(self, series: Series, after: float) -> tuple[float, float]:
        """Where a series stood that is not remembered."""
        before = [sample for sample in series.samples if sample[0] <= after]
        if before:
            return before[-1]
        return (after, 0.0) if self._is_warm else series.samples[0]


def _grown(before: float, value: float) -> float:
    return value - before if value >= before else value
