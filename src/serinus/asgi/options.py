"""What of a service takes part, and how its users are protected."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from serinus.asgi.breaker import BreakerLimits
from serinus.errors import InvalidInput, Problem

EXCLUDED = (
    *("/health", "/healthz", "/ready", "/readyz", "/live", "/livez", "/metrics"),
    *("/docs", "/redoc", "/openapi.json", "/admin", "/console", "/favicon.ico"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What of a service takes part, and how its users are protected from a bad canary.

    `endpoints`: route templates; None collects them from both applications' routes. Paths that match none are one.
    `exclude`: prefixes, by whole segments, of paths that LEGACY answers always and that never count.
    `safe_methods`, `safe_endpoints` (templates): legacy may answer such a request again when the canary has failed it
    with a 5xx status, an exception or a timeout before anything went out; not websockets.
    `timeout_seconds`: from a request's arrival until its response begins (websocket: is accepted), for both versions,
    enforced a tenth of it late at most, 0.1 s at most; None for no limit. What has begun is never interrupted. The time
    that a client takes to send its body is not the version's: it counts for no latency, and a client that sends nothing
    more for as long is answered 408, which counts as cancelled.
    `subject_seconds`: how long an async subject function may take.
    `body_limit_bytes`: of a body that is read for the subject, or kept for legacy's second answer.
    """

    endpoints: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = EXCLUDED
    safe_methods: frozenset[str] = frozenset({"GET", "HEAD", "OPTIONS"})
    safe_endpoints: frozenset[str] = frozenset()
    timeout_seconds: float | None = None
    subject_seconds: float = 1.0
    body_limit_bytes: int = 65_536
    breaker: BreakerLimits = field(default_factory=BreakerLimits)

    def __post_init__(self) -> None:
        """Raises `InvalidInput` with everything that is wrong."""
        if problems := [*_texts_for_several(self), *_wrong_amounts(self)]:
            raise InvalidInput(*problems)


def _texts_for_several(options: Options) -> Iterator[Problem]:
    """One text where several are meant would be taken letter by letter."""
    for name in ("endpoints", "exclude", "safe_methods", "safe_endpoints"):
        value = getattr(options, name)
        if isinstance(value, str):
            yield Problem(f"options.{name}", f"{value!r} is one text; write several, such as ({value!r},)")


def _wrong_amounts(options: Options) -> Iterator[Problem]:
    for name in ("timeout_seconds", "subject_seconds", "body_limit_bytes"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            yield Problem(f"options.{name}", f"must be more than 0, not {value:g}")
