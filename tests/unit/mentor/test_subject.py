"""A conversation's requests belong to the user who began it."""

import asyncio
from pathlib import Path

import pytest

from mentor.personas import Persona
from mentor.sessions import Session, SessionStore
from mentor.subject import ConversationOwner
from serinus import Database, StoreUnavailable


def session_of(user_id: str, session_id: str) -> Session:
    return Session(
        session_id=session_id,
        user_id=user_id,
        persona=Persona.LUA,
        created_at=0.0,
        expires_at=1.0,
        last_activity_at=0.0,
        memory={},
    )


async def ask(owner: ConversationOwner, path: str) -> str | None:
    reading = owner({"type": "http", "path": path}, None)
    return reading if reading is None or isinstance(reading, str) else await reading


@pytest.mark.parametrize("path", ["/turn", "/close", "", "/turn/"])
def test_every_call_of_a_conversation_belongs_to_who_began_it(tmp_path: Path, path: str) -> None:
    async def run() -> list[str | None]:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'm.db'}")
        await database.migrate("mentor.migrations")
        sessions = SessionStore(database)
        for user in ("ada", "bob"):
            await sessions.create(session_of(user, f"of-{user}"))
        owner = ConversationOwner(sessions)
        found = [await ask(owner, f"/api/v2/conversations/{name}{path}") for name in ("of-ada", "of-bob", "of-none")]
        await database.close()
        return found

    assert asyncio.run(run()) == ["ada", "bob", None]


@pytest.mark.parametrize(
    "path", ["/api/v2/conversations", "/api/v2/conversations/start", "/api/v2/recommend/compare", "/health"]
)
def test_other_paths_belong_to_no_conversation(path: str) -> None:
    owner = ConversationOwner(SessionStore(Database("sqlite+aiosqlite://")))
    assert owner({"type": "http", "path": path}, None) is None


def test_an_owner_who_is_known_is_known_without_the_store(tmp_path: Path) -> None:
    async def run() -> None:
        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'm.db'}")
        await database.migrate("mentor.migrations")
        sessions = SessionStore(database)
        for name in ("seen", "unseen"):
            await sessions.create(session_of("ada", name))
        owner = ConversationOwner(sessions)
        await ask(owner, "/api/v2/conversations/seen/turn")
        async with database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE mentor_sessions RENAME TO gone")
        assert owner({"type": "http", "path": "/api/v2/conversations/seen"}, None) == "ada"
        with pytest.raises(StoreUnavailable):
            await ask(owner, "/api/v2/conversations/unseen")
        await database.close()

    asyncio.run(run())
