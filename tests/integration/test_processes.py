"""The same service in many processes, on both databases: one share, one leader, and no count lost."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import pytest

from fleet import TOKEN, Fleet, order, standing_still, until
from scraped import Scraped

pytestmark = pytest.mark.slow

LEASE_SECONDS = 5.0
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
SLACK_SECONDS = 15.0  # for a machine that has other things to do


def status(url: str) -> Any:
    return httpx2.get(f"{url}/admin/canary/status", headers=AUTHORIZED, timeout=30).json()


def requests_told(url: str) -> int:
    """As Prometheus would read them, on a connection of its own."""
    return int(
        Scraped(httpx2.get(f"{url}/metrics", headers=AUTHORIZED, timeout=30).text).total("serinus_requests_total")
    )


@pytest.fixture
def fleet(shared_url: str, tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, shared_url)


def test_four_workers_route_alike_count_every_request_once_and_have_one_leader(fleet: Fleet) -> None:
    with fleet:
        process, url = fleet.serve("shop", workers=4)
        order(url, "/config", canary_percentage=100)
        until(lambda: fleet.versions(url) == {"canary"}, 2.0)
        workers: set[int] = set()
        until(lambda: workers.update(fleet.pids(url)) or len(workers) == 4)  # some of them take most connections
        agents = fleet.ask(lambda store: store.fleet(0.0))
        assert [agent.split_revision for agent in agents] == [1] * 4
        until(lambda: {requests_told(url) for _ in range(12)} == {fleet.served})  # whichever of the four is scraped
        with fleet.visited(url):
            process.terminate()
            process.wait(30)
        assert fleet.ask(lambda store: store.fleet(0.0)) == (), "each took its leave"
        assert fleet.counted().requests == fleet.served > 100
        assert not any(word in fleet.log("shop") for word in ("Traceback", "ERROR"))


def test_a_controller_alone_leads_services_and_one_of_them_follows_when_it_is_killed(fleet: Fleet) -> None:
    with fleet:
        controller = fleet.control("alone")
        until(fleet.ticked_at)
        _, url = fleet.serve("shop")
        order(url, "/config", canary_percentage=100)
        until(lambda: fleet.versions(url) == {"canary"})
        assert fleet.leader() == "alone"
        controller.kill()
        controller.wait()
        until(lambda: fleet.leader() == "shop", LEASE_SECONDS + SLACK_SECONDS)
        assert fleet.ticks_on(1.0)
        assert fleet.versions(url) == {"canary"}


def test_a_controller_with_an_address_shows_and_steers_services_that_have_none_for_it(fleet: Fleet) -> None:
    with fleet:
        desk = fleet.control_at("desk")
        _, url = fleet.serve("shop")
        assert "serinus" in httpx2.get(f"{desk}/console").text
        assert httpx2.get(desk, follow_redirects=True).url == f"{desk}/console"
        order(desk, "/config", canary_percentage=100)
        until(lambda: fleet.versions(url) == {"canary"})
        until(lambda: status(desk)["metrics"]["canary"]["request_count"] > 0)
        until(lambda: status(desk)["config"]["known_endpoints"] == status(url)["config"]["known_endpoints"] != [])
        order(desk, "/rollout/start", plan="demo", reason="from the desk")
        order(desk, "/rollout/rollback")
        until(lambda: fleet.versions(url) == {"legacy"})
        scrape = httpx2.get(f"{desk}/metrics", headers=AUTHORIZED).text
        assert 'serinus_canary_share_ratio{kind="desired"} 0.0' in scrape
        shadow = httpx2.post(f"{desk}/admin/canary/drill", json={"scope": "live-shadow"}, headers=AUTHORIZED)
        assert (shadow.status_code, "no service in its process" in shadow.json()["detail"]) == (409, True)


def test_a_leader_that_was_stopped_and_wakes_up_changes_nothing_and_follows(fleet: Fleet) -> None:
    with fleet:
        processes = {name: fleet.control(name) for name in ("one", "two")}
        until(fleet.ticked_at)
        _, url = fleet.serve("shop")
        order(url, "/rollout/start", plan="demo")
        for _ in range(3):
            leader = fleet.leader()
            if leader not in processes:  # the service leads, and has nobody to wake up
                break
            with standing_still(processes[leader]):
                until(lambda was=leader: fleet.leader() != was, LEASE_SECONDS + SLACK_SECONDS)  # type: ignore[misc]
                heir = fleet.leader()
            assert fleet.ticks_on(3.0)
            assert fleet.leader() == heir
        order(url, "/rollout/rollback", reason="that is enough")
        until(lambda: fleet.ask(lambda store: store.active_rollout()) is None)
        events = fleet.ask(lambda store: store.events(limit=1_000))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        kinds = Counter(event.kind.value for event in events)
        assert kinds["started"] == kinds["rollback_started"] == kinds["rollback_completed"] == 1


def test_a_worker_that_is_killed_comes_back_and_routes_like_the_others(fleet: Fleet) -> None:
    with fleet:
        _, url = fleet.serve("shop", workers=2)
        order(url, "/config", canary_percentage=100)
        until(lambda: fleet.versions(url) == {"canary"})
        killed = min(fleet.pids(url))
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(fleet.pids(url) - {killed}) == 2)
        until(lambda: fleet.versions(url) == {"canary"})
