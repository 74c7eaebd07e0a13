"""A load test judges what it measured, and calls nothing a success that did not happen."""

import json
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from measured import ALL, RECOMMEND, TURN, Row, judge, read, write
from picture import plot

RUN = Path(__file__).parents[2] / "loadtests/run.py"


def row(name: str = ALL, requests: int = 1_000, failures: int = 0, p95_ms: float = 4.0, p99_ms: float = 20.0) -> Row:
    return Row(name, requests, failures, 2.0, p95_ms, p99_ms, 33.0)


def unmet(*rows: Row, least: int = 1_000) -> list[str]:
    return [finding.demand for finding in judge([*rows], least) if not finding.met and not finding.is_goal]


def test_a_run_that_did_what_was_asked_meets_every_demand() -> None:
    assert unmet(row(RECOMMEND), row(TURN), row()) == []


def test_what_nobody_asked_for_is_not_called_fast() -> None:
    assert unmet(row(RECOMMEND), row()) == [f"{TURN}: P99, ms, below"]


def test_a_run_that_ended_early_is_no_success() -> None:
    assert unmet(row(RECOMMEND), row(TURN), row(requests=999)) == ["requests, at least"]


def test_one_failed_request_is_one_too_many() -> None:
    assert unmet(row(RECOMMEND), row(TURN), row(failures=1)) == ["failed requests, at most"]


def test_a_turn_must_take_less_than_the_promised_half_second() -> None:
    assert unmet(row(RECOMMEND), row(TURN, p99_ms=500.0), row()) == [f"{TURN}: P99, ms, below"]


def test_a_missed_goal_of_our_own_is_told_and_fails_nothing() -> None:
    rows = [row(RECOMMEND), row(TURN, p95_ms=30.0), row()]
    findings = list(judge(rows, 1))
    assert [(finding.need, finding.met) for finding in findings if finding.is_goal] == [(5, True), (10, False)]
    assert unmet(*rows) == []


def test_the_summary_tells_what_failed_how_and_what_was_never_asked_for(tmp_path: Path) -> None:
    percentiles = "50%,95%,99%"
    tables = {
        "stats": f"Name,Request Count,Failure Count,{percentiles},Requests/s\n{TURN},2,2,7,9,9,1\n{ALL},2,2,7,9,9,1\n",
        "failures": f"Method,Name,Error,Occurrences\nPOST,{TURN},CatchResponseError('answered 429'),2\n",
        "stats_history": "Timestamp,User Count,Name,Requests/s,50%,95%,Total Failure Count\n"
        f"100,0,{ALL},0.0,N/A,N/A,0\n101,5,{ALL},2.0,7,9,2\n101,5,{ALL}",  # the last line is being written
    }
    for name, table in tables.items():
        (tmp_path / f"locust_{name}.csv").write_text(table, encoding="utf-8")
    measured = read(tmp_path, memory=[(0.0, 100.0), (1.0, 120.0)])
    assert [(each.at_seconds, each.p95_ms) for each in measured.history] == [(0, None), (1, 9.0)]
    write(tmp_path, "light", measured, list(judge(measured.rows, 1)))
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert f"| {TURN} | answered 429 | 2 |" in summary
    assert f"| {RECOMMEND}: P99, ms, below | - | 500 | NOT MET |" in summary
    assert "100 MiB before, 120 MiB after" in summary
    assert all((tmp_path / name).exists() for name in ("latency.svg", "throughput.svg", "memory.svg"))


def test_a_plot_has_a_point_for_every_value() -> None:
    picture = ET.fromstring(plot({"P<95": [(0.0, 1.0), (10.0, 4.0), (20.0, 2.0)]}, "ms"))
    lines = [each.attrib["points"].split() for each in picture.iter() if each.tag.endswith("polyline")]
    assert [len(points) for points in lines] == [3]
    heights = [float(point.split(",")[1]) for point in lines[0]]
    assert heights[1] < heights[2] < heights[0]


@pytest.fixture
def locust() -> None:
    if find_spec("locust") is None:  # importing it would change this interpreter
        pytest.skip("the extra `loadtest` is not installed")


def refused(*arguments: str) -> str:
    run = subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    return run.stderr


@pytest.mark.usefixtures("locust")
@pytest.mark.parametrize("host", ["https://example.org", "http://[::1", "ftp://127.0.0.1", "127.0.0.1:8000"])
def test_only_services_on_this_machine_are_driven(host: str) -> None:
    assert "on this machine" in refused("light", "--host", host)


@pytest.mark.usefixtures("locust")
def test_a_service_that_does_not_answer_is_told_before_the_load(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert f"nobody answers at {host}" in refused("light", "--host", host, "--output", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("locust")
def test_an_output_that_cannot_be_written_to_is_told_before_the_load(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written to" in refused("light", "--output", str(tmp_path / "file"))


@pytest.mark.slow
@pytest.mark.usefixtures("locust")
def test_a_run_that_is_stopped_keeps_what_it_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN), "light", "--output", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while run.poll() is None and not requests_so_far(tmp_path):
            time.sleep(0.1)
        run.send_signal(signal.SIGTERM)  # as Ctrl-C, which is ignored in the background
        printed, said = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "Stopped early" in said
    assert "| requests, at least |" in printed
    assert printed.startswith((tmp_path / "summary.md").read_text(encoding="utf-8"))


def requests_so_far(folder: Path) -> bool:
    table = folder / "locust_stats_history.csv"
    return table.exists() and TURN in table.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("locust")
def test_the_light_profile_passes_against_the_real_service(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN), "light", "--json", "--output", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {each["name"]: each for each in json.loads(run.stdout)["rows"]}
    assert sum(each["requests"] for name, each in rows.items() if name != ALL) == rows[ALL]["requests"]
    assert rows[TURN]["requests"] > 20
    assert {path.name for path in tmp_path.iterdir()} >= {"summary.md", "latency.svg", "throughput.svg"}
