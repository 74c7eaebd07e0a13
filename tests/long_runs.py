"""Whole rollouts by name and number, so that they can be played in other processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np

from made_cells import CRITERIA
from serinus.analysis.slices import Slice
from simulated_service import Run, Service, cache_or_miss, clustered_slices, daily, judge, slices

Stream = Callable[[np.random.Generator], Iterator[Slice]]
REQUESTS, LOOK = 50_000, 100
NEVER_ROLLED_BACK = replace(CRITERIA, alpha=1e-12)


def generator(run: int) -> np.random.Generator:
    return np.random.default_rng([2_718, run])


def side_by_side(judge_run: Callable[[int], Run], runs: int) -> list[Run]:
    """In as many processes as there are processors; each run has its own seed, so their number changes nothing."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(judge_run, range(runs), chunksize=5))


def healthy(service: Service) -> Stream:
    return lambda rng: slices(service, rng, requests=REQUESTS, look=LOOK)


NULLS: dict[str, Stream] = {
    "errors 0.01 %": healthy(Service(error_rate=0.0001)),
    "errors 0.1 %": healthy(Service(error_rate=0.001)),
    "errors 0.5 %": healthy(Service(error_rate=0.005)),
    "errors 1 %, cache or miss": healthy(Service(error_rate=0.01, latency=cache_or_miss())),
    "daily drift and a ramp 5-25-50 %": healthy(Service(shares=(0.05, 0.25, 0.5), drift=daily)),
    "1,000 sticky users, a few always fail": lambda rng: clustered_slices(
        rng, users=1_000, requests=REQUESTS // 3, look=LOOK, share=0.05, broken=0.0025, errors=0.0025
    ),
}


def judge_null(name: str, run: int) -> Run:
    return judge(NULLS[name](generator(run)))


AT_THE_MARGIN = {
    "errors 0.1 % + 0.5 pp": Service(error_rate=0.001, canary_excess=0.005),
    "errors 0.5 % + 0.5 pp": Service(error_rate=0.005, canary_excess=0.005),
    "P95 x 1.1": Service(error_rate=0.001, canary_factor=1.1),
    "P95 x 1.1, cache or miss": Service(error_rate=0.001, canary_factor=1.1, latency=cache_or_miss()),
}


def judge_at_margin(name: str, run: int) -> Run:
    stream = slices(AT_THE_MARGIN[name], generator(run), requests=8_000, look=LOOK)
    return judge(stream, NEVER_ROLLED_BACK, until_promoted=True)


# Service, median of the reference implementation.
PROMOTIONS = {
    "errors 0.1 %": (Service(error_rate=0.001), 1_900),
    "errors 0.5 %": (Service(error_rate=0.005), 2_300),
}


def judge_promotion(name: str, run: int) -> Run:
    stream = slices(PROMOTIONS[name][0], generator(run), requests=12_000, look=LOOK)
    return judge(stream, until_promoted=True)


# Service, canary requests in a look, median of the reference implementation or of its planner.
REGRESSIONS = {
    "errors 0.1 % + 1 pp": (Service(error_rate=0.001, canary_excess=0.01), 20, 490),
    "errors 0.1 % + 5 pp": (Service(error_rate=0.001, canary_excess=0.05), 5, 61),
    "errors 0.5 % + 1 pp": (Service(error_rate=0.005, canary_excess=0.01), 20, 980),
    "errors 0.5 % + 2 pp": (Service(error_rate=0.005, canary_excess=0.02), 20, 260),
    "errors 0.5 % + 5 pp": (Service(error_rate=0.005, canary_excess=0.05), 5, 80),
    "errors 0.5 % + 20 pp": (Service(error_rate=0.005, canary_excess=0.2), 2, 20),
    "P95 x 1.2": (Service(canary_factor=1.2), 20, 500),
    "P95 x 1.5": (Service(canary_factor=1.5), 5, 94),
    "P95 x 2": (Service(canary_factor=2.0), 2, 40),
    "+ 2 pp from request 20,000 on": (Service(canary_excess=0.02, begins=20_000), 100, 900),
}


def judge_regression(name: str, run: int) -> Run:
    service, look, reference = REGRESSIONS[name]
    return judge(slices(service, generator(run), requests=service.begins + 12 * reference, look=look))
