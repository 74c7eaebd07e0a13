"""The runbook for a rollback by hand, its commands taken from the document and run against a real server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

HOWTO = Path(__file__).parents[2] / "docs/howto"
TOKEN = "the-operators-token-of-the-tests"
SERVICE = """
from serinus import application, subject

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})

async def canary(scope, receive, send):
    await app(scope, receive, send)

app_ = application(legacy=app, canary=canary, subject=subject.header("x-user-id"))
"""

pytestmark = [pytest.mark.slow, pytest.mark.tool("curl")]


def commands(page: str) -> list[str]:
    text = (HOWTO / page).read_text(encoding="utf-8")
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    (folder / "shop.py").write_text(SERVICE, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"SERINUS_ADMIN_TOKEN": TOKEN, "SERINUS_PUBLIC_METRICS": "1"}
    command = [sys.executable, "-m", "serinus", "serve", "shop:app_", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env={**os.environ, **settings}) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: answers(url) or process.poll() is not None)
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/admin/canary/metrics").is_success
    except httpx2.HTTPError:
        return False


def until(holds: Any, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def first_line(command: str, environment: dict[str, str]) -> str:
    """What it writes first; Ctrl-C is the way to end it, and no error."""
    with subprocess.Popen(command.split(), env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    return line


def test_the_runbook_of_both_languages_has_the_same_commands() -> None:
    assert commands("manual-rollback.md") == commands("manual-rollback.ko.md")


def test_the_runbooks_commands_roll_a_running_rollout_back(tmp_path: Path) -> None:
    roll_back, look, watch, *records = commands("manual-rollback.md")
    with serving(tmp_path) as url:
        environment = {**os.environ, "URL": url, "TOKEN": TOKEN, "SERINUS_URL": url, "SERINUS_TOKEN": TOKEN}

        def run(command: str) -> str:
            shell = {"shell": True, "cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
            return subprocess.run(command, check=True, timeout=60, **shell).stdout  # type: ignore[call-overload,no-any-return]

        serinus = f"{sys.executable} -m serinus"
        run(f"{serinus} start demo")
        with httpx2.Client(base_url=url) as users:

            def versions() -> set[str]:
                answered = (users.get("/hello", headers={"x-user-id": f"user-{number}"}) for number in range(50))
                return {answer.headers["x-deployment-version"] for answer in answered}

            until(lambda: versions() == {"legacy", "canary"})
            assert json.loads(run(roll_back))["enabled"] is False
            until(lambda: versions() == {"legacy"}, 2.0)
            until(lambda: '"rolled_back"' in run(f"{serinus} status --json || true"))

            def counted() -> dict[str, int]:
                return dict(json.loads(run(look))["comparison"]["traffic_split"])

            def served_more() -> dict[str, int]:
                """The counts once fifty more requests are among them."""
                before = counted()["legacy_requests"]
                assert versions() == {"legacy"}
                until(lambda: counted()["legacy_requests"] >= before + 50)
                return counted()

            first, second = served_more(), served_more()
        assert second["legacy_requests"] >= first["legacy_requests"] + 50
        assert second["canary_requests"] == first["canary_requests"] > 0
        assert "rolled back" in first_line(watch.replace("serinus", serinus, 1), environment)
        events, history = (run(record.replace("serinus", serinus, 1)) for record in records)
        kinds = [event["kind"] for event in json.loads(events)["events"]]
        assert kinds[-2:] == ["rollback_started", "rollback_completed"]
        assert "rolled back" in history
