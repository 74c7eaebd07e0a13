"""Words from a language model behind an OpenAI-compatible API (`POST {base_url}/chat/completions`), as they come."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from mentor.canary.instructions import messages
from mentor.canary.prompt import Prompt

_CONNECT_S: Final = 2.0
_MOST_TOKENS: Final = 500
_MOST_CHARACTERS: Final = 8_000
_DATA: Final = "data:"
_DONE: Final = "[DONE]"


class ModelUnavailable(Exception):
    """The model gave no whole answer; the text says why, without anything that was sent."""


@dataclass(frozen=True, slots=True)
class Model:
    """Where a language model answers, and by which name. `timeout_s` bounds a whole answer."""

    base_url: str
    name: str
    api_key: str = field(repr=False)
    timeout_s: float


class LanguageModel:
    """Asks for a stream, and understands servers that answer in one piece all the same."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._client = httpx2.AsyncClient(timeout=httpx2.Timeout(model.timeout_s, connect=_CONNECT_S))

    @property
    def name(self) -> str:
        return self._model.name

    async def words(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Raises ModelUnavailable, at the first word or at any later one."""
        said = 0
        try:
            async with self._asked(prompt) as response:
                _check(response)
                async for piece in _pieces(response):
                    said += len(piece)
                    yield piece
                    if said >= _MOST_CHARACTERS:
                        return
        except httpx2.HTTPError as error:
            raise ModelUnavailable(type(error).__name__) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelUnavailable("the answer is not that of a chat completion") from error
        if not said:
            raise ModelUnavailable("the answer is empty")

    async def close(self) -> None:
        await self._client.aclose()

    def _asked(self, prompt: Prompt) -> Any:
        key = self._model.api_key
        body = {
            "model": self._model.name,
            "messages": messages(prompt),
            "max_tokens": _MOST_TOKENS,
            "stream": True,
        }
        return self._client.stream(
            "POST",
            f"{self._model.base_url.rstrip('/')}/chat/completions",
            json=body,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )


def _check(response: httpx2.Response) -> None:
    if response.status_code != 200:
        raise ModelUnavailable(f"it answered {response.status_code}")


async def _pieces(response: httpx2.Response) -> AsyncIterator[str]:
    if "text/event-stream" not in response.headers.get("content-type", ""):
        await response.aread()
        yield response.json()["choices"][0]["message"]["content"]
        return
    async for line in response.aiter_lines():
        payload = line.removeprefix(_DATA).strip()
        if not line.startswith(_DATA) or not payload:
            continue
        if payload == _DONE:
            return
        for choice in json.loads(payload)["choices"]:
            if piece := choice["delta"].get("content"):
                yield piece
    raise ModelUnavailable("the stream broke off")
