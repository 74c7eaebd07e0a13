"""Bearer tokens: made, listed and revoked by admins."""

from fastapi import APIRouter, Response

from serinus.admin.access import Admin
from serinus.admin.context import Here
from serinus.admin.orders import TokenBody
from serinus.admin.shapes import CreatedToken, TokensShape
from serinus.admin.views import token_shape
from serinus.errors import NotFound

DAY_SECONDS = 86_400.0

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("")
async def list_tokens(_caller: Admin, here: Here) -> TokensShape:
    """All tokens, revoked and expired ones too; never their secrets."""
    return TokensShape(tokens=[token_shape(token) for token in await here.store.tokens()])


@router.post("", status_code=201)
async def create_token(caller: Admin, here: Here, body: TokenBody, response: Response) -> CreatedToken:
    """Make a token; its secret is in this answer and nowhere else."""
    now = here.clock()
    expires_at = None if body.expires_in_days is None else now + body.expires_in_days * DAY_SECONDS
    secret = await here.store.create_token(body.name, body.role, now, expires_at, by=caller.name, origin=caller.address)
    token = await here.store.token(secret, now)
    if token is None:
        raise NotFound("the token was revoked while it was being made")
    response.headers["Cache-Control"] = "no-store"
    return CreatedToken(**dict(token_shape(token)), token=secret)


@router.delete("/{token_id}", status_code=204)
async def revoke_token(caller: Admin, here: Here, token_id: str) -> None:
    """From now on nobody can use it."""
    await here.store.revoke_token(token_id, here.clock(), by=caller.name, origin=caller.address)
