"""`serinus report`: documents made from what is stored."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from serinus.cli.session import UNUSABLE, Failure, Session, with_session

KINDS = ("baseline", "comparison", "checkpoint", "readiness", "incident", "drill")
FORMATS = ("md", "html", "json")


@click.command()
@click.argument("kind", type=click.Choice(KINDS), metavar="KIND")
@click.option("--format", "form", type=click.Choice(FORMATS), help="By default what --output ends with, or md.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file.")
@click.option("--rollout", help="Of this rollout (`serinus history`); by default the latest that fits.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Hand in test results first (JUnit's XML, as `pytest --junit-xml` writes it); for readiness, as an operator.",
)
@with_session
def report(
    session: Session, kind: str, *, form: str | None, output: Path | None, rollout: str | None, junit: Path | None
) -> None:
    """Make a document, in the language of --language.

    KIND is baseline, comparison, checkpoint, readiness, incident or drill.
    """
    if junit is not None and kind != "readiness":
        raise Failure("--junit is for the readiness report alone", UNUSABLE)
    form = "json" if session.as_json else form or _suffix(output)
    client = session.client
    if junit is not None:
        client.post("/reports/tests", _tests(junit))
    text = client.text(f"/reports/{kind}", format=form, rollout=rollout)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot write {output}: {error.strerror}", UNUSABLE) from error
    click.echo(f"{output}: {len(text.encode()):,} bytes", err=True)


def _suffix(output: Path | None) -> str:
    ending = output.suffix.removeprefix(".") if output else ""
    return ending if ending in FORMATS else "md"


def _tests(path: Path) -> dict[str, Any]:
    from serinus.reports.junit import read_junit  # the XML parser is needed for this alone

    try:
        source = path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", UNUSABLE) from error
    return {"source": path.name, **asdict(read_junit(source))}
