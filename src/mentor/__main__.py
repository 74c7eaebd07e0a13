"""`python -m mentor`: what operators of mentor ask for. The database is the service's own, from the environment."""

import asyncio
import sys
import time
from collections.abc import Sequence

import click
from pydantic import ValidationError

from mentor.callers import issue_token
from mentor.canary.content import shared_head
from mentor.feedback import MadeRecommendation, RecommendationLog
from mentor.off_policy_report import judge
from mentor.personas import Language
from mentor.settings import MentorSettings
from serinus import Database, StoreUnavailable

_DAY_S = 24 * 3600.0


@click.group()
def main() -> None:
    """What operators of mentor ask for."""


@main.command("off-policy")
@click.option("--days", default=30.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
@click.option("--most", default=50_000, show_default=True, help="Judge by the latest so many rated answers.")
@click.option("--json", "as_json", is_flag=True, help="Figures as JSON, for programs.")
@click.option("--language", default="en", show_default=True, type=click.Choice([each.value for each in Language]))
def off_policy(days: float, most: int, language: str, *, as_json: bool) -> None:
    """What other ways of choosing a persona would have earned, estimated from the log of rated answers."""
    rated = asyncio.run(_rated(since=time.time() - days * _DAY_S, most=most))
    report = judge(rated)
    click.echo(report.to_json() if as_json else report.to_markdown(Language(language), days=days), nl=as_json)


@main.command()
@click.option("--user", "user_id", required=True, help="Whom the token lets in.")
@click.option("--hours", default=24.0, show_default=True, type=click.FloatRange(min=0, min_open=True))
def token(user_id: str, hours: float) -> None:
    """A bearer token for one user, made with MENTOR_AUTH_SECRET."""
    secret = _settings().auth_secret.get_secret_value()
    if not secret:
        sys.exit("set MENTOR_AUTH_SECRET to the service's secret")
    click.echo(issue_token(user_id, secret, expires_at=time.time() + hours * 3600))


def _settings() -> MentorSettings:
    try:
        return MentorSettings()
    except ValidationError as error:
        sys.exit("\n".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors()))


async def _rated(*, since: float, most: int) -> Sequence[MadeRecommendation]:
    database = Database(_settings().database_url)
    try:
        await database.migrate("mentor.migrations")
        return await RecommendationLog(database, shared_head()).rated(since=since, most=most)
    except StoreUnavailable as error:
        sys.exit(f"{error}: set MENTOR_DATABASE_URL to the service's database")
    finally:
        await database.close()


if __name__ == "__main__":
    main()
