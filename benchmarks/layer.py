"""What the whole layer adds to a Starlette route: `Canary` beside the middlewares that only measure.

In process: the application is called as a server would call it, each contender in an interpreter of its own, in turn;
what a layer adds is its time less that of the bare application, round by round. Over sockets: uvicorn with and without
the layer, each saturated by the same client.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from serinus import CanaryMetricsCollector, CanaryRouter, DeploymentVersion, Outcome, Split
from serinus.asgi import Canary, subject
from serinus.routing.endpoints import EndpointTable, templates_of
from timing import Goal, Measured, report, show

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[..., Awaitable[None]]

CALLS = 512  # two batches of the collector's queue
ROUNDS = 101
WARM_UP = 5
CONNECTIONS = 16
SUBJECTS = [f"user-{number}".encode() for number in range(CALLS)]
PATH = "/conversations/42"
BODY = b"conversation 42"


async def greet(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"conversation {request.path_params['session_id']}")


def starlette() -> Starlette:
    return Starlette(routes=[Route("/health", greet), Route("/conversations/{session_id}", greet)])


def canary(percentage: float) -> Canary:
    layer = Canary(legacy=starlette(), canary=starlette(), subject=subject.header("x-user-id"))
    layer.adopt(Split(enabled=True, percentage=percentage))
    return layer


class ByHand:
    """The least that can be had: route, mark the answer, count it. Nothing is protected, nothing that fails is seen."""

    def __init__(self) -> None:
        self.apps = {version: starlette() for version in DeploymentVersion}
        self.router = CanaryRouter(Split(enabled=True, percentage=CanaryRouter.CANARY_TRAFFIC_PERCENTAGE))
        self.collector = CanaryMetricsCollector()
        self.endpoints = EndpointTable(templates_of(self.apps[DeploymentVersion.LEGACY]))
        self.read = subject.header("x-user-id").plain

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        endpoint = self.endpoints.match(scope["path"])
        assert self.read is not None
        assignment = self.router.route(self.read(scope, None), endpoint)
        answer = MarkedAnswer(assignment.version, send)
        started = time.perf_counter()
        await self.apps[assignment.version](scope, receive, answer.send)
        self.collector.record(
            *(assignment.version, endpoint, Outcome.OK, time.perf_counter() - started),
            status=answer.status,
            slot=assignment.slot,
        )


class MarkedAnswer:
    status = 0

    def __init__(self, version: DeploymentVersion, outgoing: Send) -> None:
        self.header = (b"x-deployment-version", version.encode())
        self.outgoing = outgoing

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], self.header]}
        await self.outgoing(message)


def instrumentator() -> Application:
    from prometheus_client import CollectorRegistry
    from prometheus_fastapi_instrumentator import Instrumentator

    app = starlette()
    Instrumentator(registry=CollectorRegistry()).instrument(app)
    return app


def exporter() -> Application:
    from starlette_exporter import PrometheusMiddleware

    app = starlette()
    app.add_middleware(PrometheusMiddleware, group_paths=True)
    return app


def opentelemetry() -> Application:
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    return OpenTelemetryMiddleware(starlette(), meter_provider=MeterProvider([InMemoryMetricReader()]))


LEAST = "the least, by hand"
PEERS = {
    "prometheus-fastapi-instrumentator": instrumentator,
    "starlette_exporter": exporter,
    "opentelemetry (metrics, no spans)": opentelemetry,
}


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Message) -> None: ...


def scope(number: int, subject_: bytes) -> Message:
    path = f"/conversations/{number}"
    headers = [(b"host", b"localhost"), (b"user-agent", b"benchmark"), (b"accept", b"*/*"), (b"x-user-id", subject_)]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }


def work(orders: Connection, build: Callable[[], Application]) -> None:
    """Times `CALLS` calls whenever it is told to, in an interpreter of its own, as the application would run."""

    async def calls(app: Application) -> float:
        started = time.perf_counter()
        for number, subject_ in enumerate(SUBJECTS):
            await app(scope(number, subject_), receive, send)
        return time.perf_counter() - started

    with asyncio.Runner() as runner:
        try:
            app = build()
        except ModuleNotFoundError as missing:
            orders.send(missing.name)
            return
        for _ in range(WARM_UP):
            runner.run(calls(app))
        orders.send(None)
        while orders.recv() == "go":
            orders.send(runner.run(calls(app)))


def measure(contenders: Mapping[str, Callable[[], Application]]) -> dict[str, Measured]:
    """Every contender once in every round, one after the other."""
    workers: dict[str, Connection] = {}
    context = get_context("spawn")
    for name, build in contenders.items():
        ours, theirs = context.Pipe()
        context.Process(target=work, args=(theirs, build), daemon=True).start()
        if missing := ours.recv():
            print(f"{name}: left out, {missing} is not installed")
        else:
            workers[name] = ours
    rounds: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(ROUNDS):
        for name, worker in workers.items():
            worker.send("go")
            rounds[name].append(1e6 * worker.recv() / CALLS)
    for worker in workers.values():
        worker.send("stop")
    return {name: Measured(tuple(taken)) for name, taken in rounds.items()}


def in_process() -> tuple[Measured, dict[str, Measured]]:
    """What our layer adds at the customer's share, and what the least by hand and the peers add."""
    share = CanaryRouter.CANARY_TRAFFIC_PERCENTAGE
    ours = {f"Canary, {percentage:g} % canary": partial(canary, percentage) for percentage in (share, 0, 50, 100)}
    measured = measure({"Starlette": starlette, **ours, LEAST: ByHand, **PEERS})
    added = {name: each.less(measured["Starlette"]) for name, each in measured.items() if name != "Starlette"}
    reference = next(iter(added))
    print(f"\nThe bare route takes {measured['Starlette'].us:.2f} µs")
    show("What a layer adds to it", added, unit="µs", against=reference)
    return added[reference], {name: added[name] for name in (LEAST, *PEERS) if name in added}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Server:
    pid: int
    port: int

    @property
    def seconds(self) -> float:
        """How long it has been on a processor; the clock's time, much the same for a busy server, where none tells."""
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{self.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        return time.perf_counter()


@contextlib.contextmanager
def server(factory: str, http: str, processor: int) -> Iterator[Server]:
    """uvicorn in a process of its own."""
    port = free_port()
    options = ["--port", str(port), "--http", http, "--log-level", "error", "--no-access-log", "--factory"]
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(Path(__file__).parent), *options, f"layer:{factory}"]
    with subprocess.Popen(command) as process:
        pin(process.pid, processor)
        try:
            await_port(port)
            yield Server(process.pid, port)
        finally:
            process.terminate()


