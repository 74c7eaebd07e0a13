"""Settings come from the environment or by name, and complain in the environment's words."""

from pathlib import Path

import pytest

from serinus.errors import InvalidInput
from serinus.messages.phrases import knows
from serinus.settings import load, unknown_variables

SECRET = "a-token-that-nobody-else-knows"


def test_the_environment_is_read_and_what_is_given_by_name_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERINUS_PORT", "9000")
    monkeypatch.setenv("SERINUS_HOST", "0.0.0.0")
    settings = load(port=9001)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")


def test_an_installation_is_closed_and_on_loopback_unless_it_says_otherwise() -> None:
    settings = load()
    assert settings.host == "127.0.0.1"
    assert settings.admin_token is None
    assert not settings.public_metrics


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERINUS_PORT", "eighty")
    monkeypatch.setenv("SERINUS_STALE_AFTER_SECONDS", "nan")
    monkeypatch.setenv("SERINUS_LANGUAGE", "tlh")
    with pytest.raises(InvalidInput) as caught:
        load()
    assert {problem.where for problem in caught.value.problems} == {
        "SERINUS_PORT",
        "SERINUS_STALE_AFTER_SECONDS",
        "SERINUS_LANGUAGE",
    }


@pytest.mark.parametrize("url", ["nonsense", "sqlite:///serinus.db", "mongo://db/serinus"])
def test_an_address_that_no_store_can_have_is_answered_with_one_that_it_can(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"SERINUS_DATABASE_URL: .*write it like sqlite\+aiosqlite:///serinus\.db"):
        load(database_url=url)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("port", "eighty", "must be a whole number"),
        ("port", "70000", "must be 65535 or less"),
        ("stale_after_seconds", "soon", "must be a number"),
        ("stale_after_seconds", "-1", "must be more than 0"),
        ("public_metrics", "maybe", "must be true or false"),
        ("language", "tlh", "must be one of 'en' or 'ko'"),
        ("legacy_url", "shop", "is no URL; write it like http://10.0.0.1:8000"),
        ("smtp_url", "mail", "is no mail server"),
        ("webhook_url", "ftp://x", "is no address that can be posted to"),
        ("prometheus_requests", "1&", "is no name of a metric"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_plain_words_and_in_korean(name: str, value: str, complaint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(**{name: value})
    [problem] = caught.value.problems
    assert problem.message.startswith(complaint)
    assert knows(problem.message, "ko")


def test_a_short_token_is_told_how_long_it_must_be() -> None:
    with pytest.raises(InvalidInput, match="SERINUS_ADMIN_TOKEN: must have at least 16 characters"):
        load(admin_token="short")


def test_a_secret_stands_in_no_repr_and_no_complaint() -> None:
    assert SECRET not in repr(load(admin_token=SECRET))
    assert SECRET not in repr(load(database_url=f"postgresql+asyncpg://serinus:{SECRET}@db/serinus"))
    with pytest.raises(InvalidInput) as caught:
        load(admin_token=SECRET[:8])
    assert SECRET[:8] not in str(caught.value)


def test_a_misspelt_variable_is_found_with_what_was_meant() -> None:
    environment = {"SERINUS_LANGUGE": "ko", "SERINUS_URL": "http://x", "SERINUS_PORT": "1", "PATH": "/bin"}
    assert unknown_variables(environment) == {"SERINUS_LANGUGE": "SERINUS_LANGUAGE"}


def test_the_split_is_kept_beside_the_database_file_under_a_name_of_its_own(tmp_path: Path) -> None:
    first = load(database_url=f"sqlite+aiosqlite:///{tmp_path}/one.db").kept_split_path
    second = load(database_url=f"sqlite+aiosqlite:///{tmp_path}/two.db").kept_split_path
    assert first is not None
    assert second is not None
    assert first.parent == second.parent == tmp_path
    assert first != second
    assert load(database_url=f"sqlite+aiosqlite:///{tmp_path}/one.db", state_dir="/var/lib/shop").kept_split_path == (
        Path("/var/lib/shop") / first.name
    )


def test_a_store_in_memory_has_no_kept_split() -> None:
    assert load(database_url="sqlite+aiosqlite://").kept_split_path is None


@pytest.mark.parametrize("selector", ["rate(x[5m])", "sum by (a) (b)", "http requests", "{a='b'}", 'x{a="b"}[5m]', ""])
def test_what_prometheus_is_to_count_is_a_name_with_matchers(selector: str) -> None:
    with pytest.raises(InvalidInput, match="SERINUS_PROMETHEUS_REQUESTS"):
        load(prometheus_requests=selector)
    assert load(prometheus_requests='http_requests_total{job="shop"}', prometheus_latency="").prometheus_latency == ""


@pytest.mark.parametrize("label", ["", "a-b", "1st", "version=x"])
def test_the_label_of_the_version_is_a_name(label: str) -> None:
    with pytest.raises(InvalidInput, match="SERINUS_PROMETHEUS_VERSION_LABEL"):
        load(prometheus_version_label=label)
    assert load(prometheus_endpoint_label="").prometheus_endpoint_label == ""
