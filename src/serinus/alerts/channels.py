"""Ways to reach people. A channel is a coroutine function that takes an alert and raises `NotDelivered`."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

import httpx2

from serinus.alerts.alert import LOG, SLACK, WEBHOOK, Alert, Level

logger = logging.getLogger(__name__)

Channel: TypeAlias = Callable[[Alert], Awaitable[None]]
Body: TypeAlias = Callable[[Alert], Mapping[str, Any]]

TIMEOUT_SECONDS = 5.0
TRY_AGAIN = frozenset({408, 425, 429})
LOG_LEVELS = {Level.CRITICAL: logging.ERROR, Level.HIGH: logging.ERROR, Level.MEDIUM: logging.WARNING}
SLACK_SIGNS = {Level.CRITICAL: ":rotating_light:", Level.HIGH: ":red_circle:", Level.MEDIUM: ":large_orange_circle:"}
SLACK_TEXT_LIMIT = 2_900  # a section takes 3,000 characters


class NotDelivered(Exception):
    """The alert did not arrive; `final` when another try would be answered the same. Its text holds no address."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


async def log(alert: Alert) -> None:
    """Write the alert to the log of this module."""
    logger.log(LOG_LEVELS.get(alert.level, logging.INFO), "%s", _line(alert))


class Post:
    """POSTs a JSON body to one address, which is treated as a secret."""

    def __init__(self, client: httpx2.AsyncClient, url: str, body: Body) -> None:
        self._client = client
        self._url = url
        self._body = body
        logging.getLogger("httpx2").addFilter(lambda record: url not in record.getMessage())

    async def __call__(self, alert: Alert) -> None:
        try:
            response = await self._client.post(self._url, json=self._body(alert), timeout=TIMEOUT_SECONDS)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotDelivered(f"no answer ({type(error).__name__})") from None
        if not response.is_success:
            final = response.is_client_error and response.status_code not in TRY_AGAIN
            raise NotDelivered(f"answered {response.status_code}", final=final)


def configured(client: httpx2.AsyncClient, urls: Mapping[str, str | None]) -> dict[str, Channel]:
    """The log, and every channel that has an address in `urls` (by channel name)."""
    posts = {name: Post(client, url, BODIES[name]) for name, url in urls.items() if url}
    return {LOG: log, **posts}


def webhook_body(alert: Alert) -> Mapping[str, Any]:
    """The alert as it is, with its time in ISO 8601."""
    return asdict(alert) | {"details": dict(alert.details), "at": _iso(alert.at)}


def slack_body(alert: Alert) -> Mapping[str, Any]:
    """Blocks of an incoming webhook (https://api.slack.com/messaging/webhooks); `text` is what notifications show."""
    sign = ":white_check_mark:" if alert.resolved else SLACK_SIGNS.get(alert.level, ":information_source:")
    headline = f"{sign} *{_escaped(alert.title)}*"
    context = " · ".join(part for part in (alert.level.value, alert.rollout_id, _iso(alert.at)) if part)
    section = f"{headline}\n{_escaped(alert.text)}"[:SLACK_TEXT_LIMIT]
    return {
        "text": _escaped(_line(alert))[:SLACK_TEXT_LIMIT],
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": section}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(context)}]},
        ],
    }


BODIES: Mapping[str, Body] = {WEBHOOK: webhook_body, SLACK: slack_body}


def _line(alert: Alert) -> str:
    """On one line whatever people wrote in their reason: nobody forges lines of the log."""
    return " ".join((f"{alert.title}: {alert.text}" if alert.text else alert.title).split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
