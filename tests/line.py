"""A TCP line to a server on this machine, which may be slow, cut without a word, or refused."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

ENOUGH_BYTES = 65_536


class Line:
    """Listens on `port` and passes on to `server_port`, in a thread of its own; `close` ends it."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._delay_seconds = 0.0
        self._swallows = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self._listener = self._do(self._listen())

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Every answer comes so much later."""
        self._delay_seconds = seconds
        try:
            yield
        finally:
            self._delay_seconds = 0.0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """What is sent is lost, and with it the connection that it was sent on; neither end is told, then or later."""
        self._swallows = True
        try:
            yield
        finally:
            self._swallows = False

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Connections are cut, and others refused."""
        self._do(self._cut())
        try:
            yield
        finally:
            self._listener = self._do(self._listen())

    def close(self) -> None:
        self._do(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        listener = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = listener.sockets[0].getsockname()[1]
        return listener

    async def _cut(self) -> None:
        self._listener.close()
        for writer in self._writers:
            writer.transport.abort()
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            await asyncio.wait(tasks)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lost = threading.Event()
        with suppress(OSError):
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._server_port)
            there.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._writers |= {writer, there}
            await asyncio.gather(
                self._pass(reader, there, lost, delays=False), self._pass(there_reader, writer, lost, delays=True)
            )
            self._writers -= {writer, there}
        writer.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: threading.Event, *, delays: bool
    ) -> None:
        with suppress(OSError):
            while content := await reader.read(ENOUGH_BYTES):
                if self._swallows:
                    lost.set()
                if delays:
                    await asyncio.sleep(self._delay_seconds)
                if not lost.is_set():
                    writer.write(content)
        if not lost.is_set():
            writer.close()
