"""Alerts as events of Sentry, in its own protocol: an envelope (https://develop.sentry.dev/sdk/data-model/envelopes/)."""

import json
from collections.abc import Mapping
from hashlib import md5
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from serinus.alerts.alert import Alert, Level
from serinus.alerts.bodies import iso, one_line

LEVELS = {Level.CRITICAL: "fatal", Level.HIGH: "error", Level.MEDIUM: "warning", Level.NOTICE: "info"}
CONTENT_TYPE = "application/x-sentry-envelope"


def envelope_url(dsn: str) -> str:
    """Where a DSN's envelopes go: ``https://key@host/path/7`` -> ``https://host/path/api/7/envelope/``."""
    parts = urlsplit(dsn)
    path, _, project = parts.path.rpartition("/")
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{path}/api/{project}/envelope/"


def headers_of(dsn: str) -> Mapping[str, str]:
    """The key is public in Sentry's terms, and treated as a secret all the same."""
    client = f"serinus/{version('serinus')}"
    auth = f"Sentry sentry_version=7, sentry_client={client}, sentry_key={urlsplit(dsn).username}"
    return {"Content-Type": CONTENT_TYPE, "X-Sentry-Auth": auth}


def envelope(alert: Alert, release: str | None = None) -> bytes:
    """One event; alerts of one incident are one issue there, and sent twice they are one event."""
    event = event_of(alert, release)
    payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    header = json.dumps({"event_id": event["event_id"], "sent_at": iso(alert.at)})
    item = json.dumps({"type": "event", "length": len(payload), "content_type": "application/json"})
    return b"\n".join((header.encode(), item.encode(), payload, b""))


def event_of(alert: Alert, release: str | None) -> dict[str, Any]:
    name = f"{alert.dedup_key}/{alert.event}/{alert.at!r}"
    return {
        "event_id": md5(name.encode(), usedforsecurity=False).hexdigest(),
        "timestamp": alert.at,
        "platform": "python",
        "logger": "serinus",
        "level": LEVELS[alert.level],
        "message": {"formatted": one_line(alert)[:8_000]},
        "fingerprint": [alert.dedup_key],
        "tags": {
            "deployment_version": "canary",
            "serinus.level": alert.level.value,
            "serinus.resolved": str(alert.resolved).lower(),
            **({"serinus.rollout": alert.rollout_id} if alert.rollout_id else {}),
        },
        "extra": {"event": alert.event, **alert.details},
        **({"release": release} if release else {}),
    }
