"""Where requests meet the toolkit: pure ASGI, and light to import."""

from serinus.asgi import subject
from serinus.asgi.breaker import Breaker, BreakerEvent, BreakerLimits
from serinus.asgi.middleware import Canary
from serinus.asgi.options import EXCLUDED, Options
from serinus.asgi.subject import Source, Subject

__all__ = [
    "EXCLUDED",
    "Breaker",
    "BreakerEvent",
    "BreakerLimits",
    "Canary",
    "Options",
    "Source",
    "Subject",
    "subject",
]
