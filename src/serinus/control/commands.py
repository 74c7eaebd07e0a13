"""What people order, carried out: decided by `rollout.commands`, stored only if nothing changed in between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import TypeAlias, TypeVar

from serinus.analysis.verdict import Report
from serinus.errors import InvalidInput, Problem, Refused, StaleRevision
from serinus.rollout import commands
from serinus.rollout.approval import NOTHING, HandedIn
from serinus.rollout.commands import Order
from serinus.rollout.events import Detail, Event, EventKind
from serinus.rollout.plan import Plan
from serinus.rollout.state import Decision, Rollout
from serinus.routing.canary_router import CanaryRouter
from serinus.routing.split import EndpointRule, Split
from serinus.storage.splits import StoredSplit
from serinus.storage.store import Store

TRIES = 5

T = TypeVar("T")
Command: TypeAlias = Callable[[Rollout], Decision]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a person wants to be otherwise about the split; None leaves it as it is."""

    enabled: bool | None = None
    percentage: float | None = None
    endpoints: tuple[EndpointRule, ...] | None = None

    def applied_to(self, stored: StoredSplit) -> Split:
        """The split as it is wanted. Raises `InvalidInput`.

        The first share that anybody sets also switches the canary on, unless they say otherwise; the first who only
        switch it on get the router's usual share.
        """
        if self.percentage is not None and not 0 <= self.percentage <= 100:  # also true of a NaN
            raise InvalidInput(Problem("canary_percentage", f"must be between 0 and 100, not {self.percentage}"))
        before, untouched = stored.split, stored.changed_at is None
        usual = CanaryRouter.CANARY_TRAFFIC_PERCENTAGE if untouched and self.enabled else before.percentage
        return replace(
            before,
            enabled=(before.enabled or untouched) if self.enabled is None else self.enabled,
            percentage=usual if self.percentage is None else self.percentage,
            endpoints=before.endpoints if self.endpoints is None else self.endpoints,
        )


class Commands:
    """Every method raises `Refused`, with what to do instead, when the command is not possible, and changes nothing;
    `StaleRevision` when the order names another standing than the rollout's.

    A command that meets somebody else's change is decided again on the changed state.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def start(
        self, plan: Plan, order: Order, *, force: bool = False, endpoints: tuple[EndpointRule, ...] | None = None
    ) -> Rollout:
        """Start a rollout; its id is made of the time, so that ids sort as rollouts began."""

        async def attempt() -> Rollout:
            decision = commands.start(
                plan,
                order,
                id=f"{datetime.fromtimestamp(order.at, UTC):%Y%m%d-%H%M%S}-{token_hex(2)}",
                previous=await self._store.latest_rollout(),
                split_revision=(await self._store.split()).split.revision,
                force=force,
                endpoints=endpoints,
            )
            return await self._store.create_rollout(decision)

        return await _repeated(attempt)

    async def pause(self, order: Order, cap_percentage: float | None = None) -> Rollout:
        return await self._execute(order, lambda rollout: commands.pause(rollout, order, cap_percentage))

    async def resume(self, order: Order) -> Rollout:
        return await self._execute(order, lambda rollout: commands.resume(rollout, order))

    async def approve(
        self, order: Order, *, gate: str, step: int, report_at: float | None, handed_in: HandedIn = NOTHING
    ) -> Rollout:
        return await self._execute(
            order,
            lambda rollout: commands.approve(
                rollout, order, gate=gate, step=step, report_at=report_at, handed_in=handed_in
            ),
        )

    async def advance(self, order: Order) -> Rollout:
        return await self._execute_on_report(order, lambda rollout, report: commands.advance(rollout, order, report))

    async def promote(self, order: Order) -> Rollout:
        return await self._execute_on_report(order, lambda rollout, report: commands.promote(rollout, order, report))

    async def hold(self, order: Order) -> Rollout:
        return await self._execute(order, lambda rollout: commands.hold(rollout, order))

    async def roll_back(self, order: Order) -> Rollout:
        return await self._execute(order, lambda rollout: commands.roll_back(rollout, order))

    async def abort(self, order: Order) -> Rollout:
        return await self._execute(order, lambda rollout: commands.abort(rollout, order))

    async def configure(
        self, order: Order, wanted: Configuration, *, expected_revision: int | None = None
    ) -> StoredSplit:
        """Change the split, or, while a rollout decides it, order the rollout to do so.

        Raises `StaleRevision` when the split in force is not at `expected_revision`, and `InvalidInput`.
        """

        async def attempt() -> StoredSplit:
            stored, rollout = await self._store.split(), await self._store.active_rollout()
            if expected_revision not in (None, stored.split.revision):
                raise _NotAsExpected(
                    f"the split is at revision {stored.split.revision} now; "
                    "read the configuration again and repeat the change"
                )
            if rollout is None:
                return await self._configure_split(order, wanted, stored)
            decision = commands.configure(
                rollout, order, enabled=wanted.enabled, percentage=wanted.percentage, endpoints=wanted.endpoints
            )
            await self._save(rollout, decision)
            return await self._store.split()

        return await _repeated(attempt)

    async def _configure_split(self, order: Order, wanted: Configuration, stored: StoredSplit) -> StoredSplit:
        split = wanted.applied_to(stored)
        if split == stored.split and stored.changed_at is not None:
            return stored
        event = Event(EventKind.CONFIG_CHANGED, order.at, order.by, reason=order.reason, details=_details(split, order))
        return await self._store.save_manual_split(split, expected_revision=stored.split.revision, event=event)

    async def _execute(self, order: Order, command: Command) -> Rollout:
        async def attempt() -> Rollout:
            rollout = await self._active_rollout(order)
            return await self._save(rollout, command(rollout))

        return await _repeated(attempt)

    async def _execute_on_report(self, order: Order, command: Callable[[Rollout, Report], Decision]) -> Rollout:
        async def attempt() -> Rollout:
            rollout = await self._active_rollout(order)
            report = await self._store.latest_report(rollout.id)
            if report is None:
                raise Refused(
                    "the rollout has not been judged yet; is a controller running? Try again in a few seconds"
                )
            return await self._save(rollout, command(rollout, report))

        return await _repeated(attempt)

    async def _active_rollout(self, order: Order) -> Rollout:
        rollout = await self._store.active_rollout()
        if rollout is None:
            raise Refused("no rollout is running; start one first")
        if order.standing not in (None, rollout.standing):
            raise _NotAsExpected("the rollout has moved on since you saw it; look again, and repeat the order")
        return rollout

    async def _save(self, rollout: Rollout, decision: Decision) -> Rollout:
        if decision.rollout is rollout and not decision.events:
            return rollout
        return await self._store.save(decision, expected_revision=rollout.revision)


class _NotAsExpected(StaleRevision):
    """The caller's own condition failed; trying again would not help."""


async def _repeated(attempt: Callable[[], Awaitable[T]]) -> T:
    for _ in range(TRIES - 1):
        try:
            return await attempt()
        except _NotAsExpected:
            raise
        except StaleRevision:
            continue
    return await attempt()


def _details(split: Split, order: Order) -> dict[str, Detail]:
    endpoints: list[Detail] = [
        {"template": rule.template, "enabled": rule.enabled, "max_percentage": rule.max_percentage}
        for rule in split.endpoints
    ]
    told: dict[str, Detail] = {"enabled": split.enabled, "canary_percentage": split.percentage, "endpoints": endpoints}
    return told | ({"from": order.origin} if order.origin else {})
