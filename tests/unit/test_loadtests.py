"""A load test judges what it measured, and calls nothing a success that did not happen."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from picture import plot
from run import ALL, Row, judge

RUN = Path(__file__).parents[2] / "loadtests/run.py"
TURN = "/api/v2/conversations/{session_id}/turn"


def row(name: str = ALL, requests: int = 1_000, failures: int = 0, p95_ms: float = 4.0, p99_ms: float = 20.0) -> Row:
    return Row(name, requests, failures, 2.0, p95_ms, p99_ms, 33.0)


def unmet(*rows: Row, least: int = 1_000) -> list[str]:
    return [finding.demand for finding in judge([*rows], least) if not finding.met and not finding.is_goal]


def test_a_run_that_did_what_was_asked_meets_every_demand() -> None:
    assert unmet(row(TURN), row()) == []


def test_a_run_that_ended_early_is_no_success() -> None:
    assert unmet(row(requests=999)) == ["requests, at least"]


def test_one_failed_request_is_one_too_many() -> None:
    assert unmet(row(failures=1)) == ["failed requests, at most"]


def test_a_turn_must_take_less_than_the_promised_half_second() -> None:
    assert unmet(row(TURN, p99_ms=500.0), row()) == [f"{TURN}: P99, ms, below"]


def test_a_missed_goal_of_our_own_is_told_and_fails_nothing() -> None:
    findings = list(judge([row(TURN, p95_ms=30.0), row()], 1))
    assert [(finding.need, finding.met) for finding in findings if finding.is_goal] == [(10, False)]
    assert unmet(row(TURN, p95_ms=30.0), row()) == []


def test_a_plot_has_a_point_for_every_value() -> None:
    picture = ET.fromstring(plot({"P<95": [(0.0, 1.0), (10.0, 4.0), (20.0, 2.0)]}, "ms"))
    lines = [each.attrib["points"].split() for each in picture.iter() if each.tag.endswith("polyline")]
    assert [len(points) for points in lines] == [3]
    heights = [float(point.split(",")[1]) for point in lines[0]]
    assert heights[1] < heights[2] < heights[0]


def test_only_services_on_this_machine_are_driven() -> None:
    run = subprocess.run(
        [sys.executable, str(RUN), "light", "--host", "https://example.org"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "on this machine" in run.stderr


@pytest.mark.slow
def test_the_light_profile_passes_against_the_real_service(tmp_path: Path) -> None:
    if find_spec("locust") is None:  # importing it would change this interpreter
        pytest.skip("the extra `loadtest` is not installed")
    command = [sys.executable, str(RUN), "light", "--json", "--output", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {each["name"]: each for each in json.loads(run.stdout)["rows"]}
    assert sum(each["requests"] for name, each in rows.items() if name != ALL) == rows[ALL]["requests"]
    assert rows[TURN]["requests"] > 20
    assert {path.name for path in tmp_path.iterdir()} >= {"summary.md", "latency.svg", "throughput.svg"}
