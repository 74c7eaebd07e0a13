"""`serinus audit`: whether the events in the store are those that were stored."""

import asyncio
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from serinus.cli.session import FAILED, NO_ANSWER, UNUSABLE, Failure, Output, with_output
from serinus.errors import StoreUnavailable
from serinus.messages import render_label

if TYPE_CHECKING:
    from serinus.inspection import Verified
    from serinus.settings import Settings

DIGEST = re.compile(r"[0-9a-f]{64}")


@click.group()
def audit() -> None:
    """Check that no event was changed, removed or added since it was stored (SERINUS_DATABASE_URL)."""


@audit.command()
@with_output
def head(output: Output) -> None:
    """Print the digest of the last event; kept elsewhere, it shows later whether the end was cut off."""
    from serinus import inspection
    from serinus.settings import load

    with _advice(output.language):
        found = asyncio.run(inspection.read_head(load()))
    output.show({"sequence": found.events, "head": found.head}, lambda answer: answer["head"])


@audit.command()
@click.option("--head", "kept", metavar="DIGEST", help="What `serinus audit head` printed once.")
@with_output
def verify(output: Output, *, kept: str | None) -> None:
    """Follow every event's link to the one before, and name the first that is broken; exits with 1 then."""
    from serinus.settings import load

    if kept is not None and not DIGEST.fullmatch(kept := kept.strip().lower()):
        raise Failure(render_label("chain_no_digest", output.language), UNUSABLE)
    with _advice(output.language):
        found = _verified(load(), kept)
    answer = {
        "intact": found.fault is None,
        "events": found.events,
        "head": found.head,
        "broken": {"sequence": found.sequence, "fault": found.fault} if found.fault else None,
    }
    output.show(answer, partial(_render, language=output.language))
    if found.fault:
        click.get_current_context().exit(FAILED)


@contextmanager
def _advice(language: str) -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise Failure(f"{error}\n{render_label('chain_advice', language)}", NO_ANSWER) from error


def _verified(settings: "Settings", kept: str | None) -> "Verified":
    from rich.console import Console
    from rich.progress import Progress

    from serinus import inspection

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("verify", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return asyncio.run(inspection.verify_chain(settings, kept, tell))


def _render(answer: Mapping[str, Any], language: str) -> str:
    known = {"events": answer["events"], "head": answer["head"]}
    if broken := answer["broken"]:
        return render_label(f"chain_{broken['fault']}", language, sequence=broken["sequence"], **known)
    return render_label("chain_intact", language, **known)
