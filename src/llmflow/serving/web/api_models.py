"""Bodies of the HTTP API: what may be sent, and what of our values leaves the house."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from llmflow.serving.web.option_models import DocumentIds, OptionsIn, SpaceName, check_question, question_or_template
from llmflow.types import Answer, ChatTurn, Citation, Hit, Space


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TurnIn(_Body):
    role: Literal["user", "assistant"]
    content: Annotated[str, StringConstraints(max_length=20_000)]


class AskIn(OptionsIn):
    model_config = question_or_template("question")

    question: str = Field("", description="It may be left out where a template's text is the question.")
    language: Literal["ko", "en"] | None = None
    history: list[TurnIn] = Field(default_factory=list, description="Turns before the question, oldest first.")

    @model_validator(mode="after")
    def _asked(self) -> Self:
        check_question(self, "question")
        return self

    def turns(self) -> tuple[ChatTurn, ...]:
        return tuple(ChatTurn(turn.role, turn.content) for turn in self.history)


class SearchIn(_Body):
    question: str
    limit: int = Field(10, ge=1, le=50)
    space: SpaceName = "all"
    documents: DocumentIds = []


class CitationOut(BaseModel):
    number: int
    chunk_id: str
    document_id: str
    title: str
    source: str
    page: int | None
    heading: str
    quote: str

    @classmethod
    def of(cls, citation: Citation) -> "CitationOut":
        return cls(**{name: getattr(citation, name) for name in cls.model_fields})


class AnswerOut(BaseModel):
    text: str
    found: bool
    citations: list[CitationOut]
    model: str
    confidence: float
    settings_id: str
    notice: str
    space: SpaceName
    documents: list[str] = Field(description="The only documents that were looked through; empty for all.")
    examples: int = Field(description="Few-shot examples that the model was shown; 0 for quotations.")

    @classmethod
    def of(cls, answer: Answer) -> "AnswerOut":
        return cls(
            text=answer.text,
            found=answer.found,
            citations=[CitationOut.of(citation) for citation in answer.citations],
            model=answer.model,
            confidence=answer.confidence,
            settings_id=answer.settings_id,
            notice=answer.notice,
            space=Space(answer.space).value,
            documents=list(answer.documents),
            examples=answer.examples,
        )


class PassageOut(BaseModel):
    """A passage as a reader may see it; what the store knows beyond that (groups, personal data counts) stays inside."""

    chunk_id: str
    document_id: str
    title: str
    source: str
    page: int | None
    heading_path: list[str]
    kind: str
    language: str
    text: str
    score: float

    @classmethod
    def of(cls, hit: Hit) -> "PassageOut":
        return cls(
            chunk_id=hit.chunk.id,
            document_id=hit.document.id,
            title=hit.document.title,
            source=hit.document.source,
            page=hit.chunk.page,
            heading_path=list(hit.chunk.heading_path),
            kind=hit.chunk.kind,
            language=hit.chunk.language,
            text=hit.chunk.text,
            score=hit.score,
        )


class SearchOut(BaseModel):
    hits: list[PassageOut]
