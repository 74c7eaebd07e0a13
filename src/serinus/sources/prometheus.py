"""A Prometheus, asked over its HTTP API for raw samples."""

from dataclasses import dataclass
from typing import Any

import httpx2

from serinus.errors import SourceUnavailable
from serinus.sources.answers import Series, read_matrix, read_scalar

TIMEOUT_SECONDS = 5.0
REACH_SECONDS = 180.0  # of two scrapes a minute apart, and some
LONGEST_SECONDS = 3_600.0
LAG_SECONDS = 4.0
"""Samples become visible when their scrape ends, and a slice waits for 3 s: what is older is complete."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Where the API is, and the selectors of the requests' counter and of the latency histogram's buckets, if any."""

    url: str
    requests: str
    latency: str | None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Samples up to `at`, `LAG_SECONDS` before Prometheus's `now` (epoch seconds by its clock)."""

    now: float
    requests: tuple[Series, ...]
    latency: tuple[Series, ...]

    @property
    def at(self) -> float:
        return self.now - LAG_SECONDS


class Prometheus:
    def __init__(self, client: httpx2.AsyncClient, selection: Selection) -> None:
        self._client = client
        self._selection = selection
        self._headers = {"Authorization": f"Bearer {selection.token}"} if selection.token else {}

    async def read(self, since_at: float | None) -> Reading:
        """The samples since then and those of some minutes before, of an hour at most; raises `SourceUnavailable`.

        All queries are for one instant of Prometheus's own clock, so that they see the same scrapes.
        """
        now = read_scalar(await self._query("time()", None))
        at = now - LAG_SECONDS
        reach = REACH_SECONDS + (0.0 if since_at is None else min(max(0.0, at - since_at), LONGEST_SECONDS))
        requests = await self._samples(self._selection.requests, reach, at)
        latency = await self._samples(self._selection.latency, reach, at) if self._selection.latency else ()
        return Reading(now, requests, latency)

    async def _samples(self, selector: str, seconds: float, at: float) -> tuple[Series, ...]:
        return read_matrix(await self._query(f"{selector}[{round(seconds * 1_000)}ms]", at))

    async def _query(self, query: str, at: float | None) -> Any:
        form = {"query": query} | ({} if at is None else {"time": f"{at:.3f}"})
        url = f"{self._selection.url.rstrip('/')}/api/v1/query"
        try:
            response = await self._client.post(url, data=form, headers=self._headers, timeout=TIMEOUT_SECONDS)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SourceUnavailable(f"Prometheus does not answer ({type(error).__name__})") from error
        return _body(response)


def _body(response: httpx2.Response) -> Any:
    try:
        body = response.json()
    except ValueError:
        body = {}
    if response.is_success:
        return body
    said = body.get("error") if isinstance(body, dict) else None
    raise SourceUnavailable(f"Prometheus answers {response.status_code}{f': {said}' if said else ''}")
