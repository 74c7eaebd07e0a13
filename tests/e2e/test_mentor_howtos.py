"""The pages on mentor's access and on its language model, run as they stand but for the ports, against real servers."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs/howto"
END = "the block has ended"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

pytestmark = [pytest.mark.slow, pytest.mark.tool("curl")]


class Page:
    """The blocks of a page, with free ports in the place of those that it names."""

    def __init__(self, name: str) -> None:
        text = (HOWTO / name).read_text(encoding="utf-8")
        self.ports = {port: str(free_port()) for port in ("8000", "11434")}
        for port, free in self.ports.items():
            text = re.sub(rf"(:|--port ){port}\b", rf"\g<1>{free}", text)
        self.shell = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        self.python = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        rest = re.sub(r"```(?:sh|python)\n.*?```", "", text, flags=re.DOTALL)
        self.results = re.findall(r"```(?:json)?\n(.*?)```", rest, re.DOTALL)
        self.url = f"http://127.0.0.1:{self.ports['8000']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(block: str, folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A block whose last command serves, until the block ends; interrupted as a person would."""
    *before, serve = block.strip().splitlines()
    script = "\n".join([*before, f"exec {serve}"])
    with subprocess.Popen(["bash", "-euc", script], cwd=folder, env=ENVIRONMENT) as process:
        try:
            until(lambda: answers(url) or process.poll() is not None)
            assert process.poll() is None
            yield process
        finally:
            process.send_signal(signal.SIGINT)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code > 0
    except httpx2.HTTPError:
        return False


def until(holds: Any) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Shell:
    """One terminal: what a block sets is there in the next."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, block: str) -> str:
        """What the block writes."""
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(f"{block}\necho; echo {END}\n")
        asked.flush()
        lines = list(iter(answered.readline, f"{END}\n"))
        assert self._process.poll() is None
        return "".join(lines).removesuffix("\n")


@contextmanager
def terminal(folder: Path) -> Iterator[Shell]:
    command = ["bash", "-u"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Shell(process)


def test_the_page_on_access_says_what_happens(tmp_path: Path) -> None:
    page = Page("mentor-access.md")
    serve, nobody, tokens, conversation, rates, personal = page.shell
    refused, by_token, by_owner = page.results
    with running(serve, tmp_path, f"{page.url}/health"), terminal(tmp_path) as shell:
        assert shell.run(nobody).strip() == refused.strip()
        assert shell.run(tokens) == by_token
        assert shell.run(conversation) == by_owner

        names: dict[str, Any] = {}
        exec("\n".join(page.python), names)
        secret = (tmp_path / "mentor.secret").read_text(encoding="utf-8").strip()
        history = f"{page.url}/api/v2/recommend/history"
        for user, status in (("김 에이다", 200), ("bob", 403)):
            answer = httpx2.get(history, params={"user_id": "김 에이다"}, headers=names["signed"](user, secret))
            assert answer.status_code == status
        forged = httpx2.get(history, params={"user_id": "bob"}, headers=names["signed"]("bob", "x" * 32))
        assert forged.status_code == 401

        assert re.fullmatch(r"retry-after: \d+\s*", shell.run(rates), re.IGNORECASE)
        codes = Counter((tmp_path / "codes.txt").read_text(encoding="utf-8").split())
        assert set(codes) == {"200", "429"}
        assert codes["429"] > codes["200"]

        export, _, status = shell.run(personal).rpartition("}")
        assert '"user_id":"bob"' in export
        assert status.strip() == "200"


def test_the_page_on_the_language_model_says_what_happens(tmp_path: Path) -> None:
    page = Page("language-model.md")
    model, serve, talk, events, outage, counted = page.shell
    model = model.replace("--app-dir examples", f"--app-dir {ROOT / 'examples'}")
    with running(serve, tmp_path, f"{page.url}/health"), terminal(tmp_path) as shell:
        with running(model, tmp_path, f"http://127.0.0.1:{page.ports['11434']}/"):
            told = shell.run(talk)
            assert '"generated_by": "stand-in"' in told
            assert "You have said 1 thing, the last of them: Our churn in Oslo is 7%" in told
            streamed = shell.run(events)
            assert streamed.count("event: delta") > 3
            assert "You have said 2 things, the last of them: Is that much?" in streamed.split("event: turn")[1]
        told = shell.run(outage)
        assert '"generated_by": "offline_responder"' in told
        assert '"degraded": true' in told
        assert "“Our churn in Oslo is 7%”" in told
        assert 'outcome="degraded"' in shell.run(counted)
