"""What happened: read in pages, or followed as it happens."""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from serinus.admin.access import Viewer
from serinus.admin.context import Here, Language
from serinus.admin.shapes import EventsShape
from serinus.admin.views import event_shape

POLL_SECONDS = 1.0  # for events of other processes; those of this one ring a bell
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


@router.get("/events/stream", response_class=EventSourceResponse)
async def follow_events(
    _caller: Viewer,
    here: Here,
    language: Language,
    after: After = None,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: those after `Last-Event-ID` or `after`, or else those that happen from now on."""
    resumed = last_event_id if last_event_id is not None else after
    reached = await here.store.last_event_sequence() if resumed is None else resumed
    while True:
        rings = here.store.events_saved.rings
        events = await here.store.events(reached, AT_ONCE)
        for event in events:
            reached = event.sequence or reached
            yield ServerSentEvent(data=event_shape(event, language), event=event.kind, id=str(reached))
        if len(events) < AT_ONCE:
            await here.store.events_saved.wait(rings, POLL_SECONDS)
