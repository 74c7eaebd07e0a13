"""Trying out the channels: a marked alert, now, past the outbox."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from serinus.alerts.alert import Alert, Level
from serinus.alerts.channels import Channel
from serinus.alerts.delivery import NotDelivered
from serinus.messages import render_label

TRIAL_SECONDS = 15.0
Channels: TypeAlias = Callable[[], Mapping[str, Channel]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying one channel; `error` is None when the alert was taken."""

    channel: str
    seconds: float
    error: str | None = None


async def try_out(channels: Mapping[str, Channel], alert: Alert) -> Sequence[Trial]:
    """All of `channels` at once: one that hangs delays no other."""
    return await asyncio.gather(*(_try(name, channel, alert) for name, channel in channels.items()))


def trial_alert(at: float, by: str, language: str, link: str | None = None) -> Alert:
    """Says in its title that it is a test, and who ordered it; of an incident of its own, which is over at once."""
    return Alert(
        event=0,
        at=at,
        level=Level.NOTICE,
        title=render_label("trial_alert", language),
        text=render_label("trial_alert_by", language, by=by),
        dedup_key=f"serinus/test/{at:.0f}",
        resolved=False,
        rollout_id=None,
        details={},
        link=link,
    )


async def _try(name: str, channel: Channel, alert: Alert) -> Trial:
    started = time.monotonic()
    error = None
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            await channel(alert)
    except NotDelivered as failure:
        error = str(failure)
    except TimeoutError:
        error = f"no answer within {TRIAL_SECONDS:.0f} s"
    return Trial(name, time.monotonic() - started, error)
