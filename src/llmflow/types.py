"""Frozen values that cross layers. Nothing here does work or imports a library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERYONE = "*"
"""The group that every principal of a tenant belongs to: documents shared inside the tenant carry it."""


OWN_SPACE = "user:"
"""Group names with this prefix are one account's own: what it uploads for itself carries `user:{account id}`."""


class Space(StrEnum):
    """Where a question is looked for, inside what its asker may read."""

    ALL = "all"
    OWN = "own"
    """The asker's own space: what they uploaded for themselves."""
    SHARED = "shared"
    """What is there for others too: groups and everyone, without the own space."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a tenant and the groups (departments) the person belongs to.

    Every search takes one; there is no anonymous default that sees everything.
    """

    tenant: str
    groups: frozenset[str] = frozenset()
    user: str = "unknown"
    everyone: bool = True
    """Documents shared with all of the tenant are read too; False where a question is narrowed to the own space."""

    @property
    def readable_groups(self) -> tuple[str, ...]:
        """Groups whose documents this principal may read, sorted, `EVERYONE` included unless it was narrowed.

        Never empty: where nothing may be read it is the bare `OWN_SPACE`, which no document carries, so that no store has to
        know of an empty list.
        """
        return tuple(sorted(self.groups | {EVERYONE} if self.everyone else self.groups)) or (OWN_SPACE,)

    def narrowed(self, space: Space) -> "Principal":
        """Return who reads a part of what this principal reads: never more, whatever the space; twice is once."""
        own = frozenset(group for group in self.groups if group.startswith(OWN_SPACE))
        if space == Space.OWN:
            return Principal(self.tenant, own, self.user, everyone=False)
        if space == Space.SHARED:
            return Principal(self.tenant, self.groups - own, self.user, self.everyone)
        return self

    def may_read(self, tenant: str, groups: frozenset[str] | tuple[str, ...]) -> bool:
        """Return whether a document of `tenant` granted to `groups` is readable."""
        return tenant == self.tenant and bool(set(groups) & set(self.readable_groups))


class Role(StrEnum):
    """What an account is there for; `llmflow.accounts.permissions` says what each may do."""

    USER = "user"
    ENGINEER = "engineer"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """A person of a tenant, wherever they prove who they are."""

    id: str
    tenant: str
    name: str
    """What is typed to sign in: unique in the tenant without regard to case."""
    display_name: str
    role: Role = Role.USER
    groups: tuple[str, ...] = ()
    """Departments, sorted; never an own space, which follows from the id."""
    issuer: str = ""
    """Of the identity provider that the account comes from; empty for a local one."""
    subject: str = ""
    disabled: bool = False
    must_change_password: bool = False
    created_at: str = ""
    seen_at: str = ""

    @property
    def own_space(self) -> str:
        return OWN_SPACE + self.id

    def principal(self) -> Principal:
        """Return what this account may read: its groups' documents, everyone's, and its own."""
        return Principal(self.tenant, frozenset((*self.groups, self.own_space)), self.id)


class ElementKind(StrEnum):
    TITLE = "title"
    TEXT = "text"
    LIST_ITEM = "list_item"
    TABLE = "table"
    RECORD = "record"
    """One row of JSON, CSV or a spreadsheet, as `key: value` lines."""
    CODE = "code"
    IMAGE = "image"
    """Text read from a picture or a scanned page."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where an element stands on its page, in points from the top left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Element:
    """One structural piece of a document, in reading order."""

    kind: ElementKind
    text: str
    page: int | None = None
    """1-based page, slide or sheet number; None where the format has none."""
    level: int = 0
    """Heading depth for titles, 1 the highest; 0 for everything else or when unknown."""
    html: str | None = None
    """A table as HTML, structure kept; None for other kinds."""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a parser read from one file; `elements` is never empty."""

    title: str
    """From metadata or the first heading; the file's stem when the document has none."""
    format: str
    """Lower-case format by content, such as `pdf`, `docx`, `md`."""
    elements: tuple[Element, ...]
    pages: int | None = None
    warnings: tuple[str, ...] = ()
    """What was left out or repaired, in sentences for a person."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What in a passage speaks to a model, as it was judged when the passage was made. Reasons only, never the text."""

    by: str
    """Fingerprint of the judge, `llmflow.screening.judging.judge_of`, or `TRUSTED`."""
    flagged: tuple[str, ...] = ()
    """Why some of the passage was left out: blanks stand in its place in `Chunk.text`."""
    doubtful: tuple[str, ...] = ()
    """Why some of what is left may speak to a model."""
    doubted: tuple[tuple[int, int], ...] = ()
    """Where that stands in `Chunk.text`, in order: whole sentences."""


