"""Ways to reach people. A channel is a coroutine function that takes an alert and raises `NotDelivered`."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import httpx2

from serinus.alerts import sentry
from serinus.alerts.addresses import Addresses
from serinus.alerts.alert import APPRISE, EMAIL, LOG, PAGERDUTY, SENTRY, SLACK, WEBHOOK, Alert, Level
from serinus.alerts.bodies import one_line, pagerduty_body, slack_body, webhook_body
from serinus.alerts.delivery import NotDelivered
from serinus.alerts.mail import Mail

logger = logging.getLogger(__name__)

Channel: TypeAlias = Callable[[Alert], Awaitable[None]]
Body: TypeAlias = Callable[[Alert], Mapping[str, Any] | bytes]
Sign: TypeAlias = Callable[[Alert, bytes], Mapping[str, str]]

TIMEOUT_SECONDS = 5.0
TRY_AGAIN = frozenset({408, 425, 429})
LONGEST_RETRY_AFTER_SECONDS = 600.0
LOG_LEVELS = {Level.CRITICAL: logging.ERROR, Level.HIGH: logging.ERROR, Level.MEDIUM: logging.WARNING}
SECRET_PREFIX = "whsec_"  # noqa: S105 - how such secrets begin


async def log(alert: Alert) -> None:
    """Write the alert to the log of this module."""
    logger.log(LOG_LEVELS.get(alert.level, logging.INFO), "%s", one_line(alert))


class Post:
    """POSTs to one address, which is treated as a secret: JSON, or bytes that the signature's headers say more of."""

    def __init__(self, client: httpx2.AsyncClient, url: str, body: Body, sign: Sign | None = None) -> None:
        self._client = client
        self._url = url
        self._body = body
        self._sign = sign
        logging.getLogger("httpx2").addFilter(lambda record: url not in record.getMessage())

    async def __call__(self, alert: Alert) -> None:
        body = self._body(alert)
        content = body if isinstance(body, bytes) else _as_json(body)
        headers = {"Content-Type": "application/json", **(self._sign(alert, content) if self._sign else {})}
        try:
            response = await self._client.post(self._url, content=content, headers=headers, timeout=TIMEOUT_SECONDS)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NotDelivered(f"no answer ({type(error).__name__})") from None
        if not response.is_success:
            final = response.status_code not in TRY_AGAIN and not response.is_server_error
            wait = _retry_after_seconds(response)
            raise NotDelivered(f"answered {response.status_code}", final=final, retry_after_seconds=wait)


class Apprise:
    """Any of the services that apprise knows, by its URL (https://github.com/caronc/apprise/wiki)."""

    def __init__(self, url: str) -> None:
        self._url = url
        logging.getLogger("apprise").setLevel(logging.WARNING)  # below that it tells the URL, and what is secret in it

    async def __call__(self, alert: Alert) -> None:
        try:
            import apprise  # an extra: it brings a dozen packages along
        except ModuleNotFoundError:
            raise NotDelivered("apprise is not installed: pip install apprise", final=True) from None
        service = apprise.Apprise()
        if not service.add(self._url):
            raise NotDelivered("apprise does not know this kind of URL", final=True)
        kind = "success" if alert.resolved else "failure" if alert.level in LOG_LEVELS else "info"
        text = "\n\n".join(part for part in (alert.text, alert.link) if part) or alert.title
        send = partial(service.notify, title=alert.title, body=text, notify_type=kind, body_format="text")
        if not await asyncio.to_thread(send):
            raise NotDelivered("the service did not take it")


def configured(client: httpx2.AsyncClient, addresses: Addresses) -> dict[str, Channel]:
    """The log, and every channel that has an address."""
    channels: dict[str, Channel] = {LOG: log}
    if addresses.slack:
        channels[SLACK] = Post(client, addresses.slack, slack_body)
    if addresses.pagerduty_key:
        body = partial(pagerduty_body, routing_key=addresses.pagerduty_key)
        channels[PAGERDUTY] = Post(client, addresses.pagerduty_url, body)
    if addresses.webhook:
        sign = partial(signature, secret=addresses.webhook_secret) if addresses.webhook_secret else None
        channels[WEBHOOK] = Post(client, addresses.webhook, webhook_body, sign)
    if addresses.mailbox:
        channels[EMAIL] = Mail(addresses.mailbox)
    if addresses.apprise:
        channels[APPRISE] = Apprise(addresses.apprise)
    if dsn := addresses.sentry:
        envelope = partial(sentry.envelope, release=addresses.release)
        channels[SENTRY] = Post(client, sentry.envelope_url(dsn), envelope, lambda *_: sentry.headers_of(dsn))
    return channels


def _as_json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def signature(alert: Alert, content: bytes, secret: str) -> Mapping[str, str]:
    """Headers by the Standard Webhooks specification 1.0 (https://www.standardwebhooks.com).

    HMAC-SHA256 over ``id.timestamp.body``. The id is the event's number, the same when the alert is sent again; the
    time is that of sending, so that a receiver can refuse old ones.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    name, sent_at = f"event-{alert.event}", str(int(time.time()))
    digest = hmac.new(key, b".".join((name.encode(), sent_at.encode(), content)), hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _retry_after_seconds(response: httpx2.Response) -> float:
    """What the receiver asks for in seconds (RFC 9110, 10.2.3); a date is not worth the trouble of two clocks."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), LONGEST_RETRY_AFTER_SECONDS) if asked.isdecimal() else 0.0
