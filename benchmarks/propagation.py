"""How soon all processes do as one says: a changed share, and a canary that has died, in eight processes.

    python benchmarks/propagation.py [--processes 8] [--changes 100] [--outages 5] [--only sqlite|postgresql]

Each process serves requests of its own all the while. A change is timed from the answer to the command to the first
instant at which the last of the processes routes by it; an outage from the canary's first failure to the last request
that any process routed to it. All times are of one clock, which no process can set (CLOCK_MONOTONIC).
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from timing import Goal, report

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # eight processes would start sixteen threads
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import postgresql  # the tests' own server, made of the package's programs
from serinus import application, subject
from serinus.control.commands import Commands, Configuration
from serinus.plans import load_shipped
from serinus.rollout.commands import Order
from serinus.routing.split import Split
from serinus.settings import load

REQUESTS_A_SECOND = 50
SHARE = 50.0


@dataclass
class Results:
    """Milliseconds of every change, and of each outage: seconds, and canary requests by process."""

    changes_ms: list[float] = field(default_factory=list)
    outage_seconds: list[float] = field(default_factory=list)
    outage_requests: list[list[int]] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)


class Process:
    """A service with agent, controller and notifier, and users of its own; does what the wire says."""

    def __init__(self, url: str, number: int, wire: Connection, broken: Any) -> None:
        settings = load(database_url=url, agent_name=f"process-{number}", log_level="error")
        self.wire, self.broken = wire, broken
        self.failed_at: list[float] = []
        self.service = application(
            legacy=hello, canary=self.canary, subject=subject.header("x-user-id"), settings=settings
        )
        self.adopt = self.service.canary.adopt
        self.service.canary.adopt = self.adopt_and_tell  # type: ignore[method-assign]
        self.store = self.service.machinery.store
        self.commands = Commands(self.store)

    async def canary(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.broken.value:
            await hello(scope, receive, send)
            return
        self.failed_at.append(time.monotonic())
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def adopt_and_tell(self, split: Split) -> None:
        self.adopt(split)
        self.wire.send(("adopted", split.revision, time.monotonic()))

    async def run(self) -> None:
        await self.service.start()
        users = asyncio.create_task(visit(self.service.canary))
        self.wire.send(("ready",))
        words = asyncio.get_running_loop()
        while (word := await words.run_in_executor(None, self.wire.recv))[0] != "end":
            await getattr(self, word[0])(*word[1:])
        users.cancel()
        await self.service.stop()

    async def share(self, percentage: float) -> None:
        stored = await self.commands.configure(self.order(), Configuration(percentage=percentage))
        self.wire.send(("accepted", stored.split.revision, time.monotonic()))

    async def start(self) -> None:
        plan = load_shipped("demo")
        step = replace(plan.steps[0], percentage=SHARE, bake_seconds=3_600.0)
        await self.commands.start(replace(plan, steps=(step,), cool_down_seconds=0), self.order())

    async def failures(self) -> None:
        self.wire.send(("failures", self.failed_at))
        self.failed_at = []

    async def receipt(self) -> None:
        rollout = await self.store.latest_rollout()
        self.wire.send(("receipt", rollout.receipt if rollout and not rollout.is_active else None))

    def order(self) -> Order:
        return Order("benchmark", self.service.machinery.clock(), "")


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def serve(url: str, number: int, wire: Connection, broken: Any) -> None:
    asyncio.run(Process(url, number, wire, broken).run())


async def visit(canary: Any) -> None:
    number, start = 0, time.monotonic()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None: ...

    while True:
        number += 1
        await asyncio.sleep(max(0.0, start + number / REQUESTS_A_SECOND - time.monotonic()))
        headers = [(b"x-user-id", b"user-%d" % number)]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        await canary(scope, receive, send)


@contextmanager
def stores(only: str | None) -> Iterator[Mapping[str, str]]:
    """A fresh database of each kind."""
    urls: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        if only != "postgresql":
            urls["SQLite"] = f"sqlite+aiosqlite:///{folder}/serinus.db"
        server = postgresql.Server() if only != "sqlite" and postgresql.programs() else None
        try:
            if server is not None:
                server.start()
                urls["PostgreSQL"] = server.url()
            elif only != "sqlite":
                print("PostgreSQL is not installed and left out")
            yield urls
        finally:
            if server is not None:
                server.remove()


def measure(url: str, processes: int, changes: int, outages: int) -> Results:
    spawning = multiprocessing.get_context("spawn")
    broken = spawning.Value("b", 0)
    wires, workers = [], []
    for number in range(processes):
        here, there = spawning.Pipe()
        worker = spawning.Process(target=serve, args=(url, number, there, broken), daemon=True)
        worker.start()
        wires.append(here)
        workers.append(worker)
    results = Results()
    try:
        settle(wires)
        for number in range(changes):
            results.changes_ms.append(change(wires, 10.0 + number % 80))
        for _ in range(outages):
            outage(wires, broken, results)
        for wire in wires:
            wire.send(("end",))
        for worker in workers:
            worker.join(30)
    finally:
        for worker in workers:
            worker.kill()
    return results


def settle(wires: list[Connection]) -> None:
    """Until every process serves, and all have heard of a controller."""
    for wire in wires:
        next(received(wire, "ready"))
    wires[0].send(("share", 5.0))
    time.sleep(3.0)
    drain(wires)


def drain(wires: list[Connection]) -> list[Any]:
    words = []
    for wire in wires:
        while wire.poll():
            words.append(wire.recv())
    return words


def change(wires: list[Connection], percentage: float) -> float:
    """Milliseconds from the command's answer to the last process; the command comes from another one each time."""
    time.sleep(0.137 + time.monotonic() % 0.1)  # at any place between two beats
    wires[int(percentage) % len(wires)].send(("share", percentage))
    revision, accepted, adopted = None, 0.0, {}
    while revision is None or len(adopted) < len(wires):
        for wire in multiprocessing.connection.wait(wires, timeout=10.0):
            word = wire.recv()  # type: ignore[union-attr]
            if word[0] == "accepted":
                revision, accepted = word[1], word[2]
            elif word[0] == "adopted":
                adopted[id(wire)] = word
        adopted = {key: word for key, word in adopted.items() if revision is None or word[1] >= revision}
    return max(0.0, max(word[2] for word in adopted.values()) - accepted) * 1_000


