"""Litestar: two applications in one process. `serinus serve litestar_two_apps:app` in this folder."""

from litestar import Litestar, get
from litestar.params import FromPath

from serinus import Options, application, subject


@get("/totals/{quantity:int}")
async def total(quantity: FromPath[int]) -> dict[str, int]:
    return {"total": 10 * quantity}


@get("/totals/{quantity:int}")
async def total_and_each(quantity: FromPath[int]) -> dict[str, int]:
    return {"total": 10 * quantity, "each": 10 * quantity // quantity}  # fails for none


app = application(
    legacy=Litestar([total]),
    canary=Litestar([total_and_each]),
    subject=subject.header("x-user-id"),
    options=Options(exclude=(*Options().exclude, "/schema")),  # where Litestar documents the API
)
