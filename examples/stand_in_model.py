"""A stand-in for a language model: an OpenAI-compatible API that streams what it was told, in its own words.

`uvicorn stand_in_model:app --port 11434` in this folder; mentor's MENTOR_LLM_BASE_URL is then http://127.0.0.1:11434/v1.
"""

import json
from collections.abc import Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


async def complete(request: Request) -> Response:
    asked = await request.json()
    said = [message["content"] for message in asked["messages"] if message["role"] == "user"]
    answer = f"You have said {len(said)} thing{'s' if len(said) > 1 else ''}, the last of them: {said[-1]}"
    return StreamingResponse(_streamed(answer), media_type="text/event-stream")


def _streamed(answer: str) -> Iterator[str]:
    for word in answer.split():
        yield f"data: {json.dumps({'choices': [{'delta': {'content': word + ' '}}]})}\n\n"
    yield "data: [DONE]\n\n"


app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
