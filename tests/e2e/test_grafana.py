"""Grafana's dashboards and alerts: whole in themselves, and a live Prometheus answers every question of theirs."""

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from fleet import TOKEN, free_port, order, until
from serinus.analysis.verdict import Metric
from serinus.plans import load_shipped, shipped_text
from serinus.rollout.plan import Severity
from started import started

DEPLOYED = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOYED / "prometheus"
PROVISIONED = DEPLOYED / "grafana/provisioning"
DASHBOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOYED / "grafana/dashboards").glob("*.json"))
}
UNITS = {"none", "short", "percentunit", "s", "reqps"}
METRIC = re.compile(r"(?<![\w:])(?:\w+:)?serinus_\w+(?::\w+)?")
RECEIPTS = ("serinus_rollback_stage_seconds", "serinus_rollback_deadline_met")


def provisioned(name: str) -> Any:
    return yaml.safe_load((PROVISIONED / name).read_text(encoding="utf-8"))


DATASOURCE = provisioned("datasources/prometheus.yml")["datasources"][0]
RULES = [rule for group in provisioned("alerting/rules.yml")["groups"] for rule in group["rules"]]
CONTACTS = {point["name"]: point for point in provisioned("alerting/contact-points.yml")["contactPoints"]}
(POLICY,) = provisioned("alerting/notification-policies.yml")["policies"]


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_a_dashboard_is_whole(board: Mapping[str, Any]) -> None:
    panels = board["panels"]
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "job"}
    assert sorted(panel["id"] for panel in panels) == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert not re.search(r"serinus_|[{}]", panel["title"]), "titles are plain words"
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0
        assert all('job="$job"' in target["expr"] for target in panel["targets"]), panel["title"]


@pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS)
def test_no_panel_lies_on_another(board: Mapping[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


def test_dashboards_are_found_by_the_provider_and_by_each_other() -> None:
    assert len({board["uid"] for board in DASHBOARDS.values()}) == len(DASHBOARDS) == 3
    assert all(board["tags"] == board["links"][0]["tags"] == ["serinus"] for board in DASHBOARDS.values())
    (provider,) = provisioned("dashboards/serinus.yml")["providers"]
    assert provider["options"]["path"] in (DEPLOYED.parent / "docs/howto/grafana.md").read_text(encoding="utf-8")


def test_every_alert_asks_the_provisioned_source_and_reaches_somebody() -> None:
    uids = [rule["uid"] for rule in RULES]
    assert len(set(uids)) == len(uids)
    severities = {route["object_matchers"][0][2] for route in POLICY["routes"]} | {"medium"}
    for rule in RULES:
        question, threshold = rule["data"]
        assert question["datasourceUid"] == DATASOURCE["uid"]
        assert question["model"]["refId"] == question["refId"] == threshold["model"]["expression"]
        assert threshold["refId"] == rule["condition"]
        assert rule["labels"]["severity"] in severities
        assert rule["annotations"]["summary"]
    receivers = {POLICY["receiver"], *(route["receiver"] for route in POLICY["routes"])}
    assert receivers == set(CONTACTS)


def test_severities_reach_the_channels_of_the_shipped_plan() -> None:
    def channels(severity: str) -> set[str]:
        routes = {route["object_matchers"][0][2]: route["receiver"] for route in POLICY["routes"]}
        return {receiver["type"] for receiver in CONTACTS[routes.get(severity, POLICY["receiver"])]["receivers"]}

    plan = load_shipped("phase4")
    for trigger in plan.triggers:
        (rule,) = [rule for rule in RULES if rule["uid"] == f"serinus-limit-{trigger.severity}"]
        assert channels(rule["labels"]["severity"]) == set(trigger.channels), trigger.severity
    assert {trigger.severity for trigger in plan.triggers} == set(Severity)
    levels = {"serinus-error-rate": Metric.ERROR_RATE, "serinus-p95": Metric.P95}
    for uid, metric in levels.items():
        (rule,) = [rule for rule in RULES if rule["uid"] == uid]
        (level,) = [level for level in plan.alert_rules if level.limit.metric is metric]
        (value,) = rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"]
        assert value == pytest.approx(level.limit.value / (1_000 if metric is Metric.P95 else 1))
        assert channels(rule["labels"]["severity"]) == set(level.channels)


def questions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and the expression for the service that is scraped."""
    for name, board in DASHBOARDS.items():
        asked = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]]
        asked += [(annotation["name"], annotation["expr"]) for annotation in board["annotations"]["list"]]
        yield from ((f"{name}: {title}", expr.replace("$job", "serinus")) for title, expr in asked)
    yield from ((rule["uid"], rule["data"][0]["model"]["expr"]) for rule in RULES)
    for path in PROMETHEUS.glob("serinus.*ing.yml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            for rule in group["rules"]:
                yield from ((path.name, name) for name in sorted({*METRIC.findall(rule["expr"])}))


class Live:
    """The demonstration with simulated users, in the middle of a rollout, and the Prometheus that watches it."""

    def __init__(self, service: str, prometheus: httpx2.Client) -> None:
        self.service, self._prometheus = service, prometheus
        self.unanswered = list(dict.fromkeys(questions()))

    def answer(self, expr: str) -> list[float]:
        answer = self._prometheus.post("/api/v1/query", data={"query": expr})
        assert answer.is_success, (expr, answer.text)
        return [float(sample["value"][1]) for sample in answer.json()["data"]["result"]]

    def answers_all(self) -> bool:
        """Whether every question has had a number for an answer."""
        self.unanswered = [
            (place, expr) for place, expr in self.unanswered if not any(map(math.isfinite, self.answer(expr)))
        ]
        return not self.unanswered

    def answers_all_but_receipts(self) -> bool:
        """There is none before a rollback."""
        return self.answers_all() or all(any(name in expr for name in RECEIPTS) for _, expr in self.unanswered)


@contextmanager
def live(folder: Path) -> Iterator[Live]:
    shutil.copytree(PROMETHEUS, folder, dirs_exist_ok=True)
    (folder / "serinus-token").write_text(TOKEN, encoding="utf-8")
    ports = [free_port(), free_port()]
    service, prometheus = (f"http://127.0.0.1:{port}" for port in ports)
    config = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{ports[0]}"]}]
    del config["alerting"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    environment = os.environ | {
        "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/serinus.db",
        "MENTOR_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/mentor.db",
        "SERINUS_ADMIN_TOKEN": TOKEN,
    }
    serve = [sys.executable, "-m", "serinus", "serve", "mentor.demo.service:app", "--port", str(ports[0])]
    users = [sys.executable, "-m", "mentor.demo.traffic", "--url", service, "--rate", "80", "--seed", "1"]
    watch = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]
    watch.append(f"--web.listen-address=127.0.0.1:{ports[1]}")
    with ExitStack() as stack:
        stack.enter_context(started(serve, folder, f"{service}/ready", environment))
        stack.enter_context(started([*users, "--seconds", "600"], folder, f"{service}/ready"))
        stack.enter_context(started(watch, folder, f"{prometheus}/-/ready"))
        yield Live(service, stack.enter_context(httpx2.Client(base_url=prometheus, timeout=30)))


@pytest.mark.slow
@pytest.mark.tool("prometheus")
def test_a_live_prometheus_answers_every_question_of_dashboards_and_alerts(tmp_path: Path) -> None:
    with live(tmp_path) as stage:
        order(stage.service, "/rollout/start", source=shipped_text("demo").replace("= 20 ", "= 45 "))
        try:
            until(stage.answers_all_but_receipts, 120)
            assert stage.unanswered
            order(stage.service, "/rollout/rollback", reason="to see the receipt")
            stage.unanswered = [pair for pair in stage.unanswered if "deadline" not in pair[1]]  # by hand there is none
            until(stage.answers_all)
        except AssertionError:
            raise AssertionError(f"without an answer: {stage.unanswered}") from None
