"""What was measured, as the API shows it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from serinus.admin.shapes import (
    BoundedShape,
    ComparisonShape,
    DifferenceShape,
    EndpointShape,
    IntervalsShape,
    PairShape,
    PointShape,
    TrafficShape,
    ValueShape,
    VersionShape,
    instant,
)
from serinus.analysis import intervals
from serinus.analysis.intervals import sample_of
from serinus.analysis.means import mean_difference
from serinus.deployment import DeploymentVersion
from serinus.metrics.moments import NONE
from serinus.metrics.sketch import quantile
from serinus.metrics.snapshot import Cell, CellKey, merge
from serinus.storage.rollups import TimelinePoint

Cells = Mapping[CellKey, Cell]
LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY


def pair(cells: Cells, updated: datetime | None) -> PairShape:
    """Both versions over all requests in `cells`."""
    return PairShape(
        legacy=_version(LEGACY, cell_of(cells, LEGACY), updated),
        canary=_version(CANARY, cell_of(cells, CANARY), updated),
    )


def by_endpoint(cells: Cells, updated: datetime | None) -> dict[str, EndpointShape]:
    apart: dict[str, dict[CellKey, Cell]] = {template: {} for template in sorted({key.endpoint for key in cells})}
    for key, cell in cells.items():
        apart[key.endpoint][key] = cell
    return {
        template: EndpointShape(**dict(pair(part, updated)), comparison=difference(part))
        for template, part in apart.items()
    }


def comparison(cells: Cells) -> ComparisonShape:
    """The traffic's parts are of all requests. The caller adds the checks."""
    return ComparisonShape(**dict(difference(cells)), traffic_split=_traffic(cells), slo=[], values=_values(cells))


def difference(cells: Cells) -> DifferenceShape:
    """Of the requests that the bucket alone assigned."""
    compared = {key: cell for key, cell in cells.items() if key.compared}
    legacy, canary = cell_of(compared, LEGACY), cell_of(compared, CANARY)
    (canary_p95,), (legacy_p95,) = _quantiles(canary, (0.95,)), _quantiles(legacy, (0.95,))
    samples = sample_of(canary), sample_of(legacy)
    return DifferenceShape(
        error_rate_difference=_difference(canary.error_rate, legacy.error_rate),
        p95_increase=_increase(canary_p95, legacy_p95),
        intervals=IntervalsShape(
            error_rate_difference=intervals.rate_difference(*samples), p95_increase=intervals.p95_increase(*samples)
        ),
    )


def canary_percentage(cells: Cells) -> float | None:
    """The canary's part of all requests; None without any."""
    return _traffic(cells).canary_percentage


def cell_of(cells: Cells, version: DeploymentVersion) -> Cell:
    return merge(cell for key, cell in cells.items() if key.version is version)


def point(measured: TimelinePoint) -> PointShape:
    legacy, canary = (_bounded(measured.cells[version]) for version in (LEGACY, CANARY))
    return PointShape(at=instant(measured.at), legacy=legacy, canary=canary)


def _bounded(cell: Cell) -> BoundedShape:
    sample = sample_of(cell)
    return BoundedShape(
        **_measured(cell),
        error_rate_interval=intervals.error_rate(sample),
        p95_interval_ms=intervals.quantile_ms(sample, 0.95),
        p99_interval_ms=intervals.quantile_ms(sample, 0.99),
    )


def _values(cells: Cells) -> list[ValueShape]:
    """Of the requests that the bucket alone assigned."""
    compared = {key: cell for key, cell in cells.items() if key.compared}
    legacy, canary = cell_of(compared, LEGACY), cell_of(compared, CANARY)
    return [_value(name, legacy, canary) for name in sorted({*legacy.values, *canary.values})]


def _value(name: str, legacy: Cell, canary: Cell) -> ValueShape:
    old, new = legacy.values.get(name, NONE), canary.values.get(name, NONE)
    return ValueShape(
        name=name,
        legacy_count=old.count,
        canary_count=new.count,
        legacy_mean=old.mean if old.count else None,
        canary_mean=new.mean if new.count else None,
        difference=new.mean - old.mean if old.count and new.count else None,
        interval=mean_difference(new, old),
    )


def _version(version: DeploymentVersion, cell: Cell, updated: datetime | None) -> VersionShape:
    timed = sum(cell.latency.values())
    return VersionShape(
        **_measured(cell),
        version=version,
        client_error_count=cell.client_errors,
        avg_response_time_ms=1_000 * cell.latency_sum_seconds / timed if timed else None,
        last_updated=updated,
    )


def _measured(cell: Cell) -> dict[str, Any]:
    """The fields of `MeasuredShape`."""
    p50, p95, p99 = _quantiles(cell, (0.5, 0.95, 0.99))
    return {
        "request_count": cell.requests,
        "error_count": cell.errors,
        "error_rate": cell.error_rate,
        "availability": cell.availability,
        "p50_response_time_ms": p50,
        "p95_response_time_ms": p95,
        "p99_response_time_ms": p99,
    }


def _quantiles(cell: Cell, shares: Iterable[float]) -> tuple[float | None, ...]:
    return tuple(quantile(cell.latency, cell.latency_seconds, share) for share in shares)


def _traffic(cells: Cells) -> TrafficShape:
    legacy, canary = cell_of(cells, LEGACY).requests, cell_of(cells, CANARY).requests
    total = legacy + canary
    return TrafficShape(
        legacy_requests=legacy,
        canary_requests=canary,
        legacy_percentage=100 * legacy / total if total else None,
        canary_percentage=100 * canary / total if total else None,
    )


def _difference(canary: float | None, legacy: float | None) -> float | None:
    return None if canary is None or legacy is None else canary - legacy


def _increase(canary: float | None, legacy: float | None) -> float | None:
    return None if canary is None or not legacy else canary / legacy - 1
