"""Which streams are judged: healthy, tolerable, at or beyond a margin, and worse."""

from benchmarks.decisions.streams import Latency, Scenario, Stage, Truth

_RAMP = (Stage(0, 0.05), Stage(10_000, 0.25), Stage(25_000, 0.5))


def _error_name(base: float, excess: float) -> str:
    return f"errors {100 * base:g} % + {100 * excess:g} pp"


def _errors(truth: Truth, base: float, excess: float) -> Scenario:
    return Scenario(_error_name(base, excess), truth, error_rate=base, error_excess=excess)


def _slower(truth: Truth, latency: Latency, slowdown: float) -> Scenario:
    return Scenario(f"P95 × {slowdown:g}, {latency}", truth, latency=latency, slowdown=slowdown)


HEALTHY = (
    *(Scenario(f"errors {rate:g} %", Truth.HEALTHY, error_rate=rate / 100) for rate in (0.01, 0.1, 0.5, 1)),
    *(Scenario(f"errors 0.5 %, {shape}", Truth.HEALTHY, latency=shape) for shape in (Latency.WIDE, Latency.CACHE)),
    Scenario(
        "the day's ups and downs, 5 → 25 → 50 %",
        Truth.HEALTHY,
        error_rate=0.007,
        drifts=True,
        requests_per_second=1.2,
        stages=_RAMP,
    ),
    Scenario("1,000 users, some always fail", Truth.HEALTHY, users=1_000),
    Scenario("200 users, some always fail", Truth.HEALTHY, users=200),
)

TOLERABLE = (
    _errors(Truth.TOLERABLE, 0.001, 0.0025),
    _errors(Truth.TOLERABLE, 0.005, 0.0025),
    _slower(Truth.TOLERABLE, Latency.NARROW, 1.05),
)

BEYOND = (
    *(_errors(Truth.BEYOND, base, 0.005) for base in (0.001, 0.005, 0.01)),
    *(_slower(Truth.BEYOND, shape, 1.1) for shape in Latency),
    _errors(Truth.BEYOND, 0.005, 0.0075),
    _slower(Truth.BEYOND, Latency.NARROW, 1.15),
)

WORSE = (
    *(_errors(Truth.WORSE, 0.001, excess) for excess in (0.005, 0.01, 0.05)),
    *(_errors(Truth.WORSE, 0.005, excess) for excess in (0.005, 0.01, 0.02, 0.05, 0.2)),
    Scenario("every answer fails", Truth.WORSE, error_excess=0.995),
    *(_slower(Truth.WORSE, Latency.NARROW, slowdown) for slowdown in (1.1, 1.2, 1.5, 2)),
    *(_slower(Truth.WORSE, shape, 1.2) for shape in (Latency.WIDE, Latency.CACHE)),
    Scenario("errors 0.5 % + 2 pp from request 20,000", Truth.WORSE, error_excess=0.02, begins_at=20_000),
    Scenario("P95 × 1.5 from request 20,000", Truth.WORSE, slowdown=1.5, begins_at=20_000),
    Scenario("1,000 users, errors + 2 pp", Truth.WORSE, error_excess=0.02, users=1_000),
)

SCENARIOS = (*HEALTHY, *TOLERABLE, *BEYOND, *WORSE)
