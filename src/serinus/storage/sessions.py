"""Browsers' sessions: as with tokens, the secret is kept by its holder and only its SHA-256 here."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.storage.tables import sessions
from serinus.storage.tokens import Token, digest_of, read_token_by_id


@dataclass(frozen=True, slots=True)
class Session:
    """`token` is the stored token that opened it; a session of another token has a `seal` instead."""

    expires_at: float
    token: Token | None = None
    seal: str | None = None

    def valid(self, now: float) -> bool:
        return now < self.expires_at and (self.token is None or self.token.valid(now))


async def insert_session(connection: AsyncConnection, secret: str, session: Session, now: float) -> None:
    """Store it, and forget those that are over."""
    await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    values = {
        "digest": digest_of(secret),
        "token_id": session.token.id if session.token else None,
        "seal": session.seal,
        "expires_at": session.expires_at,
    }
    await connection.execute(insert(sessions).values(**values))


async def read_session(connection: AsyncConnection, secret: str) -> Session | None:
    row = (await connection.execute(select(sessions).filter_by(digest=digest_of(secret)))).first()
    if row is None:
        return None
    token = await read_token_by_id(connection, row.token_id) if row.token_id else None
    return Session(row.expires_at, token, row.seal)


async def delete_session(connection: AsyncConnection, secret: str) -> None:
    await connection.execute(delete(sessions).filter_by(digest=digest_of(secret)))
