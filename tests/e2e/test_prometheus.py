"""Prometheus's own tools accept the metrics, the rules and the routes, and the alerts arrive."""

import asyncio
import email
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fleet import free_port, until
from receiver import receiving
from serinus import application, subject
from serinus.analysis.verdict import Metric
from serinus.plans import load_shipped
from serinus.settings import load
from started import started

DEPLOYED = Path(__file__).parents[2] / "deploy/prometheus"
RULES = yaml.safe_load((DEPLOYED / "serinus.alerting.yml").read_text(encoding="utf-8"))["groups"]
ALERTS = {rule["alert"]: rule for group in RULES for rule in group["rules"]}


def run(*command: str, cwd: Path = DEPLOYED, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.tool("promtool")
def test_promtool_finds_nothing_wrong_with_the_metrics_of_a_service_in_use() -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("", status_code=int(request.path_params["status"]))

    async def scraped() -> str:
        app = Starlette(routes=[Route("/status/{status}", answer)])
        settings = load(database_url="sqlite+aiosqlite://", public_metrics=True)
        now = [1_760_000_000.0]
        service = application(
            legacy=app, canary=app, subject=subject.header("x-user-id"), settings=settings, clock=lambda: now[0]
        )
        await service.start()
        transport = httpx2.ASGITransport(app=service)
        async with httpx2.AsyncClient(transport=transport, base_url="http://service") as client:
            for status in (200, 200, 404, 500):
                await client.get(f"/status/{status}", headers={"x-user-id": "kim"})
            now[0] += 2.0  # a slice ends
            await service.agent.beat()
            text = (await client.get("/metrics")).text
        await service.stop()
        return text

    text = asyncio.run(scraped())
    assert 'serinus_request_errors_total{endpoint="/status/{status}",version="legacy"} 1.0' in text
    checked = run("promtool", "check", "metrics", text=text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.tool("promtool")
def test_promtool_accepts_the_scrape_and_the_rules(tmp_path: Path) -> None:
    shutil.copytree(DEPLOYED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "serinus-token").write_text("a-viewer", encoding="utf-8")
    checked = run("promtool", "check", "config", "--lint-fatal", "prometheus.yml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
@pytest.mark.tool("promtool")
def test_the_rules_raise_what_they_should_and_nothing_else() -> None:
    tested = run("promtool", "test", "rules", "serinus.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_has_a_test_that_raises_it_and_says_what_to_do() -> None:
    tests = (DEPLOYED / "serinus.test.yml").read_text(encoding="utf-8")
    assert [name for name in ALERTS if not re.search(rf'alertname(="|: ){name}\b', tests)] == []
    for name, rule in ALERTS.items():
        page, _, advice = rule["annotations"]["runbook"].partition(": ")
        assert (DEPLOYED.parents[1] / page).is_file(), name
        assert advice, name


def test_the_alert_levels_are_those_of_the_shipped_plan() -> None:
    levels = {rule.limit.metric: rule.limit.value for rule in load_shipped("phase4").alert_rules}
    assert f"> {levels[Metric.ERROR_RATE]:g} and " in ALERTS["SerinusErrorRate"]["expr"]
    assert f"> {levels[Metric.P95] / 1_000:g} and " in ALERTS["SerinusP95"]["expr"]


class Postbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(email.message_from_bytes(content))
        return "250 OK"


@asynccontextmanager
async def postbox() -> AsyncIterator[tuple[Postbox, str]]:
    box = Postbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0)
    async with server:
        yield box, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def pointed_at(folder: Path, slack: str, pagerduty: str, smtp: str) -> Path:
    """The example with our own receivers for addresses, and without its patience."""
    chosen = yaml.safe_load((DEPLOYED / "alertmanager.yml").read_text(encoding="utf-8"))
    (folder / "slack-url").write_text(slack, encoding="utf-8")
    (folder / "pagerduty-key").write_text("k" * 32, encoding="utf-8")
    chosen["global"] = {
        "slack_api_url_file": "slack-url",
        "pagerduty_url": pagerduty,
        "smtp_smarthost": smtp,
        "smtp_from": chosen["global"]["smtp_from"],
        "smtp_require_tls": False,
    }
    chosen["route"] |= {"group_wait": "0s"}
    path = folder / "alertmanager.yml"
    path.write_text(yaml.safe_dump(chosen), encoding="utf-8")
    return path


@pytest.mark.tool("prometheus-alertmanager")
def test_alertmanager_tells_everybody_whom_the_severity_of_an_alert_concerns(tmp_path: Path) -> None:
    async def story() -> None:
        async with receiving() as slack, receiving(202) as pagerduty, postbox() as (box, smtp):
            config = pointed_at(tmp_path, slack.url, pagerduty.url, smtp)
            command = ["prometheus-alertmanager", f"--config.file={config.name}", "--storage.path=alerts"]
            url = f"127.0.0.1:{free_port()}"
            command += [f"--web.listen-address={url}", "--cluster.listen-address="]
            await asyncio.to_thread(
                raise_alerts, command, tmp_path, f"http://{url}", lambda: told(slack, pagerduty, box)
            )
            assert names(slack.bodies) == {"SerinusDeadlineMissed", "SerinusRollback", "SerinusErrorRate"}
            assert names(pagerduty.bodies) == {"SerinusDeadlineMissed", "SerinusP95"}
            assert {body["payload"]["severity"] for body in pagerduty.bodies} == {"critical", "error"}
            assert ["SerinusRollback" in mail["Subject"] for mail in box.mails] == [True]
            assert "the summary of SerinusRollback" in str(slack.bodies)

    def told(slack: Any, pagerduty: Any, box: Postbox) -> bool:
        return (len(slack.bodies), len(pagerduty.bodies), len(box.mails)) == (3, 2, 1)

    asyncio.run(story())


def raise_alerts(command: list[str], folder: Path, url: str, arrived: Any) -> None:
    raised = ("SerinusDeadlineMissed", "SerinusP95", "SerinusRollback", "SerinusErrorRate")
    alerts = [
        {
            "labels": {"alertname": name, "job": "serinus", **ALERTS[name]["labels"]},
            "annotations": {"summary": f"the summary of {name}", "runbook": "what to do"},
        }
        for name in raised
    ]
    with started(command, folder, f"{url}/-/ready"):
        httpx2.post(f"{url}/api/v2/alerts", json=alerts, timeout=30).raise_for_status()
        until(arrived)


def names(bodies: list[Any]) -> set[str]:
    return set(re.findall(r"Serinus(?:DeadlineMissed|P95|Rollback|ErrorRate)\b", str(bodies)))
