"""The container is built and run: without an engine, by buildah in a chroot, on a base that debootstrap makes.

What only an engine has is not tried here: image layers from a registry, a network of its own, the health check's timer.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serinus.storage.database import Database
from serinus.storage.store import Store

ROOT = Path(__file__).parents[2]
PACKAGES = "--include=python3,python3-venv,ca-certificates"
STARTED_SECONDS = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.tool("buildah"),
    pytest.mark.tool("debootstrap"),
    pytest.mark.skipif(os.getuid() != 0, reason="a chroot needs the superuser"),
]


@dataclass(frozen=True)
class Buildah:
    """Images and containers in a folder of their own."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=True).stdout.strip()

    def command(self, *arguments: str) -> list[str]:
        places = ["--root", str(self.folder / "images"), "--runroot", str(self.folder / "run")]
        return ["buildah", "--storage-driver", "vfs", *places, *arguments]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    tool = Buildah(tmp_path_factory.mktemp("buildah"))
    yield tool
    tool("rm", "--all")
    tool("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def image(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of our Dockerfile, on a Debian of packages; what pip installs is fetched outside."""
    context, wheels = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("wheels")
    debian = context / "debian.tar"
    subprocess.run(["debootstrap", "--variant=minbase", PACKAGES, "bookworm", str(debian)], check=True, timeout=300)
    (context / "Dockerfile").write_text("FROM scratch\nADD debian.tar /\n", encoding="ascii")
    buildah("bud", "--isolation", "chroot", "--tag", "base", str(context))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels)]
    wanted = ["--constraint", str(ROOT / "constraints.txt"), "hatchling", f"{ROOT}[postgresql,sentry,speed]"]
    subprocess.run([*pip, *wanted], check=True, timeout=300)
    arguments = ["BASE=localhost/base", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels"]
    options = [option for argument in arguments for option in ("--build-arg", argument)]
    volume = ["--volume", f"{wheels}:/wheels:ro"]
    buildah("bud", "--isolation", "chroot", "--format", "docker", *options, *volume, "--tag", "serinus", str(ROOT))
    return "serinus"


@pytest.fixture(scope="module")
def config(buildah: Buildah, image: str) -> dict[str, Any]:
    inspected = json.loads(buildah("inspect", "--type", "image", image))
    return dict(inspected["Docker"]["config"])


@dataclass(frozen=True)
class Running:
    url: str
    pid: int
    files: Path


@contextmanager
def run(buildah: Buildah, image: str, config: dict[str, Any]) -> Iterator[Running]:
    """The image's own command as its own user, on a free port; told to end at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    container = buildah("from", image)
    files = Path(buildah("mount", container))
    options = ["--isolation", "chroot", "--env", f"PORT={port}", "--user", config["User"]]
    with subprocess.Popen(buildah.command("run", *options, container, "--", *config["Cmd"])) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            await_answer(f"{url}/health", process)
            yield Running(url, served_by(process.pid), files)
        finally:
            for pid in (served_by(process.pid), process.pid):
                if pid:
                    os.kill(pid, signal.SIGTERM)
            process.wait(timeout=30)


def await_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTED_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.HTTPError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def served_by(parent: int) -> int | None:
    """The serving process below `parent`."""
    for child in children(parent):
        if b"/serinus\0serve" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
        if found := served_by(child):
            return found
    return None


def children(pid: int) -> list[int]:
    """Whichever of its threads started them."""
    lists = (thread / "children" for thread in Path(f"/proc/{pid}/task").iterdir())
    return [int(each) for several in lists for each in several.read_text(encoding="ascii").split()]


def test_the_service_runs_as_nobody_special_and_answers(buildah: Buildah, image: str, config: dict[str, Any]) -> None:
    with run(buildah, image, config) as running:
        assert Path(f"/proc/{running.pid}").stat().st_uid == 10_001
        answer = httpx2.post(
            f"{running.url}/api/v2/recommend/personalized", json={"user_id": "ann", "query": "I feel worn out"}
        )
        assert answer.status_code == 200
        assert answer.headers["x-deployment-version"] == "legacy"
        assert httpx2.get(f"{running.url}/admin/canary/config").status_code == 401
        loaded = Path(f"/proc/{running.pid}/maps").read_text(encoding="utf-8")
        assert "/uvloop/" in loaded
        assert "/httptools/" in loaded


def test_a_service_that_is_told_to_end_delivers_its_last_counts(
    buildah: Buildah, image: str, config: dict[str, Any]
) -> None:
    with run(buildah, image, config) as running:
        query = {"user_id": "ann", "query": "How do I begin?"}
        for _ in range(7):
            httpx2.post(f"{running.url}/api/v2/recommend/personalized", json=query)
        os.kill(running.pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while Path(f"/proc/{running.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stored_requests(running.files / "var/lib/serinus/serinus.db") == 7


def stored_requests(path: Path) -> int:
    async def count() -> int:
        database = Database(f"sqlite+aiosqlite:///{path}")
        try:
            rows = await Store(database).snapshots_after(0, limit=1_000)
        finally:
            await database.close()
        return sum(cell.requests for row in rows for cell in row.snapshot.cells.values())

    return asyncio.run(count())


def test_the_health_check_fails_when_nobody_answers(buildah: Buildah, image: str, config: dict[str, Any]) -> None:
    command = config["Healthcheck"]["Test"][1:]
    with run(buildah, image, config) as running:
        port = running.url.rpartition(":")[2]
        container = buildah("from", image)
        options = ["run", "--isolation", "chroot", "--env", f"PORT={port}", container, "--"]
        subprocess.run(buildah.command(*options, *command), check=True, timeout=30)
    gone = subprocess.run(buildah.command(*options, *command), check=False, timeout=30, capture_output=True)
    assert gone.returncode != 0
