"""FastAPI: two applications in one process. `serinus serve fastapi_two_apps:app` in this folder."""

from fastapi import FastAPI

from serinus import application, subject

legacy = FastAPI(title="shop 1")
canary = FastAPI(title="shop 2")


@legacy.get("/totals/{quantity}")
async def total(quantity: int) -> dict[str, int]:
    return {"total": 10 * quantity}


@canary.get("/totals/{quantity}")
async def total_and_each(quantity: int) -> dict[str, int]:
    return {"total": 10 * quantity, "each": 10 * quantity // quantity}  # fails for none


app = application(legacy=legacy, canary=canary, subject=subject.header("x-user-id"))
