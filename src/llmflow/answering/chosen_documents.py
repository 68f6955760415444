"""What became of the documents that a person has chosen: which of them are gone, and what is said of that.

A document that was deleted and one that may not be read any more look the same here, as they do everywhere.
"""

from collections.abc import Sequence
from typing import Protocol

from llmflow.answering.phrases import nothing_found
from llmflow.types import Chunk, Document, Principal, Space

ALL_GONE = {
    "ko": "고른 문서가 삭제되었거나 볼 수 있는 권한이 없어 아무것도 찾지 않았습니다. 문서 선택을 풀거나 다른 문서를 고르세요.",
    "en": "The documents you chose were deleted, or you may not read them, so nothing was searched. "
    "Take the choice back, or choose another document.",
}
"""The answer where nothing is left of the choice."""
SOME_GONE = {
    "ko": "고른 문서 가운데 {count}개는 삭제되었거나, 아직 읽지 못했거나, 볼 수 있는 권한이 없어 찾지 않았습니다.",
    "en": "{count} of the documents you chose were not searched: deleted, not read yet, or not readable for you.",
}
"""The notice where something is."""

NOT_READ = {
    "ko": "고른 문서를 아직 읽고 있거나 읽지 못했습니다. 문서 목록에서 상태를 확인하고, 질문할 수 있게 되면 다시 물어보세요.",
    "en": "The document you chose is still being read, or could not be read. Look at its state in the list of documents, and ask "
    "again when it is ready.",
}
"""The answer where all that is chosen is there and nothing of it is served yet."""


class Shelf(Protocol):
    """The part of the state database (ports/state.py) that knows what may be read of a document."""

    def chunk_ids_of(self, document_ids: Sequence[str], principal: Principal) -> list[str]: ...

    def document(self, document_id: str) -> Document | None: ...

    def resolve(self, chunk_ids: Sequence[str], principal: Principal) -> dict[str, tuple[Chunk, Document]]: ...


def gone_from(shelf: Shelf, document_ids: Sequence[str], principal: Principal) -> tuple[str, ...]:
    """Return the ids of which nothing is served that `principal` may read, in order."""
    return tuple(one for one in document_ids if not shelf.chunk_ids_of([one], principal))


def not_read_yet(shelf: Shelf, gone: Sequence[str], principal: Principal) -> bool:
    """Return whether what seems gone is there for `principal`, though no version of it is served."""
    found = [shelf.document(one) for one in gone]
    return bool(found) and all(one and not one.version and principal.may_read(one.tenant, one.groups) for one in found)


def nothing_said(spoken: str, space: Space, document_ids: Sequence[str], gone: Sequence[str]) -> str:
    """Return what is said where nothing answers, and why nothing could where all chosen documents are gone."""
    if document_ids and len(gone) == len(document_ids):
        return ALL_GONE[spoken]
    return nothing_found(spoken, space, bool(document_ids))


def told_of_gone(gone: Sequence[str], document_ids: Sequence[str], spoken: str) -> str:
    """Return the notice beside an answer from the documents that are left; nothing where all are, and where none is."""
    return SOME_GONE[spoken].format(count=len(gone)) if 0 < len(gone) < len(document_ids) else ""
