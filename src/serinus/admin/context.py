"""What the routes work on, and in whose language they answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from serinus.access import Access
from serinus.alerts.channels import Channel
from serinus.asgi import Canary
from serinus.control.agent import Agent
from serinus.control.commands import Commands
from serinus.drill.drills import Drills
from serinus.messages.phrases import preferred
from serinus.routing.endpoints import EndpointTable
from serinus.storage.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """`canary` and `agent` are this process's, None in a controller without a service; `clock` gives epoch seconds.

    `templates` are the service's endpoints; for a controller alone those that were seen lately.

    `channels` are there once the service has started; `link` is the address that alerts point people to.
    """

    store: Store
    commands: Commands
    access: Access
    canary: Canary | None
    agent: Agent | None
    clock: Callable[[], float]
    drills: Drills
    channels: Callable[[], Mapping[str, Channel]] = dict
    link: str | None = None
    templates: Sequence[str] = ()
    stale_after_seconds: float = 60.0
    language: str = "en"

    @property
    def endpoints(self) -> EndpointTable:
        return EndpointTable(self.templates)


async def _context(request: Request) -> Context:  # as all that routes depend on: FastAPI gives a plain one a thread
    context: Context = request.state.context
    return context


Here = Annotated[Context, Depends(_context)]


async def _language(
    here: Here,
    language: Annotated[str | None, Query(max_length=8)] = None,
    accept_language: Annotated[str, Header()] = "",
) -> str:
    """The query's language, or the first of ``Accept-Language`` that there is, or the installation's."""
    return preferred((language or "", *accept_language.split(",")), here.language)


Language = Annotated[str, Depends(_language)]
