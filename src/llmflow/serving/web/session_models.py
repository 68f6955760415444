"""Bodies of the routes about sessions and messages."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from llmflow.ports import ChatSession, Message, MessageStatus
from llmflow.serving.conversations.conversing import MAX_REMARK, MAX_TITLE
from llmflow.serving.web.api_models import CitationOut, PassageOut
from llmflow.serving.web.option_models import DocumentIds, OptionsIn, SpaceName, check_question, question_or_template


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SessionIn(_Body):
    title: Annotated[str, StringConstraints(max_length=MAX_TITLE)] = Field(
        "", description="Empty: the first question becomes the title."
    )


class RenameIn(_Body):
    title: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE)]


class MessageIn(OptionsIn):
    model_config = question_or_template("content")

    content: str = Field("", description="The question. It may be left out where a template's text is the question.")
    language: Literal["ko", "en"] | None = Field(None, description="Language of the answer; that of the question when empty.")

    @model_validator(mode="after")
    def _asked(self) -> Self:
        check_question(self, "content")
        return self


class AgainIn(_Body):
    content: str | None = Field(None, description="The question in new words; the same question when empty.")
    language: Literal["ko", "en"] | None = None
    space: SpaceName | None = Field(None, description="That of the question when empty. Its instructions and examples stay.")
    documents: DocumentIds | None = Field(None, description="Those of the question when null; an empty list is all of them.")


class FeedbackIn(_Body):
    rating: Literal["up", "down", ""] = Field(description="Empty takes the judgement back.")
    reason: Annotated[str, StringConstraints(max_length=MAX_REMARK)] = ""
    correction: Annotated[str, StringConstraints(max_length=MAX_REMARK)] = Field("", description="What it should have said.")


class SessionOut(BaseModel):
    """A conversation."""

    id: str
    title: str
    created_at: str
    updated_at: str
    messages: int
    forgotten: int = Field(description="Ordinal of the last message that the model is not told of any more; -1 without one.")

    @classmethod
    def of(cls, session: ChatSession) -> "SessionOut":
        return cls(**{name: getattr(session, name) for name in cls.model_fields})


class MessageOut(BaseModel):
    """One turn as it is kept."""

    id: str
    session_id: str
    ordinal: int
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    created_at: str
    citations: list[CitationOut]
    details: dict[str, Any] = Field(
        description="Of an answer: found, model, confidence, settings_id, notice, asked, cached, suspicious, doubted, trace_id, "
        "ttft_ms, total_ms, space, documents, examples (shown to the model), or the error. Of a question: the space, documents, "
        "template, instructions and examples that it was asked with, where they are not as always."
    )
    rating: str
    reason: str
    correction: str

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        plain = {name: getattr(message, name) for name in cls.model_fields if name not in ("citations", "details")}
        return cls(**plain, citations=[CitationOut.of(one) for one in message.citations], details=dict(message.details))


class ContextOut(PassageOut):
    """A passage that an answer was made from."""

    cited_as: int | None = Field(description="The n of [n] in the answer; null where it is not cited.")


class AnswerMessageOut(BaseModel):
    """A kept question with its kept answer and the passages that it was made from."""

    question: MessageOut
    message: MessageOut
    context: list[ContextOut]


class SessionsOut(BaseModel):
    items: list[SessionOut]
    total: int


class MessagesOut(BaseModel):
    items: list[MessageOut]
    total: int
