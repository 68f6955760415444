"""A chat model behind any server that speaks OpenAI's protocol, vLLM above all."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import ModelUnavailable
from llmflow.ports import ChatRequest


class OpenAIChatSettings(Settings):
    base_url: str
    """Such as http://vllm:8000/v1."""
    model: str
    timeout_s: float = Field(default=60.0, gt=0)
    retries: int = Field(default=2, ge=0)


class OpenAIChat:
    """ChatModel over HTTP. The key comes from credentials and never shows."""

    def __init__(self, settings: OpenAIChatSettings, api_key: str = ""):
        self.settings = settings
        self.name = settings.model
        self._key = api_key
        self._client: Any = None

    def stream(self, request: ChatRequest) -> Iterator[str]:
        from openai import OpenAIError

        messages: list[Any] = [{"role": "system", "content": request.system}]
        messages += [{"role": turn.role, "content": turn.content} for turn in request.turns]
        extra: dict[str, Any] = {}
        if request.json_schema is not None:
            schema = {"name": "answer", "schema": dict(request.json_schema), "strict": True}
            extra["response_format"] = {"type": "json_schema", "json_schema": schema}
        try:
            events = self._open().chat.completions.create(
                model=self.settings.model,
                messages=messages,
                max_tokens=request.max_tokens,
                temperature=request.temperature,
                stream=True,
                **extra,
            )
            for event in events:
                piece = event.choices[0].delta.content if event.choices else None
                if piece:
                    yield piece
        except OpenAIError as exc:
            raise ModelUnavailable(
                f"The chat model {self.settings.model} at {self.settings.base_url} did not answer: {type(exc).__name__}. "
                "Check that the server runs and serves that name, or remove chat_model from the environment's catalog."
            ) from exc

    def _open(self) -> Any:
        if self._client is None:
            from openai import OpenAI

            self._client = OpenAI(
                base_url=self.settings.base_url,
                api_key=self._key or "none",
                timeout=self.settings.timeout_s,
                max_retries=self.settings.retries,
            )
        return self._client
