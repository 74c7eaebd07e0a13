"""Keep HAProxy's share at what serinus decides, and at 0 when no controller has been heard of for a minute.

Beside HAProxy, with nothing but Python: SERINUS_URL=... SERINUS_TOKEN=... python3 follow.py
"""

import argparse
import json
import math
import os
import socket
import sys
import time
import urllib.request

POINTS = 2**32
STALE_SECONDS = 60.0


def decided(url: str, token: str) -> float:
    """The canary's percentage; 0 while its controller is silent, unless the rollout is over and well."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/admin/canary/status", headers=headers)  # noqa: S310 - as below
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - the operator's own address
        status = json.load(answer)
    silent, rollout = status["controller"]["seconds_ago"], status["rollout"]
    succeeded = rollout is not None and rollout["phase"] == "succeeded"
    if not succeeded and (silent is None or silent > STALE_SECONDS):
        return 0.0
    return float(status["config"]["canary_percentage"]) if status["config"]["enabled"] else 0.0


def tell(path: str, map_path: str, percentage: float) -> None:
    """Through HAProxy's runtime API; it refuses a map or a key that its configuration does not have."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(path)
        connection.sendall(f"set map {map_path} canary {math.ceil(percentage / 100 * POINTS)}\n".encode())
        if said := connection.recv(4_096).decode().strip():
            raise OSError(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", default="/run/haproxy/admin.sock", help="HAProxy's stats socket")
    parser.add_argument("--map", default="/etc/haproxy/share.map", help="the map that its configuration names")
    parser.add_argument("--seconds", type=float, default=1.0, help="between two looks")
    options = parser.parse_args()
    url, token = os.environ.get("SERINUS_URL", "http://127.0.0.1:8000"), os.environ.get("SERINUS_TOKEN")
    if not token:
        parser.error("set SERINUS_TOKEN to a viewer's token: serinus token create haproxy --role viewer")
    heard, percentage, told = time.monotonic(), 0.0, None
    while True:
        try:
            percentage, heard = decided(url.rstrip("/"), token), time.monotonic()
        except (OSError, ValueError, KeyError) as error:
            print(f"serinus does not say: {error}", file=sys.stderr, flush=True)
            if time.monotonic() - heard > STALE_SECONDS:
                percentage = 0.0
        try:
            tell(options.socket, options.map, percentage)
        except OSError as error:
            print(f"HAProxy does not take it: {error}", file=sys.stderr, flush=True)
        else:
            if percentage != told:
                print(f"{percentage:g} % to the canary", flush=True)
            told = percentage
        time.sleep(options.seconds)


if __name__ == "__main__":
    main()
