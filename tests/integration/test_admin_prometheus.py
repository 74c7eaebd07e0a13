"""What Prometheus scrapes, from the first time on: everybody's figures, whichever process is asked."""

from dataclasses import replace
from math import inf, isnan
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from admin_desk import TEMPLATES, Desk, at_desk, count, share
from control_room import PLAN
from scraped import Scraped
from serinus.admin.prometheus import FAMILIES
from serinus.analysis.criteria import Limit
from serinus.analysis.verdict import Metric
from serinus.control.controller import ROLLUP_RETENTION_SECONDS
from serinus.deployment import OTHER_ENDPOINT
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan import AlertRule, Severity, Step, Trigger
from serinus.rollout.state import AgentStatus, Phase

VERSIONS = ("legacy", "canary")
LEGACY = {"version": "legacy", "endpoint": OTHER_ENDPOINT}
CANARY = {"version": "canary", "endpoint": OTHER_ENDPOINT}
WATCHFUL = replace(
    PLAN,
    steps=(Step(20, bake_seconds=3_600), Step(50, bake_seconds=3_600)),
    triggers=(
        *PLAN.triggers,
        Trigger(Limit("p95", Metric.P95, 2_000), Severity.HIGH, deadline_seconds=300, channels=("slack",)),
    ),
    alert_rules=(AlertRule(Limit("talk", Metric.ERROR_RATE, 0.01), ("slack",)),),
)


async def look(desk: Desk) -> Scraped:
    response = await desk.scrape()
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return Scraped(response.text)


def test_every_series_is_there_from_the_first_scrape() -> None:
    async def story(desk: Desk) -> None:
        found = await look(desk)
        exposed = {family.name for family in FAMILIES}
        assert exposed == set(found.families)
        for version in VERSIONS:
            for endpoint in (*TEMPLATES, OTHER_ENDPOINT):
                labels = {"version": version, "endpoint": endpoint}
                assert found.value("serinus_requests_total", **labels, outcome="failed") == 0
                assert found.value("serinus_request_errors_total", **labels) == 0
                assert found.value("serinus_request_duration_seconds_bucket", **labels, le="2.0") == 0
        assert found.labels("serinus_rollout_phase", "phase") == set(Phase)
        assert found.labels("serinus_events_total", "kind") == set(EventKind)
        assert found.total("serinus_rollout_phase") == found.total("serinus_events_total") == 0
        assert isnan(found.value("serinus_canary_share_ratio", kind="observed"))
        assert isnan(found.value("serinus_rollback_deadline_met"))

    at_desk(story)


def test_requests_errors_and_latencies_are_told_by_version_and_endpoint() -> None:
    async def story(desk: Desk) -> None:
        await share(desk, 40)
        versions = await desk.room.serve(100)
        desk.room.new.status = 503
        failed = (await desk.room.serve(20)).count("canary")
        await count(desk)
        found = await look(desk)
        good = versions.count("canary")
        assert failed
        assert found.value("serinus_requests_total", **CANARY, outcome="failed") == failed
        assert found.value("serinus_requests_total", **CANARY, outcome="ok") == good
        assert found.value("serinus_request_errors_total", **CANARY) == failed
        assert found.value("serinus_request_duration_seconds_count", **CANARY) == good + failed
        assert found.value("serinus_request_duration_seconds_sum", **CANARY) == pytest.approx(0.02 * (good + failed))
        assert found.total("serinus_requests_total") == 120
        assert found.value("serinus_canary_share_ratio", kind="desired") == 0.4
        assert found.value("serinus_canary_share_ratio", kind="observed") == pytest.approx((good + failed) / 120)
        assert found.value("serinus_agent_canary_share_ratio") == 0.4

    at_desk(story)


def test_buckets_have_two_seconds_as_an_edge() -> None:
    async def story(desk: Desk) -> None:
        for seconds in (0.1, 1.99, 2.01):
            desk.room.legacy.seconds = seconds
            await desk.room.serve(10)
        await count(desk)
        found = await look(desk)
        assert found.value("serinus_request_duration_seconds_bucket", **LEGACY, le="2.0") == 20
        assert found.value("serinus_request_duration_seconds_bucket", **LEGACY, le="+Inf") == 30

    at_desk(story)


