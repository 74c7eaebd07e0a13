"""`python -m mentor`, over a database that a service has filled."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mentor.__main__ import main
from mentor.dependencies import Engines
from mentor.settings import MentorSettings
from mentor_service import Service
from serinus import DeploymentVersion

QUERIES = ("How do I undo a commit?", "I feel so alone", "Plan our kickoff meeting", "Is this difference significant?")


def ask(database_url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["off-policy", *arguments], env={"MENTOR_DATABASE_URL": database_url})


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database in which Nana is what users want, whatever they ask, and half of the answers were drawn."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('rated') / 'mentor.db'}"
    rng = random.Random(3)
    engines = Engines(MentorSettings(database_url=url, exploration=0.5), draw=rng.random)
    with Service.of(engines, DeploymentVersion.CANARY) as service:
        for number in range(400):
            made = service.recommend(QUERIES[number % 4], user_id=f"user-{number % 50}")
            liked = rng.random() < (0.9 if made["primary_persona"] == "Nana" else 0.3)
            body = {
                "user_id": f"user-{number % 50}",
                "recommendation_id": made["metadata"]["recommendation_id"],
                "rating": 1 if liked else -1,
            }
            service.post("/api/v2/recommend/feedback", body)
    return url


@pytest.mark.slow
def test_the_report_finds_what_users_want_and_refuses_what_it_cannot_know(rated: str) -> None:
    report = json.loads(ask(rated, "--json").stdout)
    assert (report["answers"], report["users"]) == (400, 50)
    best = report["estimates"]["best_score"]
    assert best["effective_sample"] >= 200
    assert best["doubly_robust"]["low"] <= best["doubly_robust"]["value"] <= best["doubly_robust"]["high"]
    assert best["doubly_robust"]["value"] > report["shown"]["value"]
    assert set(report["estimates"]) == {
        *("best_score", "content", "phase3"),
        *("always_lua", "always_elro", "always_riri", "always_nana"),
    }
    assert report["estimates"]["always_riri"]["effective_sample"] < 200
    assert report["estimates"]["always_riri"]["snips"] is None


@pytest.mark.slow
def test_people_read_it_in_their_language(rated: str) -> None:
    english, korean = (ask(rated, "--language", language).stdout for language in ("en", "ko"))
    assert "Rated answers of CANARY: 400, users: 50" in english
    assert "| always Riri | too few | too few |" in english
    assert "평가된 400건" in korean
    assert "| 항상 리리 | 표본 부족 | 표본 부족 |" in korean


def test_without_rated_answers_it_says_so(tmp_path: Path) -> None:
    result = ask(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}", "--days", "7")
    assert result.exit_code == 0
    assert "No rated answers of CANARY with propensities in the last 7 days" in result.stdout


def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    result = ask(f"sqlite+aiosqlite:///{tmp_path / 'missing' / 'm.db'}")
    assert result.exit_code == 1
    assert "set MENTOR_DATABASE_URL to the service's database" in result.output
