"""Programs that a test starts, and ends by their own process."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2

from fleet import until


@contextmanager
def started(
    command: list[str], folder: Path, ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in `folder` that answers at the address `ready`; what it says is shown when it does not."""
    log_path = folder / f"{Path(command[0]).name}.{len(list(folder.glob('*.log')))}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            until(lambda: process.poll() is not None or answers(ready))
            assert process.poll() is None, log_path.read_text(encoding="utf-8")
            yield process
        finally:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).is_success
    except httpx2.HTTPError:
        return False
