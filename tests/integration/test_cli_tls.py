"""A service behind TLS: the command line believes it as far as somebody whom it trusts vouches for it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from serinus import application, subject
from serinus.settings import load
from served import served

pytestmark = pytest.mark.slow

TOKEN = "the-admin-token-of-the-tests"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def address(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("tls") / "127.0.0.1.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(file)
    settings = load(database_url="sqlite+aiosqlite://", admin_token=TOKEN)
    app = application(legacy=_nothing, canary=_nothing, subject=subject.header("x-user-id"), settings=settings)
    with served(app, ssl_certfile=str(file)) as url:
        yield url.replace("http:", "https:")


async def _nothing(scope: object, receive: object, send: object) -> None: ...


def status(address: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which reads once whom it trusts."""
    command = [sys.executable, "-m", "serinus", "status", "--json", "--url", address, "--token", TOKEN]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_a_service_is_believed_whose_certificate_somebody_trusted_has_signed(
    address: str, authority: trustme.CA, tmp_path: Path
) -> None:
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    answered = status(address, SSL_CERT_FILE=str(trusted))
    assert answered.returncode == 0, answered.stderr
    assert json.loads(answered.stdout)["rollout"] is None


def test_a_service_is_not_spoken_to_whose_certificate_nobody_trusted_has_signed(address: str) -> None:
    refused = status(address)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"nobody answers at {address}" in refused.stderr
