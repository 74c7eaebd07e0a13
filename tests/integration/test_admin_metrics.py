"""The figures of both versions, exactly as they were counted."""

from itertools import cycle

import pytest

from admin_desk import Desk, at_desk, count, share
from control_room import PLAN
from serinus.rollout.state import Phase


def test_both_versions_are_counted_apart_and_compared() -> None:
    async def story(desk: Desk) -> None:
        await share(desk, 50)
        versions = await desk.room.serve(200)
        desk.room.new.status = 404
        missing = (await desk.room.serve(40)).count("canary")
        desk.room.new.status = 500
        failed = (await desk.room.serve(12)).count("canary")
        await count(desk)
        answer = (await desk.get("/metrics")).json()
        canary, legacy = answer["canary"], answer["legacy"]
        good = versions.count("canary")
        assert failed
        assert missing
        assert (canary["version"], canary["request_count"]) == ("canary", good + failed + missing)
        assert (canary["error_count"], canary["client_error_count"]) == (failed, missing)
        assert canary["error_rate"] == pytest.approx(failed / (good + failed))
        assert canary["availability"] == pytest.approx(1 - failed / (good + failed))
        assert legacy["error_rate"] == 0
        assert legacy["request_count"] == 252 - canary["request_count"]
        difference = answer["comparison"]["error_rate_difference"]
        low, high = answer["comparison"]["intervals"]["error_rate_difference"]
        assert difference == pytest.approx(canary["error_rate"])
        assert low < difference < high
        traffic = answer["comparison"]["traffic_split"]
        assert traffic["canary_percentage"] + traffic["legacy_percentage"] == pytest.approx(100)
        assert traffic["canary_requests"] == canary["request_count"]

    at_desk(story)


def test_latencies_are_told_as_quantiles_and_their_increase() -> None:
    async def story(desk: Desk) -> None:
        await share(desk, 50)
        desk.room.legacy.seconds, desk.room.new.seconds = 0.9, 0.98
        await desk.room.serve(400)
        await count(desk)
        answer = (await desk.get("/metrics")).json()
        assert answer["legacy"]["p95_response_time_ms"] == pytest.approx(900)
        assert answer["canary"]["p99_response_time_ms"] == pytest.approx(980)
        assert answer["canary"]["avg_response_time_ms"] == pytest.approx(980)
        assert answer["comparison"]["p95_increase"] == pytest.approx(980 / 900 - 1, abs=1e-6)

    at_desk(story)


def test_without_traffic_there_are_no_rates_instead_of_zeros() -> None:
    async def story(desk: Desk) -> None:
        answer = (await desk.get("/metrics")).json()
        assert answer["canary"]["request_count"] == 0
        assert answer["canary"]["error_rate"] is None
        assert answer["canary"]["p95_response_time_ms"] is None
        assert answer["canary"]["last_updated"] is None
        assert answer["comparison"]["traffic_split"]["canary_percentage"] is None

    at_desk(story)


def test_the_window_leaves_out_what_is_older() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.serve(30)
        await count(desk)
        desk.room.clock.forward(100)
        await desk.room.serve(12)
        await count(desk)
        for window, expected in (("1m", 12), ("5m", 42), ("90s", 12), ("1h", 42), ("30d", 42)):
            answer = (await desk.get("/metrics", params={"window": window})).json()
            assert (window, answer["legacy"]["request_count"]) == (window, expected)

    at_desk(story)


