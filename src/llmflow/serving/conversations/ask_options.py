"""What a person wishes of one answer, checked, kept beside its question, and read again when it is answered anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmflow.answering.prompt_templates import render
from llmflow.errors import NotFound, Refused
from llmflow.ingestion.masking import MaskedText
from llmflow.ports import TemplateStore
from llmflow.serving.questions import clean_question, question_problem
from llmflow.types import Account, AskOptions, Space
from llmflow.wording import said

MAX_INSTRUCTIONS = 4000
MAX_DOCUMENTS = 20
MAX_DOCUMENT_ID = 64
"""Characters; an id of ours has 16."""
MAX_EXAMPLES = 20
MAX_EXAMPLES_CHARS = 20_000
"""Characters of all examples of one question together."""
SPACES: dict[str, Space] = {str(space): space for space in Space}


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A prompt template that a question is asked with. Empty `values`: the question is written already."""

    id: str
    values: Mapping[str, str] | None = None
    version: int | None = None
    """The newest without it."""


def space_of(name: str) -> Space:
    """Return the space of that name. Raises `Refused`."""
    if name not in SPACES:
        raise Refused(said("space.unknown", space=name[:20], spaces=", ".join(SPACES)))
    return SPACES[name]


def checked_options(options: AskOptions) -> AskOptions:
    """Return the options with their texts cleaned. Raises `Refused` for what is too long or no plain text."""
    instructions = _text(said("instructions.name"), options.instructions) if options.instructions.strip() else ""
    if len(instructions) > MAX_INSTRUCTIONS:
        raise Refused(said("instructions.too_long", count=len(instructions), most=MAX_INSTRUCTIONS))
    if len(options.examples) > MAX_EXAMPLES:
        raise Refused(said("examples.too_many", count=len(options.examples), most=MAX_EXAMPLES))
    example = said("examples.name")
    examples = tuple((_text(example, one), _text(example, other)) for one, other in options.examples)
    length = sum(len(text) for pair in examples for text in pair)
    if length > MAX_EXAMPLES_CHARS:
        raise Refused(said("examples.too_long", count=length, most=MAX_EXAMPLES_CHARS))
    return replace(options, instructions=instructions, examples=examples, documents=checked_documents(options.documents))


def checked_documents(document_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids, each once. Raises `Refused` for too many and for what no document is called, known or not."""
    chosen = tuple(dict.fromkeys(document_ids))
    if len(chosen) > MAX_DOCUMENTS:
        raise Refused(said("documents.too_many", count=len(chosen), most=MAX_DOCUMENTS))
    for one in chosen:
        if not (0 < len(one) <= MAX_DOCUMENT_ID and one.isascii() and one.isprintable()):
            raise Refused(said("documents.no_id", id=ascii(one[:MAX_DOCUMENT_ID])))
    return chosen


def with_template(
    store: TemplateStore | None, account: Account, use: TemplateUse, content: str, options: AskOptions
) -> tuple[str, AskOptions]:
    """Return the question and the options with a template's examples before the ones that were given.

    The question is the template's text with its values, unless `content` holds it already. Raises `NotFound` for a template that
    the account does not see, `Refused` where values do not fit.
    """
    found = store.template(use.id, account.tenant, account.id, use.version) if store is not None else None
    if found is None:
        raise NotFound(said("template.none"))
    question = content if content.strip() else render(found.text, use.values or {})
    shown = replace(options, examples=(*found.examples, *options.examples), template=f"{found.name}@{found.version}")
    return question, shown


def masked_options(options: AskOptions, mask: Callable[[str], MaskedText]) -> tuple[AskOptions, dict[str, int]]:
    """Return the options without personal data, and how many pieces of it stood in them by kind."""
    counts: dict[str, int] = {}

    def masked(text: str) -> str:
        found = mask(text)
        for kind, number in found.counts.items():
            counts[kind] = counts.get(kind, 0) + number
        return found.text

    if not options.shaped:
        return options, counts
    examples = tuple((masked(question), masked(answer)) for question, answer in options.examples)
    return replace(options, instructions=masked(options.instructions), examples=examples), counts


def kept_options(options: AskOptions) -> dict[str, Any]:
    """Return masked options as they are kept in a question's details; nothing of what is as always."""
    kept: dict[str, Any] = {"space": str(options.space)} if options.space != Space.ALL else {}
    kept |= {"documents": list(options.documents)} if options.documents else {}
    kept |= {"template": options.template} if options.template else {}
    kept |= {"instructions": options.instructions} if options.instructions else {}
    kept |= {"examples": [list(pair) for pair in options.examples]} if options.examples else {}
    return kept


def options_in(details: Mapping[str, Any]) -> AskOptions:
    """Return what `kept_options` kept."""
    examples: Sequence[Sequence[str]] = details.get("examples", ())
    return AskOptions(
        SPACES.get(details.get("space", ""), Space.ALL),
        details.get("instructions", ""),
        tuple((question, answer) for question, answer in examples),
        details.get("template", ""),
        tuple(details.get("documents", ())),
    )


def _text(name: str, text: str) -> str:
    cleaned = clean_question(text)
    fault = question_problem(cleaned, max(1, len(cleaned)))
    if fault == "empty":
        raise Refused(said("examples.empty"))
    if fault is not None:
        raise Refused(said("wishes.control", name=name))
    return cleaned
