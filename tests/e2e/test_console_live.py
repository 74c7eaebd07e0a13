"""The console in a real browser: it shows what happens as it happens, and says so when it cannot."""

import math
import random
import re
import time
from statistics import median
from typing import Any

import pytest

from console_stage import ENDPOINTS, Stage
from console_visitor import Visitor
from serinus.bootstrap import Service
from serinus.deployment import DeploymentVersion
from serinus.metrics.sketch import bin_of
from serinus.metrics.snapshot import Cell, CellKey, Outcome, Snapshot
from serinus.rollout.state import AgentStatus
from store_faults import moved_away

pytestmark = [pytest.mark.slow, pytest.mark.tool("chromium")]

DAY_SECONDS, EVERY_SECONDS = 86_400, 10


def test_an_event_is_on_the_page_within_a_second(visitor: Visitor, stage: Stage) -> None:
    """Half of them: a machine that is busy with other things may be late now and then, polling would be most times."""
    stage.start(bake="10m")
    stage.until_phase("progressing")
    page = visitor.log_in()
    page.locator(".connection[data-state=live]").wait_for()
    took = [until_told(page, stage, verb) for verb in ("pause", "resume") * 4]
    assert median(took) < 1, took


def until_told(page: Any, stage: Stage, verb: str) -> float:
    """How long from an order's answer until the page has the event and the phase that follows, in seconds."""
    stage.order(f"/rollout/{verb}", {})
    began = time.monotonic()
    page.locator(".events li:first-child", has_text=f"{verb}d").wait_for()
    page.locator(f".phase[data-phase={'paused' if verb == 'pause' else 'progressing'}]").wait_for()
    return time.monotonic() - began


def test_users_who_are_hurt_are_shown_at_once_and_a_broken_canary_goes_back_by_itself(
    visitor: Visitor, stage: Stage
) -> None:
    stage.start(bake="10m")
    page = visitor.log_in()
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 60)
    stage.canary.one_in = 2
    page.get_by_role("heading", name=re.compile("Everybody gets LEGACY")).wait_for()
    page.locator(".phase", has_text="Rolled back").wait_for()
    page.get_by_role("heading", name="The rollout was rolled back: what next?").wait_for()
    receipt = stage.status()["rollout"]["receipt"]
    assert receipt["by"] == "serinus"
    page.locator(".receipt dd", has_text="yes" if receipt["deadline_met"] else "there was none").wait_for()
    page.locator(".events li[data-sign=back]").first.wait_for()


def test_when_both_versions_fail_the_page_says_that_going_back_would_not_help(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    page = visitor.log_in()
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 60)
    stage.legacy.one_in = stage.canary.one_in = 3
    page.get_by_role("heading", name="on both versions").wait_for()
    assert page.locator(".glance").get_attribute("data-mood") == "bad"
    assert page.title().startswith("‼")
    page.get_by_text("Look at what both versions share").wait_for()
    assert page.get_by_role("button", name="Stop the canary").is_enabled()


def test_a_lost_connection_is_shown_and_healed_and_nothing_of_the_time_between_is_missed(
    visitor: Visitor, stage: Stage
) -> None:
    stage.start(bake="10m")
    stage.until_phase("progressing")
    page = visitor.log_in()
    page.locator(".connection[data-state=live]").wait_for()
    stage.close()
    page.locator(".connection[data-state=lost]").wait_for()
    page.get_by_role("alert").get_by_text("The service does not answer").wait_for()
    stage.open()
    stage.order("/rollout/pause", {"reason": "while nobody looked"})
    page.locator(".connection[data-state=live]").wait_for()
    page.locator(".phase", has_text="Paused").wait_for()
    page.locator(".events").get_by_text("while nobody looked").wait_for()
    assert page.get_by_role("alert").count() == 0
    sequences = page.evaluate("[...document.querySelectorAll('.events time')].map((each) => each.dateTime)")
    assert len(sequences) == len(set(sequences))
    visitor.complaints.clear()  # the browser tells of each attempt that failed


