"""The stores of one workspace together."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmflow.ports.accounts import AccountStore
from llmflow.ports.answer_cache import AnswerCache
from llmflow.ports.conversations import ChatMemory, ConversationStore
from llmflow.ports.extraction import EntityExtractor
from llmflow.ports.models import Embedder, Reranker
from llmflow.ports.operations import AuditLog, EventLog, JobStore, TemplateStore
from llmflow.ports.state import StateStore
from llmflow.ports.stores import GraphStore, RawStore, TextIndex, VectorStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that holds documents, and the models that read them: the embedder whose space the vectors are in, and more."""

    state: StateStore
    text: TextIndex
    vectors: VectorStore
    graph: GraphStore
    raw: RawStore
    embedder: Embedder
    reranker: Reranker | None = None
    """Asked where `retrieval.rerank` switches it on."""
    extractor: EntityExtractor | None = None
    """Asked where `ingestion.preparation.extraction` switches it on."""

    application: "ApplicationStores | None" = None
    """What people made of documents, which deleting them reaches too; None for stores that nobody talks to."""

    def close(self) -> None:
        for store in (self.state, self.text, self.vectors, self.graph, self.application):
            if store is not None:
                store.close()


@dataclass(frozen=True, slots=True)
class ApplicationStores:
    """Everything that people bring about: who they are, what they said, what was done for them and by whom."""

    accounts: AccountStore
    conversations: ConversationStore
    memory: ChatMemory
    templates: TemplateStore
    jobs: JobStore
    events: EventLog
    audit: AuditLog
    answers: AnswerCache | None = None
    """Answers that may be given again; None where none are kept."""

    def forget_document(self, document_id: str) -> None:
        """Take a deleted document out of conversations, and out of what models remember of them."""
        for session_id in self.conversations.forget_document(document_id):
            self.memory.forget(session_id)
        self.forget_answers(document_id)

    def forget_answers(self, document_id: str) -> None:
        """Take what rests on a document out of what may be answered again."""
        if self.answers is not None:
            self.answers.forget_documents([document_id])

    def forget_chunks(self, chunk_ids: Sequence[str]) -> None:
        """Take chunks that are no longer served out of what may be answered again."""
        if self.answers is not None:
            self.answers.forget_chunks(chunk_ids)

    def close(self) -> None:
        stores = (self.accounts, self.conversations, self.memory, self.templates, self.jobs, self.events, self.audit)
        for store in (*stores, self.answers):
            if store is not None:
                store.close()
