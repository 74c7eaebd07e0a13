"""Documents for people, made from what is stored; and the test results that one of them shows."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from serinus.admin.access import Operator, Viewer
from serinus.admin.context import Here, Language
from serinus.admin.orders import Name
from serinus.admin.shapes import Shape
from serinus.admin.text import OneLine
from serinus.alerts.alert import LOG
from serinus.reports.as_html import POLICY
from serinus.reports.document import Kind
from serinus.reports.gather import gather
from serinus.reports.junit import MOST_NAMES, Group, TestResults
from serinus.reports.results import details_of
from serinus.reports.write import RENDERERS, Format, write
from serinus.rollout.events import Event, EventKind

Count = Annotated[int, Field(ge=0, le=10_000_000)]
TestNames = Annotated[list[Annotated[str, StringConstraints(max_length=300), OneLine]], Field(max_length=MOST_NAMES)]

router = APIRouter(prefix="/reports", tags=["reports"])


class GroupBody(Shape):
    name: Annotated[str, StringConstraints(min_length=1, max_length=200), OneLine]
    passed: Count
    failed: Count
    skipped: Count


class TestsBody(Shape):
    """What `serinus report readiness --junit FILE` reads from a JUnit file; `digest` is the file's SHA-256."""

    source: Name
    digest: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    groups: Annotated[list[GroupBody], Field(min_length=1, max_length=MOST_NAMES + 1)]
    failures: TestNames = Field(default_factory=list)
    skips: TestNames = Field(default_factory=list)


@router.get("/{kind}", response_class=Response)
async def read_report(
    _caller: Viewer,
    here: Here,
    language: Language,
    kind: Kind,
    format: Format = Format.MARKDOWN,  # noqa: A002 - the customer's clients call it so
    rollout: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """A document of this kind, about `rollout` or about the latest one that it can be about."""
    channels = tuple(sorted(here.channels().keys() - {LOG}))  # a log wakes nobody
    facts = await gather(here.store, kind, here.clock(), rollout_id=rollout, channels=channels)
    media_type, render = RENDERERS[format]
    name = "-".join(filter(None, (kind.value, facts.rollout.id if facts.rollout else "")))
    headers = {"Content-Disposition": f'inline; filename="{name}.{format}"', "Cache-Control": "no-store"}
    if format is Format.HTML:
        headers["Content-Security-Policy"] = f"{POLICY}; frame-ancestors 'none'"
    return Response(render(write(kind, facts, language)), media_type=media_type, headers=headers)


@router.post("/tests", status_code=204)
async def record_tests(caller: Operator, here: Here, body: TestsBody) -> None:
    """Hand in test results; the readiness report shows the latest."""
    results = TestResults(
        digest=body.digest,
        seconds=body.seconds,
        groups=tuple(Group(each.name, each.passed, each.failed, each.skipped) for each in body.groups),
        failures=tuple(body.failures),
        skips=tuple(body.skips),
    )
    details = {**details_of(results, body.source), "from": caller.address}
    await here.store.record_events([Event(EventKind.TESTS_RECORDED, here.clock(), caller.name, details=details)])