def test_a_page_that_was_opened_while_the_service_is_away_says_what_to_do(visitor: Visitor, stage: Stage) -> None:
    page = visitor.log_in()
    with moved_away(stage.database):
        page.reload()
        page.get_by_role("heading", name="The store does not answer").wait_for()
        page.get_by_text("serinus doctor").first.wait_for()
    page.locator(".glance").wait_for()
    visitor.complaints.clear()  # the browser tells of each 503


def test_a_controller_that_is_not_heard_is_said_to_watch_nobody(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until_phase("progressing")
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 20)
    page = visitor.log_in()
    stage.silence_controller()
    page.get_by_role("heading", name="a canary that nobody is watching").wait_for()
    page.get_by_role("heading", name="Needs attention").wait_for()
    page.get_by_text("no controller has been heard").wait_for()


def test_the_page_asks_for_a_token_again_when_the_session_ends(visitor: Visitor, stage: Stage) -> None:
    token = stage.order("/tokens", {"name": "bob", "role": "viewer"})
    page = visitor.log_in(token["token"])
    page.locator(".connection[data-state=live]").wait_for()
    stage.order(f"/tokens/{token['id']}", method="DELETE")
    page.get_by_label("Token").wait_for()
    page.get_by_role("alert").get_by_text("The session is over").wait_for()
    assert page.locator(".glance").count() == 0
    visitor.complaints.clear()  # the browser tells of the 401


def test_who_leaves_by_themselves_is_told_of_no_session_that_is_over(visitor: Visitor, stage: Stage) -> None:
    page = visitor.log_in()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Token").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_a_day_of_history_opens_in_under_a_second(visitor: Visitor, stage: Stage) -> None:
    stage.inside(a_day)
    page = visitor.log_in()
    page.locator(".plots[aria-busy=false]").wait_for()
    seconds = [opening(page, window) for window in ("24h", "1h") * 4]
    assert min(seconds[::2]) < 1, seconds
    table = page.get_by_text("Show as a table")
    table.click()
    page.locator("details[open] tbody tr").nth(24).wait_for()


def opening(page: Any, window: str) -> float:
    """How long from the click until the curves of the window are drawn, in seconds."""
    return float(
        page.evaluate(
            """async (chosen) => {
              const began = performance.now();
              document.querySelector(`input[name=window][value="${chosen}"]`).click();
              const busy = () => document.querySelector('.plots').getAttribute('aria-busy') === 'true';
              await new Promise(requestAnimationFrame);
              await new Promise(requestAnimationFrame);
              while (busy()) await new Promise(requestAnimationFrame);
              return (performance.now() - began) / 1000;
            }""",
            window,
        )
    )


async def a_day(service: Service) -> None:
    """What an agent would have delivered since yesterday, with latencies as they are: spread over many bins."""
    chance, store, now = random.Random(7), service.machinery.store, time.time()
    cells = [{key: a_cell(chance) for key in keys()} for _ in range(50)]
    batch = [
        Snapshot("past", number, at - EVERY_SECONDS, at, 1, cells[number % len(cells)])
        for number, at in enumerate((now - DAY_SECONDS + step for step in range(0, DAY_SECONDS, EVERY_SECONDS)), 1)
    ]
    for first in range(0, len(batch), 500):
        await store.append_snapshots(batch[first : first + 500], AgentStatus("past", heard_at=now, split_revision=1))
        while await store.roll_up():
            pass


def keys() -> list[CellKey]:
    return [CellKey(version, endpoint, compared=True) for version in DeploymentVersion for endpoint in ENDPOINTS]


def a_cell(chance: random.Random, requests: int = 60) -> Cell:
    latency: dict[int, int] = {}
    for _ in range(requests):
        bin_ = bin_of(math.exp(chance.gauss(-2.5, 0.5)))
        latency[bin_] = latency.get(bin_, 0) + 1
    return Cell(outcomes={Outcome.OK: requests - 1, Outcome.FAILED: 1}, latency=latency)
