"""The pages on the drill say what the commands say: each is run against a real service, and its output compared."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-the-drill-test"
DURATION = re.compile(r"N ?(?:s|min|h|초|분|시간)(?: N ?(?:s|min|초|분))?")


def blocks(page: str) -> list[tuple[str, str]]:
    """Every command of a page's console blocks, with the output that the page shows."""
    found = re.findall(
        r"```console\n\$ (serinus [^\n]+)\n(.*?)```", (ROOT / "docs/howto" / page).read_text(), re.DOTALL
    )
    assert len(found) >= 4
    return found


def alike(output: str) -> str:
    """Without what differs from one drill to the next: figures, instants, names made by chance, the plan's limits."""
    text = re.sub(r"drill-[0-9a-f]{8}|\b(?:error-rate|error rate|availability|오류율|가용성)\b", "NAME", output)
    text = re.sub(r"\d[\d,.:-]*", "N", text)
    return DURATION.sub("TIME", re.sub(r"N N UTC", "INSTANT", text)).strip()


@contextmanager
def service(folder: Path, language: str) -> Iterator[dict[str, str]]:
    """The reference service; gives the environment in which the page's commands find it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    store = f"sqlite+aiosqlite:///{folder / 'store.db'}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SERINUS_", "MENTOR_"))},
        "SERINUS_DATABASE_URL": store,
        "MENTOR_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'mentor.db'}",
        "SERINUS_ADMIN_TOKEN": TOKEN,
        "SERINUS_TOKEN": TOKEN,
        "SERINUS_URL": url,
        "SERINUS_LANGUAGE": language,
    }
    command = [sys.executable, "-m", "serinus", "serve", "--port", str(port)]
    with (folder / "service.log").open("wb") as log, subprocess.Popen(command, env=environment, stderr=log) as process:
        try:
            wait_until_ready(url)
            yield environment
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def wait_until_ready(url: str) -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/ready").is_success:
                return
    raise AssertionError("the service did not become ready")


def said(command: str, environment: dict[str, str]) -> str:
    result = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("page", "language"), [("rollback-drill.md", "en"), ("rollback-drill.ko.md", "ko")])
def test_every_command_of_the_page_says_what_the_page_shows(page: str, language: str, tmp_path: Path) -> None:
    with service(tmp_path, language) as environment:
        for command, shown in blocks(page):
            assert alike(said(command, environment)) == alike(shown), command
        headers = {"Authorization": f"Bearer {TOKEN}"}
        metrics = httpx2.get(f"{environment['SERINUS_URL']}/admin/canary/metrics?window=1h", headers=headers).json()
        split = httpx2.get(f"{environment['SERINUS_URL']}/admin/canary/config", headers=headers).json()
    assert (metrics["legacy"]["request_count"], metrics["canary"]["request_count"]) == (0, 0)
    assert (split["revision"], split["canary_percentage"]) == (0, 0)
