"""A service without code of its own: the canary in front of two versions that are deployed apart, by the settings."""

from serinus.asgi import Options
from serinus.asgi.proxy import Proxy
from serinus.asgi.subject import parse
from serinus.bootstrap import Service, application
from serinus.errors import InvalidInput, Problem
from serinus.settings import PREFIX, Settings, load

NEEDED = {
    "legacy_url": "where LEGACY is deployed, such as http://10.0.0.1:8000",
    "canary_url": "where CANARY is deployed, such as http://10.0.0.2:8000",
    "subject": "who a request is from, such as header:x-user-id",
}


def gateway(settings: Settings) -> Service:
    """The service that `settings` describe; raises `InvalidInput` with everything that is missing or wrong."""
    missing = [name for name in NEEDED if not getattr(settings, name)]
    if missing:
        raise InvalidInput(*(Problem(PREFIX + name.upper(), f"is needed: {NEEDED[name]}") for name in missing))
    endpoints = tuple(template.strip() for template in settings.endpoints.split(",") if template.strip())
    return application(
        legacy=Proxy(str(settings.legacy_url)),
        canary=Proxy(str(settings.canary_url)),
        subject=parse(settings.subject or ""),
        options=Options(endpoints=endpoints, timeout_seconds=settings.timeout_seconds),
        settings=settings,
    )


def from_environment() -> Service:
    """What every worker process of a server calls."""
    return gateway(load())
