"""`/metrics` for Prometheus, as text or OpenMetrics: docs/decisions/0008 says what a scrape of one process means."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from serinus.admin.access import MetricsReader
from serinus.admin.context import Here
from serinus.admin.families import Family
from serinus.admin.metrics_of_machinery import AGENT, MACHINERY, PROCESS
from serinus.admin.metrics_of_rollout import ROLLOUT
from serinus.admin.metrics_of_traffic import TRAFFIC
from serinus.admin.scrape import Everybody, Process, Serving, ask_agent, ask_store

EVERYBODY: tuple[Family[Everybody], ...] = (*TRAFFIC, *ROLLOUT, *MACHINERY)
"""The same, whichever process is asked; without series while the store does not answer."""
FAMILIES: tuple[Family[Everybody] | Family[Process] | Family[Serving], ...] = (*EVERYBODY, *PROCESS, *AGENT)

router = APIRouter(tags=["metrics"])


@dataclass(frozen=True, slots=True)
class Scrape(Collector):
    """Everything that one answer tells; a controller apart serves nobody and has no agent."""

    everybody: Everybody | None
    process: Process
    agent: Serving | None

    def collect(self) -> Iterator[Metric]:
        yield from (family.metric(self.everybody) for family in EVERYBODY)
        yield from (family.metric(self.process) for family in PROCESS)
        yield from (family.metric(self.agent) for family in AGENT)


@router.get("/metrics", response_class=Response)
async def scrape(_reader: MetricsReader, here: Here, request: Request) -> Response:
    """Of all processes together, the same whichever is asked; a few series are of the process that answers."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    everybody, agent = await ask_store(here), ask_agent(here)
    store_answers = everybody is not None and not (agent and agent.health.store_error)
    found = Scrape(everybody, Process(store_answers), agent)
    return Response(encode(found), media_type=content_type)
