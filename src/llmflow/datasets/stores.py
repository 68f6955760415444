"""Catalog entries of the stores."""

from typing import Any

from llmflow.datasets.adapter import AdapterDataset
from llmflow.errors import SettingsError


class StateStoreDataset(AdapterDataset):
    """`url` of the database, or `credentials: {url}` where it holds a password."""

    def open(self, url: str = "", credentials: dict[str, str] | None = None) -> Any:
        from llmflow.adapters.sql_state import SqlStateStore

        return SqlStateStore((credentials or {}).get("url") or url)


class TextIndexDataset(AdapterDataset):
    """`backend: tantivy` with `path`, or `backend: milvus` with `uri`."""

    def open(self, backend: str, path: str = "", uri: str = "", credentials: dict[str, str] | None = None) -> Any:
        if backend == "tantivy":
            from llmflow.adapters.tantivy_text import TantivyTextIndex

            return TantivyTextIndex(path)
        if backend == "milvus":
            from llmflow.adapters.milvus_text import MilvusTextIndex

            return MilvusTextIndex(_milvus(uri, credentials))
        raise SettingsError(f"Unknown full-text backend '{backend}'. Choose one of: tantivy, milvus.")


class VectorStoreDataset(AdapterDataset):
    """`uri`: a folder for Milvus Lite, an address for Milvus."""

    def open(self, uri: str = "", credentials: dict[str, str] | None = None) -> Any:
        from llmflow.adapters.milvus_vectors import MilvusVectorStore

        return MilvusVectorStore(_milvus(uri, credentials))


class GraphStoreDataset(AdapterDataset):
    """`backend: sql` with `url` and how much of a file is kept in `memory`, or `backend: neo4j` with
    `credentials: {uri, user, password}`."""

    def open(
        self,
        backend: str,
        url: str = "",
        database: str = "neo4j",
        credentials: dict[str, str] | None = None,
        memory: dict[str, Any] | None = None,
    ) -> Any:
        if backend == "sql":
            from llmflow.adapters.sql_graph import SqlGraphStore
            from llmflow.adapters.sql_graph_memory import GraphMemorySettings

            return SqlGraphStore((credentials or {}).get("url") or url, GraphMemorySettings(**(memory or {})))
        if backend == "neo4j":
            from llmflow.adapters.neo4j_graph import Neo4jGraphStore

            secret = credentials or {}
            return Neo4jGraphStore(secret["uri"], secret["user"], secret["password"], database)
        raise SettingsError(f"Unknown graph backend '{backend}'. Choose one of: sql, neo4j.")


class RawStoreDataset(AdapterDataset):
    """`root`: a folder or any address that fsspec opens."""

    def open(self, root: str) -> Any:
        from llmflow.adapters.raw_files import RawFiles

        return RawFiles(root)


def _milvus(uri: str, credentials: dict[str, str] | None) -> Any:
    from llmflow.adapters.milvus import MilvusConnection

    secret = credentials or {}
    return MilvusConnection(secret.get("uri") or uri, secret.get("token", ""))
