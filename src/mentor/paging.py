"""Pages of a list that grows at its front: the cursor names the last item seen, so nothing is skipped or repeated."""

import base64
import binascii
import json
import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, Table, tuple_

from mentor.errors import InvalidCursor

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: list[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position after the item made at `at` (epoch seconds) with the identifier `item_id`."""

    at: float
    item_id: str

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.at, self.item_id]).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises InvalidCursor."""
        try:
            at, item_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            cursor = cls(float(at), str(item_id))
        except (binascii.Error, ValueError, TypeError) as error:
            raise InvalidCursor("Leave the cursor out to begin with the first page.") from error
        if not math.isfinite(cursor.at) or "\0" in cursor.item_id:
            raise InvalidCursor("Leave the cursor out to begin with the first page.")
        return cursor


def newest_first(query: Select[Any], *, table: Table, at: str, item_id: str, cursor: str | None) -> Select[Any]:
    """`query` from `cursor` on, ordered by the columns named `at` and `item_id`, both descending."""
    columns = tuple_(table.c[at], table.c[item_id])
    if cursor:
        position = Cursor.parse(cursor)
        query = query.where(columns < (position.at, position.item_id))
    return query.order_by(table.c[at].desc(), table.c[item_id].desc())