def outage(wires: list[Connection], broken: Any, results: Results) -> None:
    """The canary fails everywhere from one instant on; until the rollback is complete."""
    drain(wires)
    wires[0].send(("start",))
    time.sleep(6.0)
    broken.value = 1
    receipt = None
    while receipt is None:
        time.sleep(0.5)
        wires[0].send(("receipt",))
        receipt = next((word[1] for word in received(wires[0], "receipt")), None)
    failures = []
    for wire in wires:
        wire.send(("failures",))
        failures.append(next(received(wire, "failures"))[1])
    broken.value = 0
    everything = [at for times in failures for at in times]
    results.outage_seconds.append(max(everything) - min(everything))
    results.outage_requests.append([len(times) for times in failures])
    results.receipts.append(told(receipt))


def received(wire: Connection, kind: str) -> Iterator[Any]:
    while True:
        word = wire.recv()
        if word[0] == kind:
            yield word
            return


def told(receipt: Any) -> str:
    def after(at: float | None) -> str:
        return "?" if at is None else f"{at - receipt.decided_at:+.2f}"

    return (
        f"receipt, seconds from the decision: breach {after(receipt.breach_at)}, last request routed "
        f"{after(receipt.last_canary_at)}, all confirmed {after(receipt.split_changed_at)}, complete "
        f"{after(receipt.completed_at)}; deadline met: {receipt.deadline_met}"
    )


def show(name: str, results: Results) -> None:
    ordered = sorted(results.changes_ms)
    print(f"\n{name}: {len(ordered)} changes")
    if ordered:
        print(f"  p50 {statistics.median(ordered):.1f} ms, p99 {p99(ordered):.1f} ms, slowest {ordered[-1]:.1f} ms")
    for seconds, requests, receipt in zip(
        results.outage_seconds, results.outage_requests, results.receipts, strict=True
    ):
        print(f"  outage: last canary request after {seconds:.2f} s; by process {requests}\n    {receipt}")


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--outages", type=int, default=3)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    goals, at_most = [], {"SQLite": 250.0, "PostgreSQL": 50.0}
    with stores(options.only) as urls:
        for name, url in urls.items():
            results = measure(url, options.processes, options.changes, options.outages)
            show(name, results)
            if results.changes_ms:
                what = f"{name}: from the accepted command to the last of {options.processes} processes, p99 in ms"
                goals.append(Goal(what, p99(results.changes_ms), at_most[name]))
            if results.outage_seconds:
                goals.append(Goal(f"{name}: total outage, canary requests of one process", most(results), 10))
                goals.append(Goal(f"{name}: total outage, last canary request (s)", max(results.outage_seconds), 5.0))
    return report(goals)


def most(results: Results) -> int:
    return max(max(requests) for requests in results.outage_requests)


if __name__ == "__main__":
    sys.exit(main())
