"""One drill: break the canary, watch the way back, measure it."""

import asyncio
from collections.abc import Callable

from serinus.asgi.protocol import Message
from serinus.drill.private_copy import CHANNEL, Applications, PrivateCopy, no_body, private_copy, scope_of
from serinus.drill.receipt import Drill, DrillReceipt
from serinus.errors import InvalidInput, Problem, Refused
from serinus.rollout.events import EventKind
from serinus.rollout.plan import Trigger
from serinus.rollout.state import Phase, Rollout

WARM_UP_REQUESTS = 100
WARM_UP_SECONDS = 30.0
OVERTIME_SECONDS = 15.0
AFTERWARDS_SECONDS = 2.0
LOOK_SECONDS = 0.1


async def run(drill: Drill, applications: Applications, clock: Callable[[], float]) -> DrillReceipt:
    """Takes as long as it takes: some seconds, and 15 s more than the trigger's deadline at most.

    Raises `InvalidInput` for a plan without a limit that the fault breaks, and `Refused` when the applications do not
    answer well before they are broken.
    """
    trigger = _trigger(drill)
    await _require_healthy(drill, applications)
    async with private_copy(drill, applications, clock) as copy:
        await copy.begin(by=CHANNEL)
        await _warm_up(copy)
        copy.faulty.active, fault_at = True, clock()
        rollout = await _wait_for_the_end(copy, fault_at + trigger.deadline_seconds + OVERTIME_SECONDS, clock)
        await asyncio.sleep(AFTERWARDS_SECONDS)  # of traffic, to see that it stays well
        return await _measured(copy, trigger, rollout, fault_at)


def _trigger(drill: Drill) -> Trigger:
    if drill.trigger is None:
        message = f"has no trigger on {drill.fault.metric.value}, which a drill of {drill.fault.value} breaks"
        raise InvalidInput(Problem("plan", message))
    return drill.trigger


async def _require_healthy(drill: Drill, applications: Applications) -> None:
    """One request to each version, so that a path that nobody serves is not taken for a broken canary."""
    for name, app in (("LEGACY", applications.legacy), ("CANARY", applications.canary)):
        status = 0

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]

        await app(scope_of(drill.path, "drill-check"), no_body, send)
        if not 200 <= status < 400:
            raise Refused(f"{name} answers GET {drill.path} with {status}; give a path that both versions serve well")


async def _warm_up(copy: PrivateCopy) -> None:
    """Until the controller has looked at enough answers of a healthy canary."""
    try:
        async with asyncio.timeout(WARM_UP_SECONDS):
            while True:
                rollout = await copy.store.active_rollout()
                report = await copy.store.latest_report(rollout.id) if rollout else None
                if report is not None and report.canary.valid >= WARM_UP_REQUESTS:
                    return
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        message = f"the healthy canary did not get {WARM_UP_REQUESTS} requests within {WARM_UP_SECONDS:.0f} s"
        raise Refused(f"{message}: this process is too busy for a drill") from None


async def _wait_for_the_end(copy: PrivateCopy, until_at: float, clock: Callable[[], float]) -> Rollout | None:
    """The rollout once it is rolled back, or as it stands when the time is up."""
    while True:
        rollout = await copy.store.latest_rollout()
        if clock() >= until_at or (rollout is not None and rollout.phase is Phase.ROLLED_BACK):
            return rollout
        await asyncio.sleep(LOOK_SECONDS)


async def _measured(copy: PrivateCopy, trigger: Trigger, rollout: Rollout | None, fault_at: float) -> DrillReceipt:
    receipt = rollout.receipt if rollout else None
    events = await copy.store.events(limit=1_000)
    seen = [
        event.at
        for event in events
        if event.at >= fault_at and event.kind in {EventKind.BREACH_OPENED, EventKind.FROZEN, EventKind.BREAKER_OPENED}
    ]
    alerted = [at for at, alert in copy.alerts if "cause" in alert.details and not alert.resolved]
    asked = [answer for answer in copy.answers.all if answer[0] >= fault_at]
    return DrillReceipt(
        trigger=trigger.limit.name,
        cause=receipt.cause if receipt else "",
        deadline_seconds=trigger.deadline_seconds,
        fault_at=fault_at,
        seen_at=min(seen, default=None),
        decided_at=receipt.decided_at if receipt else None,
        split_changed_at=receipt.split_changed_at if receipt else None,
        last_canary_at=receipt.last_canary_at if receipt else None,
        alerted_at=min(alerted, default=None),
        recovered_at=copy.answers.recovered_at(fault_at) if receipt and receipt.completed_at else None,
        requests=len(asked),
        canary_requests=copy.faulty.broken,
        hurt=sum(not good for _, _, _, good in asked),
    )
