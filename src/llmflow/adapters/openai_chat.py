"""A chat model behind any server that speaks OpenAI's protocol, vLLM above all."""

from collections.abc import Generator
from typing import Any

from pydantic import Field

from llmflow.config import Settings
from llmflow.errors import ModelInterrupted, ModelUnavailable, PromptTooLong
from llmflow.ports import ChatRequest
from llmflow.wording import said


class UnknownModel(ModelUnavailable):
    """The server answers, but serves no model of that name."""


class OpenAIChatSettings(Settings):
    base_url: str
    """Such as http://vllm:8000/v1."""
    model: str
    timeout_s: float = Field(default=60.0, gt=0)
    connect_s: float = Field(default=3.0, gt=0)
    retries: int = Field(default=2, ge=0)


class OpenAIChat:
    """ChatModel over HTTP. The key comes from credentials and never shows."""

    def __init__(self, settings: OpenAIChatSettings, api_key: str = ""):
        self.settings = settings
        self.name = settings.model
        self._key = api_key
        self._client: Any = None
        self._uncounted = False
        """The server said that it has no count of tokens to give."""

    def stream(self, request: ChatRequest) -> Generator[str, None, tuple[int, int]]:
        """Yield pieces. Before the first one it raises ModelUnavailable, or `UnknownModel` or `PromptTooLong` where the server
        refuses the name or the prompt; after it `ModelInterrupted`."""
        import httpx2
        from openai import BadRequestError, NotFoundError, OpenAIError, Stream

        messages: list[Any] = [{"role": "system", "content": request.system}] if request.system else []
        messages += [{"role": turn.role, "content": turn.content} for turn in request.turns]
        extra: dict[str, Any] = {}
        if request.json_schema is not None:
            schema = {"name": "answer", "schema": dict(request.json_schema), "strict": True}
            extra["response_format"] = {"type": "json_schema", "json_schema": schema}
        begun = finished = False
        used = (0, 0)
        try:
            # The client's own way without its models: they cost more for each token than everything else about it.
            body = {"model": self.settings.model, "messages": messages, "max_tokens": request.max_tokens, **extra}
            body |= {"temperature": request.temperature, "stream": True, "stream_options": {"include_usage": True}}
            way = {"cast_to": object, "stream": True, "stream_cls": Stream[object]}
            for event in self._open().post("/chat/completions", body=body, **way):
                if usage := event.get("usage"):
                    used = usage["prompt_tokens"], usage["completion_tokens"]
                for choice in (event.get("choices") or ())[:1]:
                    if piece := (choice.get("delta") or {}).get("content"):
                        begun = True
                        yield piece
                    finished = finished or choice.get("finish_reason") is not None
        except NotFoundError as exc:
            raise UnknownModel(said("model.unknown", address=self.settings.base_url, model=self.settings.model)) from exc
        except BadRequestError as exc:
            if "maximum context length" in str(exc):
                raise PromptTooLong(said("model.prompt_too_long", tokens=request.max_tokens, model=self.settings.model)) from exc
            raise self._failure(begun, said("model.refused", reason=exc)) from exc
        except (OpenAIError, httpx2.HTTPError) as exc:
            raise self._failure(begun, type(exc).__name__) from exc
        if not finished:  # a server that is stopped in order closes the stream without saying that the answer ended
            raise self._failure(begun, said("model.ended_early"))
        return used

    def count_tokens(self, text: str) -> int | None:
        """Return the server's own count where it has vLLM's /tokenize; None where it has not, or does not answer now."""
        import httpx2

        if self._uncounted:
            return None
        url = f"{self.settings.base_url.rstrip('/').removesuffix('/v1')}/tokenize"
        body = {"model": self.settings.model, "prompt": text, "add_special_tokens": False}
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            reply = httpx2.post(url, json=body, headers=headers, timeout=self.settings.connect_s)
            self._uncounted = reply.status_code in (404, 405)
            count = reply.json().get("count") if reply.status_code == 200 else None
        except (httpx2.HTTPError, ValueError, AttributeError):
            return None
        return count if isinstance(count, int) else None

    def close(self) -> None:
        """Close connections; safe twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _failure(self, begun: bool, why: str) -> ModelUnavailable:
        model, address = self.settings.model, self.settings.base_url
        if begun:
            return ModelInterrupted(said("model.interrupted", model=model, address=address, reason=why))
        return ModelUnavailable(said("model.away", model=model, address=address, reason=why))

    def _open(self) -> Any:
        if self._client is None:
            from openai import OpenAI, Timeout

            self._client = OpenAI(
                base_url=self.settings.base_url,
                api_key=self._key or "none",
                timeout=Timeout(self.settings.timeout_s, connect=self.settings.connect_s),
                max_retries=self.settings.retries,
            )
        return self._client
