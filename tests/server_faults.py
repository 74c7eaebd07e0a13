"""Ways in which a PostgreSQL goes wrong under a running service. Each is undone at the end of its block."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import asyncpg
import pytest

import postgresql
from line import Line

LARGEST_FILE_BYTES = 2**20  # as large as a segment of the write-ahead log, which must still be written
ROWS = 10_000  # of more than a hundred bytes each
LEAST = "SELECT cells FROM serinus_snapshots ORDER BY length(cells) LIMIT 1"
ROW = "1000000 + n, 'a row that takes room', n, {at}, {at}, {at}, 0, 0"
FILL = (
    f"INSERT INTO serinus_snapshots SELECT {ROW}, least.cells FROM generate_series(1, {ROWS}) AS n, ({LEAST}) AS least"
)
FILL_UP = f"""
DO $$
DECLARE least bytea := ({LEAST});
BEGIN
    FOR n IN {ROWS + 1} .. {2 * ROWS} LOOP
        INSERT INTO serinus_snapshots VALUES ({ROW}, least);
        COMMIT;
    END LOOP;
END $$
"""


@dataclass(frozen=True)
class Place:
    """One database on a server, behind a line; the service's user is nobody in particular."""

    server: postgresql.Server
    line: Line
    database: str
    user: str

    def url(self, timeout_seconds: float) -> str:
        return f"postgresql+asyncpg://{self.user}@127.0.0.1:{self.line.port}/{self.database}?timeout={timeout_seconds}"


Fault = Callable[[Place], AbstractContextManager[None]]


@contextmanager
def stopped(place: Place) -> Iterator[None]:
    """The server is gone, as if it had crashed."""
    place.server.stop(signal.SIGQUIT)
    try:
        yield
    finally:
        place.server.start()


@contextmanager
def frozen(place: Place) -> Iterator[None]:
    """The server stands still: connections are accepted, and nothing is ever answered."""
    place.server.freeze()
    try:
        yield
    finally:
        place.server.thaw()


@contextmanager
def refused(place: Place) -> Iterator[None]:
    with place.line.refused():
        yield


@contextmanager
def out_of_connections(place: Place) -> Iterator[None]:
    """All that the user may have are taken; those of the service were closed."""
    place.server.execute(f"ALTER ROLE {place.user} CONNECTION LIMIT 0")
    place.server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{place.database}'")
    try:
        yield
    finally:
        place.server.execute(f"ALTER ROLE {place.user} CONNECTION LIMIT -1")


@contextmanager
def disk_full(place: Place, at: float) -> Iterator[None]:
    """No file may grow beyond what the snapshots take already, and no room is left in that."""
    place.server.execute(FILL.format(at=at), place.database)
    _limit(place.server, LARGEST_FILE_BYTES)
    try:
        with pytest.raises(asyncpg.PostgresError, match="could not extend file"):
            place.server.execute(FILL_UP.format(at=at), place.database)
        yield
    finally:
        _limit(place.server, "unlimited")


def _limit(server: postgresql.Server, largest: int | str) -> None:
    """As the server's own user, who may raise the soft limit again; what is forked from the server inherits it."""
    postmaster, *processes = server.family()
    for pid in (postmaster, *processes):  # of which some may just end
        command = ["prlimit", f"--pid={pid}", f"--fsize={largest}:"]
        subprocess.run(command, check=pid == postmaster, capture_output=True, **server.user)


FAULTS: dict[str, Fault] = {
    "stopped": stopped,
    "frozen": frozen,
    "refused": refused,
    "out of connections": out_of_connections,
}
