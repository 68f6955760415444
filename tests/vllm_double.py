"""A small real HTTP server that speaks as much of vLLM's protocol as llmflow asks for, and fails where a test wants it to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class VllmDouble:
    """Serves base and adapters; answers are `{model}: w0 w1 ...`. Every request is written down."""

    def __init__(self, base: str = "chat", key: str = "", context: int = 100_000, port: int = 0):
        self.base = base
        self.key = key
        self.context = context
        self.adapters: dict[str, str] = {}
        self.asked: list[str] = []
        self.acts: list[tuple[str, str]] = []
        self.heard: list[list[dict[str, str]]] = []
        """Messages of every question that was answered."""
        self.words = tuple(f" w{n}" for n in range(5))
        """What an answer says after its model's name."""
        self.refuse_load = ""
        """Reason to refuse adapters with."""
        self.refuse_probe = False
        self.cut_after = -1
        """Words after which the connection is cut; -1 never."""
        self.ends_early = False
        """Cut in order: the stream is closed as if it were whole, but no answer's end was announced."""
        self.gate: threading.Event | None = None
        """While unset, answers wait after their first word."""
        self.begun = threading.Event()
        self._running: dict[str, int] = {}
        self._lock = threading.Lock()
        double = self

        class Handler(_Handler):
            server_double = double

        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def names(self) -> list[str]:
        return [self.base, *self.adapters]

    def count(self, name: str, step: int) -> None:
        with self._lock:
            self._running[name] = self._running.get(name, 0) + step

    def running(self) -> list[str]:
        with self._lock:
            return [name for name, count in self._running.items() if count and name in self.adapters]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Stay silent: clients hang up when they have read what they wanted."""


class _Handler(BaseHTTPRequestHandler):
    server_double: VllmDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        double = self.server_double
        if self.path == "/health":
            self._send(200, b"")
        elif self.path == "/metrics":
            names = ",".join(double.running())
            line = f'vllm:lora_requests_info{{max_lora="4",running_lora_adapters="{names}",waiting_lora_adapters=""}} 2e+09\n'
            self._send(200, line.encode())
        elif self._allowed():
            rows = [{"id": name, "root": root, "parent": double.base} for name, root in double.adapters.items()]
            self._json(200, {"data": [*rows, {"id": double.base, "parent": None}]})

    def do_POST(self):
        double = self.server_double
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._allowed():
            return
        if self.path == "/v1/load_lora_adapter":
            double.acts.append(("load", body["lora_name"]))
            if double.refuse_load:
                self._json(400, {"error": {"message": double.refuse_load}})
                return
            assert (Path(body["lora_path"]) / "adapter_config.json").is_file()
            double.adapters[body["lora_name"]] = body["lora_path"]
            self._send(200, b"Success")
        elif self.path == "/v1/unload_lora_adapter":
            double.acts.append(("unload", body["lora_name"]))
            found = double.adapters.pop(body["lora_name"], None)
            self._send(200 if found else 404, b"{}")
        else:
            self._chat(body)

    def _chat(self, body):
        double, name = self.server_double, body["model"]
        double.asked.append(name)
        if name not in double.names():
            self._json(404, {"error": {"message": f"The model `{name}` does not exist."}})
            return
        if sum(len(turn["content"]) for turn in body["messages"]) > double.context:
            self._json(400, {"error": {"message": "This model's maximum context length is small."}})
            return
        if not body.get("stream"):
            if double.refuse_probe:
                self._json(500, {"error": {"message": "out of memory"}})
                return
            self._json(200, {"choices": [{"message": {"role": "assistant", "content": "pong"}, "finish_reason": "stop"}]})
            return
        double.heard.append(body["messages"])
        double.count(name, 1)
        try:
            self._stream(name)
        finally:
            double.count(name, -1)

    def _stream(self, name):
        double = self.server_double
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, word in enumerate([f"{name}:", *double.words]):
            if number == double.cut_after:
                if double.ends_early:
                    self._chunk(b"")
                    return
                self.close_connection = True
                self.connection.close()
                return
            self._event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
            double.begun.set()
            if double.gate is not None:
                double.gate.wait(120)
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, row):
        whole = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **row}
        self._chunk(f"data: {json.dumps(whole)}\n\n".encode())

    def _chunk(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _allowed(self) -> bool:
        key = self.server_double.key
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            self._json(401, {"error": "Unauthorized"})
            return False
        return True

    def _json(self, status, row):
        self._send(status, json.dumps(row).encode())

    def _send(self, status, data):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def vllm_doubles(count: int = 1, **options) -> Iterator[list[VllmDouble]]:
    """Yield running servers; they are closed whatever happens."""
    doubles = [VllmDouble(**options) for _ in range(count)]
    try:
        yield doubles
    finally:
        for double in doubles:
            double.close()


def main() -> None:
    """Stand in for vLLM's own command line: `--port`, `--served-model-name`; dies at once where DOUBLE_DIES says so."""
    import os
    import sys

    options = dict(zip(sys.argv, sys.argv[1:], strict=False))
    if os.environ.get("DOUBLE_DIES"):
        print("ValueError: the model is broken")
        sys.exit(3)
    double = VllmDouble(options["--served-model-name"], os.environ.get("VLLM_API_KEY", ""), port=int(options["--port"]))
    if os.environ.get("DOUBLE_CHILD"):
        import subprocess

        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(os.environ["DOUBLE_CHILD"]).write_text(str(child.pid))
    print("serving", double.address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
