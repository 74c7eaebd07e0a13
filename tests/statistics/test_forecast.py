"""A forecast against what the analysis does on seeded streams: medians within a factor of two."""

from collections.abc import Iterator
from statistics import median

import numpy as np
import pytest

from serinus.analysis.forecast import Baseline, Onset, Regression, detection_requests, lognormal, proof_requests
from simulated_service import CRITERIA, SECONDS, Run, Service, judge, slices
from simulated_service import lognormal as simulated_lognormal

pytestmark = pytest.mark.slow

RUNS = 15
MEDIAN_MS, SIGMA = 200.0, 0.6
SPREAD = float(np.exp(1.645 * SIGMA))  # P95 over the median
FACTOR = 2.0


def baseline(service: Service) -> Baseline:
    return Baseline(service.error_rate, lognormal(MEDIAN_MS * SPREAD, SPREAD))


def runs(service: Service, *, requests: int, look: int, until_promoted: bool = False) -> Iterator[Run]:
    for run in range(RUNS):
        rng = np.random.default_rng([777, run])
        yield judge(slices(service, rng, requests=requests, look=look), until_promoted=until_promoted)


def assert_near(name: str, foretold: float, happened: float) -> None:
    print(f"{name:40s} foretold {foretold:8,.0f}, median of {RUNS} runs {happened:8,.0f}")
    assert foretold / FACTOR <= happened <= foretold * FACTOR


def test_the_simulation_draws_from_the_histogram_that_the_forecast_is_made_of() -> None:
    drawn = simulated_lognormal(MEDIAN_MS, SIGMA)(1.0)
    assert np.abs(drawn - lognormal(MEDIAN_MS * SPREAD, SPREAD)).max() < 1e-4


@pytest.mark.parametrize("error_rate", [0.001, 0.005, 0.01])
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_a_healthy_canary_is_proven_after_about_so_many_requests(error_rate: float, share: float) -> None:
    service = Service(error_rate=error_rate, latency=simulated_lognormal(MEDIAN_MS, SIGMA), shares=(share,))
    foretold = max(proof_requests(baseline(service), CRITERIA, share))
    found = runs(service, requests=int(5 * foretold), look=100, until_promoted=True)
    happened = median(run.promoted_after or 10**6 for run in found)
    assert_near(f"proof at {error_rate:.1%}, share {share:.0%}", foretold, happened)


@pytest.mark.parametrize(
    ("regression", "share", "begins", "look"),
    [
        (Regression(error_rate=0.01), 0.05, 0, 20),
        (Regression(error_rate=0.05), 0.05, 0, 5),
        (Regression(error_rate=0.01), 0.5, 0, 20),
        (Regression(error_rate=0.05), 0.5, 0, 5),
        (Regression(slowdown=1.2), 0.05, 0, 20),
        (Regression(slowdown=1.5), 0.05, 0, 5),
        (Regression(slowdown=2.0), 0.05, 0, 2),
        (Regression(slowdown=1.5), 0.5, 0, 10),
        (Regression(error_rate=0.02), 0.05, 20_000, 100),
        (Regression(slowdown=1.5), 0.05, 20_000, 100),
        (Regression(error_rate=0.02), 0.5, 20_000, 100),
        (Regression(slowdown=1.2), 0.5, 20_000, 100),
    ],
)
def test_a_regression_is_found_after_about_so_many_requests(
    regression: Regression, share: float, begins: int, look: int
) -> None:
    service = Service(
        latency=simulated_lognormal(MEDIAN_MS, SIGMA),
        canary_excess=regression.error_rate,
        canary_factor=regression.slowdown,
        shares=(share,),
        begins=begins,
    )
    onset = Onset(regression, begins / look * SECONDS, look / SECONDS)
    foretold = detection_requests(baseline(service), CRITERIA, share, onset)
    found = runs(service, requests=begins + int(6 * foretold), look=look)
    happened = median((run.rolled_back_after or 10**6) - begins for run in found)
    assert_near(f"{regression} at {share:.0%} from {begins}", foretold, happened)
