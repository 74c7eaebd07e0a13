"""Requests, errors and latencies of both versions, and the share that they make, as metric families."""

from collections.abc import Iterator

from serinus.admin.families import Family, Kind, Sample, known
from serinus.admin.figures import canary_percentage
from serinus.admin.scrape import Everybody
from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.moments import NONE
from serinus.metrics.snapshot import Cell, Outcome, merge
from serinus.routing.split import Split

VERSION, ENDPOINT = "version", "endpoint"


def _cells(everybody: Everybody) -> Iterator[tuple[tuple[str, str], Cell]]:
    """By version and endpoint, compared and other requests together; the service's own endpoints from the start."""
    parts: dict[tuple[str, str], list[Cell]] = {
        (version, endpoint): [] for version in DeploymentVersion for endpoint in (*everybody.templates, OTHER_ENDPOINT)
    }
    for key, cell in everybody.totals.items():
        parts.setdefault((key.version, key.endpoint), []).append(cell)
    return ((labels, merge(parts[labels])) for labels in sorted(parts))


def _requests(everybody: Everybody) -> Iterator[Sample]:
    for labels, cell in _cells(everybody):
        yield from (((*labels, outcome), cell.outcomes.get(outcome, 0)) for outcome in Outcome)


def _errors(everybody: Everybody) -> Iterator[Sample]:
    return ((labels, cell.errors) for labels, cell in _cells(everybody))


def _values(everybody: Everybody) -> Iterator[tuple[tuple[str, str], int, float]]:
    """Each business measure of both versions: how often, and what they sum up to."""
    by_version = {
        version: merge(cell for key, cell in everybody.totals.items() if key.version is version)
        for version in DeploymentVersion
    }
    for name in sorted({name for cell in by_version.values() for name in cell.values}):
        for version, cell in by_version.items():
            moments = cell.values.get(name, NONE)
            yield (version, name), moments.count, moments.mean * moments.count


def _shares(everybody: Everybody) -> Iterator[Sample]:
    observed = canary_percentage(everybody.lately)
    yield ("desired",), share_of(everybody.stored.split)
    yield ("observed",), known(None if observed is None else observed / 100)


def share_of(split: Split) -> float:
    """0 to 1."""
    return split.percentage / 100 if split.enabled else 0.0


TRAFFIC: tuple[Family[Everybody], ...] = (
    Family("serinus_requests", "Requests that ended, by how.", _requests, (VERSION, ENDPOINT, "outcome"), Kind.COUNTER),
    Family("serinus_request_errors", "Failed and degraded requests.", _errors, (VERSION, ENDPOINT), Kind.COUNTER),
    Family("serinus_request_duration_seconds", "How long requests took.", _cells, (VERSION, ENDPOINT), Kind.HISTOGRAM),
    Family(
        "serinus_measures",
        "Business measures that requests brought along.",
        lambda everybody: ((labels, count) for labels, count, _ in _values(everybody)),
        (VERSION, "measure"),
        Kind.COUNTER,
    ),
    Family(
        "serinus_measure_sum",
        "The sum of these measures; they may be negative.",
        lambda everybody: ((labels, total) for labels, _, total in _values(everybody)),
        (VERSION, "measure"),
    ),
    Family(
        "serinus_canary_share_ratio",
        "The canary's share of the requests, 0 to 1: of the last minute.",
        _shares,
        ("kind",),
    ),
)
