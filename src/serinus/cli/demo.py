"""`serinus demo`: a whole rollout of mentor on this machine, with simulated users, live in the terminal."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
import httpx2

from serinus.cli.demo_picture import picture
from serinus.cli.demo_show import LIMIT_SECONDS, Show

FAULTS = ("errors", "latency", "outage", "endpoint")
START_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """The demonstrated service: where it listens, the admin's token, and where its output goes."""

    url: str
    token: str
    folder: Path


@click.command()
@click.option("--fault", type=click.Choice(FAULTS), help="Break the canary on the way, to see it rolled back.")
@click.option("--rate", default=60.0, show_default=True, help="Requests a second, on average.")
@click.option("--seed", default=1, show_default=True, help="Of everything that is left to chance.")
@click.option("--language", type=click.Choice(["en", "ko"]), envvar="SERINUS_LANGUAGE", default="en", show_default=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("../shared/data/traffic"),
    show_default=True,
    help="Folder of recorded traffic; without it the demo makes traffic of the same shape.",
)
@click.option("--stay", is_flag=True, help="Go on at the end, to look around in the console; Ctrl-C ends it.")
@click.option("--json", "as_json", is_flag=True, help="Events and the end as JSON, one value a line.")
def demo(  # noqa: PLR0913 - click gives every option by name
    *, fault: str | None, rate: float, seed: int, language: str, data: Path, stay: bool, as_json: bool
) -> None:
    """Roll mentor's new version out to simulated users, or watch it being rolled back.

    Starts the service, the controller, the admin API and the console in one process on SQLite (in a temporary folder,
    on a free port of 127.0.0.1), sends users to it from another process, and gives the approvals through the admin API
    as "demo operator". Ends when the canary is promoted, or rolled back; about two minutes. The exit code is 0 when
    that is what the demo was to show.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started ends too
    with ExitStack() as stack:
        folder = stack.enter_context(_kept_on_failure())
        service = stack.enter_context(_service(folder, seed=seed, language=language, data=data))
        shown = stack.enter_context(picture(as_json=as_json, language=language))
        show = Show(shown, service.url, service.token, fault=fault, language=language)
        show.introduce(traffic=_traffic(seed, data), rate=rate)
        stack.enter_context(_users(service, rate=rate, seed=seed, data=data))
        reached = show.run()
        show.conclude(reached)
        if stay:
            show.stay()
    raise SystemExit(0 if reached == ("rolled_back" if fault else "succeeded") else 1)


@contextmanager
def _kept_on_failure() -> Iterator[Path]:
    """A folder for the store and the output, removed at the end unless something went wrong."""
    folder = Path(tempfile.mkdtemp(prefix="serinus-demo-"))
    failed = False
    try:
        yield folder
    except (click.ClickException, httpx2.HTTPError):
        failed = True
        click.echo(f"What the service said stands in {folder / 'service.log'}", err=True)
        raise
    finally:
        if not failed:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _service(folder: Path, *, seed: int, language: str, data: Path) -> Iterator[Service]:
    service = Service(f"http://127.0.0.1:{_free_port()}", secrets.token_urlsafe(32), folder)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SERINUS_", "MENTOR_"))},
        "SERINUS_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'serinus.db'}",
        "MENTOR_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'mentor.db'}",
        "SERINUS_ADMIN_TOKEN": service.token,
        "SERINUS_LANGUAGE": language,
        "MENTOR_DEMO_DATA": str(data),
        "MENTOR_DEMO_SEED": str(seed),
    }
    port = service.url.rpartition(":")[2]
    command = [sys.executable, "-m", "serinus", "serve", "mentor.demo.service:app", "--port", port]
    with _process(command, folder / "service.log", environment) as process:
        _wait_until_ready(service, process)
        yield service


def _traffic(seed: int, data: Path) -> str:
    """Whether the users' traffic is recorded or self-made: their process alone knows."""
    command = [sys.executable, "-m", "mentor.demo.traffic", "--describe", "--seed", str(seed), "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


@contextmanager
def _users(service: Service, *, rate: float, seed: int, data: Path) -> Iterator[None]:
    options = {"--url": service.url, "--rate": rate, "--seed": seed, "--data": data, "--seconds": LIMIT_SECONDS}
    arguments = [text for name, value in options.items() for text in (name, str(value))]
    with _process([sys.executable, "-m", "mentor.demo.traffic", *arguments], service.folder / "users.log", None):
        yield


@contextmanager
def _process(command: list[str], output: Path, environment: dict[str, str] | None) -> Iterator[subprocess.Popen[bytes]]:
    """A child of this process, told to stop at the end and made to if it does not."""
    with (
        output.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own interpreter with our own modules
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(service: Service, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise click.ClickException(f"the service ended at once (exit code {process.returncode})")
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{service.url}/ready").is_success:
                return
        time.sleep(0.1)
    raise click.ClickException(f"the service was not ready within {START_SECONDS:.0f} seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
