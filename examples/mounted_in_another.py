"""Inside another application, which starts and stops it. `serinus serve mounted_in_another:app` in this folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_two_apps import canary, legacy

from serinus import application, subject

shop = application(legacy=legacy, canary=canary, subject=subject.header("x-user-id"))


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await shop.start()
    yield
    await shop.stop()


app = FastAPI(lifespan=lifespan, openapi_url=None)
app.mount("/", shop)
