"""`serinus serve` and `serinus controller`: what runs until it is stopped."""

import asyncio
import logging
import os
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from serinus.cli.session import UNUSABLE, Failure, failures
from serinus.cli.tongue import say

if TYPE_CHECKING:
    from serinus.settings import Settings

STARTUP_FAILURE = 3  # uvicorn's exit code
GRACE_SECONDS = 10  # for requests and event streams that are open when the server is stopped
CHATTY = ("alembic", "httpx2", "httpcore2", "aiosqlite", "apprise")
"""Libraries that would tell every statement and every address, at `debug` secret ones too."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@click.command()
@click.argument("app", required=False)
@click.option("--legacy", "legacy_url", metavar="URL", help="Instead of APP: where LEGACY is deployed.")
@click.option("--canary", "canary_url", metavar="URL", help="Instead of APP: where CANARY is deployed.")
@click.option("--subject", metavar="header:NAME", help="Whom a request is from; or cookie:, query:, json:NAME.")
@click.option("--host", help="The address to listen on; SERINUS_HOST, or loopback.")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port; SERINUS_PORT, or 8000.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that serve.")
def serve(app: str | None, host: str | None, port: int | None, workers: int, **versions: str | None) -> None:
    """Serve APP ("module:attribute", what `serinus.application` made) with its controller and admin API.

    Or serve two versions that are deployed apart, by --legacy, --canary and --subject (SERINUS_LEGACY_URL,
    SERINUS_CANARY_URL, SERINUS_SUBJECT). With neither it is `mentor`, the reference service.
    """
    chosen = {name: value for name, value in versions.items() if value is not None}
    if app and chosen:
        raise click.UsageError("Give APP, or --legacy and --canary, not both.")
    for name, value in chosen.items():
        os.environ[f"SERINUS_{name.upper()}"] = value  # for the processes that are started as well
    settings = _settings(host=host, port=port)
    _configure_logging(settings)
    if not app and (chosen or settings.legacy_url or settings.canary_url):
        _serve_gateway(settings, workers)
    else:
        _serve_application(settings, app or "mentor.main:app", workers)


def _serve_gateway(settings: "Settings", workers: int) -> None:
    from serinus.gateway import from_environment, gateway

    with failures():
        service = gateway(settings)
    _welcome(settings)
    if workers > 1:
        _run(settings, f"{from_environment.__module__}:{from_environment.__name__}", workers, factory=True)
    else:
        _run(settings, service, workers)


def _serve_application(settings: "Settings", app: str, workers: int) -> None:
    from serinus.bootstrap import Service

    sys.path.insert(0, "")
    found = _import(app)
    if isinstance(found, Service):
        _welcome(settings)
    else:
        warning = f"{app} is not what `serinus.application(...)` made: there is a canary only if one is inside"
        click.echo(say(warning), err=True)
    _run(settings, app if workers > 1 else found, workers)


def _run(settings: "Settings", app: object, workers: int, *, factory: bool = False) -> None:
    """Serve `app`, an ASGI application or where to find it, until the process is told to end."""
    import uvicorn

    if not _is_loopback(settings.host):
        click.echo(say(f"Listening on {settings.host}: put TLS in front, tokens travel with every request"), err=True)
    try:
        uvicorn.run(
            app,  # type: ignore[arg-type]  # as the docstring says
            host=settings.host,
            port=settings.port,
            workers=workers,
            factory=factory,
            lifespan="on",
            access_log=settings.log_level == "debug",
            log_level=settings.log_level,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    except SystemExit as ended:
        if ended.code != STARTUP_FAILURE:
            raise
        message = "the service could not start; the lines above say why. For a port that is taken, give another: --port"
        raise Failure(message) from ended


@click.command()
@click.option("--host", help="The address to listen on, with --port; SERINUS_HOST, or loopback.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Serve the admin API and the console on this port.")
def controller(host: str | None, port: int | None) -> None:
    """Run a controller alone, on the store of SERINUS_DATABASE_URL; those of the services then stand by.

    With --port it also serves the admin API, the console and /metrics, for services that are to serve their users only.
    """
    if host and port is None:
        raise click.UsageError("Give --port as well: without it nothing is served.")
    settings = _settings(host=host, port=port)
    _configure_logging(settings)
    from serinus.apart import controller_application, run_controller

    if port is None:
        asyncio.run(run_controller(settings))
    else:
        application = controller_application(settings)
        _welcome(settings)
        _run(settings, application, workers=1)


def _settings(**chosen: str | int | None) -> "Settings":
    from serinus.settings import load

    with failures():
        return load(**{name: value for name, value in chosen.items() if value is not None})


def _import(app: str) -> object:
    from uvicorn.importer import ImportFromStringError, import_from_string

    try:
        with failures():
            return import_from_string(app)
    except ImportFromStringError as error:
        message = f"{error} Name what `serinus.application(...)` made, as in `serinus serve shop:app`."
        raise Failure(message, UNUSABLE) from error


def _welcome(settings: "Settings") -> None:
    """Say where operators come in, and by what."""
    from serinus.inspection import shown_url

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    console = f"http://{host}:{settings.port}/console"
    click.echo(say(f"Console: {console} (log in with a token; store: {shown_url(settings)})"), err=True)
    click.echo(say("The first token: `serinus token create NAME --role admin`, with the same store"), err=True)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _configure_logging(settings: "Settings") -> None:
    logging.basicConfig(level=settings.log_level.upper(), format=LOG_FORMAT)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
