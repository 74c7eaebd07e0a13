"""What happened: read in pages, or followed as it happens."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from serinus.admin.access import InForce, Viewer
from serinus.admin.context import Here, Language
from serinus.admin.shapes import EventsShape
from serinus.admin.views import event_shape
from serinus.errors import StoreUnavailable

POLL_SECONDS = 0.5  # for events of other processes; those of this one ring a bell
AT_ONCE = 200

router = APIRouter(tags=["events"])
After = Annotated[int | None, Query(ge=0)]


@router.get("/events")
async def read_events(
    _caller: Viewer,
    here: Here,
    language: Language,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> EventsShape:
    """Events numbered greater than `after`, the oldest first; without `after` the last ones."""
    start = max(0, await here.store.last_event_sequence() - limit) if after is None else after
    events = await here.store.events(start, limit)
    last = events[-1].sequence if events else None
    return EventsShape(
        events=[event_shape(event, language) for event in events], next_after=start if last is None else last
    )


async def _beginning(here: Here, after: After = None, last_event_id: Annotated[int | None, Header(ge=0)] = None) -> int:
    """The number of the last event that the reader knows; one who names none knows all that there are."""
    known = after if last_event_id is None else last_event_id
    return await here.store.last_event_sequence() if known is None else known


@router.get("/events/stream", response_class=EventSourceResponse)
async def follow_events(
    _caller: Viewer,
    in_force: InForce,
    here: Here,
    language: Language,
    beginning: Annotated[int, Depends(_beginning)],
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: those after `Last-Event-ID` or `after`, or else those that happen from now on.

    The stream ends with the token or session that opened it, and when the store is away; a reader that comes back with
    `Last-Event-ID` misses nothing.
    """
    reached = beginning
    while True:
        rings = here.store.events_saved.rings
        try:
            if not await in_force():
                return
            events = await here.store.events(reached, AT_ONCE)
        except StoreUnavailable:
            return
        for event in events:
            reached = event.sequence or reached
            yield ServerSentEvent(data=event_shape(event, language), event=event.kind, id=str(reached))
        if len(events) < AT_ONCE:
            await here.store.events_saved.wait(rings, POLL_SECONDS)
