"""Progressive delivery for Python web services: route, measure, judge, advance, and go back.

The light names load with the package; those that need a database or a web framework load when they are first used.
"""

from typing import TYPE_CHECKING

from serinus.asgi import Canary, Options, subject
from serinus.asgi.current import current_version
from serinus.asgi.proxy import Proxy
from serinus.asgi.values import record_value
from serinus.deployment import DeploymentVersion
from serinus.errors import StoreUnavailable
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Outcome
from serinus.routing.canary_router import Assignment, CanaryRouter, Reason
from serinus.routing.split import EndpointRule, Split

if TYPE_CHECKING:
    from serinus.bootstrap import application
    from serinus.storage.database import Database

__all__ = [
    "Assignment",
    "Canary",
    "CanaryMetricsCollector",
    "CanaryRouter",
    "Database",
    "DeploymentVersion",
    "EndpointRule",
    "Options",
    "Outcome",
    "Proxy",
    "Reason",
    "Split",
    "StoreUnavailable",
    "application",
    "current_version",
    "record_value",
    "subject",
]

_LAZY = {"Database": "serinus.storage.database", "application": "serinus.bootstrap"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
