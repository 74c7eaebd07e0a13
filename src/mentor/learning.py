"""What feedback has taught, in the shared database: all processes recommend from it and add to it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    CompoundSelect,
    Float,
    Row,
    Table,
    and_,
    bindparam,
    cast,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from mentor.canary.content import Odds
from mentor.canary.population import Learned, Population, Residuals, Taste, learn
from mentor.personas import Persona
from serinus import Database

_NAME: Final = "ensemble"
_MINE: Final = tables.population.c.name == _NAME
_ANY_CELL: Final = ""
_NOBODY: Final = ""
_TASTE: Final[CompoundSelect[Any]] = union_all(
    *(
        select(table.c.persona, cell.label("cell"), table.c.residual_sum, table.c.ratings).where(
            table.c.user_id == bindparam("of_user")
        )
        for table, cell in ((tables.affinities, literal(_ANY_CELL)), (tables.tastes, tables.tastes.c.cell))
    )
)
_REVISION_AND_TASTE: Final[CompoundSelect[Any]] = union_all(
    *_TASTE.selects,
    select(literal(_NOBODY), literal(_ANY_CELL), cast(tables.population.c.revision, Float), literal(0.0)).where(_MINE),
)
"""The population's revision comes as the one row that is of no persona."""


class LearnedStore:
    """Keeps the population's latest state in memory, and reads it again when its revision has moved."""

    def __init__(self) -> None:
        self._revision = -1
        self._population = Population.prior()

    async def read(self, database: Database, user_id: str) -> Learned:
        """What is known for this user's next recommendation, at one instant.

        One query, as long as nobody has taught anything since the last one.
        """
        async with database.glance() as connection:
            revision, taste = await _revision_and_taste(connection, user_id)
        if revision == self._revision:
            return Learned(self._population, taste)
        async with database.read() as connection:
            row = (await connection.execute(select(tables.population).where(_MINE))).one()
            self._revision, self._population = row.revision, Population.from_json(row.state)
            return Learned(self._population, await _taste(connection, user_id))

    async def teach(
        self, connection: AsyncConnection, user_id: str, odds: Odds, rewards: Iterable[tuple[Persona, float]]
    ) -> None:
        """Learn rewards (0..1) for personas on a text with `odds`, inside the caller's write transaction.

        The revision is raised first, which locks the row: what two processes learn at once is learnt in turn.
        """
        raised = update(tables.population).where(_MINE).values(revision=tables.population.c.revision + 1)
        await connection.execute(raised)
        state = (await connection.execute(select(tables.population.c.state).where(_MINE))).scalar_one()
        before = Learned(Population.from_json(state), await _taste(connection, user_id))
        learned = before
        for persona, reward in rewards:
            learned = learn(learned, odds, persona=persona, reward=reward)
        await connection.execute(update(tables.population).where(_MINE).values(state=learned.population.to_json()))
        await _store_taste(connection, user_id, before.taste, learned.taste)


async def _revision_and_taste(connection: AsyncConnection, user_id: str) -> tuple[int, Taste]:
    rows = (await connection.execute(_REVISION_AND_TASTE, {"of_user": user_id})).all()
    found = next(row for row in rows if row.persona == _NOBODY)
    return int(found.residual_sum), _taste_of([row for row in rows if row is not found])


async def _taste(connection: AsyncConnection, user_id: str) -> Taste:
    return _taste_of((await connection.execute(_TASTE, {"of_user": user_id})).all())


def _taste_of(rows: Sequence[Row[Any]]) -> Taste:
    return Taste(
        affinities={Persona(row.persona): _residuals(row) for row in rows if row.cell == _ANY_CELL},
        cells={(Persona(row.persona), row.cell): _residuals(row) for row in rows if row.cell != _ANY_CELL},
    )


def _residuals(row: Any) -> Residuals:
    return Residuals(row.residual_sum, row.ratings)


async def _store_taste(connection: AsyncConnection, user_id: str, before: Taste, after: Taste) -> None:
    for persona, known in after.affinities.items():
        if known != before.affinities.get(persona):
            key = {"user_id": user_id, "persona": persona}
            await _put(connection, tables.affinities, key, known, known_before=persona in before.affinities)
    for (persona, cell), known in after.cells.items():
        if known != before.cells.get((persona, cell)):
            key = {"user_id": user_id, "persona": persona, "cell": cell}
            await _put(connection, tables.tastes, key, known, known_before=(persona, cell) in before.cells)


async def _put(
    connection: AsyncConnection, table: Table, key: dict[str, str], known: Residuals, *, known_before: bool
) -> None:
    values = {"residual_sum": known.residual_sum, "ratings": known.ratings}
    if known_before:
        of_key = and_(*(table.c[name] == value for name, value in key.items()))
        await connection.execute(update(table).where(of_key).values(values))
    else:
        await connection.execute(insert(table).values(**key, **values))
