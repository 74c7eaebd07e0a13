"""`serinus plan estimate` on the command line, and on a store."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from made_cells import cell
from serinus.cli.main import main
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import CellKey, Snapshot
from serinus.plans import shipped_text
from serinus.rollout.state import AgentStatus
from serinus.storage.database import Database
from serinus.storage.store import Store

STATED = ("--rps", "20000/d", "--error-rate", "0.5", "--p95", "800")


def run(*arguments: str, exit_code: int = 0, **environment: str) -> Result:
    result = CliRunner().invoke(main, ["plan", "estimate", *arguments], env=environment)
    assert result.exit_code == exit_code, result.output
    return result


def answer(*arguments: str, **environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json", **environment).stdout)
    return found


def test_the_customers_traffic_needs_more_than_the_first_bake_time() -> None:
    found = answer("phase4", *STATED)
    assert found["requests_per_second"] == pytest.approx(20_000 / 86_400)
    assert found["steps"][0]["not_within_bake"] == ["volume"]
    assert found["steps"][0]["opens_last"] == "volume"
    assert found["legacy"] == pytest.approx({"error_rate": 0.005, "p95_ms": 800.0, "design_effect": 1.0}, rel=1e-3)


@pytest.mark.parametrize(("language", "said"), [("en", "! Step 1"), ("ko", "! 1단계")])
def test_a_gate_that_outlasts_its_bake_time_is_a_warning_in_both_languages(language: str, said: str) -> None:
    assert said in run("phase4", *STATED, "--language", language).stdout
    assert said not in run("phase4", *STATED[2:], "--rps", "50", "--language", language).stdout


def test_a_plan_is_read_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(shipped_text("phase4").replace("min_canary_requests = 1000", "min_canary_requests = 100"))
    assert answer(str(file), *STATED)["steps"][0]["opens_last"] == "bake"
    piped = CliRunner().invoke(main, ["plan", "estimate", "-", *STATED, "--json"], input=file.read_text())
    assert json.loads(piped.stdout)["steps"][0]["opens_last"] == "bake"


def test_what_never_happens_is_null_in_json_and_said_in_words() -> None:
    beyond_the_histogram = ("phase4", "--rps", "50", "--error-rate", "0.5", "--p95", "600000")
    last = answer(*beyond_the_histogram)["steps"][-1]
    assert {gate["gate"]: gate["seconds"] for gate in last["gates"]}["proven_p95"] is None
    assert last["left_after_seconds"] is None
    assert "never decided" in run(*beyond_the_histogram).stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("phase4", "--rps", "50"), "--from-store"),
        (("phase4", "--rps", "0", "--error-rate", "1", "--p95", "200"), "--rps"),
        (("phase4", "--rps", "nan", "--error-rate", "1", "--p95", "200"), "--rps"),
        (("phase4", "--rps", "5/year", "--error-rate", "1", "--p95", "200"), "20000/d"),
        (("phase4", "--rps", "5", "--error-rate", "101", "--p95", "200"), "--error-rate"),
        (("phase4", *STATED, "--latency-spread", "1"), "--latency-spread"),
        (("phase5", *STATED), "phase4"),
        (("phase4", "--rps", "5", "--from-store", "--window", "soon"), "--window"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], named: str) -> None:
    assert named in run(*arguments, exit_code=2).stderr


async def record(url: str, now: float) -> None:
    """Ten minutes of LEGACY's, the last of them a second ago: 1 % of 5,000 requests fail, for all users alike."""
    database = Database(url)
    store = Store(database, channels=lambda _event: ())
    await store.prepare()
    cells = {CellKey(DeploymentVersion.LEGACY, "/", compared=True): cell(5_000, failed=50, seconds=0.3)}
    cells[CellKey(DeploymentVersion.CANARY, "/", compared=True)] = cell(100, failed=100, seconds=9.0)
    snapshot = Snapshot("a", 1, now - 601, now - 1, 0, cells)
    await store.append_snapshots([snapshot], AgentStatus("a", now, 0))
    await database.close()


def test_legacy_is_measured_in_the_store(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}"
    asyncio.run(record(url, time.time()))
    found = answer("phase4", "--rps", "10", "--from-store", "--window", "1h", SERINUS_DATABASE_URL=url)
    assert found["legacy"] == pytest.approx({"error_rate": 0.01, "p95_ms": 300.0, "design_effect": 1.0}, rel=0.012)


def test_an_empty_store_says_what_to_do_instead(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}"
    asyncio.run(record(url, time.time() - 7_200))
    result = run("phase4", "--rps", "10", "--from-store", "--window", "1h", exit_code=1, SERINUS_DATABASE_URL=url)
    assert "--error-rate" in result.stderr
