"""The counts of this process, and the rollout, for Prometheus (text or OpenMetrics format)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from serinus.admin.access import MetricsReader
from serinus.admin.context import Context, Here
from serinus.admin.figures import canary_percentage
from serinus.control.agent import AgentHealth
from serinus.errors import StoreUnavailable
from serinus.metrics.sketch import SLOW_BIN, upper_edge_ms
from serinus.metrics.snapshot import Cell, CellKey, merge
from serinus.rollout.state import Phase
from serinus.routing.split import Split

BUCKET_BINS = tuple(SLOW_BIN + 32 * step for step in range(-18, 9))  # factor 1.46 from 2 ms to 42 s; 2 s is one of them
OBSERVED_SECONDS = 60.0
LABELS = ("version", "endpoint")

router = APIRouter(tags=["metrics"])


@dataclass(frozen=True, slots=True)
class Shared:
    """What the store knows; None as a whole when it does not answer."""

    split: Split
    observed_percentage: float | None
    phase: Phase | None


@dataclass(frozen=True, slots=True)
class Scrape(Collector):
    """Everything that one answer tells."""

    totals: Mapping[CellKey, Cell]
    health: AgentHealth
    adopted: Split
    breaker_open: bool
    in_flight: int
    subject_failures: int
    shared: Shared | None

    def collect(self) -> Iterator[Metric]:
        yield from _traffic(self.totals)
        yield from _process(self)
        yield from _rollout(self)


@router.get("/metrics", response_class=Response)
async def scrape(_reader: MetricsReader, here: Here, request: Request) -> Response:
    """Counters and histograms are of this process alone, gauges of the rollout are everybody's."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    canary = here.canary
    found = Scrape(
        totals=here.agent.totals(),
        health=here.agent.health(),
        adopted=canary.router.split,
        breaker_open=canary.breaker.is_open,
        in_flight=canary.canary_in_flight,
        subject_failures=canary.subject_failures,
        shared=await _shared(here),
    )
    return Response(encode(found), media_type=content_type)


async def _shared(here: Context) -> Shared | None:
    try:
        stored, rollout = await here.store.split(), await here.store.latest_rollout()
        cells = await here.store.window(here.clock() - OBSERVED_SECONDS)
    except StoreUnavailable:
        return None
    return Shared(stored.split, canary_percentage(cells), rollout.phase if rollout else None)


def _traffic(totals: Mapping[CellKey, Cell]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "serinus_requests", "Requests that ended, by how they ended.", labels=(*LABELS, "outcome")
    )
    errors = CounterMetricFamily("serinus_request_errors", "Failed and degraded requests.", labels=LABELS)
    seconds = HistogramMetricFamily("serinus_request_duration_seconds", "How long requests took.", labels=LABELS)
    for (version, endpoint), cell in _by_labels(totals):
        for outcome, count in sorted(cell.outcomes.items()):
            requests.add_metric((version, endpoint, outcome), count)
        errors.add_metric((version, endpoint), cell.errors)
        seconds.add_metric((version, endpoint), list(_buckets(cell.latency)), sum_value=cell.latency_sum_seconds)
    yield from (requests, errors, seconds)


def _by_labels(totals: Mapping[CellKey, Cell]) -> Iterable[tuple[tuple[str, str], Cell]]:
    """Compared and other requests together."""
    parts: dict[tuple[str, str], list[Cell]] = {}
    for key, cell in totals.items():
        parts.setdefault((key.version, key.endpoint), []).append(cell)
    return ((labels, merge(cells)) for labels, cells in sorted(parts.items()))


def _buckets(latency: Mapping[int, int]) -> Iterator[tuple[str, float]]:
    """Cumulative counts by upper edge in seconds; every edge is one of the grid, so no count is guessed."""
    for edge in BUCKET_BINS:
        yield repr(round(upper_edge_ms(edge) / 1_000, 6)), sum(count for bin_, count in latency.items() if bin_ <= edge)
    yield "+Inf", sum(latency.values())


def _process(scrape: Scrape) -> Iterator[Metric]:
    health = scrape.health
    yield _gauge("serinus_store_up", "Whether the store answers.", scrape.shared is not None and not health.store_error)
    yield _gauge("serinus_breaker_open", "Whether this process stopped its own canary traffic.", scrape.breaker_open)
    yield _gauge("serinus_agent_unwatched", "Whether all are on LEGACY for want of a controller.", health.unwatched)
    yield _gauge("serinus_agent_backlog_snapshots", "Snapshots that wait for the store.", health.backlog)
    yield _gauge("serinus_agent_split_revision", "The split that this process routes by.", health.split_revision)
    yield _gauge("serinus_canary_requests_in_flight", "Canary requests that have not ended.", scrape.in_flight)
    if health.controller_silent_seconds is not None:
        yield _gauge(
            "serinus_controller_silent_seconds", "Since when no controller was heard.", health.controller_silent_seconds
        )
    yield CounterMetricFamily(
        "serinus_agent_dropped_requests",
        "Requests whose counts were given up.",
        value=health.dropped,
    )
    yield CounterMetricFamily(
        "serinus_subject_failures", "Requests whose subject function failed.", value=scrape.subject_failures
    )


def _rollout(scrape: Scrape) -> Iterator[Metric]:
    share = GaugeMetricFamily("serinus_canary_share_ratio", "The canary's share, 0 to 1.", labels=("kind",))
    share.add_metric(("adopted",), _share(scrape.adopted))
    if scrape.shared is not None:
        share.add_metric(("desired",), _share(scrape.shared.split))
        if scrape.shared.observed_percentage is not None:
            share.add_metric(("observed",), scrape.shared.observed_percentage / 100)
    yield share
    phases = GaugeMetricFamily("serinus_rollout_phase", "1 for the phase of the latest rollout.", labels=("phase",))
    for phase in Phase if scrape.shared is not None and scrape.shared.phase is not None else ():
        phases.add_metric((phase,), scrape.shared is not None and scrape.shared.phase is phase)
    yield phases


def _share(split: Split) -> float:
    return split.percentage / 100 if split.enabled else 0.0


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
