"""A job that no request starts, routed and counted like one. `serinus serve outside_http:app` in this folder."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from serinus import DeploymentVersion, Options, Outcome, application, subject

JOB = "/jobs/invoice"


@asynccontextmanager
async def lifespan(_shop: FastAPI) -> AsyncIterator[None]:
    worker = asyncio.create_task(work())
    yield
    worker.cancel()


shop = FastAPI(lifespan=lifespan)
orders: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
invoices: list[dict[str, int | str]] = []


@shop.post("/orders/{quantity}")
async def order(quantity: int, user: str) -> None:
    orders.put_nowait((user, quantity))


async def work() -> None:
    while True:
        run_job(*await orders.get())


def run_job(user: str, quantity: int) -> None:
    assignment = app.canary.router.route(user, JOB)
    started, outcome = time.perf_counter(), Outcome.OK
    try:
        invoices.append(invoice(user, quantity, assignment.version))
    except ArithmeticError:
        outcome = Outcome.FAILED
    seconds = time.perf_counter() - started
    app.canary.collector.record(assignment.version, JOB, outcome, seconds, slot=assignment.slot)


def invoice(user: str, quantity: int, version: DeploymentVersion) -> dict[str, int | str]:
    made: dict[str, int | str] = {"user": user, "total": 10 * quantity}
    if version is DeploymentVersion.CANARY:
        made["each"] = 10 * quantity // quantity  # fails for none
    return made


app = application(
    legacy=shop,
    canary=shop,
    subject=subject.query("user"),
    options=Options(endpoints=("/orders/{quantity}", JOB)),
)
