"""A real HTTP server with an OpenAI-compatible API that answers as it is told, on a thread of its own."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


def stream(*pieces: str, done: bool = True) -> bytes:
    """The events of a streamed chat completion; without `done` it breaks off."""
    chunks = [
        {"choices": [{"delta": {"role": "assistant"}}]},
        *({"choices": [{"delta": {"content": each}}]} for each in pieces),
    ]
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


class ModelServer:
    """`answers` are given in turn, the last one for ever: (status, content type, body), or None to hang."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, bytes] | None] = []
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.let_go = threading.Event()
        self.url = ""

    def streams(self, *pieces: str, done: bool = True) -> None:
        self.answers = [(200, "text/event-stream", stream(*pieces, done=done))]


@contextmanager
def serving() -> Iterator[ModelServer]:
    model = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        server_model: ClassVar[ModelServer] = model

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.requests.append({"path": self.path, **body})
            model.keys.append(self.headers.get("Authorization", ""))
            answer = model.answers.pop(0) if len(model.answers) > 1 else model.answers[0]
            if answer is None:
                model.let_go.wait(10)
                return
            status, content_type, content = answer
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield model
    finally:
        model.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
