"""For how long requests are held up by what runs beside them: the agent, and the controller of a rollout.

    python benchmarks/stalls.py [--seconds 20]

A service of two trivial versions serves in its own process, with ten endpoints and with as many as are counted apart;
a heartbeat of a millisecond on the same event loop says for how long nothing else came to its turn. With the rollout
beside without, in turns.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import Any

import httpx2

from serinus import Options, application, subject
from serinus.settings import load
from timing import Goal, report

ENDPOINTS = (10, 512)
ROUNDS = 3
TOKEN = "of-nobody-who-is-not-on-this-machine"
BEAT_SECONDS, PAUSE_SECONDS, AT_ONCE = 0.001, 0.005, 10
REQUEST = {"type": "http", "method": "GET", "query_string": b"", "root_path": ""}
USERS = 5_000
MOST_MS = 50.0


async def site(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@asynccontextmanager
async def served(endpoints: int, folder: str) -> AsyncIterator[Any]:
    settings = load(database_url=f"sqlite+aiosqlite:///{folder}/serinus.db", admin_token=TOKEN)
    options = Options(endpoints=tuple(f"/{number}" for number in range(endpoints)))
    service = application(
        legacy=site, canary=site, subject=subject.header("x-user"), options=options, settings=settings
    )
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    told: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.create_task(service({"type": "lifespan", "state": {}}, asked.get, told.put))
    await asked.put({"type": "lifespan.startup"})
    await told.get()
    yield service
    await asked.put({"type": "lifespan.shutdown"})
    await lifespan


async def start_rollout(service: Any) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx2.ASGITransport(app=service)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here", headers=headers) as client:
        answer = await client.post("/admin/canary/rollout/start", json={"plan": "phase4", "force": True})
        answer.raise_for_status()


async def visit(service: Any, endpoints: int, seconds: float, rng: random.Random) -> None:
    async def send(_message: Any) -> None: ...

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        for _ in range(AT_ONCE):
            user = str(rng.randrange(USERS)).encode()
            asked = {"path": f"/{rng.randrange(endpoints)}", "headers": [(b"x-user", user)]}
            await service(REQUEST | asked, receive, send)
        await asyncio.sleep(PAUSE_SECONDS)


async def beat(gaps_ms: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        now = time.perf_counter()
        gaps_ms.append((now - last - BEAT_SECONDS) * 1_000)
        last = now


async def gaps(endpoints: int, seconds: float, *, rollout: bool) -> list[float]:
    """In milliseconds, ascending."""
    rng, found = random.Random(endpoints), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        async with served(endpoints, folder) as service:
            if rollout:
                await start_rollout(service)
            await visit(service, endpoints, min(4.0, seconds), rng)
            heart = asyncio.create_task(beat(found))
            await visit(service, endpoints, seconds, rng)
            heart.cancel()
    return sorted(found)


def in_a_process(endpoints: int, seconds: float, rollout: bool) -> list[float]:  # noqa: FBT001 - goes through a pipe
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(measured, endpoints, seconds, rollout).result()


def measured(endpoints: int, seconds: float, rollout: bool) -> list[float]:  # noqa: FBT001
    return asyncio.run(gaps(endpoints, seconds, rollout=rollout))


def compare(endpoints: int, seconds: float) -> Goal:
    rounds: dict[bool, list[list[float]]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for rollout, each in rounds.items():
            each.append(in_a_process(endpoints, seconds, rollout))
    for rollout, each in rounds.items():
        p99 = statistics.median(found[len(found) * 99 // 100] for found in each)
        longest = statistics.median(found[-1] for found in each)
        name = "rollout" if rollout else "no rollout"
        print(f"{endpoints:9} {name:>12} {p99:8.1f} ms {longest:8.1f} ms")
    return Goal(f"the longest gap in {seconds:g} s of a rollout on {endpoints} endpoints, ms", longest, MOST_MS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round; the roll-ups come every 15 s")
    seconds = parser.parse_args().seconds
    print(f"{'endpoints':>9} {'':>12} {'P99':>11} {'longest':>11}")
    return report([compare(endpoints, seconds) for endpoints in ENDPOINTS])


if __name__ == "__main__":
    sys.exit(main())
