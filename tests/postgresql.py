"""A real PostgreSQL for tests: the package's own programs, as an unprivileged user, in a folder of their own."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

USERS = ("postgres", "nobody")  # whichever there is, when the tests run as root, which PostgreSQL refuses to
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "16MB"}
READY = re.compile(rb"database system is ready to accept connections")


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, of the latest version that is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    there = shutil.which("postgres")
    return Path(there).resolve().parent if there else None


class Server:
    """One server on a loopback port; `environment` and `settings` are its own."""

    def __init__(self, **settings: str) -> None:
        bin_ = programs()
        assert bin_ is not None
        self.bin = bin_
        self.folder = Path(tempfile.mkdtemp(prefix="serinus-postgresql-"))
        self.settings = QUICK | settings
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = next(each for each in map(_account, USERS) if each)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.log = self.folder / "log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        command = [str(self.bin / "initdb"), "-D", str(self.data), "-U", "test", "-A", "trust", "-E", "UTF8", "-N"]
        command.append("--wal-segsize=1")  # MB: so small that the size of files can be limited to it
        subprocess.run([*command, "--locale=C"], check=True, capture_output=True, cwd=self.folder, **self.user)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Returns when it answers."""
        self.port = self.port or _free_port()
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        options += [f"-p{self.port}", f"-k{self.folder}", "-clisten_addresses=127.0.0.1"]
        command = ["setpriv", "--pdeathsig", "INT", str(self.bin / "postgres"), "-D", str(self.data), *options]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=self.folder, **self.user
        )
        assert self.process.stderr is not None
        with self.log.open("ab") as log:
            for line in self.process.stderr:
                log.write(line)
                if READY.search(line):
                    break
            else:
                raise AssertionError(f"PostgreSQL did not start: {self.log.read_text()}")
        _drain_into(self.process, self.log)

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """By SIGINT in good order without waiting for clients; by SIGQUIT as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(60)
            self.process = None

    def family(self) -> list[int]:
        """The server and all its processes."""
        assert self.process is not None
        parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
        return [self.process.pid, *(pid for pid, parent in parents.items() if parent == self.process.pid)]

    def freeze(self) -> None:
        """Every process stands still; connections are accepted by the kernel, and never answered."""
        for pid in self.family():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self.family():
            os.kill(pid, signal.SIGCONT)

    def url(self, database: str | None = None, port: int | None = None) -> str:
        """Of a fresh database, or of the one that is named."""
        if database is None:
            database = f"test{next(self._numbers)}"
            self.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        return f"postgresql+asyncpg://test@127.0.0.1:{port or self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        import asyncpg

        async def run() -> list[Any]:
            connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user="test", database=database)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as beside:  # the caller's event loop, if there is one, is busy with the caller
            return beside.submit(asyncio.run, run()).result()

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)  # what is thrown away need not be written down first
        shutil.rmtree(self.folder, ignore_errors=True)


def running(**settings: str) -> Iterator[Server]:
    """A server for as long as the iterator is open: the body of a fixture."""
    server = Server(**settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _drain_into(process: subprocess.Popen[bytes], log: Path) -> None:
    def drain() -> None:
        assert process.stderr is not None
        with log.open("ab", buffering=0) as file, process.stderr:
            for line in process.stderr:
                file.write(line)

    threading.Thread(target=drain, daemon=True).start()
