"""Bearer tokens: the secret is shown once, and only its SHA-256 is kept.

A plain digest is enough because a secret is 256 random bits; slow hashes are for passwords that people choose.
"""

from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex, token_urlsafe

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.errors import NotFound
from serinus.storage.tables import tokens

PREFIX = "srn_"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token without its secret; `role` is one of the admin API's roles."""

    id: str
    name: str
    role: str
    created_at: float
    created_by: str = ""
    expires_at: float | None = None
    revoked_at: float | None = None

    def valid(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


async def insert_token(connection: AsyncConnection, token: Token) -> str:
    """Store the token and return its secret, which cannot be had again."""
    secret = PREFIX + token_urlsafe(32)
    await connection.execute(
        insert(tokens).values(
            id=token.id,
            name=token.name,
            role=token.role,
            digest=digest_of(secret),
            created_at=token.created_at,
            created_by=token.created_by,
            expires_at=token.expires_at,
        )
    )
    return secret


async def read_token(connection: AsyncConnection, secret: str) -> Token | None:
    row = (await connection.execute(select(tokens).filter_by(digest=digest_of(secret)))).first()
    return None if row is None else _token(row)


async def read_token_by_id(connection: AsyncConnection, token_id: str) -> Token | None:
    row = (await connection.execute(select(tokens).filter_by(id=token_id))).first()
    return None if row is None else _token(row)


async def read_tokens(connection: AsyncConnection) -> list[Token]:
    rows = await connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
    return [_token(row) for row in rows]


async def mark_revoked(connection: AsyncConnection, token_id: str, now: float) -> Token:
    """Raises `NotFound` when there is no such token, or it is revoked already."""
    unrevoked = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    if not (await connection.execute(unrevoked.values(revoked_at=now))).rowcount:
        raise NotFound(f"there is no token {token_id!r} in force; list the tokens to see their ids")
    return _token((await connection.execute(select(tokens).filter_by(id=token_id))).one())


def make_id() -> str:
    return token_hex(6)


def digest_of(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Row[tuple[object, ...]]) -> Token:
    values = row._asdict()
    del values["digest"]
    return Token(**values)
