"""How everything fares, on one page."""

from collections.abc import Iterator

from fastapi import APIRouter

from serinus.admin.access import Viewer
from serinus.admin.configuration import config_of, last_minute
from serinus.admin.context import Context, Here, Language
from serinus.admin.figures import canary_percentage, pair
from serinus.admin.rollout_shapes import (
    AgentShape,
    ControllerShape,
    Health,
    ProblemShape,
    RolloutShape,
    StatusShape,
)
from serinus.admin.rollouts import view
from serinus.admin.shapes import instant, instant_or_none
from serinus.admin.users import users_of
from serinus.admin.views import agent_shape
from serinus.messages import render_problem
from serinus.rollout.state import Phase
from serinus.storage.splits import StoredSplit

SILENT_SECONDS = 10.0  # a controller ticks and an agent beats every second; the rest is for slow stores
GOING_BACK = frozenset({Phase.ROLLING_BACK, Phase.ROLLED_BACK})

router = APIRouter(tags=["status"])


@router.get("/status")
async def read_status(_caller: Viewer, here: Here, language: Language) -> StatusShape:
    """The split, the rollout, the last minute's figures, the controller, the agents, and what is wrong with them."""
    now = here.clock()
    stored, rollout = await here.store.split(), await here.store.latest_rollout()
    cells = await last_minute(here)
    observed = canary_percentage(cells)
    shown = await view(here, rollout, language, observed) if rollout else None
    controller = _controller(await here.store.controller_heard_at(), now)
    agents = [
        agent_shape(agent, split_revision=stored.split.revision, now=now)
        for agent in await here.store.fleet(now - here.stale_after_seconds)
    ]
    problems = [
        ProblemShape(code=code, message=render_problem(code, numbers, language))
        for code, numbers in (
            *_store_problems(here),
            *_problems(controller, agents, shown, is_settled=_is_settled(stored, now)),
        )
    ]
    config, measured = config_of(here, stored, observed), pair(cells, instant(now))
    return StatusShape(
        at=instant(now),
        health=_health(shown, problems),
        users=users_of(config=config, rollout=shown, controller=controller, measured=measured, language=language),
        problems=problems,
        config=config,
        rollout=shown,
        metrics=measured,
        controller=controller,
        agents=agents,
    )


def _controller(heard_at: float | None, now: float) -> ControllerShape:
    ago = None if heard_at is None else max(0.0, now - heard_at)
    return ControllerShape(
        heard_at=instant_or_none(heard_at), seconds_ago=ago, alive=ago is not None and ago <= SILENT_SECONDS
    )


def _store_problems(here: Context) -> Iterator[tuple[str, dict[str, object]]]:
    """A store that can be read, and yet fails the process that answers."""
    health = here.agent.health() if here.agent else None
    if health and health.store_error:
        yield "store_failing", {"agent": health.agent, "stale_after": here.stale_after_seconds}


def _is_settled(stored: StoredSplit, now: float) -> bool:
    """Whether the split is so old that every agent should have it."""
    return stored.changed_at is None or now - stored.changed_at > SILENT_SECONDS


def _problems(
    controller: ControllerShape, agents: list[AgentShape], rollout: RolloutShape | None, *, is_settled: bool
) -> Iterator[tuple[str, dict[str, object]]]:
    if not controller.alive:
        yield "controller_silent", {"seconds": controller.seconds_ago}
    if not agents:
        yield "no_agents", {}
    yield from _agents_problems(agents, is_settled=is_settled)
    for breach in rollout.breaches if rollout else ():
        yield "breach", {"trigger": breach.trigger, "seconds": max(0.0, breach.seconds_left)}
    if rollout and rollout.frozen_by and not rollout.breaches:
        yield "frozen", {"frozen_by": rollout.frozen_by}


def _agents_problems(agents: list[AgentShape], *, is_settled: bool) -> Iterator[tuple[str, dict[str, object]]]:
    for agent in agents:
        if agent.seconds_ago > SILENT_SECONDS:
            yield "agent_silent", {"agent": agent.name, "seconds": agent.seconds_ago}
        elif not agent.adopted and is_settled:
            yield "agent_behind", {"agent": agent.name}
        if agent.breaker_open:
            yield "breaker_open", {"agent": agent.name}


def _health(rollout: RolloutShape | None, problems: list[ProblemShape]) -> Health:
    if rollout is not None and rollout.phase in GOING_BACK:
        return Health.ROLLED_BACK
    return Health.ATTENTION if problems else Health.OK
