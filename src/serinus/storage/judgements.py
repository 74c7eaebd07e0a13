"""What the controller knows of a rollout beyond its state: the folded evidence and the latest report."""

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.analysis.evidence import Evidence
from serinus.analysis.verdict import Report
from serinus.aside import aside
from serinus.errors import Unreadable
from serinus.storage.codec import dump, load
from serinus.storage.tables import judgements, put, reports


@dataclass(frozen=True, slots=True)
class Judgement:
    """`cursor` is the number of the last snapshot that `evidence` holds; `report` is what was read from it."""

    evidence: Evidence
    cursor: int
    report: Report


async def put_judgement(connection: AsyncConnection, rollout_id: str, judgement: Judgement) -> None:
    values = {"cursor": judgement.cursor, "evidence": await aside(_write_evidence, judgement.evidence)}
    await put(connection, judgements, {"rollout_id": rollout_id}, values)
    await put_report(connection, rollout_id, judgement.report)


async def put_report(connection: AsyncConnection, rollout_id: str, report: Report) -> None:
    await put(connection, reports, {"rollout_id": rollout_id}, {"body": dump(report)})


async def read_judgement(connection: AsyncConnection, rollout_id: str) -> Judgement | None:
    query = (
        select(judgements.c.cursor, judgements.c.evidence, reports.c.body)
        .join(reports, reports.c.rollout_id == judgements.c.rollout_id)
        .where(judgements.c.rollout_id == rollout_id)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Judgement(await aside(_read_evidence, row.evidence), row.cursor, load(Report, row.body))


async def read_report(connection: AsyncConnection, rollout_id: str) -> Report | None:
    body = (await connection.execute(select(reports.c.body).filter_by(rollout_id=rollout_id))).scalar()
    return None if body is None else load(Report, body)


def _write_evidence(evidence: Evidence) -> str:
    """Deflated, for most of it are the digits of histograms: less than half of its length."""
    return b64encode(zlib.compress(json.dumps(evidence.to_json(), separators=(",", ":")).encode(), level=1)).decode()


def _read_evidence(text: str) -> Evidence:
    try:
        return Evidence.from_json(json.loads(zlib.decompress(b64decode(text, validate=True))))
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise Unreadable(
            f"the stored evidence cannot be read ({error!r}); it is folded anew from the snapshots"
        ) from error
