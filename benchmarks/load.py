"""Whether memory stays flat and every request is counted with far more users, endpoints and conversations than usual.

    python benchmarks/load.py [--seconds 3600] [--requests 50] [--conversations 10000]

First an hour of traffic in as little time as it takes, on a clock that is moved: 100,000 users on 1,000 endpoints
(beyond 512 they are counted as one), a rollout in the middle, its controller and agent beside, on a SQLite file. Then
mentor with 10,000 open conversations, each of which takes a turn. Both run in processes of their own.
"""

import argparse
import asyncio
import gc
import itertools
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from timing import Goal, report

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from control_room import EPOCH, Clock, stored_requests
from control_room import Room as ControlRoom
from mentor_service import Clock as MentorsClock
from mentor_service import Service, engines_at
from serinus import DeploymentVersion
from serinus.asgi import Canary, Options, subject
from serinus.plans import load_shipped
from serinus.storage.database import Database
from serinus.storage.store import Store

USERS, ENDPOINTS = 100_000, 1_000
WARM = 1 / 6  # of the whole, after which memory is to stay as it is
GROWN = 1.1


class Room(ControlRoom):
    """With as many endpoints as nobody has."""

    def enter(self) -> None:
        super().enter()
        templates = tuple(f"/shelf-{number}/{{item}}" for number in range(ENDPOINTS))
        options = Options(endpoints=templates)
        header = subject.header("x-user-id")
        canary = Canary(self.legacy, self.new, subject=header, options=options, clock=self.clock, timer=self.timer)
        self.canary = self.agent._canary = canary  # noqa: SLF001 - the room's own has no endpoints


def an_hour(seconds: int, requests: int) -> list[Goal]:
    """Returns what became of memory and counts."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_an_hour(f"sqlite+aiosqlite:///{folder}/serinus.db", seconds, requests))


async def _an_hour(url: str, seconds: int, requests: int) -> list[Goal]:
    store, chance = Store(Database(url)), random.Random(1)
    await store.prepare()
    room = Room(store, Clock(EPOCH))
    plan = load_shipped("demo")
    step = replace(plan.steps[0], percentage=50.0, bake_seconds=seconds + 60.0)
    await room.commands.start(replace(plan, steps=(step,)), room.order())
    began, warm = time.monotonic(), 0
    for second in range(seconds):
        for _ in range(requests):
            await ask(room, chance.randrange(USERS), chance.randrange(ENDPOINTS))
        room.clock.forward(1)
        await room.agent.beat()
        await room.controller.tick()
        if second == int(seconds * WARM):
            warm = memory()
        if second % 60 == 59:
            print(f"\r  minute {second // 60 + 1:3}: {mib(memory())}", end="", flush=True)
    room.clock.forward(2)
    await room.agent.beat()
    stored, took, end = await stored_requests(room), time.monotonic() - began, memory()
    rollout = await room.rollout()
    print(
        f"\n{seconds} s of traffic in {took:.0f} s: {room.served} requests, {stored} counted; {rollout.phase} at "
        f"{rollout.split.percentage:g} %; {mib(warm)} after {seconds * WARM:.0f} s, {mib(end)} in the end"
    )
    await store.database.close()
    lost = Goal("requests that no count has", float(room.served - stored), 0.0)
    return [lost, Goal("an hour's memory, times that after ten minutes", end / warm, GROWN)]


async def ask(room: Room, user: int, endpoint: int) -> None:
    """A request like any other, from one of many users to one of many endpoints."""
    room.served += 1

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None: ...

    headers = [(b"x-user-id", b"user-%d" % user)]
    path = f"/shelf-{endpoint}/{user}"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    await room.canary(scope, receive, send)


def conversations(number: int) -> list[Goal]:
    """Opens as many and leaves them open; then each takes a turn."""
    with tempfile.TemporaryDirectory() as folder:
        engines = engines_at(Path(folder), MentorsClock())
        with Service.of(engines, DeploymentVersion.CANARY) as service:
            began = time.monotonic()
            sessions = [service.start(f"user-{each % (number // 4 + 1)}") for each in range(number)]
            opened, warm = memory(), 0
            for turn, session in enumerate(sessions):
                service.say(session, f"I feel stuck with my project number {turn}, what should I do next?")
                if turn == int(number * WARM):
                    warm = memory()
            end = memory()
            print(
                f"{number} open conversations with a turn each in {time.monotonic() - began:.0f} s: {mib(opened)} when "
                f"they were open, {mib(warm)} after {WARM:.0%} of the turns, {mib(end)} in the end"
            )
            return [Goal("mentor's memory, times that after a sixth of the turns", end / warm, GROWN)]


def memory() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def mib(bytes_: int) -> str:
    return f"{bytes_ / 2**20:.1f} MiB"


def apart(work: Callable[..., list[Goal]], *arguments: int) -> list[Goal]:
    """In a fresh process, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3_600)
    parser.add_argument("--requests", type=int, default=50, help="in each of these seconds")
    parser.add_argument("--conversations", type=int, default=10_000)
    options = parser.parse_args()
    goals = itertools.chain(
        apart(an_hour, options.seconds, options.requests), apart(conversations, options.conversations)
    )
    return report(list(goals))


if __name__ == "__main__":
    sys.exit(main())
