"""What a hop costs: one request after the other to a version directly, through the gateway, and through HAProxy.

    python benchmarks/gateway.py [--rounds 15] [--requests 200]

The version, the gateway and HAProxy are processes of their own on loopback. HAProxy assigns by the router's own points,
with a share of 5 % to the same version. Without HAProxy on the machine it is left out.
"""

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from layer import PATH, await_port, free_port
from serinus.routing.canary_router import CanaryRouter, threshold_of
from timing import Goal, compare, report, show

HAPROXY = """
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend gateway
    bind 127.0.0.1:{port}
    http-request set-var(txn.subject) req.hdr(x-user-id)
    http-request set-var(txn.point) str(serinus:),concat(,txn.subject),digest(md5),bytes(0,4),hex,hex2i
    use_backend canary if {{ var(txn.point) -m int lt {threshold} }}
    default_backend legacy
backend canary
    server canary 127.0.0.1:{version}
backend legacy
    server legacy 127.0.0.1:{version}
"""


@contextlib.contextmanager
def running(*command: str, port: int, **environment: str) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, **quiet) as process:
            try:
                await_port(port)
                yield port
            finally:
                process.terminate()


def version() -> contextlib.AbstractContextManager[int]:
    port = free_port()
    options = ["--port", str(port), "--log-level", "error", "--no-access-log", "--factory"]
    here = str(Path(__file__).parent)
    return running(sys.executable, "-m", "uvicorn", "--app-dir", here, *options, "layer:starlette", port=port)


def gateway(behind: int) -> contextlib.AbstractContextManager[int]:
    port, address = free_port(), f"http://127.0.0.1:{behind}"
    options = ("--legacy", address, "--canary", address, "--subject", "header:x-user-id", "--port", str(port))
    return running(sys.executable, "-m", "serinus", "serve", *options, port=port, SERINUS_LOG_LEVEL="error")


@contextlib.contextmanager
def haproxy(behind: int) -> Iterator[int]:
    port, threshold = free_port(), threshold_of(CanaryRouter.CANARY_TRAFFIC_PERCENTAGE)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=port, version=behind, threshold=threshold), encoding="ascii")
        with running("haproxy", "-db", "-f", str(config), port=port):
            yield port


def ask(connection: socket.socket, requests: int) -> None:
    for number in range(requests):
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nhost: localhost\r\nx-user-id: user-{number}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer or not _is_whole(answer):
            answer += connection.recv(4_096)


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        return body.endswith(b"0\r\n\r\n")
    (length,) = (line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return len(body) >= int(length)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--requests", type=int, default=200, help="a round")
    chosen = options.parse_args()
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(version())
        ports = {"direct": behind, "gateway": stack.enter_context(gateway(behind))}
        if shutil.which("haproxy"):
            ports["HAProxy"] = stack.enter_context(haproxy(behind))
        else:
            print("HAProxy is left out: it is not installed")
        contenders: dict[str, Callable[[], object]] = {}
        for name, port in ports.items():
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            contenders[name] = partial(ask, connection, chosen.requests)
        measured = compare(contenders, chosen.requests, chosen.rounds)
    show("One request after the other", measured, unit="µs", against="direct")
    return report(
        [Goal("a request through the gateway, times a direct one", measured["gateway"].ratio(measured["direct"]), 4)]
    )


if __name__ == "__main__":
    raise SystemExit(main())
