"""Sentry inside the service: which version an error happened in. Needs the extra `sentry`."""

import logging
from typing import TYPE_CHECKING, Any

from serinus.asgi.current import answering

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

logger = logging.getLogger(__name__)

VERSION_TAG, ENDPOINT_TAG = "deployment_version", "endpoint"


def observe(dsn: str, *, release: str | None, environment: str | None) -> None:
    """Start Sentry's SDK for this process, unless the service has started it, and have its events tagged."""
    try:
        import sentry_sdk  # an extra
    except ModuleNotFoundError:
        logger.warning("errors are not sent to Sentry: pip install sentry-sdk")
        return
    if not sentry_sdk.get_client().is_active():
        sentry_sdk.init(
            dsn=dsn, release=release, environment=environment, server_name="", include_local_variables=False
        )
    sentry_sdk.get_global_scope().add_event_processor(tag)


def tag(event: "Event", _hint: "Hint | dict[str, Any]") -> "Event":
    """The version and the endpoint of the request that the event happened in; as it is outside of one."""
    exchange = answering.get()
    if exchange is not None:
        tags = {VERSION_TAG: str(exchange.version), ENDPOINT_TAG: exchange.endpoint}
        event["tags"] = {**dict(event.get("tags") or {}), **tags}
    return event
