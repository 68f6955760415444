"""The embedded full text: a Tantivy index in a folder, read by any number of processes, written by one at a time.

Chosen over Milvus Lite's BM25 field, which scores in Python with statistics of one segment only
(docs/decisions/0002-embedded-full-text.md). Weights are BM25 with k1 1.2 and b 0.75 over the whole index.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from llmflow.errors import StoreUnavailable
from llmflow.ports import TextRow
from llmflow.types import Principal, ScoredId
from llmflow.wording import said

TIE_MARGIN = 16
"""Extra hits read so that equal scores around the cut are ordered by id, not by place in the index."""


class TantivyTextIndex:
    """TextIndex over a folder. Opens on first use."""

    def __init__(self, path: str | Path, heap_mb: int = 64):
        self._path = Path(path)
        self._heap = heap_mb * 1_000_000
        self._lock = threading.RLock()
        self._opened: Any = None
        self._loaded: tuple[int, int, int] | None = None  # which commit the opened index shows

    def upsert(self, rows: Sequence[TextRow]) -> None:
        if not rows:
            return
        import tantivy

        latest = {row.chunk_id: row for row in rows}
        with self._writer() as writer:
            for row in latest.values():
                writer.delete_documents_by_term("id", row.chunk_id)
                writer.add_document(
                    tantivy.Document(id=row.chunk_id, tenant=row.tenant, groups=list(row.groups), tokens=row.tokens)
                )

    def optimise(self) -> None:
        """Do nothing: Tantivy merges its segments as it writes."""

    def delete(self, chunk_ids: Sequence[str]) -> None:
        if not chunk_ids or not self._path.exists():
            return
        with self._writer() as writer:
            for chunk_id in chunk_ids:
                writer.delete_documents_by_term("id", chunk_id)

    def search(
        self, queries: Sequence[str], principal: Principal, limit: int, among: Sequence[str] | None = None
    ) -> list[list[ScoredId]]:
        if limit <= 0 or (among is not None and not among):
            return [[] for _ in queries]
        index = self._current()
        searcher = index.searcher()
        filters = _filters(index.schema, principal, among)
        return [self._search_one(searcher, index.schema, query.split(), filters, limit) for query in queries]

    def _search_one(self, searcher, schema, tokens: list[str], filters: list[tuple[Any, Any]], limit: int) -> list[ScoredId]:
        from tantivy import Occur, Query

        if not tokens:
            return []
        counts: dict[str, int] = {}
        for token in tokens:
            counts[token] = counts.get(token, 0) + 1
        should = [
            (Occur.Should, Query.boost_query(Query.term_query(schema, "tokens", token, "freq"), float(count)))
            for token, count in counts.items()
        ]
        query = Query.boolean_query([*filters, (Occur.Must, Query.boolean_query(should))])
        found = searcher.search(query, limit=limit + TIE_MARGIN, count=False).hits
        hits = [ScoredId(searcher.doc(address)["id"][0], float(score)) for score, address in found]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    def chunk_ids(self) -> set[str]:
        if not self._path.exists():
            return set()
        import tantivy

        searcher = self._current().searcher()
        if not searcher.num_docs:
            return set()
        found = searcher.search(tantivy.Query.all_query(), limit=searcher.num_docs, count=False).hits
        return {searcher.doc(address)["id"][0] for _, address in found}

    def close(self) -> None:
        with self._lock:
            self._opened = self._loaded = None

    def _current(self):
        """Return the index as any process last committed it: reloading one that did not change takes milliseconds."""
        index = self._open()
        try:
            found = os.stat(self._path / "meta.json")
        except FileNotFoundError:
            index.reload()
            return index
        committed = found.st_ino, found.st_mtime_ns, found.st_size
        if committed != self._loaded:
            index.reload()
            self._loaded = committed
        return index

    def _open(self):
        with self._lock:
            if self._opened is None:
                import tantivy

                builder = tantivy.SchemaBuilder()
                builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
                builder.add_text_field("tenant", tokenizer_name="raw", index_option="basic")
                builder.add_text_field("groups", tokenizer_name="raw", index_option="basic")
                builder.add_text_field("tokens", tokenizer_name="whitespace", index_option="freq")
                try:
                    self._path.mkdir(parents=True, exist_ok=True)
                    self._opened = tantivy.Index(builder.build(), path=str(self._path))
                except (OSError, ValueError) as exc:
                    raise StoreUnavailable(said("text_index.broken", path=self._path, reason=exc)) from exc
            return self._opened

    @contextlib.contextmanager
    def _writer(self) -> Iterator[Any]:
        """Hold the index's single writer; commit at the end, nothing at all on an exception."""
        index = self._open()
        with self._lock, FileLock(f"{self._path}.lock"):
            try:
                writer = index.writer(heap_size=self._heap, num_threads=1)
            except ValueError as exc:
                raise StoreUnavailable(said("text_index.held", path=self._path)) from exc
            try:
                writer.garbage_collect_files()  # a killed commit leaves a file that the same commit would refuse to write again
                yield writer
                writer.commit()
                writer.wait_merging_threads()
            except BaseException:
                with contextlib.suppress(ValueError):
                    writer.rollback()
                raise
            index.reload()


def _filters(schema: Any, principal: Principal, among: Sequence[str] | None) -> list[tuple[Any, Any]]:
    """Return the parts of a query that let through what the principal may read, and of it `among` only; none of them scores."""
    from tantivy import Occur, Query

    parts = [
        Query.term_query(schema, "tenant", principal.tenant),
        Query.term_set_query(schema, "groups", list(principal.readable_groups)),
    ]
    if among is not None:
        parts.append(Query.term_set_query(schema, "id", list(among)))
    return [(Occur.Must, Query.const_score_query(part, 0.0)) for part in parts]
