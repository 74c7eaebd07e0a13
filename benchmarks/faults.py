"""Whether requests keep their latency while the store is away, and whether any count is lost.

    python benchmarks/faults.py [--seconds 5] [--rounds 3] [--only sqlite|postgresql]

One service in a process of its own serves at a fixed rate. Windows with the store as it should be and windows without
it take turns, so that a busy machine slows both; a request's time counts from when it was to be sent. After each fault
the service has to be well again by itself, and in the end the store must have every request that was answered.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from timing import Goal, report

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import httpx2

import postgresql
import server_faults
import store_faults
from fleet import Fleet, order, until
from line import Line
from serinus.metrics.snapshot import SLICE_SECONDS

REQUESTS_A_SECOND = 200
CONNECTIONS = 8
SETTLE_SECONDS = 1.5  # until every part of the service has met the fault
RECOVERED_SECONDS = 60.0
AT_MOST = 1.1
USER = "shop"
LEFT_OUT = {"no more writes"}  # a limit of one's own process

Fault = Callable[[], AbstractContextManager[None]]


@dataclass
class Figures:
    """Seconds of each request beside and during a fault, and how long each recovery took."""

    normal: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return p99(self.during) / p99(self.normal)


class Users:
    """Ask one service at a fixed rate, each time as another user; `answered` counts the answers."""

    def __init__(self, url: str) -> None:
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self.answered = 0

    def visit(self, seconds: float) -> list[float]:
        """How long each request took, from when it was due."""
        return asyncio.run(self._visit(int(seconds * REQUESTS_A_SECOND)))

    async def _visit(self, requests: int) -> list[float]:
        due: asyncio.Queue[float] = asyncio.Queue()
        taken: list[float] = []
        async with asyncio.TaskGroup() as users:
            for _ in range(CONNECTIONS):
                users.create_task(self._connection(due, taken))
            began = time.perf_counter()
            for number in range(requests):
                at = began + number / REQUESTS_A_SECOND
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
                due.put_nowait(at)
            for _ in range(CONNECTIONS):
                due.put_nowait(0.0)
        return taken

    async def _connection(self, due: asyncio.Queue[float], taken: list[float]) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        while at := await due.get():
            self.answered += 1
            user = b"user-%d" % self.answered
            writer.write(b"GET /hello HTTP/1.1\r\nhost: shop\r\nx-user-id: " + user + b"\r\n\r\n")
            if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
                raise SystemExit("a request was not answered with 200")
            await reader.readuntil(b"0\r\n\r\n")
            taken.append(time.perf_counter() - at)
        writer.close()


@contextmanager
def file_store(folder: Path) -> Iterator[tuple[str, dict[str, Fault]]]:
    path = folder / "store" / "serinus.db"
    path.parent.mkdir()
    faults = {name: partial(fault, path) for name, fault in store_faults.FAULTS.items() if name not in LEFT_OUT}
    yield f"sqlite+aiosqlite:///{path}", faults


@contextmanager
def server_store(_folder: Path) -> Iterator[tuple[str, dict[str, Fault]]]:
    server = postgresql.Server(autovacuum="off", synchronous_commit="on")
    try:
        server.start()
        server.execute(f"CREATE ROLE {USER} LOGIN")
        server.execute(f"CREATE DATABASE {USER} OWNER {USER} TEMPLATE template0")
        line = Line(server.port)
        place = server_faults.Place(server, line, USER, USER)
        faults: dict[str, Fault] = {name: partial(fault, place) for name, fault in server_faults.FAULTS.items()}
        faults["slow: 5 s an answer"] = partial(line.slow, 5.0)
        faults["silent line"] = line.silent
        faults["disk full"] = lambda: server_faults.disk_full(place, time.time())
        yield place.url(10.0), faults
        line.close()
    finally:
        server.remove()


def measure(name: str, url: str, faults: dict[str, Fault], seconds: float, rounds: int) -> list[Goal]:
    """Every fault in turn; prints what it measures."""
    with tempfile.TemporaryDirectory() as folder, Fleet(Path(folder), url) as fleet:
        _, service = fleet.serve("shop")
        order(service, "/config", canary_percentage=50)
        users, found = Users(service), {fault: Figures() for fault in faults}
        before = fleet.served
        users.visit(3.0)
        for _ in range(rounds):
            for fault, figures in found.items():
                one_round(service, users, faults[fault], figures, seconds)
                print(".", end="", flush=True)
        answered = users.answered + before
        lost = answered - counted(fleet, answered)
        print(f"\n{name}: {answered} requests, {lost} of them not counted")
    goals = [Goal(f"{name}: requests that no count has", float(lost), 0.0)]
    for fault, figures in found.items():
        print(
            f"  {fault:24} p99 {p99(figures.during) * 1_000:6.2f} ms, beside it {p99(figures.normal) * 1_000:6.2f} ms; "
            f"well again after {max(figures.recovered):.1f} s at most"
        )
        goals.append(Goal(f"{name}, {fault}: p99 times the normal one", figures.ratio, AT_MOST))
    return goals


def one_round(service: str, users: Users, fault: Fault, figures: Figures, seconds: float) -> None:
    figures.normal += users.visit(seconds / 2)
    with fault():
        users.visit(SETTLE_SECONDS)
        figures.during += users.visit(seconds)
    began = time.monotonic()
    until(lambda: is_well(service), RECOVERED_SECONDS)
    figures.recovered.append(time.monotonic() - began)
    figures.normal += users.visit(seconds / 2)


def is_well(service: str) -> bool:
    answer = json.loads(httpx2.get(f"{service}/ready", timeout=10).content)["serinus"]
    return bool(answer["store"] == "ok" and answer["watched"] and answer["backlog_snapshots"] == 0)


def counted(fleet: Fleet, wanted: int) -> int:
    """What the store has, once it has as many or the last slices have been delivered."""
    deadline = time.monotonic() + 5 * SLICE_SECONDS
    while (found := fleet.counted().requests) < wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    stores = {"SQLite": file_store, "PostgreSQL": server_store}
    goals: list[Goal] = []
    for name, store in stores.items():
        if options.only not in (None, name.lower()):
            continue
        if name == "PostgreSQL" and not postgresql.programs():
            print("PostgreSQL is not installed and left out")
            continue
        with tempfile.TemporaryDirectory() as folder, store(Path(folder)) as (url, faults):
            goals += measure(name, url, faults, options.seconds, options.rounds)
    return report(goals)


if __name__ == "__main__":
    sys.exit(main())
