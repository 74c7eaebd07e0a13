"""Speaks to the admin API; a problem in an answer ends the command."""

import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from serinus.certificates import authorities, nobody
from serinus.cli.session import FAILED, NO_ANSWER, NOT_ALLOWED, UNUSABLE, Failure

PREFIX = "/admin/canary"
TIMEOUT_SECONDS = 15.0
UNSIGNED = (  # what to do about a 401 when no token was sent
    "give a token with --token or SERINUS_TOKEN; `serinus token create NAME --role admin` makes the first one"
)
EXIT_CODES = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 429: NOT_ALLOWED, 413: UNUSABLE, 422: UNUSABLE, 503: NO_ANSWER}


class Client:
    """`url` is the service's; every method raises `Failure`."""

    def __init__(self, url: str, token: str | None, language: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Accept-Language": language, **({"Authorization": f"Bearer {token}"} if token else {})}

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._ask("GET", path, params=_given(query))

    def text(self, path: str, **query: Any) -> str:
        """An answer that is no JSON object: a document."""
        return self._send("GET", path, params=_given(query)).text

    def post(self, path: str, body: Mapping[str, Any], *, revision: int | None = None) -> dict[str, Any]:
        """`revision` is the one that the change is meant for."""
        condition = {} if revision is None else {"If-Match": f'"{revision}"'}
        return self._ask("POST", path, json=_given(body), headers={**self._headers, **condition})

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def follow(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The data of server-sent events, until the connection ends."""
        patient = httpx2.Timeout(TIMEOUT_SECONDS, read=60.0)  # the service sends a sign of life every 15 s
        with (
            self._errors(),
            httpx2.stream(
                *("GET", self.url + PREFIX + path),
                params=_given(query),
                headers=self._headers,
                timeout=patient,
                verify=self._trusted(),
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise self._failure(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        response = self._send(method, path, **request)
        answer = _json(response) if response.content else {}
        if not isinstance(answer, dict):
            raise Failure(f"{self.url} is not a service with serinus inside; check --url or SERINUS_URL", NO_ANSWER)
        return answer

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        request = {"headers": self._headers, "timeout": TIMEOUT_SECONDS, "verify": self._trusted(), **request}
        with self._errors():
            response = httpx2.request(method, self.url + PREFIX + path, **request)
        if not response.is_success:
            raise self._failure(response)
        return response

    def _trusted(self) -> ssl.SSLContext:
        return authorities() if self.url.lower().startswith("https:") else nobody()

    def _errors(self) -> "_Errors":
        return _Errors(self.url)

    def _failure(self, response: httpx2.Response) -> Failure:
        problem = _json(response)
        if not isinstance(problem, dict) or "title" not in problem:
            return Failure(
                f"{response.url} answered {response.status_code}; is a service with serinus there?", NO_ANSWER
            )
        without_token = response.status_code == 401 and "Authorization" not in self._headers
        detail = UNSIGNED if without_token else _detail(problem.get("detail"))
        return Failure(f"{problem['title']}: {detail}", EXIT_CODES.get(response.status_code, FAILED))


class _Errors:
    """Turns errors of the transport into what to do about them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, httpx2.TimeoutException):
            raise Failure(f"{self._url} did not answer in time; is it overloaded?", NO_ANSWER) from error
        if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            raise Failure(f"{self._url!r} is no address such as http://127.0.0.1:8000", UNUSABLE) from error
        if isinstance(error, httpx2.HTTPError):
            raise Failure(
                f"nobody answers at {self._url}: start `serinus serve`, or name the service with --url or SERINUS_URL",
                NO_ANSWER,
            ) from error


def _detail(detail: Any) -> str:
    if not isinstance(detail, list):
        return str(detail)
    return "".join(f"\n  {_place(problem)}: {problem['msg']}" for problem in detail)


def _place(problem: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"] if part not in {"body", "query"}) or "body"
    return f"line {problem['line']}, {where}" if "line" in problem else where


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
