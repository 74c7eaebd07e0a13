"""`serinus plan estimate`: how long a plan will take, before anybody starts it."""

import asyncio
import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.plan_source import named_plan
from serinus.cli.session import PERCENTAGE, UNUSABLE, Failure, Output, with_output

if TYPE_CHECKING:
    from serinus.rollout.estimate import Baseline, PlanEstimate, StepEstimate

UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "day": 86_400}


class _Positive(click.ParamType[float]):
    """A finite number above `low`; a rate may be per another unit than the second: 20000/d."""

    name = "number"

    def __init__(self, low: float = 0.0, *, rate: bool = False) -> None:
        self.low, self.rate = low, rate

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number, _, unit = str(value).partition("/") if self.rate else (str(value), "", "")
        try:
            found = float(number.replace("_", "")) / UNITS[unit or "s"]
        except (ValueError, KeyError):
            example = ", such as 0.25 or 20000/d" if self.rate else ""
            self.fail(f"{value!r} is not a number{example}", param, ctx)
        if not (math.isfinite(found) and found > self.low):
            self.fail(f"{value} is not above {self.low:g}", param, ctx)
        return found


@click.command()
@click.argument("file", metavar="PLAN")
@click.option("--rps", type=_Positive(rate=True), required=True, help="All users' requests a second, or 20000/d.")
@click.option("--error-rate", type=PERCENTAGE, help="LEGACY's, in percent.")
@click.option("--p95", type=_Positive(), help="LEGACY's, in milliseconds.")
@click.option("--latency-spread", type=_Positive(1.0), default=2.7, show_default=True, help="LEGACY's P95 / P50.")
@click.option(
    "--design-effect", type=_Positive(), help="How much more errors vary than independent requests' (at least 1)."
)
@click.option("--from-store", is_flag=True, help="Measure LEGACY in the store (SERINUS_DATABASE_URL) instead.")
@click.option("--window", default="1d", show_default=True, help="How far back to measure: 2h, 7d.")
@with_output
def estimate(output: Output, file: str, *, rps: float, from_store: bool, window: str, **known: float | None) -> None:
    """Say how long each gate of PLAN (a file, or a plan that ships) will take, and how fast regressions are found.

    \b
    The customer's 20,000 requests a day, at an error rate of 0.5 % and a P95 of 800 ms:
      serinus plan estimate phase4 --rps 20000/d --error-rate 0.5 --p95 800
    The same with LEGACY's errors and latencies as they were recorded yesterday:
      serinus plan estimate phase4 --rps 20000/d --from-store --window 1d
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from serinus.cli.estimate_view import estimate_view
    from serinus.rollout.estimate import estimate as estimated

    plan = named_plan(file)
    baseline = _measured(window) if from_store else _stated(**known)
    if known["design_effect"] is not None:
        baseline = _with_design_effect(baseline, known["design_effect"])
    answer = _answer(estimated(plan, baseline, rps), baseline)
    output.show({"plan": plan.name, **answer}, partial(estimate_view, language=output.language))


def _stated(
    *, error_rate: float | None, p95: float | None, latency_spread: float | None, design_effect: float | None
) -> "Baseline":
    from serinus.rollout.estimate import Baseline, lognormal

    if error_rate is None or p95 is None or latency_spread is None:
        raise Failure("say what LEGACY is like: --error-rate and --p95, or --from-store", UNUSABLE)
    return Baseline(error_rate / 100, lognormal(p95, latency_spread), design_effect or 1.0)


def _measured(window: str) -> "Baseline":
    from serinus import inspection
    from serinus.rollout.durations import parse_duration
    from serinus.settings import load

    seconds = parse_duration(window)
    if not seconds:
        raise Failure(f"--window {window!r} is no duration such as 2h or 7d", UNUSABLE)
    found = asyncio.run(inspection.look_at_legacy(load(), seconds))
    if found is None:
        raise Failure(
            f"the store has no request to LEGACY in the last {window}: try a longer --window, or --error-rate and --p95"
        )
    return found


def _with_design_effect(baseline: "Baseline", design_effect: float) -> "Baseline":
    from dataclasses import replace

    return replace(baseline, design_effect=max(1.0, design_effect))


def _answer(found: "PlanEstimate", baseline: "Baseline") -> Mapping[str, Any]:
    """As JSON: durations in seconds, None for never."""
    return {
        "requests_per_second": found.requests_per_second,
        "legacy": {
            "error_rate": baseline.error_rate,
            "p95_ms": baseline.p95_ms,
            "design_effect": baseline.design_effect,
        },
        "seconds": _finite(found.seconds),
        "steps": [
            {**_step(step), "left_after_seconds": _finite(left)}
            for step, left in zip(found.steps, found.left_after_seconds, strict=True)
        ],
    }


def _step(step: "StepEstimate") -> dict[str, Any]:
    return {
        "percentage": step.percentage,
        "canary_requests_per_second": step.canary_requests_per_second,
        "evidence": step.evidence,
        "approvals": list(step.approvals),
        "gates": [
            {"gate": each.gate, "requests": _finite(each.requests), "seconds": _finite(each.seconds)}
            for each in step.gates
        ],
        "opens_last": step.binding.gate,
        "not_within_bake": [each.gate for each in step.late],
        "regressions": [
            {
                "error_rate": each.regression.error_rate,
                "slowdown": each.regression.slowdown,
                "requests": _finite(each.requests),
                "seconds": _finite(each.seconds),
            }
            for each in step.detections
        ],
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
