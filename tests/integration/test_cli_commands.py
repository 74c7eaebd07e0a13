"""The command line against a real service on a real socket."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest
import uvicorn
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from serinus import application, subject
from serinus.cli.main import main
from serinus.settings import load

ADMIN = "the-admin-token-of-the-tests"


def shop(name: str) -> Starlette:
    async def hello(_request: Request) -> Response:
        return PlainTextResponse(name)

    return Starlette(routes=[Route("/hello", hello), Route("/items/{id}", hello)])


class Shell:
    """Runs commands as a user would, with SERINUS_URL and SERINUS_TOKEN set."""

    def __init__(self, url: str, store: Path) -> None:
        self.url = url
        self.environment = {
            "SERINUS_URL": url,
            "SERINUS_TOKEN": ADMIN,
            "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{store}",
        }

    def run(self, *arguments: str, exit_code: int = 0, **environment: str | None) -> Result:
        result = CliRunner().invoke(main, arguments, env={**self.environment, **environment})
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json", exit_code=exit_code).stdout)
        return found

    def until(self, *arguments: str, key: str, value: object) -> dict[str, Any]:
        """Ask until the service's own controller and agent have brought it about."""
        ends_at = time.monotonic() + 15
        while time.monotonic() < ends_at:
            result = CliRunner().invoke(main, [*arguments, "--json"], env=self.environment)
            if result.stdout and (found := json.loads(result.stdout))[key] == value:
                answer: dict[str, Any] = found
                return answer
            threading.Event().wait(0.05)
        raise AssertionError(f"{key} did not become {value!r}: {result.output}")

    def until_judged(self) -> None:
        """Until the controller has reported on the present step."""
        ends_at = time.monotonic() + 15
        while time.monotonic() < ends_at:
            result = CliRunner().invoke(main, ["status", "--json"], env=self.environment)
            rollout = json.loads(result.stdout)["rollout"]
            if rollout["report"] and rollout["report"]["at"] > rollout["step_started_at"]:
                return
            threading.Event().wait(0.05)
        raise AssertionError(f"not judged: {result.output}")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Before a service that all tests share."""
    with serving(tmp_path_factory.mktemp("shared")) as found:
        yield found


@pytest.fixture
def fresh_shell(tmp_path: Path) -> Iterator[Shell]:
    """Before a service without a past."""
    with serving(tmp_path) as found:
        yield found


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[Shell]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        settings = load(
            database_url=f"sqlite+aiosqlite:///{folder / 'store.db'}", admin_token=ADMIN, public_metrics=True
        )
        legacy, canary = shop("legacy"), shop("canary")
        app = application(legacy=legacy, canary=canary, subject=subject.header("x-user-id"), settings=settings)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            found = Shell(f"http://127.0.0.1:{listening.getsockname()[1]}", folder / "store.db")
            found.until("status", key="health", value="ok")
            yield found
        finally:
            server.should_exit = True
            thread.join(10)


def test_a_rollout_is_started_watched_and_taken_back(fresh_shell: Shell) -> None:
    started = fresh_shell.json("start", "demo", "--reason", "release 4")
    assert (started["plan"], started["desired_percentage"]) == ("demo", 0)
    assert started["id"] in fresh_shell.run("status").stdout
    running = fresh_shell.until("status", key="health", value="ok")
    fresh_shell.until("config", "get", key="canary_percentage", value=20)
    assert running["rollout"]["id"] == started["id"]
    assert fresh_shell.json("pause")["phase"] == "paused"
    assert fresh_shell.json("resume")["phase"] == "progressing"
    refused = fresh_shell.run("promote", exit_code=1)
    assert "advance to the last one first" in refused.stderr
    fresh_shell.run("rollback", "--reason", "complaints")
    ended = fresh_shell.until("status", key="health", value="rolled_back")
    assert ended["rollout"]["receipt"]["reason"] == "complaints"
    drawn = fresh_shell.run("status", exit_code=6).stdout
    assert "complaints" in drawn
    told = [event["kind"] for event in fresh_shell.json("events")["events"]]
    assert told[:2] == ["started", "step_entered"]
    assert "rollback_started" in told
    assert started["id"] in fresh_shell.run("history").stdout
    too_late = fresh_shell.run("approve", "management", exit_code=1).stderr.splitlines()
    assert too_late == ["Error: Not possible in the present state: no rollout is running; start one first"]


@pytest.mark.slow
def test_watching_without_a_terminal_writes_a_line_a_change_until_the_end(fresh_shell: Shell) -> None:
    fresh_shell.run("start", "demo")
    fresh_shell.until("config", "get", key="canary_percentage", value=20)
    rollback = threading.Timer(0.5, fresh_shell.run, ["rollback"])
    rollback.start()
    lines = fresh_shell.run("status", "--watch", "--interval", "0.1", exit_code=6).stdout.splitlines()
    rollback.join()
    assert "progressing" in lines[0]
    assert "rolled back" in lines[-1]
    assert len({line[20:] for line in lines}) == len(lines)


def test_the_split_is_read_and_changed(shell: Shell) -> None:
    assert shell.json("config", "set", "--percentage", "12.5")["canary_percentage"] == 12.5
    shell.run("config", "set", "--endpoint", "/hello=off", "--endpoint", "/items/{id}=5")
    shell.run("config", "set", "--endpoint", "/hello=10")
    rules = {rule["template"]: rule for rule in shell.json("config", "get")["endpoints"]}
    assert rules["/hello"] == {"template": "/hello", "enabled": True, "max_percentage": 10}
    assert rules["/items/{id}"]["max_percentage"] == 5
    assert "12.5 %" in shell.run("config", "get").stdout
    stale = shell.run("config", "set", "--disabled", "--revision", "1", exit_code=1)
    assert "read the configuration again" in stale.stderr


def test_what_cannot_be_used_ends_with_two_and_says_why(shell: Shell) -> None:
    before = shell.json("config", "get")["revision"]
    wrong = (
        ("config", "set", "--percentage", "101"),
        ("config", "set", "--percentage", "nan"),
        ("config", "set", "--endpoint", "/nowhere=on"),
        ("config", "set", "--endpoint", "/hello=maybe"),
        ("config", "set"),
        ("metrics", "--window", "soon"),
        ("start", "no-such-file.toml"),
        ("status", "--watch", "--json"),
        ("token", "create", "x", "--role", "root"),
    )
    for arguments in wrong:
        result = shell.run(*arguments, exit_code=2)
        assert result.stdout == ""
        assert len(result.stderr) > 20
    assert shell.json("config", "get")["revision"] == before


def test_a_plan_with_mistakes_is_not_started_and_every_line_is_named(shell: Shell, tmp_path: Path) -> None:
    plan = tmp_path / "mine.toml"
    text = shell.run("plan", "show", "demo").stdout.replace("percentage = 20", "percentage = 0")
    plan.write_text(text.replace("bake = ", "bakes = ", 1), encoding="utf-8")
    refused = shell.run("start", str(plan), exit_code=2)
    assert refused.stderr.count("line ") >= 2


@pytest.mark.slow
def test_metrics_and_explanations_tell_what_was_served(shell: Shell) -> None:
    everywhere = ("--endpoint", "/hello=on", "--endpoint", "/items/{id}=on")
    shell.run("config", "set", "--percentage", "100", "--enabled", *everywhere)
    with httpx2.Client(base_url=shell.url, headers={"x-user-id": "kim"}) as client:
        ends_at = time.monotonic() + 10
        while client.get("/hello").text != "canary":
            assert time.monotonic() < ends_at
        for _ in range(9):
            client.get("/items/3")
    shell.until("metrics", "--endpoint", "/items/3", key="endpoint", value="/items/{id}")
    ends_at = time.monotonic() + 10
    while shell.json("metrics", "--endpoint", "/items/3")["canary"]["request_count"] < 9:
        assert time.monotonic() < ends_at
    assert shell.json("metrics", "--endpoint", "/items/{id}")["canary"]["request_count"] == 9
    shown = shell.run("metrics").stdout
    assert "/items/{id}" in shown
    [versions, measures] = [line.split() for line in shown.splitlines() if line.split()[-1:] in (["CANARY"], ["P95"])][
        -2:
    ]
    assert versions == ["LEGACY", "CANARY"] * 3
    assert measures == ["endpoint", "requests", "requests", "error", "rate", "error", "rate", "P95", "P95"]
    assert "최근 5분" in shell.run("metrics", "--language", "ko").stdout
    assert "kim gets CANARY" in shell.run("explain", "kim", "--endpoint", "/hello").stdout
    assert shell.json("explain", "kim")["reason"] == "bucket"


def test_tokens_are_made_listed_and_revoked(shell: Shell) -> None:
    made = shell.json("token", "create", "ci", "--role", "viewer")
    assert shell.run("status", SERINUS_TOKEN=made["token"]).exit_code == 0
    refused = shell.run("rollback", exit_code=3, SERINUS_TOKEN=made["token"])
    assert "operator" in refused.stderr
    assert "ci" in shell.run("token", "list").stdout
    assert made["token"] not in shell.run("token", "list").stdout
    shell.run("token", "revoke", made["id"])
    shell.run("status", exit_code=3, SERINUS_TOKEN=made["token"])


def test_the_first_token_is_made_in_the_store_itself(shell: Shell, tmp_path: Path) -> None:
    elsewhere = f"sqlite+aiosqlite:///{tmp_path / 'another.db'}"
    made = shell.run("token", "create", "ann", "--role", "admin", SERINUS_TOKEN=None, SERINUS_DATABASE_URL=elsewhere)
    assert made.stdout.strip().startswith("srn_")
    assert "another.db" in made.stderr
    here = shell.run("token", "create", "ann", "--role", "admin", "--json", SERINUS_TOKEN=None)
    shell.run("status", SERINUS_TOKEN=json.loads(here.stdout)["token"])


def test_an_endpoint_that_the_service_does_not_have_is_explained_as_none_of_them(shell: Shell) -> None:
    told = shell.run("explain", "ada", "--endpoint", "/nowhere").stdout
    assert " on what is no known endpoint: " in told
    assert (
        "알려진 엔드포인트가 아닌 곳에서 ada 님은"
        in shell.run("explain", "ada", "--endpoint", "/nowhere", "--language", "ko").stdout
    )


def test_a_share_that_nobody_gets_says_what_switches_it_on(shell: Shell) -> None:
    off = shell.run("config", "set", "--percentage", "6", "--disabled").stdout
    assert "`serinus config set --enabled` switches it on" in off
    assert "switches it on" not in shell.run("config", "set", "--enabled").stdout


def test_who_asks_with_a_token_of_another_store_is_told_how_to_make_one_here(shell: Shell) -> None:
    refused = shell.run("token", "create", "ann", "--role", "admin", exit_code=3, SERINUS_TOKEN="srn_of-yesterday")
    assert "unset SERINUS_TOKEN" in refused.stderr
    assert refused.stdout == ""


def test_events_are_followed_as_lines_of_json(shell: Shell) -> None:
    shell.run("config", "set", "--percentage", "5", "--reason", "first")
    # What a shell starts in the background ignores SIGINT, and so does what that starts in its turn.
    listening = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", f"{listening}runpy.run_module('serinus', run_name='__main__')"]
    options = ["events", "--limit", "1", "--follow", "--json"]
    environment = {**os.environ, **shell.environment}
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, env=environment) as follower:
        try:
            assert follower.stdout is not None
            told = [json.loads(follower.stdout.readline())["reason"]]
            shell.run("config", "set", "--percentage", "6", "--reason", "second")
            told.append(json.loads(follower.stdout.readline())["reason"])
            follower.send_signal(signal.SIGINT)
            assert follower.wait(60) == 0
        finally:
            follower.kill()
    assert told == ["first", "second"]


@pytest.mark.slow
def test_those_who_follow_a_service_go_on_when_it_is_started_anew(tmp_path: Path) -> None:
    with ExitStack() as followers:
        with serving(tmp_path) as shell:
            shell.run("config", "set", "--percentage", "5", "--reason", "first")
            port, environment = int(shell.url.rpartition(":")[2]), {**os.environ, **shell.environment}
            events, status = (
                followers.enter_context(following(*command, environment=environment))
                for command in (["events", "--follow"], ["status", "--watch", "--interval", "0.2"])
            )
            until_said(events.stdout, "first")
            until_said(status.stdout, "share 5 %")
        until_said(events.stderr, "Asking again")
        until_said(status.stderr, "Asking again")
        with serving(tmp_path, port) as shell:
            shell.run("config", "set", "--percentage", "6", "--reason", "second")
            until_said(events.stdout, "second")
            until_said(status.stdout, "share 6 %")


@contextmanager
def following(*command: str, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    whole = [sys.executable, "-m", "serinus", *command]
    process = subprocess.Popen(whole, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    with process:
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def until_said(stream: IO[str] | None, text: str) -> None:
    assert stream is not None
    assert any(text in line for line in stream)


@pytest.mark.slow
def test_a_controller_runs_alone_and_gives_its_lease_back_when_it_is_stopped(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    environment = {**os.environ, "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{store}"}
    command = [sys.executable, "-m", "serinus", "controller"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as controller:
        shell = Shell("http://127.0.0.1:9", store)
        ends_at = time.monotonic() + 15
        heard = "wrong"
        while heard != "ok":
            assert time.monotonic() < ends_at
            findings = json.loads(CliRunner().invoke(main, ["doctor", "--json"], env=shell.environment).stdout)
            heard = next((each["state"] for each in findings["findings"] if each["name"] == "controller"), "wrong")
        controller.terminate()
        assert controller.wait(10) == 0
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("select count(*) from serinus_leases").fetchone() == (0,)


def test_the_doctor_finds_nothing_wrong_with_a_living_service(shell: Shell) -> None:
    shell.run("token", "create", "ann", "--role", "admin")
    found = {finding["name"]: finding["state"] for finding in shell.json("doctor")["findings"]}
    assert found == {
        "settings": "ok",
        "store": "ok",
        "tokens": "ok",
        "controller": "ok",
        "agents": "ok",
        "alerts": "warning",
        "kept split": "ok",
        "service": "ok",
    }


def test_the_doctor_says_what_to_do_when_nothing_runs(shell: Shell, tmp_path: Path) -> None:
    result = shell.run(
        "doctor",
        exit_code=1,
        SERINUS_URL="http://127.0.0.1:9",
        SERINUS_DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path / 'none' / 'store.db'}",
        SERINUS_LANGUGE="ko",
    )
    assert "did you mean SERINUS_LANGUAGE?" in result.stdout
    assert "set SERINUS_DATABASE_URL to where it is" in " ".join(result.stdout.split())
    assert "start it, or correct --url" in result.stdout


def test_nobody_at_the_address_is_said_with_what_to_do(shell: Shell) -> None:
    away = shell.run("status", "--url", "http://127.0.0.1:9", exit_code=4)
    assert "serinus serve" in away.stderr
    assert "is no address" in shell.run("status", "--url", "nonsense", exit_code=2).stderr


def test_a_missing_token_is_answered_in_the_command_lines_own_words(shell: Shell) -> None:
    refused = shell.run("config", "get", exit_code=3, SERINUS_TOKEN=None)
    assert "--token or SERINUS_TOKEN" in refused.stderr


def test_the_service_s_endpoints_are_listed_for_those_who_write_rules(shell: Shell) -> None:
    assert "/items/{id}" in shell.run("config", "get").stdout


def test_a_port_that_is_taken_and_an_app_without_serinus_are_said(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text("async def app(scope, receive, send):\n    await send(await receive())\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "serinus", "serve", "bare:app", "--port", port]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 1
    assert "bare:app is not what `serinus.application(...)` made" in run.stderr
    assert "give another: --port" in run.stderr
    assert "/console" not in run.stderr


def test_a_service_says_where_its_console_is_and_how_to_come_in(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "serinus", "controller", "--port", port]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert f"http://127.0.0.1:{port}/console" in run.stderr
    assert "sqlite+aiosqlite:///serinus.db" in run.stderr
    assert "serinus token create NAME --role admin" in run.stderr


@pytest.mark.tool("curl")
def test_the_customers_two_commands_work_as_they_are_written(shell: Shell) -> None:
    command = (
        f'curl -sS -X POST {shell.url}/admin/canary/config -H "Authorization: Bearer $TOKEN" '
        """-d '{"canary_percentage": 0, "enabled": false}'"""
    )
    shell.run("config", "set", "--percentage", "35", "--enabled")
    told = subprocess.run(command, shell=True, env={**os.environ, "TOKEN": ADMIN}, capture_output=True, check=True)
    assert json.loads(told.stdout)["enabled"] is False
    assert shell.json("config", "get")["canary_percentage"] == 0
    told = subprocess.run(f"curl -sS {shell.url}/admin/canary/metrics", shell=True, capture_output=True, check=True)
    assert set(json.loads(told.stdout)) >= {"legacy", "canary", "comparison"}


def test_messages_come_in_korean_on_request(fresh_shell: Shell) -> None:
    fresh_shell.run("start", "demo")
    assert "롤아웃" in fresh_shell.run("status", "--language", "ko").stdout
    assert "시작했습니다" in fresh_shell.run("events", SERINUS_LANGUAGE="ko").stdout


def test_reports_are_written_to_files_in_the_form_that_their_names_ask_for(shell: Shell, tmp_path: Path) -> None:
    page, tests = tmp_path / "ready.html", tmp_path / "junit.xml"
    tests.write_text('<testsuite><testcase classname="tests.integration.test_a" name="t"/></testsuite>')
    written = shell.run("report", "readiness", "--output", str(page), "--junit", str(tests), "--language", "ko")
    assert str(page) in written.stderr
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "통과 1, 실패 0, 건너뜀 0" in page.read_text(encoding="utf-8")
    assert shell.run("report", "baseline").stdout.startswith("# Baseline")
    assert shell.json("report", "comparison")["kind"] == "comparison"


def test_a_report_that_cannot_be_made_says_why(shell: Shell, tmp_path: Path) -> None:
    damaged = tmp_path / "junit.xml"
    damaged.write_text("<testsuite>")
    assert "no XML that can be read" in shell.run("report", "readiness", "--junit", str(damaged), exit_code=2).stderr
    assert "readiness report alone" in shell.run("report", "baseline", "--junit", str(damaged), exit_code=2).stderr
    assert "'none such'" in shell.run("report", "incident", "--rollout", "none such", exit_code=1).stderr
    outside = tmp_path / "missing" / "ready.md"
    assert "cannot write" in shell.run("report", "readiness", "--output", str(outside), exit_code=2).stderr


GATED = """
name = "gated"
[slo]
error_rate_margin_points = 0.5
p95_margin_percent = 10
min_canary_requests = 1000
[[steps]]
percentage = 5
bake = "1h"
[[steps.approvals]]
name = "boss"
checklist = ["edge cases"]
attachment = "metrics report"
business_impact = true
[[triggers]]
name = "error-rate"
metric = "error_rate"
limit_percent = 5
severity = "critical"
deadline = "60s"
"""


def test_an_approval_hands_in_what_the_gate_asks_for(fresh_shell: Shell, tmp_path: Path) -> None:
    plan, attached = tmp_path / "gated.toml", tmp_path / "metrics.html"
    plan.write_text(GATED)
    attached.write_text("figures")
    fresh_shell.run("start", str(plan))
    fresh_shell.until("config", "get", key="canary_percentage", value=5)
    fresh_shell.until_judged()
    refused = fresh_shell.run("approve", "boss", "--yes", "--check", "edge cases", exit_code=1)
    assert "attach the metrics report" in refused.stderr
    options = ("--check", "edge cases", "--attach", str(attached), "--impact", "more sales")
    [approval] = fresh_shell.json("approve", "boss", "--yes", *options)["approvals"]
    assert approval["attachment"] == {"name": "metrics.html", "digest": sha256(b"figures").hexdigest()}
    assert (approval["checked"], approval["business_impact"]) == (["edge cases"], "more sales")
    missing = fresh_shell.run("approve", "boss", "--yes", "--attach", str(tmp_path / "none.html"), exit_code=2)
    assert "cannot read" in missing.stderr
