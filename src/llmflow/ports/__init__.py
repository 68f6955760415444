"""The seams of the house: what the domain asks of the outside, never how it is done.

Every adapter inherits the contract suite of its port in tests/contracts.
"""

from llmflow.ports.accounts import AccountStore, Credentials, SignIn
from llmflow.ports.bundle import ApplicationStores, Stores
from llmflow.ports.conversations import ChatMemory, ChatSession, ConversationStore, FeedbackRow, Message, MessageStatus
from llmflow.ports.models import (
    ChatModel,
    ChatRequest,
    CountingModel,
    Embedder,
    FollowingChatModel,
    RemoteModel,
    Reranker,
    current_model,
    token_counter,
)
from llmflow.ports.jobs import Consumer, JobQueue
from llmflow.ports.models import ChatModel, ChatRequest, Embedder, FollowingChatModel, RemoteModel, Reranker, current_model
from llmflow.ports.operations import (
    AnswerEvent,
    AuditEntry,
    AuditLog,
    EventLog,
    Job,
    JobStatus,
    JobStore,
    PromptTemplate,
    TemplateStore,
)
from llmflow.ports.serving import ModelRegistry, ModelServer, ModelVersion, Pointer, PointerStore, PromotionEvent, ServedAdapter
from llmflow.ports.state import Plan, PreparedChunk, PreparedDocument, ServedPassage, SourceFile, StagedDocument, StateStore
from llmflow.ports.stores import (
    EntityNode,
    GraphChunk,
    GraphDocument,
    GraphEdge,
    GraphStatistics,
    GraphStore,
    Notifier,
    RawStore,
    TextIndex,
    TextRow,
    VectorRow,
    VectorStore,
)

__all__ = [
    "AccountStore",
    "AnswerEvent",
    "ApplicationStores",
    "AuditEntry",
    "AuditLog",
    "ChatMemory",
    "ChatModel",
    "ChatRequest",
    "ChatSession",
    "Consumer",
    "ConversationStore",
    "CountingModel",
    "Credentials",
    "Embedder",
    "EntityNode",
    "EventLog",
    "FeedbackRow",
    "FollowingChatModel",
    "GraphChunk",
    "GraphDocument",
    "GraphEdge",
    "GraphStatistics",
    "GraphStore",
    "Job",
    "JobQueue",
    "JobStatus",
    "JobStore",
    "Message",
    "MessageStatus",
    "ModelRegistry",
    "ModelServer",
    "ModelVersion",
    "Notifier",
    "Plan",
    "Pointer",
    "PointerStore",
    "PreparedChunk",
    "PreparedDocument",
    "PromotionEvent",
    "PromptTemplate",
    "RawStore",
    "RemoteModel",
    "Reranker",
    "ServedAdapter",
    "ServedPassage",
    "SignIn",
    "SourceFile",
    "StagedDocument",
    "StateStore",
    "Stores",
    "TemplateStore",
    "TextIndex",
    "TextRow",
    "VectorRow",
    "VectorStore",
    "current_model",
    "token_counter",
]
