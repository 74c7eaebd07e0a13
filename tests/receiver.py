"""A real HTTP server that remembers what it was sent and answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Receiver:
    """`statuses` are given in turn, the last one for ever; status 0 never answers. `heads` are of the requests."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses or (200,))
        self.bodies: list[Any] = []
        self.raw: list[bytes] = []
        self.heads: list[dict[str, str]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line.partition(":") for line in head.decode().splitlines()[1:] if ":" in line)
        self.heads.append({name.lower(): value.strip() for name, _, value in lines})
        self.raw.append(await reader.readexactly(int(self.heads[-1]["content-length"])))
        self.bodies.append(json.loads(self.raw[-1]))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status:
            wait = "Retry-After: 90\r\n" if status in {429, 503} else ""
            writer.write(f"HTTP/1.1 {status} X\r\n{wait}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await reader.read()
        writer.close()


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(*statuses)
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook/very-secret"
    async with server:
        yield receiver
