"""The doctor says what a start without the store would begin with."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from serinus.cli.main import main
from serinus.control.commands import Commands
from serinus.plans import load_shipped
from serinus.rollout.commands import Order
from serinus.rollout.state import AgentStatus
from serinus.routing.split import Split
from serinus.settings import load
from serinus.storage.codec import dump
from serinus.storage.database import Database
from serinus.storage.splits import StoredSplit
from serinus.storage.store import Store

NOWHERE = "http://127.0.0.1:9"


def found(url: str, **environment: str) -> dict[str, dict[str, str]]:
    surroundings = {"SERINUS_URL": NOWHERE, "SERINUS_DATABASE_URL": url, **environment}
    result = CliRunner().invoke(main, ["doctor", "--json"], env=surroundings)
    return {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}"


@pytest.fixture
def kept_at(url: str) -> Path:
    path = load(database_url=url).kept_split_path
    assert path is not None
    return path


def test_a_kept_split_is_told_even_while_the_store_is_away(url: str, kept_at: Path) -> None:
    kept_at.write_text(dump(StoredSplit(Split(enabled=True, percentage=62.5), settled=True)))
    findings = found(url)
    assert findings["store"]["state"] == "wrong"
    assert findings["kept split"]["state"] == "ok"
    assert "62.5 % CANARY" in findings["kept split"]["message"]


def test_a_store_that_is_not_there_yet_is_named_and_not_made(url: str, tmp_path: Path) -> None:
    finding = found(url)["store"]
    assert (finding["state"], finding["message"]) == ("wrong", f"there is no file {tmp_path / 'serinus.db'}")
    assert list(tmp_path.iterdir()) == []


def test_without_a_kept_split_it_is_legacy(url: str) -> None:
    assert found(url)["kept split"]["message"] == "none: a start without the store serves LEGACY"


def test_a_kept_split_that_cannot_be_read_is_told_with_what_to_do(url: str, kept_at: Path) -> None:
    kept_at.write_text("{")
    finding = found(url)["kept split"]
    assert finding["state"] == "warning"
    assert str(kept_at) in finding["message"]
    assert "delete it" in finding["advice"]


def test_a_folder_that_is_not_there_is_told_with_what_to_do(url: str, tmp_path: Path) -> None:
    finding = found(url, SERINUS_STATE_DIR=str(tmp_path / "none"))["kept split"]
    assert (finding["state"], "SERINUS_STATE_DIR" in finding["advice"]) == ("warning", True)


def test_a_store_in_memory_has_nothing_to_keep() -> None:
    assert "kept split" not in found("sqlite+aiosqlite://")


def test_a_running_plan_that_tells_on_channels_nobody_configured_is_told_with_the_settings_to_make(url: str) -> None:
    async def start() -> None:
        database = Database(url)
        store = Store(database)
        await store.prepare()
        await Commands(store).start(load_shipped("phase4"), Order("ann", 1.0))
        await database.close()

    asyncio.run(start())
    finding = found(url)["plan's channels"]
    assert finding["state"] == "wrong"
    for setting in ("SERINUS_SLACK_WEBHOOK_URL", "SERINUS_PAGERDUTY_ROUTING_KEY", "SERINUS_SMTP_URL"):
        assert setting in finding["message"]
    some = found(url, SERINUS_SLACK_WEBHOOK_URL="https://hooks.example.org/x")["plan's channels"]
    assert "slack" not in some["message"]
    assert "pagerduty" in some["message"]


def test_a_prometheus_that_cannot_be_asked_is_told_with_what_to_do(url: str) -> None:
    finding = found(url, SERINUS_PROMETHEUS_URL="http://ann:very-secret@127.0.0.1:9")["prometheus"]
    assert "very-secret" not in str(finding)
    assert (finding["state"], "does not answer" in finding["message"]) == ("wrong", True)
    assert "SERINUS_PROMETHEUS_URL" in finding["advice"]


@pytest.mark.parametrize(("dropped", "state"), [(0, "ok"), (77, "warning")])
def test_counts_that_agents_gave_up_are_told(url: str, dropped: int, state: str) -> None:
    async def report() -> None:
        database = Database(url)
        store = Store(database)
        await store.prepare()
        await store.append_snapshots([], AgentStatus("shop", time.time(), 0, dropped=dropped))
        await database.close()

    asyncio.run(report())
    finding = found(url)["agents"]
    assert (finding["state"], "77 requests" in finding["message"]) == (state, dropped > 0)
