"""A load test of mentor behind serinus: starts the service, drives it with Locust, and judges what was measured.

    python loadtests/run.py light            # or medium, heavy, spike, soak: see loadtests/profiles.toml
    python loadtests/run.py light --host http://127.0.0.1:8000

Answers of 429 and 5xx are failures, and so is a run with fewer requests than its profile asks for. Half of the users
are on the canary, so that both versions carry the load. Only services on this machine are driven. Ctrl-C ends a run
early, and keeps what it has measured.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from measured import Finding, Instant, Measured, history, judge, read, write

HERE = Path(__file__).parent
PROFILES: dict[str, Any] = tomllib.loads((HERE / "profiles.toml").read_text(encoding="utf-8"))
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
HEALTH = "/api/v2/phase4/health"
STARTED_SECONDS = 30.0
TO_END_SECONDS = 60.0
CANARY_PERCENTAGE = 50
TOKEN = "loadtest-loadtest-loadtest"


@dataclass(frozen=True, slots=True)
class Service:
    """`pid` of the process that was started for the test; None of a service that ran before."""

    host: str
    pid: int | None


@dataclass(slots=True)
class Run:
    """`memory` of the service, in MiB by seconds since the start."""

    memory: list[tuple[float, float]] = field(default_factory=list)
    stopped: bool = False


def main() -> int:
    parser = _parser()
    chosen = parser.parse_args()
    if trouble := _trouble(chosen.host):
        parser.error(trouble)
    try:
        output = _folder(chosen.output)
    except OSError as error:
        parser.error(f"{chosen.output} cannot be written to: {error.strerror}")
    for ending in (signal.SIGINT, signal.SIGTERM):  # also where the shell has it ignored, which Locust would inherit
        signal.signal(ending, signal.default_int_handler)
    try:
        run = _run(chosen.profile, chosen.host, output)
    except KeyboardInterrupt:
        raise SystemExit("stopped before anything was measured") from None
    measured = read(output, run.memory)
    findings = list(judge(measured.rows, PROFILES[chosen.profile]["least_requests"]))
    write(output, chosen.profile, measured, findings)
    print(_as_json(chosen.profile, measured, findings) if chosen.json else _as_text(output))
    if run.stopped:
        _say("Stopped early: the figures are those until then.")
    return 0 if all(finding.met or finding.is_goal for finding in findings) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=PROFILES, help="how many users, for how long")
    parser.add_argument("--host", help="a mentor behind serinus that runs on this machine; without it one is started")
    parser.add_argument("--output", type=Path, help="a folder for summary.md, its plots and Locust's tables")
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    return parser


def _trouble(host: str | None) -> str | None:
    """What stands against driving `host`, said before anything is started."""
    if find_spec("locust") is None:
        return "Locust is not installed; install it with: pip install -e '.[loadtest,speed]' -c constraints.txt"
    if host is None:
        return None
    try:
        parts = urlsplit(host)
        known = parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK and parts.port != 0
    except ValueError:
        known = False
    if not known:
        return f"only a service on this machine is driven, such as --host http://127.0.0.1:8000, not {host}"
    return _silence(host)


def _silence(host: str) -> str | None:
    try:
        status = httpx2.get(f"{host.rstrip('/')}{HEALTH}", timeout=STARTED_SECONDS).status_code
    except httpx2.HTTPError as error:
        return f"nobody answers at {host} ({error}); start the service, or leave out --host to have one started"
    return None if status == 200 else f"{host} is no mentor that is ready: GET {HEALTH} is answered {status}"


def _folder(output: Path | None) -> Path:
    """Where the run is written down; an OSError when that cannot be done."""
    folder = output or Path(tempfile.mkdtemp(prefix="loadtest-"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.md").write_text("The load test has not ended.\n", encoding="utf-8")
    return folder


def _run(profile: str, host: str | None, output: Path) -> Run:
    with ExitStack() as stack:
        service = Service(host.rstrip("/"), None) if host else stack.enter_context(_service(output))
        _say(f"{profile}: {PROFILES[profile]['about']}; {_seconds(profile)} s against {service.host}")
        return _drive(profile, service, output)


@contextmanager
def _service(folder: Path) -> Iterator[Service]:
    """The service in a process of its own, with half of its users on the canary."""
    port = _free_port()
    with ExitStack() as stack:
        store = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loadtest-store-"))) / "serinus.db"
        environment = {
            **os.environ,
            "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{store}",
            "SERINUS_ADMIN_TOKEN": TOKEN,
        }
        command = [sys.executable, "-m", "serinus", "serve", "mentor.main:app", "--port", str(port)]
        log = stack.enter_context((folder / "service.log").open("w", encoding="utf-8"))
        process = stack.enter_context(_process(command, environment, log))
        service = Service(f"http://127.0.0.1:{port}", process.pid)
        _await_canary(service.host, process, folder / "service.log")
        yield service


@contextmanager
def _process(command: Sequence[str], environment: dict[str, str], log: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Apart from the terminal: Ctrl-C is for this program, which ends its processes in their order."""
    with subprocess.Popen(
        command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            yield process
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


def _drive(profile: str, service: Service, output: Path) -> Run:
    """Locust in a process of its own: it changes the interpreter it runs in."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(HERE / "locustfile.py"), "--host", service.host]
    command += ["--headless", "--csv", str(output / "locust"), "--csv-full-history", "--only-summary"]
    command += ["--exit-code-on-error", "0"]
    environment = {**os.environ, "LOADTEST_PROFILE": profile}
    for table in output.glob("locust_*.csv"):
        table.unlink()
    run = Run()
    with (output / "locust.log").open("w", encoding="utf-8") as log, _process(command, environment, log) as locust:
        try:
            _watch(profile, service, output, locust, run)
        except KeyboardInterrupt:
            run.stopped = True
            locust.send_signal(signal.SIGINT)  # while stages follow each other it listens to no other
            locust.wait(TO_END_SECONDS)
    if locust.returncode or not (output / "locust_stats.csv").exists():
        raise SystemExit(f"Locust ended with {locust.returncode}; see {output / 'locust.log'}")
    return run


def _watch(profile: str, service: Service, output: Path, locust: "subprocess.Popen[bytes]", run: Run) -> None:
    """Tell how far it is, and take the service's memory, until Locust has ended."""
    length, started = _seconds(profile), time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    told = 0.0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=length)
        while locust.poll() is None:
            at = time.monotonic() - started
            if at > length + TO_END_SECONDS:
                raise SystemExit(f"Locust did not end; see {output / 'locust.log'}")
            run.memory += _memory(service.pid, at)
            for last in history(output)[-1:]:
                progress.update(task, completed=last.at_seconds, description=_told(last))
                if not console.is_terminal and last.at_seconds >= told + length / 6:
                    told = last.at_seconds
                    _say(f"{told:.0f} s: {_told(last)}")
            time.sleep(1.0)


def _told(last: Instant) -> str:
    return f"{last.users} users, {last.requests_per_second:.0f} requests a second, {last.failures} failed"


def _memory(pid: int | None, at: float) -> list[tuple[float, float]]:
    import psutil  # comes with Locust

    try:
        return [] if pid is None else [(at, psutil.Process(pid).memory_info().rss / 2**20)]
    except psutil.NoSuchProcess:  # the failed requests tell of it
        return []


def _seconds(profile: str) -> int:
    return int(PROFILES[profile]["stages"][-1]["until_seconds"])


def _as_json(profile: str, measured: Measured, findings: Sequence[Finding]) -> str:
    answer = {name: [asdict(each) for each in getattr(measured, name)] for name in ("rows", "failures")}
    memory = [{"at_seconds": at, "memory_mib": mib} for at, mib in measured.memory]
    findings_told = [asdict(finding) for finding in findings]
    return json.dumps({"profile": profile, **answer, "findings": findings_told, "memory": memory}, indent=2)


def _as_text(output: Path) -> str:
    return f"{(output / 'summary.md').read_text(encoding='utf-8')}\nWritten to {output}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
