"""Whether both versions are still measured: a target that cannot be scraped tells of no failure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from serinus.sources.answers import Series

MISSED_SCRAPES = 2.5
SHORTEST_SECONDS = 10.0
USUAL_SCRAPE_SECONDS = 60.0  # where single samples do not tell


def newest_at(series: Iterable[Series]) -> float | None:
    return max((each.samples[-1][0] for each in series), default=None)


def scrape_seconds(series: Iterable[Series]) -> float:
    """How far apart the samples are, usually."""
    gaps = [later - earlier for each in series for (earlier, _), (later, _) in pairwise(each.samples[-2:])]
    return median(gaps) if gaps else USUAL_SCRAPE_SECONDS


def silent_seconds(series: Sequence[Series], now: float) -> float | None:
    """For how long there has been no sample, if that is longer than scrapes explain; infinite without any series."""
    newest = newest_at(series)
    if newest is None:
        return float("inf")
    silent = now - newest
    return silent if silent > max(SHORTEST_SECONDS, MISSED_SCRAPES * scrape_seconds(series)) else None
