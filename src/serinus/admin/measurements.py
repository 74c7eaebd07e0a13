"""What was measured of both versions, side by side."""

import re
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Query

from serinus.admin.access import MetricsReader
from serinus.admin.context import Context, Here, Language
from serinus.admin.figures import by_endpoint, comparison, pair, point
from serinus.admin.shapes import CheckShape, MetricsShape, TimelineShape, instant
from serinus.admin.views import check_shape
from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import InvalidInput, NotFound, Problem
from serinus.storage.rollups import DAY

UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 30.0 * DAY
HEARD_SECONDS = 3_600.0

LIVE_SECONDS = 900.0
"""Up to this window a timeline is drawn finer than by the minute, from the snapshots: some hundreds of each agent."""
FINE_RESOLUTIONS = (2, 5, 10, 15, 30)
RESOLUTIONS = (60, 120, 600, 1_200, 1_800, 3_600, 7_200, 10_800)
"""Of few roll-ups each, so that a timeline of hundreds of points is quick."""

router = APIRouter(tags=["metrics"])


@router.get("/metrics")
async def read_metrics(
    _reader: MetricsReader,
    here: Here,
    language: Language,
    window: Annotated[str, Query(description="such as 90s, 5m, 24h, 7d")] = "5m",
    endpoint: Annotated[str | None, Query(max_length=2_048)] = None,
) -> MetricsShape:
    """Both versions over the last `window`, on all endpoints or on one (a path or a template)."""
    seconds = seconds_of(window)
    template = None if endpoint is None else _template(here, endpoint)
    now = here.clock()
    cells = await here.store.window(now - seconds, template)
    heard = [agent.heard_at for agent in await here.store.fleet(now - HEARD_SECONDS)]
    updated = instant(max(heard)) if heard else None
    both = pair(cells, updated)
    return MetricsShape(
        window_seconds=seconds,
        endpoint=template,
        legacy=both.legacy,
        canary=both.canary,
        comparison=comparison(cells).model_copy(update={"slo": await _slo(here, language)}),
        endpoints=by_endpoint(cells, updated),
    )


@router.get("/timeline")
async def read_timeline(
    _reader: MetricsReader,
    here: Here,
    window: Annotated[str, Query(description="such as 15m, 24h, 30d")] = "24h",
    points: Annotated[int, Query(ge=2, le=500, description="at most so many")] = 240,
    endpoint: Annotated[str | None, Query(max_length=2_048)] = None,
) -> TimelineShape:
    """Both versions point by point over the last `window`, on all endpoints or on one (a path or a template)."""
    seconds = seconds_of(window)
    template = None if endpoint is None else _template(here, endpoint)
    resolution = resolution_of(seconds, points)
    until_at = ceil(here.clock() / resolution) * resolution
    since_at = until_at - ceil(seconds / resolution) * resolution
    return TimelineShape(
        resolution_seconds=resolution,
        since=instant(since_at),
        until=instant(until_at),
        endpoint=template,
        points=[point(each) for each in await here.store.timeline(since_at, until_at, resolution, template)],
    )


def resolution_of(seconds: float, points: int) -> int:
    """The finest of which `points` are enough for so many seconds."""
    offered = (FINE_RESOLUTIONS if seconds <= LIVE_SECONDS else ()) + RESOLUTIONS
    whole_days = ceil(seconds / points / DAY) * DAY
    return next((resolution for resolution in offered if resolution * points >= seconds), whole_days)


def seconds_of(window: str) -> float:
    """Raises `InvalidInput` unless it is a number with a unit, from two seconds to thirty days."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", window)
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InvalidInput(Problem("window", "must be a number with a unit from 2s to 30d, such as 90s, 5m, 24h or 7d"))
    return seconds


def _template(here: Context, endpoint: str) -> str:
    template = here.endpoints.match(endpoint)
    if template == OTHER_ENDPOINT and endpoint != OTHER_ENDPOINT:
        raise NotFound(f"the service has no endpoint {endpoint!r}; GET /config lists them as known_endpoints")
    return template


async def _slo(here: Context, language: str) -> list[CheckShape]:
    """The criteria of the running rollout's plan, in its present step; empty when nothing is being judged."""
    rollout = await here.store.active_rollout()
    report = None if rollout is None else await here.store.latest_report(rollout.id)
    return [check_shape(check, language) for check in report.slo] if report else []
