"""What API v2 says about one user's stored data."""

from datetime import datetime
from typing import Any

from mentor.schemas import Body


class ExportResponse(Body):
    """Rows as they are stored; times in them are epoch seconds."""

    user_id: str
    exported_at: datetime
    conversations: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    recommendations: list[dict[str, Any]]
    feedback: list[dict[str, Any]]
    tastes: list[dict[str, Any]]


class ErasedCounts(Body):
    conversations: int
    turns: int
    recommendations: int
    feedback: int


class EraseResponse(Body):
    user_id: str
    erased_at: datetime
    erased: ErasedCounts
