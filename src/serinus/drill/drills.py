"""Drills as the service carries them out: one at a time, stored from beginning to end."""

import asyncio
from collections.abc import Callable
from secrets import token_hex

from serinus.asgi import Canary
from serinus.deployment import DeploymentVersion
from serinus.drill.faults import stand_in
from serinus.drill.private_copy import Applications
from serinus.drill.receipt import Drill, DrillScope
from serinus.drill.run import run
from serinus.errors import Refused, SerinusError
from serinus.rollout.commands import Order
from serinus.rollout.events import Detail, Event, EventKind
from serinus.storage.store import Store

KINDS = (EventKind.DRILL_STARTED, EventKind.DRILL_COMPLETED)
NO_SERVICE = "this controller has no service in its process: drill with the scope staging, or ask one of the services"
ABANDONED_SECONDS = 3_600.0
"""After which a drill that never ended is taken to have died with its process."""


class Drills:
    """`canary` has the running service's own applications, for drills in its shadow; `clock` must run.

    A controller without a service has none, and drills with stand-ins only.
    """

    def __init__(self, store: Store, clock: Callable[[], float], canary: Canary | None) -> None:
        self._store = store
        self._clock = clock
        self._canary = canary
        self._running: asyncio.Task[None] | None = None

    async def start(self, drill: Drill, order: Order) -> Event:
        """Begin, and return the stored beginning; the end is an event of the same incident.

        Raises `Refused` beside another drill, in the shadow of a service where there is none, and in that of one whose
        users have the canary unless the order says why.
        """
        applications = self._applications(drill.scope)
        if drill.scope is DrillScope.LIVE_SHADOW:
            await self._require_reason(order)
        last = await self._store.latest_event(*KINDS)
        if last and last.kind is EventKind.DRILL_STARTED and order.at - last.at < ABANDONED_SECONDS:
            raise Refused(f"a drill that {last.actor} started has not ended yet; wait for it")
        incident = f"drill-{token_hex(4)}"
        details = {**_described(drill), **({"from": order.origin} if order.origin else {})}
        started = Event(EventKind.DRILL_STARTED, order.at, order.by, None, order.reason, details, incident)
        if not await self._store.record_after(started, KINDS, last=last):
            raise Refused("somebody else started a drill at the same instant; wait for it")
        self._running = asyncio.create_task(self._carry_out(drill, applications, order, incident), name=incident)
        return started

    async def stop(self) -> None:
        """End a drill that runs; its end is stored as aborted."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    async def _carry_out(self, drill: Drill, applications: Applications, order: Order, incident: str) -> None:
        reason, error = "drill_aborted", ""
        measured: dict[str, Detail] = {}
        try:
            receipt = await run(drill, applications, self._clock)
            reason, measured = "drill_passed" if receipt.passed else "drill_failed", receipt.details()
        except SerinusError as failure:
            error = str(failure)
        finally:
            severity: dict[str, Detail] = {} if reason == "drill_passed" else {"severity": "high"}
            details: dict[str, Detail] = {**_described(drill), **measured, **severity, "error": error, "by": order.by}
            ended = Event(EventKind.DRILL_COMPLETED, self._clock(), "serinus", None, reason, details, incident)
            await self._store.record_events([ended])

    def _applications(self, scope: DrillScope) -> Applications:
        if scope is DrillScope.STAGING:
            return Applications(stand_in, stand_in)
        if self._canary is None:
            raise Refused(NO_SERVICE)
        alone = self._canary.alone
        return Applications(alone(DeploymentVersion.LEGACY), alone(DeploymentVersion.CANARY))

    async def _require_reason(self, order: Order) -> None:
        split = (await self._store.split()).split
        share = split.percentage if split.enabled else 0.0
        if share and not order.reason.strip():
            raise Refused(
                f"{share:g} % of the users have the canary now, and a drill in their shadow asks the same "
                "applications: give a reason, or drill with the scope staging"
            )


def _described(drill: Drill) -> dict[str, Detail]:
    return {"fault": drill.fault, "scope": drill.scope, "plan": drill.plan.name, "path": drill.path}
