"""What a request may wish of one answer, the same in every route: where it is looked for, its form, a prompt template."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from llmflow.answering.prompt_templates import MAX_TEXT, ExampleBody
from llmflow.serving.conversations.ask_options import (
    MAX_DOCUMENT_ID,
    MAX_DOCUMENTS,
    MAX_EXAMPLES,
    MAX_INSTRUCTIONS,
    TemplateUse,
)
from llmflow.types import AskOptions, Space
from llmflow.wording import said

SpaceName = Annotated[
    Literal["all", "own", "shared"],
    Field(
        description="Where it is looked for, inside what the account may read: everywhere, in the own files only, or in what "
        "others read too."
    ),
]


DocumentIds = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_DOCUMENT_ID)]],
    Field(
        max_length=MAX_DOCUMENTS,
        description="Ids of the only documents that are looked through, inside what the account may read and the space; empty "
        "for all. An id that is not there and one that may not be read find nothing alike.",
    ),
]


class TemplateIn(BaseModel):
    """A prompt template that a question is asked with."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    values: dict[str, Annotated[str, StringConstraints(max_length=MAX_TEXT)]] = Field(
        {}, description="A value for each variable, where the template's text is the question."
    )
    version: Annotated[int | None, Field(ge=1, le=1_000_000, description="An older version; the newest without it.")] = None

    def use(self) -> TemplateUse:
        return TemplateUse(self.id, self.values, self.version)


class OptionsIn(BaseModel):
    """Wishes for one answer. Instructions and examples reach a language model and have no effect on quotations."""

    model_config = ConfigDict(extra="forbid")

    space: SpaceName = "all"
    documents: DocumentIds = []
    instructions: Annotated[str, StringConstraints(max_length=MAX_INSTRUCTIONS)] = Field(
        "",
        description="Wishes for the form of the answer. They change neither what may be read nor that answers name sources.",
    )
    examples: Annotated[list[ExampleBody], Field(max_length=MAX_EXAMPLES)] = Field(
        [], description="Pairs that show a model the form of the answer, in order."
    )
    template: TemplateIn | None = Field(
        None,
        description="A prompt template: a model is shown its examples, and its filled-in text is the question if none is sent.",
    )

    def options(self) -> AskOptions:
        pairs = tuple((example.question, example.answer) for example in self.examples)
        return AskOptions(Space(self.space), self.instructions, pairs, documents=tuple(self.documents))

    def used_template(self) -> TemplateUse | None:
        return self.template.use() if self.template is not None else None


def question_or_template(name: str) -> ConfigDict:
    """Return the configuration of a body that needs the field `name` unless it names a template."""
    needed: dict[str, Any] = {"anyOf": [{"required": [name]}, {"required": ["template"]}]}
    return ConfigDict(extra="forbid", json_schema_extra=needed)


def check_question(body: OptionsIn, name: str) -> None:
    """Raise ValueError where neither a question nor a template was sent."""
    if name not in body.model_fields_set and body.template is None:
        raise ValueError(said("question.missing", name=name))


class ExtrasIn(BaseModel):
    """Our own field of a chat completion: `extra_body={"llmflow": {"space": "own"}}` in OpenAI's Python client."""

    model_config = ConfigDict(extra="forbid")

    space: SpaceName = "all"
    documents: DocumentIds = []
    template: TemplateIn | None = Field(
        None, description="Its examples are shown to the model; the question is the last message."
    )
