"""Flask, as any WSGI application: two applications behind a2wsgi. `serinus serve flask_two_apps:app` in this folder."""

from a2wsgi import WSGIMiddleware
from flask import Flask

from serinus import Options, application, subject

legacy = Flask("shop 1")
canary = Flask("shop 2")


@legacy.get("/totals/<int:quantity>")
def total(quantity: int) -> dict[str, int]:
    return {"total": 10 * quantity}


@canary.get("/totals/<int:quantity>")
def total_and_each(quantity: int) -> dict[str, int]:
    return {"total": 10 * quantity, "each": 10 * quantity // quantity}  # fails for none


app = application(
    legacy=WSGIMiddleware(legacy),
    canary=WSGIMiddleware(canary),
    subject=subject.header("x-user-id"),
    options=Options(endpoints=("/totals/{quantity:int}",)),  # WSGI lists no routes that could be collected
)
