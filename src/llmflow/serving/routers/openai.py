"""OpenAI-compatible chat: any client of OpenAI's API asks our documents. POST /v1/chat/completions, GET /v1/models.

Stateless: the conversation is what the request holds. `system` and `developer` messages tell a language model of the form of the
answer, below our own rules; those named `example_user` and `example_assistant` are few-shot examples. Quotations know neither.
Our own wishes stand in the field `llmflow`. The answer carries [n] in its text and `citations` beside it (in the
last chunk of a stream).
"""

import json
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException

from llmflow.accounts.permissions import Permission
from llmflow.context import current_language
from llmflow.errors import LlmflowError
from llmflow.serving.conversations.conversing import Conversations
from llmflow.serving.people.auth import Guard
from llmflow.serving.web.answer_events import EventStream, event_schema
from llmflow.serving.web.answer_feed import AnswerFeed
from llmflow.serving.web.api_models import CitationOut
from llmflow.serving.web.http_errors import describe, in_words, log, shaped
from llmflow.serving.web.openai_models import (
    AssistantOut,
    ChoiceOut,
    CompletionIn,
    CompletionOut,
    ModelOut,
    ModelsOut,
    OpenAIErrorOut,
    UsageOut,
)
from llmflow.types import Account, Answer, AskOptions, ChatTurn, Space
from llmflow.wording import said

MODEL = "llmflow"
"""The one model that clients see: retrieval, whatever language model is promoted, and citations."""
EXAMPLE_NAMES = ("example_user", "example_assistant")
"""Names of system messages that hold few-shot examples, as OpenAI's own guides write them."""
_PATH = "/v1/chat/completions"


