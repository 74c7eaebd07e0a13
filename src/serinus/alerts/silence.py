"""Whether a controller is heard: its silence is told by the processes that tell of everything else."""

from collections.abc import Callable

from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.storage.store import Store

LOOK_SECONDS = 5.0
SILENT_SECONDS = 30.0
"""Half of the agents' `stale_after`: people know before everybody gets LEGACY."""
KINDS = (EventKind.CONTROLLER_SILENT, EventKind.CONTROLLER_HEARD)


class Silence:
    """Looks at the controller's heartbeat in the store; of several processes that look, one tells.

    Silence counts from the first look at the earliest: what happened while nobody was there is no news. `clock` gives
    epoch seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._since: float | None = None
        self._look_at = 0.0

    async def look(self) -> None:
        """Tell of a silence that has begun, or that is over; at most every `LOOK_SECONDS`."""
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        self._since = now if self._since is None else self._since
        heard_at = await self._store.controller_heard_at()
        if heard_at is None:
            return
        last = await self._store.latest_event(*KINDS)
        told = last is not None and last.kind is EventKind.CONTROLLER_SILENT
        if not told and now - max(heard_at, self._since) > SILENT_SECONDS:
            await self._tell(EventKind.CONTROLLER_SILENT, heard_at, now, last)
        elif told and now - heard_at <= LOOK_SECONDS:
            await self._tell(EventKind.CONTROLLER_HEARD, heard_at, now, last)

    async def _tell(self, kind: EventKind, heard_at: float, now: float, last: Event | None) -> None:
        over = last is not None and kind is EventKind.CONTROLLER_HEARD
        incident = last.incident if last is not None and over else f"controller@{heard_at:.0f}"
        details: dict[str, Detail] = {"heard_at": heard_at, "seconds": now - heard_at}
        event = Event(kind, now, ITSELF, details=details, incident=incident)
        await self._store.record_after(event, KINDS, last=last)
