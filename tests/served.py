"""An application behind a real server, on a loopback socket of its own: in a thread, or in a process of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

STARTED_SECONDS = 60
SHOP = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from serinus import application, subject

async def fails(request):
    raise RuntimeError("it is broken")

async def works(request):
    return PlainTextResponse("works")

def shop():
    return Starlette(routes=[Route("/works", works), Route("/items/{id}", works), Route("/fails", fails)])

app = application(legacy=shop(), canary=shop(), subject=subject.header("x-user-id"))
"""


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serves.set()


@contextmanager
def served(app: Any, **options: Any) -> Iterator[str]:
    """The server's address; `options` are uvicorn's."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, **{"log_level": "error", "lifespan": "on", "timeout_graceful_shutdown": 1, **options}
        )
        server = _Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.serves.wait(STARTED_SECONDS)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STARTED_SECONDS)


class Serving:
    """`serinus serve` of "shop:app" or another one, as a process of its own, and its log; `with` gives a client.

    The store is a file in `folder`, unless the environment of `others` names another one.
    """

    def __init__(self, folder: Path, app: str = "shop:app", **others: str) -> None:
        (folder / "shop.py").write_text(SHOP)
        self.folder = folder
        self.log = folder / "log"
        self.store = folder / "store.db"
        self.environment = {**os.environ, "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{self.store}", **others}
        self.command = [sys.executable, "-m", "serinus", "serve", app, "--port", "0"]

    def __enter__(self) -> httpx2.Client:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=self.environment, cwd=self.folder)
        self.client = httpx2.Client(base_url=self.until_told(r"running on (http://[\d.:]+)"), timeout=30)
        return self.client

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(30)

    def until_told(self, pattern: str) -> str:
        """Until the log has it; what the pattern's first group stands for."""
        ends_at = time.monotonic() + STARTED_SECONDS
        while (found := re.search(pattern, self.log.read_text())) is None:
            assert time.monotonic() < ends_at, self.log.read_text()[-2_000:]
            assert self.process.poll() is None, self.log.read_text()[-2_000:]
            time.sleep(0.1)
        return found[1]
