"""HAProxy computes the same points as the router, so moving the data plane there reassigns nobody."""

import http.client
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from serinus.routing.canary_router import point_of, threshold_of

pytestmark = pytest.mark.tool("haproxy")

SALT = "phase4"
SUBJECTS = ("u-1", "lua", "사용자-7", "a b c", "x" * 300, "ünïcødé", "0", *(f"user-{n}" for n in range(200)))
CONFIG = """
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend points
    bind 127.0.0.1:{port}
    http-request set-var(txn.subject) url_param(user),url_dec
    http-request set-var(txn.point) str({salt}:),concat(,txn.subject),digest(md5),bytes(0,4),hex,hex2i
    acl is_canary var(txn.point) -m int lt {threshold}
    http-request return status 200 content-type text/plain lf-string "%[var(txn.point)] canary" if is_canary
    http-request return status 200 content-type text/plain lf-string "%[var(txn.point)] legacy"
"""


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[http.client.HTTPConnection]:
    port = _free_port()
    config = tmp_path_factory.mktemp("haproxy") / "haproxy.cfg"
    config.write_text(CONFIG.format(port=port, salt=SALT, threshold=threshold_of(12.5)))
    with subprocess.Popen(["haproxy", "-db", "-f", str(config)], stderr=subprocess.PIPE, text=True) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        _wait_until_listening(port, process)
        yield connection
        connection.close()
        process.terminate()


def test_haproxy_gives_every_subject_the_point_and_the_version_that_the_router_gives(
    haproxy: http.client.HTTPConnection,
) -> None:
    for subject in SUBJECTS:
        haproxy.request("GET", f"/?user={quote(subject, safe='')}")
        point, version = haproxy.getresponse().read().decode().split()
        expected = point_of(SALT, subject)
        assert (int(point), version) == (expected, "canary" if expected < threshold_of(12.5) else "legacy"), subject


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(50):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
        except ConnectionRefusedError:
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"haproxy ended at once: {process.stderr.read() if process.stderr else ''}")
        else:
            return
    pytest.fail("haproxy did not listen within 5 seconds")
