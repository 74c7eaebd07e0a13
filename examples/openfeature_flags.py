"""Flags of OpenFeature that follow the canary. `serinus serve openfeature_flags:app` in this folder."""

from fastapi import FastAPI
from openfeature import api

from serinus import application, subject
from serinus.openfeature import Flag, SerinusProvider

shop = FastAPI()
flags = api.get_client("shop")


@shop.get("/totals/{quantity}")
async def total(quantity: int) -> dict[str, int]:
    price = await flags.get_integer_value_async("price", 10)
    answer = {"total": price * quantity}
    if await flags.get_boolean_value_async("each", default_value=False):
        answer["each"] = price * quantity // quantity  # fails for none
    return answer


app = application(legacy=shop, canary=shop, subject=subject.header("x-user-id"))
provider = SerinusProvider(
    app.canary,
    {
        "price": Flag(legacy=10, canary=10),
        "each": Flag(legacy=False, canary=True),
    },
)
api.set_provider_and_wait(provider, "shop")
