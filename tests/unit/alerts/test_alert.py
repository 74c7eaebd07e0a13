"""What people are told, and where."""

import re
from pathlib import Path

import pytest

from serinus.alerts.alert import LEVELS, Level, alert_of, channels_for
from serinus.plans import load_shipped, shipped_text
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan_file import parse_plan


def event(kind: EventKind, *, channels: tuple[str, ...] = (), incident: str | None = None, **details: str) -> Event:
    return Event(kind, 1.0, "serinus", "r1", "", details, incident, channels, sequence=7)


def test_the_plans_channels_are_told_beside_the_log() -> None:
    told = channels_for(event(EventKind.BREACH_OPENED, channels=("pagerduty", "slack", "log")))
    assert told == ("log", "webhook", "pagerduty", "slack")


def test_an_event_without_channels_goes_to_the_usual_ones() -> None:
    assert channels_for(event(EventKind.PROMOTED)) == ("log", "webhook", "slack")


@pytest.mark.parametrize("kind", sorted(set(EventKind) - set(LEVELS)))
def test_what_concerns_nobody_is_told_nowhere(kind: EventKind) -> None:
    assert channels_for(event(kind, channels=("slack",))) == ()


def test_the_events_of_one_incident_share_a_key_and_the_last_resolves_it() -> None:
    opened = alert_of(event(EventKind.BREACH_OPENED, incident="error_rate@5", severity="critical"))
    cleared = alert_of(event(EventKind.BREACH_CLEARED, incident="error_rate@5", severity="critical"))
    assert opened.dedup_key == cleared.dedup_key == "error_rate@5"
    assert (opened.resolved, cleared.resolved) == (False, True)


@pytest.mark.parametrize(
    "kind",
    [EventKind.BREACH_OPENED, EventKind.BREACH_CLEARED, EventKind.ALERT_RAISED, EventKind.ALERT_RESOLVED],
)
def test_an_alert_about_a_limit_says_which_one(kind: EventKind) -> None:
    told = alert_of(event(kind, incident="checkout-errors@5", severity="high"))
    assert "checkout-errors" in told.title
    assert "가용성" in alert_of(event(kind, incident="availability@5", severity="high"), "ko").title


def test_an_event_of_no_incident_has_a_key_of_its_own() -> None:
    assert alert_of(event(EventKind.PROMOTED)).dedup_key == "r1/7"


def test_a_trigger_gives_its_severity_to_the_alert_and_the_all_clear_is_a_notice() -> None:
    assert alert_of(event(EventKind.BREACH_OPENED, severity="critical")).level is Level.CRITICAL
    assert alert_of(event(EventKind.BREACH_OPENED, severity="medium")).level is Level.MEDIUM
    assert alert_of(event(EventKind.BREACH_CLEARED, severity="critical")).level is Level.NOTICE
    assert alert_of(event(EventKind.DEADLINE_MISSED)).level is Level.CRITICAL


@pytest.mark.parametrize("kind", LEVELS)
def test_every_kind_of_alert_has_a_title_in_both_languages(kind: EventKind) -> None:
    titles = {alert_of(event(kind), language).title for language in ("en", "ko")}
    assert len(titles) == 2
    assert all(titles)


ROUTING = Path(__file__).parents[3] / "docs/howto/alerts.md"


def documented() -> dict[str, tuple[str, set[str]]]:
    """The rows of the page's table: kind of event -> level, channels."""
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| ([a-z]+) \| ([^|]+) \|$", ROUTING.read_text(), re.MULTILINE)
    return {kind: (level, set(re.findall(r"`([a-z]+)`", channels))) for kind, level, channels in rows}


def test_the_page_on_alerts_lists_every_kind_with_its_level_and_channels() -> None:
    told = {kind: (LEVELS[kind].value, set(channels_for(event(kind))) - {"log", "webhook"}) for kind in LEVELS}
    assert documented() == told


def test_triggers_that_name_no_channel_are_told_as_the_brief_says() -> None:
    usual = {trigger.limit.name: trigger.channels for trigger in load_shipped("phase4").triggers}
    text = re.sub(r"(?m)^channels = .*\n", "", shipped_text("phase4"), count=3)
    assert {trigger.limit.name: trigger.channels for trigger in parse_plan(text).triggers} == usual
    assert usual == {
        "error-rate": ("pagerduty", "slack"),
        "p95": ("slack", "email"),
        "availability": ("slack",),
    }
