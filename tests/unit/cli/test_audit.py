"""An auditor's look at the events, without any service."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from serinus.cli.main import main
from serinus.settings import load
from serinus.storage.database import Database
from serinus.storage.store import Store


class Auditor:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.url = f"sqlite+aiosqlite:///{file}"

    def run(self, *arguments: str, exit_code: int = 0, language: str = "en") -> Result:
        surroundings = {"SERINUS_DATABASE_URL": self.url, "SERINUS_LANGUAGE": language}
        result = CliRunner().invoke(main, ["audit", *arguments], env=surroundings)
        assert result.exit_code == exit_code, result.output
        return result

    def tamper(self, statement: str) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.execute(statement)
        connection.close()


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """Of a store in which four tokens were made."""
    auditor = Auditor(tmp_path / "serinus.db")

    async def fill() -> None:
        database = Database(load(database_url=auditor.url).database_url)
        store = Store(database)
        await store.prepare()
        for number in range(4):
            await store.create_token(f"token {number}", "viewer", 100.0 + number, by="ann")
        await database.close()

    asyncio.run(fill())
    return auditor


def test_events_as_they_were_stored_are_said_to_be_whole(auditor: Auditor) -> None:
    head = auditor.run("head").stdout.strip()
    found = json.loads(auditor.run("verify", "--json", "--head", head).stdout)
    assert found == {"intact": True, "events": 4, "head": head, "broken": None}
    told = auditor.run("verify", "--head", head.upper()).stdout
    assert told.startswith("4 events, each linked to the one before")
    assert head in told
    assert json.loads(auditor.run("head", "--json").stdout) == {"sequence": 4, "head": head}


def test_the_first_broken_link_is_named_and_ends_with_one(auditor: Auditor) -> None:
    auditor.tamper("UPDATE serinus_events SET body = replace(body, 'ann', 'bob') WHERE sequence = 3")
    assert "Event 3 is not what was stored" in auditor.run("verify", exit_code=1).stdout
    assert "이벤트 3번이 저장된 내용과 다르거나" in auditor.run("verify", exit_code=1, language="ko").stdout
    found = json.loads(auditor.run("verify", "--json", exit_code=1).stdout)
    assert (found["intact"], found["events"], found["broken"]) == (False, 2, {"sequence": 3, "fault": "altered"})


def test_a_head_that_was_kept_finds_an_end_that_was_cut_off_with_care(auditor: Auditor) -> None:
    kept = auditor.run("head").stdout.strip()
    auditor.tamper("DELETE FROM serinus_events WHERE sequence = 4")
    assert "go on with event 4" in auditor.run("verify", exit_code=1).stdout
    auditor.tamper(
        "UPDATE serinus_counters SET value = 3, digest = (SELECT digest FROM serinus_events WHERE sequence = 3) "
        "WHERE name = 'events'"
    )
    auditor.run("verify")
    assert "none has the head that was kept" in auditor.run("verify", "--head", kept, exit_code=1).stdout


@pytest.mark.parametrize("kept", ["", "1234", "z" * 64])
def test_what_cannot_be_a_head_is_said(auditor: Auditor, kept: str) -> None:
    assert "serinus audit head" in auditor.run("verify", "--head", kept, exit_code=2).stderr


def test_a_store_that_no_service_has_used_is_said_with_what_to_do(tmp_path: Path) -> None:
    for command in ("head", "verify"):
        result = Auditor(tmp_path / "other.db").run(command, exit_code=4)
        assert "SERINUS_DATABASE_URL must be the service's" in result.stderr