TRUSTED = "trusted"
"""Judge of documents that an administrator has named, or released, as written for their readers, whatever they quote."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is searched and quoted. `text` is masked as soon as it leaves the ingestion workers."""

    id: str
    document_id: str
    ordinal: int
    """Position in the document, from 0."""
    text: str
    kind: ElementKind
    language: str
    """`ko`, `en` or `other`: the script that most letters belong to."""
    heading_path: tuple[str, ...] = ()
    """Headings above the passage, outermost first."""
    page: int | None = None
    html: str | None = None
    box: Box | None = None
    judgement: Judgement | None = None
    """None where it was never judged, or by an older version."""


class DocumentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Document:
    """A row of the state database: one source of one tenant, and what became of it."""

    id: str
    tenant: str
    groups: tuple[str, ...]
    source: str
    """Stable name inside the tenant, such as a path relative to the ingested folder."""
    title: str
    format: str
    status: DocumentStatus
    version: str = ""
    """Hash of the content that is served; empty until the first version is ready."""
    fingerprint: str = ""
    """Fingerprint of the parser, chunker, masker and analyser that made the served chunks."""
    reason: str = ""
    """Why it failed, for a person."""
    size: int = 0
    pages: int | None = None
    chunks: int = 0
    pii: Mapping[str, int] = field(default_factory=dict)
    """How many pieces of personal data were masked, by kind. Never the text."""
    screening: Mapping[str, int] = field(default_factory=dict)
    """How many of its passages were `withheld`, `cut` or are `doubted` because they speak to a model; without zeros."""
    updated_at: str = ""
    """ISO 8601, UTC."""
    content_hash: str = ""
    """SHA-256 of the original that is wanted; empty where an older version read it."""
    released_at: str = ""
    """When an administrator released this very content to be taken as it stands; empty where it is judged."""


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity found in a chunk. `key` is its normalised name, unique inside a tenant."""

    key: str
    name: str
    role: str
    """`title` when the chunk's document or heading is named so, else `mention`."""
    position: int = 0
    """First character of the mention in the chunk's text; 0 for titles."""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed link between two entities seen in one document."""

    source: str
    target: str
    relation_type: str
    weight: float


@dataclass(frozen=True, slots=True)
class ScoredId:
    """A chunk id with a channel's score; larger is better in every channel."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found for a question, checked against the state database and the principal."""

    chunk: Chunk
    document: Document
    score: float
    channels: Mapping[str, float] = field(default_factory=dict)
    """Raw score of each channel that found the chunk: `dense`, `text`, `graph`, `rerank`."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of an answer comes from."""

    number: int
    """The n of the [n] in the answer, from 1."""
    chunk_id: str
    document_id: str
    title: str
    source: str
    page: int | None
    heading: str
    """Heading path joined by ` > `."""
    quote: str
    """The quoted span, character for character as in the chunk."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the chat says. `found` is False when nothing relevant enough was retrieved."""

    text: str
    found: bool
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    model: str = "extractive"
    confidence: float = 0.0
    """Share of the question's content that the evidence covers, 0 to 1."""
    settings_id: str = ""
    """Fingerprint of the retrieval settings that served it; `llmflow retrieval show` tells what they are."""
    notice: str = ""
    """What the reader should know of how it was made, such as that the chat model could not be reached."""
    asked: str = ""
    """The question as it was searched, where a follow-up was rewritten to stand alone; empty otherwise."""
    cached: bool = False
    """It was given before to the same question over the same evidence."""
    suspicious: tuple[str, ...] = ()
    """Ids of retrieved chunks in which instructions to the model were found and neutralised."""
    doubted: tuple[str, ...] = ()
    """Ids of chunks that were answered from without sentences in them that may be instructions to a model."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """As the model server counted them; 0 without a model."""
    trace_id: str = ""
    space: Space = Space.ALL
    """Where it was looked for."""
    documents: tuple[str, ...] = ()
    """Ids of the only documents in which it was looked for; empty for all that the space holds."""
    examples: int = 0
    """Few-shot examples that the model was shown; quotations know none."""


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn of a conversation; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What a person wishes of one answer: where it is looked for and what form it has. Never what may be read, nor whether an
    answer needs sources."""

    space: Space = Space.ALL
    instructions: str = ""
    """About the form of the answer, for a model."""
    examples: tuple[tuple[str, str], ...] = ()
    """Few-shot pairs of question and answer, for a model, in order."""
    template: str = ""
    """The prompt template that was used, as `name@version`; empty without one."""
    documents: tuple[str, ...] = ()
    """Ids of the only documents that are looked through, inside the space; empty for all. One that may not be read, or is not
    there, adds nothing."""

    @property
    def shaped(self) -> bool:
        """Whether a model is told anything of the form."""
        return bool(self.instructions or self.examples)
