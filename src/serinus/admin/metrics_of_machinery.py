"""How the agents, the controller and the outbox fare, and the process that answers, as metric families."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import version
from math import inf

from serinus.admin.families import Family, Sample, single
from serinus.admin.metrics_of_traffic import share_of
from serinus.admin.scrape import Everybody, Process, Serving
from serinus.admin.status import SILENT_SECONDS
from serinus.rollout.state import AgentStatus
from serinus.storage.deliveries import Queue

NOTHING = Queue(0, None, 0)


class Standing(StrEnum):
    """CURRENT agents route by the split in force, BEHIND ones do not yet, SILENT ones were not heard for 10 s."""

    CURRENT = "current"
    BEHIND = "behind"
    SILENT = "silent"


def _standing(agent: AgentStatus, everybody: Everybody) -> Standing:
    if everybody.now - agent.heard_at > SILENT_SECONDS:
        return Standing.SILENT
    behind = agent.split_revision < everybody.stored.split.revision
    return Standing.BEHIND if behind else Standing.CURRENT


def _agents(everybody: Everybody) -> Iterator[Sample]:
    found = Counter(_standing(agent, everybody) for agent in everybody.agents)
    return (((standing,), found[standing]) for standing in Standing)


def _breakers(everybody: Everybody) -> Iterator[Sample]:
    return single(sum(agent.breaker_open for agent in everybody.agents))


def _in_flight(everybody: Everybody) -> Iterator[Sample]:
    return single(sum(agent.canary_in_flight for agent in everybody.agents))


def _dropped(everybody: Everybody) -> Iterator[Sample]:
    return single(sum(agent.dropped for agent in everybody.agents))


def _subject_failures(everybody: Everybody) -> Iterator[Sample]:
    return single(sum(agent.subject_failures for agent in everybody.agents))


def _silence(everybody: Everybody) -> float:
    heard_at = everybody.controller_heard_at
    return inf if heard_at is None else max(0.0, everybody.now - heard_at)


def _waiting(everybody: Everybody) -> Iterator[Sample]:
    for channel in sorted({*everybody.channels, *everybody.outbox}):
        queue = everybody.outbox.get(channel, NOTHING)
        yield (channel, "pending"), queue.pending
        yield (channel, "dead"), queue.dead


def _oldest(everybody: Everybody) -> Iterator[Sample]:
    for channel in sorted({*everybody.channels, *everybody.outbox}):
        since_at = everybody.outbox.get(channel, NOTHING).oldest_at
        yield (channel,), 0.0 if since_at is None else max(0.0, everybody.now - since_at)


def _silence_of(serving: Serving) -> Iterator[Sample]:
    silent = serving.health.controller_silent_seconds
    return single(inf if silent is None else silent)


MACHINERY: tuple[Family[Everybody], ...] = (
    Family("serinus_split_revision", "The split in force.", lambda x: single(x.stored.split.revision)),
    Family(
        "serinus_agents", "Agents heard of lately, by whether they route by the split in force.", _agents, ("state",)
    ),
    Family("serinus_agents_breaker_open", "Agents that stopped their own canary traffic.", _breakers),
    Family("serinus_agents_canary_in_flight", "Canary requests that have not ended.", _in_flight),
    Family("serinus_agents_dropped_requests", "Requests whose counts these agents gave up.", _dropped),
    Family("serinus_agents_subject_failures", "Requests whose subject function failed.", _subject_failures),
    Family(
        "serinus_controller_up", "1 if a controller ticked lately.", lambda x: single(_silence(x) <= SILENT_SECONDS)
    ),
    Family(
        "serinus_controller_silent_seconds", "Since the last tick of any controller.", lambda x: single(_silence(x))
    ),
    Family("serinus_outbox_deliveries", "Alerts that wait, or were given up lately.", _waiting, ("channel", "state")),
    Family("serinus_outbox_oldest_seconds", "For how long the oldest alert has waited.", _oldest, ("channel",)),
)
PROCESS: tuple[Family[Process], ...] = (
    Family(
        "serinus_build_info",
        "1, for the version of serinus.",
        lambda _: iter([((version("serinus"),), 1)]),
        ("release",),
    ),
    Family("serinus_store_up", "1 if the store answers this process.", lambda x: single(x.store_answers)),
)
"""Of the process that answers; there without a store too."""
AGENT: tuple[Family[Serving], ...] = (
    Family(
        "serinus_agent_unwatched",
        "1 while all get LEGACY for want of a controller.",
        lambda x: single(x.health.unwatched),
    ),
    Family("serinus_agent_controller_silent_seconds", "Since it heard of a controller.", _silence_of),
    Family("serinus_agent_backlog_snapshots", "Snapshots that wait for the store.", lambda x: single(x.health.backlog)),
    Family("serinus_agent_split_revision", "The split that it routes by.", lambda x: single(x.health.split_revision)),
    Family("serinus_agent_canary_share_ratio", "The share that it routes by.", lambda x: single(share_of(x.adopted))),
    Family("serinus_agent_breaker_open", "1 while it keeps its canary traffic back.", lambda x: single(x.breaker_open)),
)
"""Of the process that answers, if it serves users; there without a store too."""
