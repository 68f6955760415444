"""The seams of the house: what the domain asks of the outside, never how it is done.

Every adapter inherits the contract suite of its port in tests/contracts.
"""

from llmflow.ports.bundle import Stores
from llmflow.ports.models import ChatModel, ChatRequest, Embedder, FollowingChatModel, RemoteModel, Reranker, current_model
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
    "ChatModel",
    "ChatRequest",
    "Embedder",
    "EntityNode",
    "FollowingChatModel",
    "GraphChunk",
    "GraphDocument",
    "GraphEdge",
    "GraphStatistics",
    "GraphStore",
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
    "RawStore",
    "RemoteModel",
    "Reranker",
    "ServedAdapter",
    "ServedPassage",
    "SourceFile",
    "StagedDocument",
    "StateStore",
    "Stores",
    "TextIndex",
    "TextRow",
    "VectorRow",
    "VectorStore",
    "current_model",
]
