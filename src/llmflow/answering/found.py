"""What was found for a question: all that an answer is made of, before anything is said."""

from dataclasses import dataclass

from llmflow.answering.evidence import Evidence
from llmflow.answering.tracing import TraceBuilder
from llmflow.types import Hit, Space


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one question, before anything is said of it."""

    question: str
    """As it was searched: masked, composed."""
    masked: bool
    """Personal data stood in it."""
    spoken: str
    """Language of the answer, `ko` or `en`."""
    hits: tuple[Hit, ...]
    evidence: Evidence
    problems: tuple[str, ...] = ()
    """Search models that could not be asked, with reasons."""
    usable: tuple[Hit, ...] = ()
    """The hits without what in them speaks to a model: what is quoted from and shown to one."""
    suspicious: tuple[str, ...] = ()
    """Ids of the chunks in which something did."""
    doubted: tuple[str, ...] = ()
    """Ids of the chunks that would have been answered from but for sentences that may speak to a model."""
    instructs: bool = False
    """The question itself tries to change the rules."""
    trace: TraceBuilder | None = None
    """Of this answer; `respond` ends it."""
    space: Space = Space.ALL
    """Where it was looked for."""
    documents: tuple[str, ...] = ()
    """The only documents in which it was."""
    gone: tuple[str, ...] = ()
    """Those of them that are not there, or not for whoever asks."""
    summary: bool = False
    """The sentences of the evidence are a summary of the chosen documents, in order: all of them are said."""
    instead: str = ""
    """What is said instead of an answer, where something is to be done first."""
    notice: str = ""
    """What the reader should know besides."""
    for_model: bool = True
    """A language model was there to answer when the passages were screened."""
    only_quoted: bool = False
    """They answer, but no model may read them."""
