"""The source that the settings choose."""

from serinus.settings import Settings
from serinus.sources.measured import Meaning
from serinus.sources.prometheus import Selection

UNITS = {"s": 1.0, "ms": 0.001}


def selection_of(settings: Settings) -> Selection | None:
    """None where the agents count."""
    if settings.prometheus_url is None:
        return None
    token = settings.prometheus_token
    return Selection(
        url=str(settings.prometheus_url),
        requests=settings.prometheus_requests,
        latency=settings.prometheus_latency or None,
        token=token.get_secret_value() if token else None,
    )


def meaning_of(settings: Settings) -> Meaning:
    return Meaning(
        version=settings.prometheus_version_label,
        legacy=settings.prometheus_legacy,
        canary=settings.prometheus_canary,
        endpoint=settings.prometheus_endpoint_label,
        status=settings.prometheus_status_label,
        latency_unit_seconds=UNITS[settings.prometheus_latency_unit],
    )
