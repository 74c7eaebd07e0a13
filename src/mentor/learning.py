"""What feedback has taught, in the shared database: all processes recommend from it and add to it."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Table, and_, insert, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from mentor.canary.content import Odds
from mentor.canary.population import Learned, Population, Residuals, Taste, learn
from mentor.personas import Persona

_NAME: Final = "ensemble"
_ANY_CELL: Final = ""


class LearnedStore:
    """Keeps the population's latest state in memory, and reads it again when its revision has moved."""

    def __init__(self) -> None:
        self._revision = -1
        self._population = Population.prior()

    async def read(self, connection: AsyncConnection, user_id: str) -> Learned:
        """What is known for this user's next recommendation, at one instant."""
        return Learned(await self._current(connection), await _taste(connection, user_id))

    async def teach(
        self, connection: AsyncConnection, user_id: str, odds: Odds, rewards: Iterable[tuple[Persona, float]]
    ) -> None:
        """Learn rewards (0..1) for personas on a text with `odds`, inside the caller's write transaction.

        The revision is raised first, which locks the row: what two processes learn at once is learnt in turn.
        """
        mine = tables.population.c.name == _NAME
        raised = update(tables.population).where(mine).values(revision=tables.population.c.revision + 1)
        await connection.execute(raised)
        state = (await connection.execute(select(tables.population.c.state).where(mine))).scalar_one()
        before = Learned(Population.from_json(state), await _taste(connection, user_id))
        learned = before
        for persona, reward in rewards:
            learned = learn(learned, odds, persona=persona, reward=reward)
        await connection.execute(update(tables.population).where(mine).values(state=learned.population.to_json()))
        await _store_taste(connection, user_id, before.taste, learned.taste)

    async def _current(self, connection: AsyncConnection) -> Population:
        mine = tables.population.c.name == _NAME
        revision = (await connection.execute(select(tables.population.c.revision).where(mine))).scalar_one()
        if revision != self._revision:
            row = (await connection.execute(select(tables.population).where(mine))).one()
            self._revision, self._population = row.revision, Population.from_json(row.state)
        return self._population


async def _taste(connection: AsyncConnection, user_id: str) -> Taste:
    affinities, tastes = tables.affinities.c, tables.tastes.c
    query = union_all(
        select(affinities.persona, literal(_ANY_CELL).label("cell"), affinities.residual_sum, affinities.ratings).where(
            affinities.user_id == user_id
        ),
        select(tastes.persona, tastes.cell, tastes.residual_sum, tastes.ratings).where(tastes.user_id == user_id),
    )
    rows = (await connection.execute(query)).all()
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
