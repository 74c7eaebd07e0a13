"""What every test shares: a tool that pip does not install is skipped, or demanded by SERINUS_REQUIRE_TOOLS."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import postgresql
from backends import SHARED, params, url_of

settings.register_profile("house", deadline=None, max_examples=40)  # others every time; a busy machine breaks no law
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)  # the same every time
settings.load_profile("ci" if os.environ.get("CI") else "house")

DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """All that was imported stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("tool"):
        name = marker.args[0]
        if not (postgresql.programs() if name == "postgresql" else shutil.which(name)):
            _miss(f"the program `{name}` is not installed")


def _miss(reason: str) -> None:
    if os.environ.get("SERINUS_REQUIRE_TOOLS"):
        pytest.fail(f"{reason}, and SERINUS_REQUIRE_TOOLS is set", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    """One for all tests, which use a database each; who asks for it carries `tool("postgresql")`."""
    yield from postgresql.running()


@pytest.fixture(params=params(SHARED))
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database that several processes can open: once for every kind."""
    return url_of(request, tmp_path)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it are skipped elsewhere."""
    if not DATA.is_dir():
        pytest.skip("the folder of real data (../shared/data) is not beside this checkout")
    return DATA
