"""Real processes on one store: services with any number of workers, and controllers alone."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx2
from sqlalchemy import select

from serinus.errors import StoreUnavailable
from serinus.metrics.snapshot import Cell, merge
from serinus.storage import tables
from serinus.storage.database import Database
from serinus.storage.store import Store

TOKEN = "the-operators-token-of-the-tests"
SHOP = """
import os
from serinus import Options, application, subject

def shop(breaks):
    async def app(scope, receive, send):
        status = 500 if breaks and os.path.exists("outage") else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"x-pid", b"%d" % os.getpid())]})
        await send({"type": "http.response.body", "body": b"hello"})
    return app

options = Options(endpoints=("/hello",))
app = application(legacy=shop(False), canary=shop(True), subject=subject.header("x-user-id"), options=options)
"""
T = TypeVar("T")


class Fleet(AbstractContextManager["Fleet"]):
    """Processes in one folder, on the store at `url`; all are ended with the block."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self.folder, self.url = folder, url
        (folder / "shop.py").write_text(SHOP, encoding="utf-8")
        self._settings = {"SERINUS_DATABASE_URL": url, "SERINUS_ADMIN_TOKEN": TOKEN} | settings
        self._processes = ExitStack()
        self.served = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._processes.close()

    def serve(self, name: str, *, workers: int = 1) -> tuple[subprocess.Popen[bytes], str]:
        """A service, and where it listens, once all its workers answer."""
        port = free_port()
        process = self._start(name, "serve", "shop:app", "--port", str(port), "--workers", str(workers))
        url = f"http://127.0.0.1:{port}"
        until(lambda: len(self.pids(url)) == workers)
        return process, url

    def answers(self, url: str, requests: int = 40) -> set[tuple[int, str]]:
        """Which processes answered with which version; each request is another user's, on a connection of its own."""
        found = set()
        for number in range(requests):
            headers = httpx2.get(f"{url}/hello", headers={"x-user-id": f"user-{number}"}, timeout=10).headers
            self.served += 1
            found.add((int(headers["x-pid"]), headers["x-deployment-version"]))
        return found

    def versions(self, url: str) -> set[str]:
        return {version for _, version in self.answers(url)}

    @contextmanager
    def visited(self, url: str) -> Iterator[None]:
        """Users keep coming during the block, until they find nobody there."""
        enough = threading.Event()

        def visit() -> None:
            with suppress(httpx2.HTTPError):
                while not enough.is_set():
                    self.answers(url, 1)

        before, users = self.served, threading.Thread(target=visit)
        users.start()
        try:
            until(lambda: self.served > before + 10)
            yield
        finally:
            enough.set()
            users.join()

    def pids(self, url: str) -> set[int]:
        """The processes that answer; none while nobody listens."""
        with suppress(httpx2.HTTPError):
            return {pid for pid, _ in self.answers(url)}
        return set()

    def control(self, name: str) -> subprocess.Popen[bytes]:
        return self._start(name, "controller")

    def control_at(self, name: str) -> str:
        """A controller with an address, once it answers there."""
        port = free_port()
        self._start(name, "controller", "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        until(lambda: is_well(url))
        return url

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def ask(self, question: Callable[[Store], Awaitable[T]]) -> T:
        async def run() -> T:
            store = Store(Database(self.url))
            try:
                return await question(store)
            finally:
                await store.database.close()

        return asyncio.run(run())

    def ticked_at(self) -> float | None:
        """When a controller last completed a tick; None also while there are no tables yet."""

        async def read(store: Store) -> float | None:
            with suppress(StoreUnavailable):
                return await store.controller_heard_at()
            return None

        return self.ask(read)

    def ticks_on(self, seconds: float) -> bool:
        """Whether controllers are at work; returns after that many seconds of theirs."""
        at = self.ticked_at()
        assert at is not None
        until(lambda: (self.ticked_at() or 0.0) > at + seconds)
        return True

    def leader(self) -> str | None:
        """The name of the process whose controller holds the lease."""

        async def read(store: Store) -> str | None:
            async with store.database.read() as connection:
                holder = (await connection.execute(select(tables.leases.c.holder))).scalar()
            return holder.rpartition("-")[0] if holder else None

        return self.ask(read)

    def counted(self) -> Cell:
        """All that the store has of what was served."""

        async def read(store: Store) -> Cell:
            return merge((await store.window(0.0)).values())

        return self.ask(read)

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | self._settings | {"SERINUS_AGENT_NAME": name}
        log = self._processes.enter_context((self.folder / f"{name}.log").open("ab"))
        command = [sys.executable, "-m", "serinus", *arguments]
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self._processes.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def order(url: str, path: str, **body: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx2.post(f"{url}/admin/canary{path}", json=body, headers=headers, timeout=30)
    return answer.raise_for_status()


def is_well(url: str) -> bool:
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/health", timeout=10).is_success
    return False


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def standing_still(process: subprocess.Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
