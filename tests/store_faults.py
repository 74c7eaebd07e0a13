"""Ways in which a database file goes wrong under a running service. Each is undone at the end of its block."""

import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

Fault = Callable[[Path], AbstractContextManager[None]]

WRITE_VERSION = 18  # in the file's header; above 2 "the file must be treated as read-only" (sqlite.org/fileformat.html)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def no_more_writes(_path: Path) -> Iterator[None]:
    """The operating system refuses to let any file grow (setrlimit: EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """The file in its place may be read and not written."""
    with replaced(path) as content:
        path.write_bytes(content[:WRITE_VERSION] + b"\x03" + content[WRITE_VERSION + 1 :])
        yield


@contextmanager
def garbled(path: Path) -> Iterator[None]:
    """The file in its place is no database."""
    with replaced(path):
        path.write_bytes(b"this is not a database " * 1_000)
        yield


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """The folder is gone, as a network drive may be."""
    elsewhere = path.parent.with_name("elsewhere")
    path.parent.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(path.parent)


@contextmanager
def replaced(path: Path) -> Iterator[bytes]:
    """Take the database out of its place, and put it back in the end; the block has the place for itself."""
    kept = path.with_suffix(".kept")
    copy(path, kept)
    content = kept.read_bytes()
    delete(path)
    try:
        yield content
    finally:
        delete(path)
        shutil.move(kept, path)


def copy(path: Path, to: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


def delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


FAULTS: dict[str, Fault] = {
    "locked": locked,
    "no more writes": no_more_writes,
    "read-only": read_only,
    "garbled": garbled,
    "moved away": moved_away,
}