def pin(pid: int, processor: int) -> None:
    """Keep a process to one processor where the system lets us."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(pid, {processor})


def await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no server on port {port}")


def under_layer() -> Canary:
    return canary(CanaryRouter.CANARY_TRAFFIC_PERCENTAGE)


def load(target: Server, seconds: float) -> float:
    """Requests answered in a second of the server's processor time; a request always waits on every connection."""
    request = f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\nx-user-id: user-%d\r\n\r\n"
    requests = [(request % number).encode() for number in range(1_000)]
    connections = [socket.create_connection(("127.0.0.1", target.port)) for _ in range(CONNECTIONS)]
    answered = 0
    before, started = target.seconds, time.perf_counter()
    for number, connection in enumerate(connections):
        connection.sendall(requests[number])
    while time.perf_counter() < started + seconds:
        for connection in connections:
            answer = connection.recv(4_096)
            while not answer.endswith(BODY):
                answer += connection.recv(4_096)
            answered += 1
            connection.sendall(requests[answered % 1_000])
    taken = target.seconds - before
    for connection in connections:
        connection.close()
    return answered / taken


def over_sockets(http: str, rounds: int, seconds: float) -> float:
    """How much less throughput the layer leaves than the least by hand, as a fraction of that without either."""
    factories = {"bare": "starlette", "with the layer": "under_layer", LEAST: "ByHand"}
    last = (os.cpu_count() or 1) - 1
    pin(0, 0)
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(server(factory, http, last)) for name, factory in factories.items()}
        served: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(rounds + 1):
            for name, target in servers.items():
                throughput = load(target, seconds)
                if turn:  # the first is to warm up
                    served[name].append(throughput)
    fractions = {
        name: statistics.median(one / bare for one, bare in zip(taken, served["bare"], strict=True))
        for name, taken in served.items()
    }
    print(f"\nuvicorn ({http}), requests a second")
    for name, taken in served.items():
        print(f"{name:24}{statistics.median(taken):8,.0f}  {fractions[name]:.3f}")
    return fractions[LEAST] - fractions["with the layer"]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9, help="over sockets, of each server")
    options.add_argument("--seconds", type=float, default=1.0, help="a round over sockets")
    options.add_argument("--no-sockets", action="store_true")
    chosen = options.parse_args()
    ours, others = in_process()
    goals = [Goal(f"the layer, times {LEAST}", ours.ratio(others.pop(LEAST)), 1.5)]
    if peers := others:
        lightest = min(peers, key=lambda name: peers[name].us)
        goals.append(Goal(f"the layer, times the lightest peer ({lightest})", ours.ratio(peers[lightest]), 1 / 4))
    if not chosen.no_sockets:
        for http in ("h11", "httptools"):
            if http == "httptools" and not _has_httptools():
                print("uvicorn (httptools): left out, it is not installed")
                continue
            lost = over_sockets(http, chosen.rounds, chosen.seconds)
            goals.append(Goal(f"throughput under uvicorn with {http}, points below {LEAST}", lost, 0.06))
    return report(goals)


def _has_httptools() -> bool:
    from importlib.util import find_spec

    return find_spec("httptools") is not None


if __name__ == "__main__":
    raise SystemExit(main())
