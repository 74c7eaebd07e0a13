"""The README's demonstration, as a user would run it, on self-made traffic."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def demo(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """Exit code, events, and the last status."""
    command = [sys.executable, "-m", "serinus", "demo", "--json", "--data", str(folder), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert re.match(r"The console: http://127\.0\.0\.1:\d+/console   log in with the token \S{43}\n", run.stderr)
    *events, status = [json.loads(line) for line in run.stdout.splitlines()]
    return run.returncode, events, status


def test_the_demo_promotes_a_healthy_canary_step_by_step_with_a_persons_approvals(tmp_path: Path) -> None:
    code, events, status = demo(tmp_path)
    kinds = [event["kind"] for event in events]
    approvals = [event for event in events if event["kind"] == "approved"]
    assert (code, status["rollout"]["phase"]) == (0, "succeeded")
    assert [event["details"]["percentage"] for event in events if event["kind"] == "step_entered"] == [20, 50]
    assert {event["actor"] for event in approvals} == {"demo operator"}
    assert kinds.index("approved") < kinds.index("promoted") < kinds.index("succeeded")
    assert all(before["sequence"] < after["sequence"] for before, after in pairwise(events))


@pytest.mark.parametrize("fault", ["errors", "latency", "outage", "endpoint"])
def test_the_demo_rolls_a_broken_canary_back_within_its_deadline(tmp_path: Path, fault: str) -> None:
    code, events, status = demo(tmp_path, "--fault", fault)
    receipt = status["rollout"]["receipt"]
    assert (code, status["rollout"]["phase"]) == (0, "rolled_back")
    assert status["config"]["enabled"] is False
    assert receipt["by"] == "serinus"
    assert receipt["decided_at"] <= receipt["split_changed_at"] <= receipt["completed_at"]
    assert receipt["last_canary_at"] <= receipt["completed_at"]
    assert receipt["deadline_met"] is not False
    assert "promoted" not in {event["kind"] for event in events}
