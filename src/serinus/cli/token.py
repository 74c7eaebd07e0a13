"""`serinus token`: bearer tokens for people and programs."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import NOT_ALLOWED, Failure, Session, with_session
from serinus.cli.tongue import say

if TYPE_CHECKING:
    from rich.console import RenderableType

ROLES = ("viewer", "operator", "approver", "admin")
DAY_SECONDS = 86_400.0
WITHOUT_TOKEN = "Without a token (unset SERINUS_TOKEN), where the store can be reached, it is made in the store itself."  # noqa: S105


@click.group()
def token() -> None:
    """Make, list and revoke tokens."""


@token.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What its holder may do.")
@click.option("--expires-in-days", type=click.FloatRange(0.001, 3_650), help="By default never.")
@with_session
def create(session: Session, name: str, *, role: str, expires_in_days: float | None) -> None:
    """Make a token for NAME and print its secret, this once.

    Without --token, as for the first one, it is made in the store itself (SERINUS_DATABASE_URL).
    """
    if session.token:
        body = {"name": name, "role": role, "expires_in_days": expires_in_days}
        session.show(_create_by_service(session, body), lambda answer: answer["token"])
    else:
        secret, database = _create_in_store(name, role, expires_in_days)
        click.echo(say(f"Made in the store {database}"), err=True)
        session.show({"name": name, "role": role, "token": secret}, lambda answer: answer["token"])


@token.command(name="list")
@with_session
def list_(session: Session) -> None:
    """List all tokens, without their secrets."""
    session.show(session.client.get("/tokens"), _render)


@token.command()
@click.argument("token_id")
@with_session
def revoke(session: Session, token_id: str) -> None:
    """From now on nobody can use the token with this id."""
    session.client.delete(f"/tokens/{token_id}")
    session.show({"revoked": token_id}, lambda answer: f"revoked {answer['revoked']}")


def _create_by_service(session: Session, body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return session.client.post("/tokens", body)
    except Failure as error:
        if error.exit_code != NOT_ALLOWED:
            raise
        raise Failure(f"{error.message}\n{WITHOUT_TOKEN}", NOT_ALLOWED) from error


def _create_in_store(name: str, role: str, expires_in_days: float | None) -> tuple[str, str]:
    from serinus import inspection
    from serinus.settings import load

    settings = load()
    expires_at = None if expires_in_days is None else time.time() + expires_in_days * DAY_SECONDS
    secret = asyncio.run(inspection.create_token(settings, name, role, expires_at))
    return secret, inspection.shown_url(settings)


def _render(answer: Mapping[str, Any]) -> "RenderableType":
    from serinus.cli.tables import clock, table

    rows = [
        (
            each["id"],
            each["name"],
            each["role"],
            f"{clock(each['created_at'])} by {each['created_by']}",
            clock(each["expires_at"]),
            clock(each["revoked_at"]),
        )
        for each in answer["tokens"]
    ]
    return table("id", "name", "role", "made", "expires", "revoked", rows=rows) if rows else "no tokens yet"
