"""The split of a rollout that SUCCEEDED, kept in a file for a start without the store."""

import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from serinus.errors import Unreadable
from serinus.storage.codec import dump, load
from serinus.storage.splits import StoredSplit

logger = logging.getLogger(__name__)


class KeptSplit:
    """A copy that a process falls back on until it hears from the store, whose word always comes before it.

    Only a settled split is worth keeping: any other needs a living controller, of which a process without the store
    cannot hear. A copy that cannot be read or written costs nothing but itself: it is logged once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: StoredSplit | None = None
        self._in_trouble = False

    def read(self) -> StoredSplit | None:
        """The copy, unless there is none that can be read and is settled."""
        try:
            self._kept = read_kept(self.path)
        except (OSError, Unreadable) as error:
            logger.warning("the kept split %s is of no use, and ignored: %s", self.path, error)
        return self._kept

    def differs(self, stored: StoredSplit) -> bool:
        """Whether the file has to follow what the store says."""
        return _essence(stored) != self._kept

    def follow(self, stored: StoredSplit) -> None:
        """Keep a settled split, whole or not at all whenever the process may die; forget what is no longer so."""
        essence = _essence(stored)
        try:
            if essence is None:
                self.path.unlink(missing_ok=True)
            else:
                _write(self.path, dump(essence))
        except OSError as error:
            if not self._in_trouble:
                logger.warning("the split cannot be kept in %s for a start without the store: %s", self.path, error)
            self._in_trouble = True
        else:
            self._kept, self._in_trouble = essence, False


def read_kept(path: Path) -> StoredSplit | None:
    """The settled split in a file, if there is one; raises `OSError` and `Unreadable`."""
    try:
        stored = load(StoredSplit, path.read_bytes())
    except FileNotFoundError:
        return None
    return stored if stored.settled else None


def _essence(stored: StoredSplit) -> StoredSplit | None:
    """Without the heartbeat, which changes every second."""
    return replace(stored, controller_heard_at=None) if stored.settled else None


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
