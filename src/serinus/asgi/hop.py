"""What changes about a request from one hop to the next, and what must not travel (RFC 9110, section 7.6)."""

from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import quote

from serinus.asgi.protocol import Scope

Header: TypeAlias = tuple[bytes, bytes]

# For one connection only, as are those that `Connection` names. The server in front has answered `Expect` when it
# asked for the body.
_OF_ONE_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"),
    }
)


def end_to_end(headers: Iterable[Header], *without: bytes) -> list[Header]:
    """Those (in lower case) that go on, less those named in `without`."""
    headers = list(headers)
    named = {name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",")}
    stay = named | _OF_ONE_HOP | set(without)
    return [header for header in headers if header[0] not in stay]


def forwarded(scope: Scope) -> list[Header]:
    """Who asked for what: as whoever stands in front has told it, and this connection's address behind theirs."""
    sent = dict(scope["headers"])
    found: list[Header] = []
    if scope.get("client"):
        found.append((b"x-forwarded-for", scope["client"][0].encode()))
    if b"x-forwarded-proto" not in sent:
        found.append((b"x-forwarded-proto", scope["scheme"].encode()))
    if b"x-forwarded-host" not in sent and b"host" in sent:
        found.append((b"x-forwarded-host", sent[b"host"]))
    return found


def target(scope: Scope, prefix: bytes) -> bytes:
    """The path below `prefix`, as it was sent, and the query."""
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    return prefix + path + (b"?" + query if query else b"")
