"""Processes that are killed without warning, again and again, lose nothing and repeat nothing."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

import mortal
from histories import replayed
from serinus.alerts.alert import channels_for
from serinus.errors import StoreUnavailable
from serinus.rollout.events import Event
from serinus.rollout.state import Rollout
from serinus.storage.database import Database
from serinus.storage.store import Store

LIVES = {"sqlite": 40, "postgresql": 15}
LONGEST_LIFE = 25  # turns of traffic, tick and alerts; counted, for on a busy machine a second may hold none


class Mortal:
    """The other process, and what it has said of the store so far."""

    def __init__(self, url: str, told: Path) -> None:
        self.url, self.told = url, told
        self.seen: dict[str, int] = {}
        self.events_seen = 0
        self.turn_seconds = 0.0
        environment = os.environ | {"PYTHONPATH": str(Path(mortal.__file__).parent), "OPENBLAS_NUM_THREADS": "1"}
        arguments = [sys.executable, mortal.__file__, url, str(told)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment)

    def live(self, seed: int, turns: int | None, fraction: float = 0.0) -> None:
        """One life: until it ends, or is killed at this fraction of the turn after so many turns."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seed}\n")
        pid, turn, turned_at = 0, 0, time.monotonic()
        for word, *rest in self._lines():
            if word == "gone":
                assert int(rest[0]) == (0 if turns is None else signal.SIGKILL), "it did not die as it was meant to"
                return
            if word == "born":
                pid = int(rest[0])
            else:
                turn, before, turned_at = turn + 1, turned_at, time.monotonic()
                self.turn_seconds = turned_at - before
                self.seen[rest[0]], self.events_seen = int(rest[1]), int(rest[2])
            if turn == turns:
                threading.Timer(fraction * self.turn_seconds, os.kill, (pid, signal.SIGKILL)).start()

    def _lines(self) -> Iterator[list[str]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line.split()
        raise AssertionError("the other process ended")

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture
def victim(shared_url: str, tmp_path: Path) -> Iterator[Mortal]:
    victim = Mortal(shared_url, tmp_path / "told.txt")
    yield victim
    victim.end()


def stored(url: str) -> tuple[Sequence[Rollout], list[Event], int]:
    """All rollouts, all events, and the revision of the split in force; raises `StoreUnavailable` without tables."""

    async def read() -> tuple[Sequence[Rollout], list[Event], int]:
        database = Database(url)
        store = Store(database)
        try:
            split = await store.split()
            return await store.rollouts(limit=1_000), await store.events(limit=100_000), split.split.revision
        finally:
            await database.close()

    return asyncio.run(read())


@pytest.mark.slow
def test_no_event_and_no_decision_is_lost_or_repeated_however_often_the_process_is_killed(victim: Mortal) -> None:
    chance, lives = random.Random(20_251_018), LIVES[make_url(victim.url).get_backend_name()]
    for seed in range(1, lives + 1):
        victim.live(seed, chance.randrange(LONGEST_LIFE), chance.random())
        try:
            rollouts, events, _ = stored(victim.url)
        except StoreUnavailable:  # it died before it had made the tables
            assert not victim.seen
            continue
        revisions = {rollout.id: rollout.revision for rollout in rollouts}
        assert all(revisions[name] >= revision for name, revision in victim.seen.items()), "a decision was lost"
        assert len(events) >= victim.events_seen, "an event was lost"
    victim.live(mortal.LAST_LIFE, None)

    rollouts, events, split_revision = stored(victim.url)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert len(rollouts) > lives // 20
    for rollout in rollouts:
        history = [event for event in events if event.rollout_id == rollout.id]
        assert rollout.phase in replayed(history)
    assert sum(rollout.is_active for rollout in rollouts) <= 1
    assert rollouts[0].split_revision == split_revision
    if (path := make_url(victim.url).database) and Path(path).exists():
        assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)

    told = Counter(victim.told.read_text().split())
    wanted = Counter(f"{channel}:{event.sequence}" for event in events for channel in channels_for(event))
    assert not wanted - told, "an alert was lost"
    assert not set(told) - set(wanted), "something was told that no event asks for"
    assert (told - wanted).total() <= lives, "only what was under way at a kill may be told twice"
    print(f"{lives} kills, {len(rollouts)} rollouts, {len(events)} events, {(told - wanted).total()} told twice")
