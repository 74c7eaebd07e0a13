"""The request that runs in this context: tasks and threads that it starts inherit it."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

from serinus.deployment import DeploymentVersion

if TYPE_CHECKING:
    from serinus.asgi.exchange import Exchange

answering: "ContextVar[Exchange | None]" = ContextVar("serinus_answering", default=None)


def current_version() -> DeploymentVersion:
    """The version that answers the current request, for an application that is both; how it ends counts for that one.

    LEGACY outside a request that takes part, where the local breaker keeps the canary back, and in the second answer to
    a request that the canary has failed.
    """
    exchange = answering.get()
    return exchange.version if exchange else DeploymentVersion.LEGACY
