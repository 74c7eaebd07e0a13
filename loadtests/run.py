"""A load test of mentor behind serinus: starts the service, drives it with Locust, and judges what was measured.

    python loadtests/run.py light            # or medium, heavy, spike, soak: see loadtests/profiles.toml
    python loadtests/run.py light --host http://127.0.0.1:8000

Answers of 429 and 5xx are failures, and so is a run with fewer requests than its profile asks for. Half of the users
are on the canary, so that both versions carry the load. Only services on this machine are driven.
"""

import argparse
import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from picture import plot

HERE = Path(__file__).parent
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
STARTED_SECONDS = 30.0
CANARY_PERCENTAGE = 50
TOKEN = "loadtest-loadtest-loadtest"
ALL = "Aggregated"
DEMANDED_MS = 500  # what the service's customer was promised, for the slowest request of a hundred
GOAL_P95_MS = {"/api/v2/recommend/personalized": 5, "/api/v2/conversations/{session_id}/turn": 10}


@dataclass(frozen=True, slots=True)
class Row:
    """What one endpoint did under the load; times in milliseconds, as the client saw them."""

    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    requests_per_second: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One demand, and whether it is met; a goal that is missed is told and fails nothing."""

    demand: str
    value: float
    need: float
    met: bool
    is_goal: bool = False


def main() -> int:
    chosen = _options()
    profile = _profiles()[chosen.profile]
    output = chosen.output or Path(tempfile.mkdtemp(prefix="loadtest-"))
    output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        host = chosen.host or stack.enter_context(_service(output))
        _say(f"{chosen.profile}: {profile['about']}; {profile['stages'][-1]['until_seconds']} s against {host}")
        _drive(chosen.profile, host, output)
    rows = _rows(output / "locust_stats.csv")
    findings = list(judge(rows, profile["least_requests"]))
    _write(output, chosen.profile, rows, findings)
    if chosen.json:
        answer = {"profile": chosen.profile, "rows": [asdict(row) for row in rows]}
        print(json.dumps(answer | {"findings": [asdict(finding) for finding in findings]}, indent=2))
    else:
        print((output / "summary.md").read_text(encoding="utf-8"))
        print(f"Written to {output}")
    return 0 if all(finding.met or finding.is_goal for finding in findings) else 1


def judge(rows: Sequence[Row], least_requests: int) -> Iterator[Finding]:
    """Every demand on the measured `rows`, whose last one is of all endpoints together."""
    total = next(row for row in rows if row.name == ALL)
    yield Finding("requests, at least", total.requests, least_requests, total.requests >= least_requests)
    yield Finding("failed requests, at most", total.failures, 0, total.failures == 0)
    for row in rows:
        if row.name in GOAL_P95_MS:
            goal = GOAL_P95_MS[row.name]
            yield Finding(f"{row.name}: P99, ms, below", row.p99_ms, DEMANDED_MS, row.p99_ms < DEMANDED_MS)
            yield Finding(f"{row.name}: P95, ms, below", row.p95_ms, goal, row.p95_ms < goal, is_goal=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=_profiles(), help="how many users, for how long")
    parser.add_argument("--host", help="a service that runs on this machine; without it one is started")
    parser.add_argument("--output", type=Path, help="a folder for summary.md, its plots and Locust's tables")
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    chosen = parser.parse_args()
    if chosen.host and urlsplit(chosen.host).hostname not in LOOPBACK:
        parser.error("only a service on this machine is driven: --host http://127.0.0.1:PORT")
    return chosen


def _profiles() -> dict[str, Any]:
    return tomllib.loads((HERE / "profiles.toml").read_text(encoding="utf-8"))


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    """The service in a process of its own, with half of its users on the canary."""
    port = _free_port()
    host = f"http://127.0.0.1:{port}"
    store = Path(tempfile.mkdtemp(prefix="loadtest-store-")) / "serinus.db"
    environment = {
        **os.environ,
        "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{store}",
        "SERINUS_ADMIN_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "serinus", "serve", "mentor.main:app", "--port", str(port)]
    with (
        (folder / "service.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _await_canary(host, process, folder / "service.log")
            yield host
        finally:
            process.terminate()


def _await_canary(host: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the service routes by the share that it is told."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    share = {"enabled": True, "canary_percentage": CANARY_PERCENTAGE, "reason": "load test"}
    deadline = time.monotonic() + STARTED_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.post(f"{host}/admin/canary/config", json=share, headers=headers).is_success:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"the service did not start; see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _drive(profile: str, host: str, output: Path) -> None:
    """Locust in a process of its own: it changes the interpreter it runs in."""
    command = [
        sys.executable,
        "-m",
        "locust",
        "--locustfile",
        str(HERE / "locustfile.py"),
        "--host",
        host,
        "--headless",
    ]
    command += ["--csv", str(output / "locust"), "--csv-full-history", "--only-summary", "--exit-code-on-error", "0"]
    with (output / "locust.log").open("w", encoding="utf-8") as log:
        environment = {**os.environ, "LOADTEST_PROFILE": profile}
        run = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if run.returncode:
        raise SystemExit(f"Locust ended with {run.returncode}; see {output / 'locust.log'}")


def _rows(table: Path) -> list[Row]:
    with table.open(newline="", encoding="utf-8") as lines:
        return [
            Row(
                name=line["Name"],
                requests=int(line["Request Count"]),
                failures=int(line["Failure Count"]),
                p50_ms=float(line["50%"]),
                p95_ms=float(line["95%"]),
                p99_ms=float(line["99%"]),
                requests_per_second=float(line["Requests/s"]),
            )
            for line in csv.DictReader(lines)
        ]


def _write(output: Path, profile: str, rows: Sequence[Row], findings: Sequence[Finding]) -> None:
    with (output / "locust_stats_history.csv").open(newline="", encoding="utf-8") as lines:
        history = [line for line in csv.DictReader(lines) if line["Name"] == ALL]
    (output / "latency.svg").write_text(plot(_series(history, {"P50": "50%", "P95": "95%"}), "ms"), encoding="utf-8")
    throughput = _series(history, {"users": "User Count", "requests a second": "Requests/s"})
    (output / "throughput.svg").write_text(plot(throughput, ""), encoding="utf-8")
    (output / "summary.md").write_text(_summary(profile, rows, findings), encoding="utf-8")


def _series(history: Sequence[Mapping[str, str]], columns: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    """By name, (seconds since the start, value) for every second that has one."""
    start = int(history[0]["Timestamp"])
    return {
        name: [(int(line["Timestamp"]) - start, float(line[column])) for line in history if line[column] != "N/A"]
        for name, column in columns.items()
    }


def _summary(profile: str, rows: Sequence[Row], findings: Sequence[Finding]) -> str:
    lines = [f"# Load test: {profile}", "", "| demand | measured | need | |", "|---|---:|---:|---|"]
    for finding in findings:
        word = "met" if finding.met else "goal missed" if finding.is_goal else "NOT MET"
        lines.append(f"| {finding.demand} | {finding.value:g} | {finding.need:g} | {word} |")
    lines += [
        "",
        "| endpoint | requests | failed | P50 ms | P95 ms | P99 ms | per second |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        times = f"{row.p50_ms:g} | {row.p95_ms:g} | {row.p99_ms:g}"
        lines.append(f"| {row.name} | {row.requests} | {row.failures} | {times} | {row.requests_per_second:.1f} |")
    return "\n".join([*lines, "", "![latency](latency.svg)", "", "![throughput](throughput.svg)", ""])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