class OpenAIProblem(StarletteHTTPException):
    """A refusal in the shape that OpenAI's clients read."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(status)
        self.body = shaped(_PATH, status, in_words({"error": message}, current_language()), param, code)


def _fails(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": OpenAIErrorOut, "description": HTTPStatus(status).phrase} for status in statuses}


def make_router(conversations: Conversations, guard: Guard, threads: ThreadPoolExecutor) -> APIRouter:
    """Return the routes under /v1."""
    router = APIRouter(prefix="/v1", tags=["openai"], responses=_fails(401, 403))
    asking = Depends(guard.require(Permission.CHAT))
    model = ModelOut(id=MODEL, created=int(time.time()), owned_by="llmflow")

    @router.get("/models")
    def models(account: Annotated[Account, asking]) -> ModelsOut:
        """List what may be named as `model`."""
        return ModelsOut(data=[model])

    @router.get("/models/{name}", responses=_fails(404))
    def one_model(name: str, account: Annotated[Account, asking]) -> ModelOut:
        _known(name)
        return model

    @router.post(
        "/chat/completions",
        response_model=CompletionOut,
        responses={200: {"content": event_schema()}, **_fails(400, 404, 429, 503)},
    )
    async def completions(body: CompletionIn, account: Annotated[Account, asking]) -> Any:
        """Answer the last user message from the documents that the account may read; streamed where `stream` is true."""
        _known(body.model)
        _possible(body)
        question, history = conversation_of(body)
        wished = options_of(body), body.llmflow.template.use() if body.llmflow and body.llmflow.template else None
        run = await run_in_threadpool(conversations.once, account, question, history, None, "openai", *wished)
        feed = AnswerFeed(run, threads)
        head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": MODEL}
        if body.stream:
            options = body.stream_options
            return EventStream(_chunks(feed, head, bool(options and options.include_usage)), feed)
        try:
            answer = await feed.complete()
        finally:
            feed.stop()
        choices = [ChoiceOut(message=AssistantOut(content=answer.text))]
        return CompletionOut(**head, choices=choices, usage=usage_of(answer), **_sources(answer))

    return router


def conversation_of(body: CompletionIn) -> tuple[str, tuple[ChatTurn, ...]]:
    """Return the question and the turns before it, without instructions.

    Raises `OpenAIProblem` where the last message that counts is not the user's.
    """
    spoken = [m for m in body.messages if m.role in ("user", "assistant") and m.text().strip()]
    if any(m.role in ("tool", "function") for m in body.messages):
        raise OpenAIProblem(400, said("completion.tools"), "messages")
    if not spoken or spoken[-1].role != "user":
        raise OpenAIProblem(400, said("completion.last"), "messages")
    return spoken[-1].text(), tuple(ChatTurn(m.role, m.text()) for m in spoken[:-1])


def options_of(body: CompletionIn) -> AskOptions:
    """Return what a request's instructions wish of the form of its answer.

    Raises `OpenAIProblem` where an example has no answer, or an answer no question.
    """
    told = [m for m in body.messages if m.role in ("system", "developer") and m.text().strip()]
    shown = [m for m in told if m.name in EXAMPLE_NAMES]
    questions, answers = shown[0::2], shown[1::2]
    if len(questions) != len(answers) or any(m.name != EXAMPLE_NAMES[n % 2] for n, m in enumerate(shown)):
        raise OpenAIProblem(400, said("completion.pairs"), "messages")
    examples = tuple((one.text(), other.text()) for one, other in zip(questions, answers, strict=True))
    instructions = "\n\n".join(m.text().strip() for m in told if m.name not in EXAMPLE_NAMES)
    if body.llmflow is None:
        return AskOptions(instructions=instructions, examples=examples)
    return AskOptions(Space(body.llmflow.space), instructions, examples, documents=tuple(body.llmflow.documents))


def usage_of(answer: Answer) -> UsageOut:
    """Return the tokens as the model server counted them; zeros where no model was asked."""
    prompt, completion = answer.prompt_tokens, answer.completion_tokens
    return UsageOut(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _known(name: str) -> None:
    if name != MODEL:
        shown = name[:100]
        raise OpenAIProblem(404, said("completion.model", name=shown, known=MODEL), "model", "model_not_found")


def _possible(body: CompletionIn) -> None:
    form = (body.response_format or {}).get("type", "text")
    unsupported = {
        "n": body.n not in (None, 1),
        "tools": bool(body.tools),
        "functions": bool(body.functions),
        "logprobs": bool(body.logprobs),
        "top_logprobs": bool(body.top_logprobs),
        "response_format": form != "text",
        "modalities": bool(body.modalities) and body.modalities != ["text"],
        "audio": body.audio is not None,
    }
    for name, wanted in unsupported.items():
        if wanted:
            raise OpenAIProblem(400, said("completion.unsupported", name=name), name, "unsupported_value")


def _sources(answer: Answer) -> dict[str, Any]:
    return {
        "citations": [CitationOut.of(citation) for citation in answer.citations],
        "found": answer.found,
        "notice": answer.notice,
        "answered_by": answer.model,
        "space": Space(answer.space).value,
        "documents": list(answer.documents),
    }


async def _chunks(feed: AnswerFeed[Answer], head: dict[str, Any], with_usage: bool) -> AsyncIterator[str]:
    """Yield chunks as OpenAI sends them: the role, pieces, the end with our citations beside it, usage where asked, [DONE]."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        body = {**head, "object": "chat.completion.chunk", "choices": [choice], **({"usage": None} if with_usage else {}), **more}
        return _data(body)

    try:
        yield chunk({"role": "assistant", "content": ""})
        async for item in feed.items():
            if item is None:
                yield ": still here\n\n"
            elif isinstance(item, str):
                yield chunk({"content": item})
            else:
                sources = {**_sources(item), "citations": [CitationOut.of(one).model_dump(mode="json") for one in item.citations]}
                yield chunk({}, "stop", **sources)
                if with_usage:
                    yield _data({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage_of(item).model_dump()})
        yield "data: [DONE]\n\n"
    except Exception as exc:
        if not isinstance(exc, LlmflowError):
            log.error("Unexpected failure while streaming an answer", exc_info=exc)
        status, body = describe(exc, current_language())
        yield _data(shaped(_PATH, status, body))


def _data(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
