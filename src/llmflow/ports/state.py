"""The port of the state database: the truth that every store is an index of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from llmflow.types import Chunk, Document, DocumentStatus, Mention, Principal, Relation


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that is wanted in the corpus, with who may read it."""

    document_id: str
    tenant: str
    groups: tuple[str, ...]
    source: str
    path: str
    content_hash: str
    size: int
    version: str
    """Hash of content, groups and preparation settings: equal versions are never prepared twice."""
    fingerprint: str
    released: bool = False
    """An administrator has released this content to be taken as it stands (`StateStore.release`)."""


@dataclass(frozen=True, slots=True)
class PreparedChunk:
    """A masked chunk with what the stores index of it."""

    chunk: Chunk
    tokens: str
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What in one passage speaks to a model, or may: for administrators."""

    ordinal: int
    """Place of the passage in its document; no served chunk has it where the passage was withheld."""
    what: str
    """`withheld`: all of the passage; `cut`: these sentences of it; `doubted`: they are served, but not answered from."""
    text: str
    """Masked, shortened."""
    reasons: tuple[str, ...]
    page: int | None = None
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screening:
    """What in a document speaks to a model: for one that is refused, which has no version to keep it with."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """As `Document.screening`."""
    left_out: tuple[LeftOut, ...] = ()


NOTHING_FOUND = Screening()


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """One version of a document, ready to be indexed."""

    document_id: str
    version: str
    fingerprint: str
    title: str
    format: str
    chunks: tuple[PreparedChunk, ...]
    pages: int | None = None
    pii: Mapping[str, int] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    topics: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    screening: Mapping[str, int] = field(default_factory=dict)
    """Passages `withheld`, `cut` and `doubted`, as in `Document`."""
    left_out: tuple[LeftOut, ...] = ()
    released: bool = False
    """Nobody judged it, because its content is released: where that was withdrawn meanwhile, its passages are staged unjudged."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time of each step in the worker; measured, never stored."""


class Plan(StrEnum):
    """What registration decided for one source."""

    PREPARE = "prepare"
    INDEX = "index"
    """Prepared by a run that was stopped: only the stores are missing."""
    UNCHANGED = "unchanged"
    FAILED_BEFORE = "failed before"
    """The same content failed with the same settings; it is tried again only on request."""


@dataclass(frozen=True, slots=True)
class StagedDocument:
    """A prepared version that is not served yet, with the owner's tenant and groups."""

    document: Document
    prepared: PreparedDocument


class ServedPassage(NamedTuple):
    """What a search looks at in a served chunk before it becomes a hit. A tuple: a search makes hundreds of them."""

    document_id: str
    text: str
    language: str


class StateStore(Protocol):
    """Documents, their versions and chunks, and what still has to be removed from the stores.

    Every method is one transaction. A version is *staged* first, then *activated*; only the active version is ever read.
    """

    def register(self, files: Sequence[SourceFile], retry_failed: bool = False) -> dict[str, Plan]:
        """Enter the files as wanted and return what to do, by document id. New and changed documents become pending."""
        ...

    def mark_processing(self, document_ids: Sequence[str]) -> None: ...

    def stage(self, prepared: PreparedDocument, groups: Sequence[str]) -> None:
        """Keep a prepared version beside the served one; an older staged version is put up for removal."""
        ...

    def fail(self, document_id: str, version: str, reason: str, withdraw: bool = False, found: Screening = NOTHING_FOUND) -> None:
        """Record why a version cannot be had; a version served before stays, or is served no longer where `withdraw` is given.

        What was `found` in a version that is refused is kept as long as the reason.
        """
        ...

    def staged(self, limit_chunks: int, after: str = "") -> list[StagedDocument]:
        """Return staged documents with ids above `after`, by id, until their chunks reach the limit; at least one."""
        ...

    def activate(self, versions_by_document: Mapping[str, str]) -> None:
        """Serve the staged versions (document id to version); the chunks served before are put up for removal."""
        ...

    def delete(self, document_ids: Sequence[str]) -> int:
        """Stop serving documents at once and put chunks and raw files up for removal; return how many there were."""
        ...

    def removals(self, limit: int) -> tuple[list[str], list[str]]:
        """Return (chunk ids, document ids) that must leave the stores, oldest first."""
        ...

    def removed(self, chunk_ids: Sequence[str], document_ids: Sequence[str]) -> None:
        """Forget removals that every store has carried out."""
        ...

    def resolve(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, tuple[Chunk, Document]]:
        """Return the served and readable chunks among `chunk_ids`; everything else is left out."""
        ...

    def neighbours(self, chunk_id: str, principal: Principal) -> tuple[Chunk | None, Chunk | None]:
        """Return the served chunks around a chunk in its document; None at its ends, and where `resolve` has nothing."""
        ...

    def passages(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, ServedPassage]:
        """Return the same chunks as `resolve`, with no more than a search looks at: it reads hundreds and shows ten."""
        ...

    def chunk_ids_of(self, document_ids: Sequence[str], principal: Principal) -> list[str]:
        """Return the served chunks of the readable ones among these documents, by document and place.

        Unknown ids and those of documents that may not be read are left out alike.
        """
        ...

    def documents(self, principal: Principal | None = None, status: DocumentStatus | None = None) -> list[Document]:
        """Return documents by tenant and source. Without a principal: all of them, for administration only."""
        ...

    def document(self, document_id: str) -> Document | None:
        """Return one document of any tenant; whoever asks checks who may know of it."""
        ...

    def left_out(self, document_id: str) -> tuple[LeftOut, ...]:
        """Return what of the served version speaks to a model, or may, or what a document is refused for; in order.

        Whoever asks checks who may know of it.
        """
        ...

    def release(self, document_id: str, content_hash: str) -> bool:
        """Keep that a content of a document is to be taken as it stands; it takes the place of one released before.

        It holds until it is withdrawn or the document is deleted, for this content alone: another one is judged, and the same
        one again is taken. Nothing is prepared by it. Returns whether the document is there.
        """
        ...

    def withdraw_release(self, document_id: str, judge_again: bool = True) -> bool:
        """Forget the released content of a document and return whether there was any.

        With `judge_again` so are the judgements of what is served of it: until it is prepared again, questions judge it.
        """
        ...

    def released(self, document_ids: Sequence[str]) -> dict[str, str]:
        """Return the hash of the released content of those documents that have one."""
        ...

    def served(self, languages: frozenset[str] | None = None) -> Iterator[tuple[Document, PreparedDocument]]:
        """Yield served documents by id, chunks reduced to `languages`; for rebuilding and switching embedders."""
        ...

    def served_chunk_ids(self, languages: frozenset[str] | None = None) -> set[str]: ...

    def setting(self, key: str) -> str | None: ...

    def set_setting(self, key: str, value: str) -> None: ...

    def swap_settings(self, values: Mapping[str, str], expected: Mapping[str, str | None]) -> bool:
        """Write all `values` when every key of `expected` still has its value (None: the key is absent), else nothing.

        Returns whether they were written. Of two callers that expect the same, one gets False and reads again.
        """
        ...

    def digest(self) -> str:
        """Return a hash of everything served, independent of when it was written; for doctor and crash tests."""
        ...

    def close(self) -> None: ...
