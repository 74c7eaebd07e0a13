"""What is said on each channel that takes JSON."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from serinus.alerts.alert import Alert, Level

SLACK_SIGNS = {Level.CRITICAL: ":rotating_light:", Level.HIGH: ":red_circle:", Level.MEDIUM: ":large_orange_circle:"}
SLACK_TEXT_LIMIT = 2_900  # a section takes 3,000 characters
PAGERDUTY_SEVERITIES = {Level.CRITICAL: "critical", Level.HIGH: "error", Level.MEDIUM: "warning", Level.NOTICE: "info"}
PAGERDUTY_SUMMARY_LIMIT = 1_024
PAGERDUTY_KEY_LIMIT = 255


def webhook_body(alert: Alert) -> Mapping[str, Any]:
    """The alert as it is, with its time in ISO 8601."""
    told = {field.name: getattr(alert, field.name) for field in fields(alert)}
    return told | {"details": dict(alert.details), "at": iso(alert.at)}


def slack_body(alert: Alert) -> Mapping[str, Any]:
    """Blocks of an incoming webhook (https://api.slack.com/messaging/webhooks); `text` is what notifications show."""
    sign = ":white_check_mark:" if alert.resolved else SLACK_SIGNS.get(alert.level, ":information_source:")
    headline = f"{sign} *{_escaped(alert.title)}*"
    context = " · ".join(_escaped(part) for part in (alert.level.value, alert.rollout_id, iso(alert.at)) if part)
    link = f" · <{alert.link}|serinus>" if alert.link else ""
    section = f"{headline}\n{_escaped(alert.text)}"[:SLACK_TEXT_LIMIT]
    return {
        "text": _escaped(one_line(alert))[:SLACK_TEXT_LIMIT],
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": section}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context + link}]},
        ],
    }


def pagerduty_body(alert: Alert, routing_key: str) -> Mapping[str, Any]:
    """An event of PagerDuty's Events API v2 (https://developer.pagerduty.com/docs/events-api-v2/overview/)."""
    event = {
        "routing_key": routing_key,
        "event_action": "resolve" if alert.resolved else "acknowledge" if alert.acknowledged else "trigger",
        "dedup_key": alert.dedup_key[:PAGERDUTY_KEY_LIMIT],
        "client": "serinus",
        "payload": {
            "summary": one_line(alert)[:PAGERDUTY_SUMMARY_LIMIT],
            "source": alert.rollout_id or "serinus",
            "severity": PAGERDUTY_SEVERITIES[alert.level],
            "timestamp": iso(alert.at),
            "component": "canary",
            "custom_details": {"event": alert.event, **alert.details},
        },
    }
    return event | ({"client_url": alert.link} if alert.link else {})


def one_line(alert: Alert) -> str:
    """On one line whatever people wrote in their reason: nobody forges lines of the log, or headers of a mail."""
    return " ".join((f"{alert.title}: {alert.text}" if alert.text else alert.title).split())


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
