"""A process that starts while the store is away goes on with CANARY if the rollout had succeeded, and only then."""

import logging
from pathlib import Path

import pytest

from control_room import PLAN, Room, live
from serinus.control.commands import Configuration
from serinus.rollout.state import Phase
from store_faults import FAULTS, Fault, delete, moved_away

IN_HALF = Configuration(percentage=50.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "serinus.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}?timeout=0.01"


@pytest.fixture
def kept_at(tmp_path: Path) -> Path:
    return tmp_path / "split.json"


async def succeed(room: Room, kept_at: Path) -> None:
    room.kept_at = kept_at
    room.enter()
    await room.commands.start(PLAN, room.order())
    await room.until(Phase.SUCCEEDED)
    await room.agent.beat()


async def begin_again(room: Room) -> list[str]:
    """Who answers in another life of the process, after its agent has tried to reach the store."""
    room.enter()
    await room.agent.beat()
    return await room.serve(3)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_start_without_the_store_after_a_success_serves_canary(
    fault: Fault, path: Path, url: str, kept_at: Path
) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        with fault(path):
            assert await begin_again(room) == ["canary"] * 3

    live(story, url)


def test_a_start_without_the_store_serves_legacy_while_a_rollout_runs(path: Path, url: str, kept_at: Path) -> None:
    async def story(room: Room) -> None:
        room.kept_at = kept_at
        room.enter()
        await room.commands.configure(room.order(), Configuration(percentage=100.0))
        await room.second()
        await room.second()
        assert await room.serve(1) == ["canary"]
        with moved_away(path):
            assert await begin_again(room) == ["legacy"] * 3

    live(story, url)


def test_a_share_that_is_lowered_after_a_success_is_no_longer_kept(path: Path, url: str, kept_at: Path) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        assert kept_at.exists()
        await room.commands.configure(room.order("support sees complaints"), IN_HALF)
        await room.agent.beat()
        assert not kept_at.exists()
        with moved_away(path):
            assert await begin_again(room) == ["legacy"] * 3

    live(story, url)


def test_a_start_without_the_store_after_a_rollback_serves_legacy(path: Path, url: str, kept_at: Path) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        await room.commands.start(PLAN, room.order())
        await room.until(Phase.PROGRESSING)
        await room.commands.roll_back(room.order("complaints"))
        await room.until(Phase.ROLLED_BACK)
        with moved_away(path):
            assert await begin_again(room) == ["legacy"] * 3

    live(story, url)


def test_the_stores_own_word_replaces_what_was_kept(path: Path, url: str, kept_at: Path) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        delete(path)
        await room.store.prepare()
        assert await begin_again(room) == ["legacy"] * 3
        assert not kept_at.exists()

    live(story, url)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"split": 3}', b"\xff\xfe", b'{"of": "a later version"}', b'{"split": {"percentage": 150}}'],
)
def test_a_copy_that_cannot_be_read_is_ignored_and_said_so(
    content: bytes, path: Path, url: str, kept_at: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        kept_at.write_bytes(content)
        with moved_away(path):
            assert await begin_again(room) == ["legacy"] * 3
        assert "of no use" in caplog.text

    live(story, url)


def test_a_folder_that_cannot_be_written_is_told_once_and_holds_up_nothing(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(room: Room) -> None:
        caplog.set_level(logging.WARNING)
        await succeed(room, tmp_path / "nowhere" / "split.json")
        assert await room.serve(2) == ["canary"] * 2
        await room.second()
        assert len([line for line in caplog.messages if "cannot be kept" in line]) == 1

    live(story, url)


def test_only_a_change_is_written(url: str, kept_at: Path) -> None:
    async def story(room: Room) -> None:
        await succeed(room, kept_at)
        kept_at.write_bytes(b"untouched")
        for _ in range(3):
            await room.second()
        assert kept_at.read_bytes() == b"untouched"

    live(story, url)
