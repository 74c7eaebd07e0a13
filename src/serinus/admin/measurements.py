"""What was measured of both versions, side by side."""

import re
from typing import Annotated

from fastapi import APIRouter, Query

from serinus.admin.access import MetricsReader
from serinus.admin.context import Context, Here, Language
from serinus.admin.figures import by_endpoint, comparison, pair
from serinus.admin.shapes import CheckShape, MetricsShape, instant
from serinus.admin.views import check_shape
from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import InvalidInput, NotFound, Problem

UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0}
SHORTEST_SECONDS, LONGEST_SECONDS = 2.0, 3_600.0  # an hour of one agent is 1,800 snapshots to add up

router = APIRouter(tags=["metrics"])


@router.get("/metrics")
async def read_metrics(
    _reader: MetricsReader,
    here: Here,
    language: Language,
    window: Annotated[str, Query(description="such as 90s, 5m, 1h")] = "5m",
    endpoint: Annotated[str | None, Query(max_length=2_048)] = None,
) -> MetricsShape:
    """Both versions over the last `window`, on all endpoints or on one (a path or a template)."""
    seconds = seconds_of(window)
    template = None if endpoint is None else _template(here, endpoint)
    now = here.clock()
    cells = await here.store.window(now - seconds, template)
    heard = [agent.heard_at for agent in await here.store.fleet(now - LONGEST_SECONDS)]
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


def seconds_of(window: str) -> float:
    """Raises `InvalidInput` unless it is a number with a unit, from two seconds to an hour."""
    found = re.fullmatch(r"([0-9]{1,9})([smh])", window)
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InvalidInput(Problem("window", "must be a number with a unit from 2s to 1h, such as 90s, 5m or 1h"))
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
