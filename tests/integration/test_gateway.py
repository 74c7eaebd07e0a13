"""`serinus serve` in front of two versions that are deployed apart, as somebody without code would start it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from serinus.errors import InvalidInput
from serinus.gateway import gateway
from serinus.settings import load

TOKEN = "a-token-that-nobody-else-knows"
VERSION = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Version(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status = 500 if sys.argv[2] == "broken" and self.path == "/checkout" else 200
        body = json.dumps({"version": sys.argv[1], "path": self.path}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Version)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def version(name: str, state: str = "well") -> Iterator[str]:
    """The address of a deployed version; it is no ASGI application, and no Python of ours."""
    command = [sys.executable, "-c", VERSION, name, state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    environment = {**os.environ, "SERINUS_ADMIN_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "serinus", "serve", "--port", "0", *options]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            yield next(line.split("running on ")[1].split()[0] for line in lines if "running on " in line)
        finally:
            process.terminate()
            process.communicate()


@pytest.mark.slow
def test_two_deployed_versions_are_rolled_out_without_any_code(tmp_path: Path) -> None:
    with version("old") as legacy, version("new") as canary:
        options = ("--legacy", legacy, "--canary", canary, "--subject", "header:x-user-id, query:user")
        with serving(tmp_path, *options) as url, httpx2.Client(base_url=url, trust_env=False) as client:
            assert client.get("/anything?user=ada").json() == {"version": "old", "path": "/anything?user=ada"}
            order = {"enabled": True, "canary_percentage": 50, "reason": "a try"}
            answer = client.post(
                "/admin/canary/config", json=order, headers={"authorization": f"Bearer {TOKEN}"}
            ).raise_for_status()
            assert answer.json()["canary_percentage"] == 50
            adopted = time.monotonic() + 30
            users = [f"user-{number}" for number in range(40)]
            while time.monotonic() < adopted:
                seen = {user: client.get("/x", headers={"x-user-id": user}).json()["version"] for user in users}
                if set(seen.values()) == {"old", "new"}:
                    break
            assert set(seen.values()) == {"old", "new"}
            again = {user: client.get("/y", headers={"x-user-id": user}).json()["version"] for user in users}
            assert again == seen
            split = client.get("/admin/canary/explain?user_id=user-1", headers={"authorization": f"Bearer {TOKEN}"})
            assert json.loads(split.text)["version"] == {"old": "legacy", "new": "canary"}[seen["user-1"]]


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        gateway(load(legacy_url="http://10.0.0.1:8000"))
    assert {problem.where for problem in caught.value.problems} == {"SERINUS_CANARY_URL", "SERINUS_SUBJECT"}


def test_a_subject_that_is_no_part_of_a_request_is_told_with_what_is() -> None:
    settings = load(legacy_url="http://10.0.0.1", canary_url="http://10.0.0.2", subject="x-user-id")
    with pytest.raises(InvalidInput, match="write one of header:NAME, cookie:NAME, query:NAME, json:NAME"):
        gateway(settings)


def test_the_settings_endpoints_and_timeout_are_the_services(tmp_path: Path) -> None:
    settings = load(
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}",
        legacy_url="http://10.0.0.1",
        canary_url="http://10.0.0.2",
        subject="cookie:session",
        endpoints="/items/{id}, /checkout",
        timeout_seconds=1.5,
    )
    canary = gateway(settings).canary
    assert canary.endpoints.templates == ("/items/{id}", "/checkout")
    assert canary.options.timeout_seconds == 1.5