def test_whichever_of_two_processes_is_scraped_the_figures_are_of_both(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/serinus.db"

    async def story(desk: Desk) -> None:
        other = Desk(desk.room.elsewhere(url))
        await desk.room.serve(30)
        await other.room.serve(12)
        await count(desk)
        await other.room.agent.beat()
        here, there = await look(desk), await look(other)
        assert here.value("serinus_requests_total", **LEGACY, outcome="ok") == 42
        assert here.counters() == there.counters()
        assert here.value("serinus_agents", state="current") == there.value("serinus_agents", state="current") == 2
        await other.room.store.database.close()

    at_desk(story, url)


def test_counters_go_on_after_a_restart_a_roll_up_and_the_end_of_what_is_kept() -> None:
    async def story(desk: Desk) -> None:
        await share(desk, 50)
        await desk.room.serve(40)
        await count(desk)
        before = (await look(desk)).counters()
        assert sum(before.values()) > 40
        desk.room.enter()
        assert (await look(Desk(desk.room))).counters() == before
        desk.room.clock.forward(20)
        await desk.room.controller.tick()
        assert (await look(desk)).counters() == before
        desk.room.clock.forward(ROLLUP_RETENTION_SECONDS + 2 * 86_400)
        await desk.room.controller.tick()
        assert await desk.room.store.window(0.0) == {}
        assert (await look(desk)).counters() == before
        await desk.room.serve(5)
        await count(desk)
        after = (await look(desk)).counters()
        assert all(after[key] >= number for key, number in before.items())
        assert sum(after.values()) > sum(before.values())

    at_desk(story)


def test_a_thousand_paths_are_one_series() -> None:
    async def story(desk: Desk) -> None:
        before = len(await look(desk))
        await desk.room.serve(1_000)
        await count(desk)
        assert len(await look(desk)) == before

    at_desk(story)


def test_a_rollout_is_told_by_phase_step_gates_limits_and_verdicts() -> None:
    async def story(desk: Desk) -> None:
        rollout = await desk.room.commands.start(WATCHFUL, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        for _ in range(6):
            await desk.room.second(100)
        found = await look(desk)
        assert found.value("serinus_rollout_info", rollout=rollout.id, plan="quick") == 1
        assert found.value("serinus_rollout_phase", phase="progressing") == found.total("serinus_rollout_phase") == 1
        assert (found.value("serinus_rollout_step"), found.value("serinus_rollout_steps")) == (1, 2)
        assert found.value("serinus_gate_need", gate="bake", unit="seconds") == 3_600
        assert found.value("serinus_gate_need", gate="volume", unit="requests") == 20
        assert found.value("serinus_gate_need", gate="p95", unit="ratio") == 0.1
        judged = found.value("serinus_judged_requests", version="canary")
        assert found.value("serinus_gate_value", gate="volume", unit="requests") == judged > 20
        assert found.value("serinus_gate_open", gate="calm", kind="calm") == 1
        assert found.value("serinus_check_verdict", check="slo:volume", verdict="pass") == 1
        assert found.value("serinus_check_verdict", check="slo:volume", verdict="fail") == 0
        high = found.value("serinus_check_interval", check="slo:error_rate", bound="high")
        assert found.value("serinus_check_interval", check="slo:error_rate", bound="low") <= 0 < high
        assert found.value("serinus_limit_threshold", limit="p95", metric="p95", severity="high", unit="seconds") == 2
        assert found.value(
            "serinus_limit_value", limit="p95", metric="p95", severity="high", unit="seconds"
        ) == pytest.approx(0.02)
        assert (
            found.value("serinus_limit_threshold", limit="talk", metric="error_rate", severity="alert", unit="ratio")
            == 0.01
        )
        assert found.value("serinus_limit_deadline_seconds", limit="error_rate", severity="critical") == 60
        assert found.value("serinus_judged_latency_seconds", version="legacy", percentile="95") == pytest.approx(0.02)
        assert 0 <= found.value("serinus_rollout_evidence_age_seconds") <= 5
        assert found.value("serinus_controller_up") == 1

    at_desk(story)


def test_a_breach_a_freeze_and_the_way_back_are_told_with_the_receipt() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(WATCHFUL, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        await desk.room.second()
        desk.room.new.status = 500
        for _ in range(20):
            await desk.room.second(5)
            found = await look(desk)
            if found.value("serinus_limit_breached", limit="error_rate", severity="critical"):
                break
        assert (
            found.value(
                "serinus_limit_value", limit="error_rate", metric="error_rate", severity="critical", unit="ratio"
            )
            > 0.05
        )
        await desk.room.until(Phase.ROLLED_BACK)
        found = await look(desk)
        receipt = (await desk.room.rollout()).receipt
        assert receipt is not None
        assert receipt.completed_at is not None
        began = receipt.breach_at or receipt.decided_at
        completed = found.value("serinus_rollback_stage_seconds", stage="completed")
        assert completed == pytest.approx(receipt.completed_at - began)
        assert 0 <= found.value("serinus_rollback_stage_seconds", stage="decided") <= completed
        assert found.value("serinus_rollback_deadline_met") == 1
        assert found.value("serinus_events_total", kind="rollback_started") == 1
        assert found.value("serinus_rollout_phase", phase="rolled_back") == 1
        assert found.value("serinus_canary_share_ratio", kind="desired") == 0
        assert isnan(found.value("serinus_rollout_evidence_age_seconds"))
        assert isnan(
            found.value(
                "serinus_limit_value", limit="error_rate", metric="error_rate", severity="critical", unit="ratio"
            )
        )
        assert found.value("serinus_limit_breached", limit="error_rate", severity="critical") == 0

    at_desk(story)


def test_alerts_that_wait_and_that_were_given_up_are_told_by_channel() -> None:
    async def story(desk: Desk) -> None:
        store, now = desk.room.store, desk.room.clock()
        kinds = (EventKind.DEADLINE_MISSED, EventKind.PAUSED, EventKind.RESUMED)
        await store.record_events([Event(kind, now, "ann", channels=("pager",)) for kind in kinds])
        first = await store.claim_delivery("pager", now, claim_seconds=60)
        assert first is not None
        await store.delivery_failed(first, now, retry_at=None, error="answered 404")
        second = await store.claim_delivery("pager", now, claim_seconds=60)
        assert second is not None
        await store.delivered(second, now)
        desk.room.clock.forward(90)
        found = await look(desk)
        assert found.value("serinus_outbox_deliveries", channel="pager", state="dead") == 1
        assert found.value("serinus_outbox_deliveries", channel="pager", state="pending") == 1
        assert found.value("serinus_outbox_oldest_seconds", channel="pager") == 90

    at_desk(story)


def test_agents_that_fell_silent_or_behind_and_a_controller_that_is_gone_are_told() -> None:
    async def story(desk: Desk) -> None:
        store = desk.room.store
        await share(desk, 10)
        for name, seconds, revision in (("well", 1.0, 1), ("behind", 1.0, 0), ("silent", 20.0, 1)):
            status = AgentStatus(name, desk.room.clock() + 30 - seconds, revision, None, 3, breaker_open=name == "well")
            await store.append_snapshots([], replace(status, dropped=7, subject_failures=2))
        desk.room.clock.forward(30)
        found = await look(desk)
        assert {state: found.value("serinus_agents", state=state) for state in ("current", "behind", "silent")} == {
            "current": 1,
            "behind": 1,
            "silent": 1,
        }
        assert found.value("serinus_agents_breaker_open") == 1
        assert found.value("serinus_agents_canary_in_flight") == 9
        assert found.value("serinus_agents_dropped_requests") == 21
        assert found.value("serinus_agents_subject_failures") == 6
        assert (found.value("serinus_controller_up"), found.value("serinus_controller_silent_seconds")) == (0, 30)

    at_desk(story)


def test_without_its_store_a_process_tells_of_itself_and_of_nobody_else(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        away = Desk(desk.room.elsewhere(f"sqlite+aiosqlite:///{tmp_path}/no-such-folder/store.db"))
        await away.room.serve(25)
        await count(away)
        found = await look(away)
        assert found.value("serinus_store_up") == 0
        assert found.value("serinus_agent_unwatched") == 1
        assert found.value("serinus_agent_controller_silent_seconds") == inf
        assert found.value("serinus_agent_backlog_snapshots") >= 1
        assert found.counters() == {}
        await away.room.store.database.close()

    at_desk(story)


def test_openmetrics_is_told_to_who_asks_for_it() -> None:
    async def story(desk: Desk) -> None:
        token = await desk.token("viewer")
        headers = {"Accept": "application/openmetrics-text;version=1.0.0", "Authorization": f"Bearer {token}"}
        response = await desk.client.get("/metrics", headers=headers)
        assert response.headers["content-type"].startswith("application/openmetrics-text")
        names = {family.name for family in text_string_to_metric_families(response.text)}
        assert names == {family.name for family in FAMILIES}

    at_desk(story)


def test_the_figures_are_closed_to_strangers_unless_they_are_public() -> None:
    async def closed(desk: Desk) -> None:
        assert (await desk.scrape(token=None)).status_code == 401

    async def opened(desk: Desk) -> None:
        assert (await desk.scrape(token=None)).status_code == 200

    at_desk(closed)
    at_desk(opened, public_metrics=True)


def test_business_measures_are_told_by_version() -> None:
    async def story(desk: Desk) -> None:
        desk.room.legacy.ratings = iter((1.0, 0.5, -1.0))
        await desk.room.serve(5)
        await count(desk)
        found = await look(desk)
        labels = {"version": "legacy", "measure": "satisfaction"}
        assert found.value("serinus_measures_total", **labels) == 3
        assert found.value("serinus_measure_sum", **labels) == pytest.approx(0.5)
        assert found.value("serinus_measures_total", **{**labels, "version": "canary"}) == 0

    at_desk(story)
