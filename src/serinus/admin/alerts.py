"""Trying out the alert channels."""

from fastapi import APIRouter

from serinus.admin.access import Operator
from serinus.admin.context import Here, Language
from serinus.admin.orders import TrialBody
from serinus.admin.shapes import TrialShape, TrialsShape
from serinus.alerts.trial import trial_alert, try_out
from serinus.errors import InvalidInput, Problem

router = APIRouter(prefix="/alerts", tags=["alerts"])


@router.post("/test")
async def try_channels(caller: Operator, here: Here, language: Language, body: TrialBody | None = None) -> TrialsShape:
    """Send a marked test alert now, to one channel or to all that are configured, and say what came of each."""
    channels = dict(here.channels())
    if body is not None and body.channel is not None:
        if body.channel not in channels:
            there = ", ".join(sorted(channels)) or "none"
            raise InvalidInput(Problem("channel", f"{body.channel!r} is not configured; there are: {there}"))
        channels = {body.channel: channels[body.channel]}
    trials = await try_out(channels, trial_alert(here.clock(), caller.name, language, here.link))
    results = (
        TrialShape(channel=each.channel, delivered=each.error is None, error=each.error, seconds=each.seconds)
        for each in trials
    )
    return TrialsShape(results=list(results))