def test_the_slo_of_a_running_rollout_stands_beside_the_figures() -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.get("/metrics")).json()["comparison"]["slo"] == []
        await desk.room.commands.start(PLAN, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        for _ in range(3):
            await desk.room.second(100)
        slo = (await desk.get("/metrics")).json()["comparison"]["slo"]
        assert {check["name"]: check["need"] for check in slo} == {"error_rate": 0.005, "p95": 0.1, "volume": 20}
        assert all({"verdict", "value", "reason"} <= set(check) for check in slo)

    at_desk(story)


@pytest.mark.parametrize("window", ["31d", "721h", "1s", "5", "", "-5m", "1e9s", "1w"])
def test_a_window_that_is_too_long_or_not_understood_is_refused_with_what_is_possible(window: str) -> None:
    async def story(desk: Desk) -> None:
        refused = await desk.get("/metrics", params={"window": window})
        assert refused.status_code == 422
        assert "from 2s to 30d" in refused.text

    at_desk(story)


async def fail_in_the_canary(desk: Desk, requests: int) -> int:
    desk.room.new.status = 500
    failed = (await desk.room.serve(requests)).count("canary")
    desk.room.new.status = 200
    await count(desk)
    return failed


def test_the_timeline_tells_what_happened_when() -> None:
    async def story(desk: Desk) -> None:
        await share(desk, 50)
        early = await fail_in_the_canary(desk, 40)
        desk.room.clock.forward(3_600)
        await desk.room.controller.tick()
        late = await fail_in_the_canary(desk, 10)
        answer = (await desk.get("/timeline", params={"window": "2h", "points": 240})).json()
        points = [one for one in answer["points"] if one["legacy"]["request_count"] + one["canary"]["request_count"]]
        assert answer["resolution_seconds"] == 60
        assert len(answer["points"]) == 120
        assert [one["canary"]["error_count"] for one in points] == [early, late]
        assert [one["canary"]["error_rate"] for one in points] == [1.0, 1.0]
        assert [one["legacy"]["error_rate"] for one in points] == [0.0, 0.0]
        assert points[0]["legacy"]["p95_response_time_ms"] == pytest.approx(20)
        assert (answer["points"][0]["at"], answer["points"][1]["canary"]["availability"]) == (answer["since"], None)

    at_desk(story)


def test_a_short_timeline_has_points_of_seconds_and_the_newest_is_there_before_any_roll_up() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.serve(7)
        await count(desk)
        answer = (await desk.get("/timeline", params={"window": "5m", "points": 150})).json()
        assert (answer["resolution_seconds"], len(answer["points"])) == (2, 150)
        assert answer["points"][-1]["legacy"]["request_count"] == 7

    at_desk(story)


def test_a_timeline_of_one_endpoint_leaves_out_the_others() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.serve(7)
        await count(desk)
        await desk.room.controller.tick()
        for endpoint, expected in (("/hello", 0), ("(other)", 7)):
            answer = (await desk.get("/timeline", params={"endpoint": endpoint})).json()
            assert (answer["endpoint"], answer["resolution_seconds"], len(answer["points"])) == (endpoint, 600, 144)
            assert sum(one["legacy"]["request_count"] for one in answer["points"]) == expected

    at_desk(story)


@pytest.mark.parametrize("asked", [{"window": "31d"}, {"points": 1}, {"points": 501}, {"points": "many"}])
def test_a_timeline_that_cannot_be_drawn_is_refused(asked: dict[str, object]) -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.get("/timeline", params=asked)).status_code == 422

    at_desk(story)


def test_the_timeline_is_read_by_whom_the_metrics_are() -> None:
    async def closed(desk: Desk) -> None:
        assert (await desk.get("/timeline", token=None)).status_code == 401
        assert (await desk.get("/timeline", token=await desk.token("viewer"))).status_code == 200

    async def opened(desk: Desk) -> None:
        assert (await desk.get("/timeline", token=None)).status_code == 200

    at_desk(closed)
    at_desk(opened, public_metrics=True)


def test_business_measures_are_compared_by_version_with_an_interval() -> None:
    async def story(desk: Desk) -> None:
        desk.room.legacy.ratings, desk.room.new.ratings = cycle((1.0, 0.0)), cycle((1.0, -1.0))
        await share(desk, 50)
        await desk.room.serve(200)
        await count(desk)
        comparison = (await desk.get("/metrics")).json()["comparison"]
        [value] = comparison["values"]
        assert value["name"] == "satisfaction"
        assert value["legacy_count"] == comparison["traffic_split"]["legacy_requests"]
        assert value["canary_count"] == comparison["traffic_split"]["canary_requests"]
        assert value["legacy_mean"] == pytest.approx(0.5, abs=0.02)
        assert value["canary_mean"] == pytest.approx(0.0, abs=0.1)
        low, high = value["interval"]
        assert low < value["difference"] < high < 0
        report = (await desk.get("/reports/comparison", params={"format": "json"})).json()
        [feedback] = [section for section in report["sections"] if section["name"] == "feedback"]
        assert feedback["blocks"][0]["rows"][0]["canary_count"] > 0

    at_desk(story)
