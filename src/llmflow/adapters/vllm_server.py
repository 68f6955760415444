"""Administration of one vLLM server: adapters loaded and unloaded while it serves, one probe, what runs now.

Needs `--enable-lora` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True. Whoever may call these endpoints can make the server read any
folder that it sees, so they are called on the loopback or with a key, never openly.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import ModelUnavailable, SettingsError
from llmflow.ports import ServedAdapter

_ADAPTERS = re.compile(r'(?:running|waiting)_lora_adapters="([^"]*)"')


class VllmSettings(Settings):
    connect_s: float = Field(default=2.0, gt=0)
    answer_s: float = Field(default=30.0, gt=0)
    """For everything but loading and probing."""
    load_s: float = Field(default=300.0, gt=0)


class VllmServer:
    """ModelServer over HTTP. Raises SettingsError for an address that would be administered openly."""

    def __init__(self, address: str, api_key: str = "", settings: VllmSettings | None = None):
        self.address = address.rstrip("/").removesuffix("/v1")
        self._key = api_key
        self._settings = settings or VllmSettings()
        self._client: Any = None
        if not api_key and not is_loopback(self.address):
            raise SettingsError(
                f"{self.address} is no loopback address and no key is set: anybody there could load adapters. "
                "Start the server with VLLM_API_KEY and set LLMFLOW_CHAT_KEY to the same key."
            )

    def healthy(self) -> bool:
        try:
            return self._send("GET", "/health").status_code == 200
        except ModelUnavailable:
            return False

    def models(self) -> list[str]:
        found = self._json(self._send("GET", "/v1/models"))["data"]
        return [item["id"] for item in sorted(found, key=lambda item: bool(item.get("parent")))]

    def load(self, adapter: ServedAdapter) -> None:
        if adapter.name in self.models():
            return
        body = {"lora_name": adapter.name, "lora_path": adapter.path}
        answer = self._send("POST", "/v1/load_lora_adapter", body, self._settings.load_s)
        if answer.status_code != 200 and adapter.name not in self.models():
            raise ModelUnavailable(
                f"{self.address} did not load {adapter.name} from {adapter.path}: {_reason(answer)} "
                "See the server's log; it needs --enable-lora, VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and that folder."
            )

    def unload(self, name: str) -> None:
        if name not in self.models():
            return
        answer = self._send("POST", "/v1/unload_lora_adapter", {"lora_name": name}, self._settings.load_s)
        if answer.status_code not in (200, 404):
            raise ModelUnavailable(f"{self.address} did not unload {name}: {_reason(answer)}")

    def probe(self, name: str) -> str:
        body = {"model": name, "messages": [{"role": "user", "content": "ping"}], "max_tokens": 4, "temperature": 0}
        answer = self._send("POST", "/v1/chat/completions", body, self._settings.load_s)
        if answer.status_code != 200:
            raise ModelUnavailable(f"{name} at {self.address} did not answer the probe: {_reason(answer)}")
        return self._json(answer)["choices"][0]["message"]["content"] or ""

    def running(self) -> frozenset[str]:
        lines = [line for line in self._send("GET", "/metrics").text.splitlines() if line.startswith("vllm:lora_requests_info{")]
        if not lines:
            return frozenset()
        newest = max(lines, key=lambda line: float(line.rpartition(" ")[2]))  # its value is the time at which it held
        return frozenset(name for listed in _ADAPTERS.findall(newest) for name in listed.split(",") if name)

    def close(self) -> None:
        """Close connections; safe twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        import httpx

        if self._client is None:
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._client = httpx.Client(base_url=self.address, headers=headers, trust_env=False)
        timeout = httpx.Timeout(timeout_s or self._settings.answer_s, connect=self._settings.connect_s)
        try:
            answer = self._client.request(method, path, json=body, timeout=timeout)
        except httpx.HTTPError as exc:
            raise ModelUnavailable(
                f"The model server at {self.address} cannot be reached ({type(exc).__name__}). Start it: llmflow serve-llm"
            ) from exc
        if answer.status_code in (401, 403):
            raise ModelUnavailable(
                f"The model server at {self.address} refused the key. Set LLMFLOW_CHAT_KEY to the server's key."
            )
        return answer

    def _json(self, answer: Any) -> Any:
        try:
            answer.raise_for_status()
            return answer.json()
        except Exception as exc:
            raise ModelUnavailable(f"{self.address} answered {answer.status_code}: {_reason(answer)}") from exc


class VllmServers:
    """Connections by address, all with one key; `default` is the one that the credentials name."""

    def __init__(self, settings: VllmSettings | None = None, api_key: str = "", default: str = ""):
        self.settings = settings or VllmSettings()
        self.api_key = api_key
        self.default = default

    def connect(self, address: str) -> VllmServer:
        return VllmServer(address, self.api_key, self.settings)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach the address."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(answer: Any) -> str:
    try:
        body = answer.json()
        found = body.get("error", body)
        text = found.get("message", found) if isinstance(found, dict) else found
    except ValueError:
        text = answer.text
    return f"HTTP {answer.status_code}: {' '.join(str(text).split())[:300]}."
