"""A model server on a real socket: a tiny real model behind the wire forms of TEI and of OpenAI, Jina and vLLM.

`Faults` makes it misbehave: refuse, answer nothing until it is let go, leave rows out, talk nonsense.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "tiny-m3"
MAX_BATCH = 32
"""TEI's own default."""


@dataclass
class Faults:
    """What goes wrong, and what was asked. `statuses` are used up, one a request; `held` stops every answer until it is set."""

    statuses: list[int] = field(default_factory=list)
    held: threading.Event | None = None
    drop_last: bool = False
    change: Callable[[Any], Any] | None = None
    """Given the answer; returns what is sent instead."""
    requests: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """(path, body, Authorization header)."""


@dataclass(frozen=True)
class ModelServerAddress:
    url: str
    faults: Faults


@contextmanager
def serve_models(
    embed: Callable[[Sequence[str]], Any],
    score: Callable[[str, Sequence[str]], list[float]],
    chat: Callable[[dict[str, Any]], str] = lambda body: "",
) -> Iterator[ModelServerAddress]:
    """Serve on a free port of the loopback interface until the block ends."""
    faults = Faults()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            faults.requests.append((self.path, body, self.headers.get("Authorization", "")))
            if faults.held is not None:
                faults.held.wait(60)
            if faults.statuses:
                self._send(faults.statuses.pop(0), {"error": "out of order"})
                return
            if self.path == "/v1/chat/completions":
                self._send(200, _events(chat(body)))
                return
            status, answer = _answer(self.path, body, embed, score, faults.drop_last)
            self._send(status, faults.change(answer) if faults.change and status == 200 else answer)

        def _send(self, status: int, answer: Any) -> None:
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # who asked has gone away

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield ModelServerAddress(f"http://127.0.0.1:{server.server_address[1]}", faults)
    finally:
        if faults.held is not None:
            faults.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _events(text: str) -> bytes:
    """Return an answer as the stream of OpenAI's protocol, in pieces of ten characters."""
    pieces = [{"delta": {"content": text[at : at + 10]}, "index": 0} for at in range(0, len(text), 10)]
    choices = [*pieces, {"delta": {}, "index": 0, "finish_reason": "stop"}]
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    lines = [f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n" for choice in choices]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def _answer(path: str, body: dict[str, Any], embed: Any, score: Any, drop_last: bool) -> tuple[int, Any]:
    texts = body.get("inputs") or body.get("input") or body.get("texts") or body.get("documents") or []
    if len(texts) > MAX_BATCH:
        return 413, {"error": f"batch size {len(texts)} > maximum allowed batch size {MAX_BATCH}", "error_type": "Validation"}
    if not texts or not all(texts):
        return 422, {"error": "`inputs` cannot be empty", "error_type": "Empty"}
    if path in ("/v1/embeddings", "/rerank", "/v1/rerank") and body.get("model", MODEL) != MODEL:
        return 404, {"error": {"message": f"The model `{body['model']}` does not exist.", "code": 404}}
    kept = texts[:-1] if drop_last else texts
    if path == "/embed":
        return 200, embed(kept)
    if path == "/v1/embeddings":
        rows = [{"object": "embedding", "index": n, "embedding": row} for n, row in enumerate(embed(kept))]
        return 200, {"object": "list", "model": MODEL, "data": rows[::-1]}
    if path == "/rerank" and "texts" in body:
        rows = [{"index": n, "score": value} for n, value in enumerate(score(body["query"], kept))]
        return 200, sorted(rows, key=lambda row: -row["score"])
    if path in ("/rerank", "/v1/rerank"):
        judged = enumerate(score(body["query"], kept))
        rows = [{"index": n, "relevance_score": v, "document": {"text": kept[n]}} for n, v in judged]
        return 200, {"model": MODEL, "results": sorted(rows, key=lambda row: -row["relevance_score"])}
    return 404, {"error": f"no {path}"}
