"""Prompt templates: questions with {{variables}}, few-shot examples, and the file that carries them between installations. Pure.

>>> render("{{부서}} 휴가는 며칠인가요?", {"부서": "인사팀"})
'인사팀 휴가는 며칠인가요?'
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from llmflow.errors import Refused
from llmflow.ports import PromptTemplate
from llmflow.wording import said

VARIABLE = re.compile(r"\{\{\s*([^\W\d]\w{0,39})\s*\}\}")
"""A letter or underscore of any script, then letters, digits, underscores."""
_BRACES = re.compile(r"\{\{|\}\}")
MAX_TEXT = 8000
MAX_VALUE = 4000
MAX_EXAMPLES = 20
MAX_TEMPLATES = 500
FORMAT = "llmflow-prompt-templates"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


class ExampleBody(BaseModel):
    """One few-shot pair."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class TemplateBody(BaseModel):
    """What a person writes of a template."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9가-힣]+(-[a-z0-9가-힣]+)*$", max_length=40)] = Field(
        description="What is typed after `/`: lower-case letters, digits, Hangul, single hyphens."
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)] = Field(
        description="The question, with {{variables}} to fill in."
    )
    examples: Annotated[list[ExampleBody], Field(max_length=MAX_EXAMPLES)] = []
    shared: bool = Field(False, description="Everyone of the tenant sees it; needs `templates.share`.")

    @field_validator("title", "text")
    @classmethod
    def _plain(cls, text: str) -> str:
        if _CONTROL.search(text):
            raise ValueError("contains control characters; line breaks and tabs are fine")
        return text

    @field_validator("text")
    @classmethod
    def _variables(cls, text: str) -> str:
        variables_of(text)
        return text


class TemplatesFile(BaseModel):
    """Templates as they are exported and imported."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["llmflow-prompt-templates"]
    version: Literal[1]
    templates: Annotated[list[TemplateBody], Field(max_length=MAX_TEMPLATES)]


def variables_of(text: str) -> tuple[str, ...]:
    """Return the variables of a template's text, each once, in the order in which they first stand.

    Raises ValueError for braces that hold no name.
    """
    if _BRACES.search(VARIABLE.sub("", text)):
        raise ValueError("has {{ or }} around what is no name. Write {{name}}: a letter, then letters, digits or underscores")
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def render(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in, once: braces inside a value stay what they are.

    Raises `Refused` where a variable has no value, a value no variable, or a value is too long.
    """
    wanted = variables_of(text)
    missing = [name for name in wanted if not values.get(name, "").strip()]
    unknown = sorted(set(values) - set(wanted))
    if missing or unknown:
        faults = [f"without a value: {', '.join(missing)}"] if missing else []
        faults += [f"not in the template: {', '.join(name[:40] for name in unknown)}"] if unknown else []
        raise Refused(said("template.values", faults="; ".join(faults), variables=", ".join(wanted) or "none"))
    for name, value in values.items():
        if len(value) > MAX_VALUE:
            raise Refused(said("template.value_long", name=name, count=len(value), most=MAX_VALUE))
    return VARIABLE.sub(lambda match: values[match.group(1)], text)


def template_of(body: TemplateBody, template_id: str, tenant: str, account_id: str) -> PromptTemplate:
    """Return the template that a body describes, as the store takes it."""
    examples = tuple((example.question, example.answer) for example in body.examples)
    variables = variables_of(body.text)
    return PromptTemplate(template_id, tenant, account_id, body.name, body.title, body.text, variables, examples, body.shared)


def exported(templates: Sequence[PromptTemplate]) -> TemplatesFile:
    """Return templates as the file that `imported` reads: no ids, no people."""
    bodies = [
        TemplateBody(
            name=template.name,
            title=template.title,
            text=template.text,
            examples=[ExampleBody(question=question, answer=answer) for question, answer in template.examples],
            shared=template.shared,
        )
        for template in templates
    ]
    return TemplatesFile(format=FORMAT, version=1, templates=bodies)


def imported(file: TemplatesFile) -> list[TemplateBody]:
    """Return the templates of a file. Raises `Refused` where a name stands in it twice."""
    names = [body.name for body in file.templates]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused(said("template.twice", names=", ".join(twice)))
    return file.templates
