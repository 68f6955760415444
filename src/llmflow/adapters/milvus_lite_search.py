"""Exact search in our Milvus Lite server at the price of one matrix product.

Milvus Lite 3.2 walks every primary key in Python at each search, whatever the index (docs/decisions/0005). Segments are
immutable, so which of their rows are live, and which a filter lets through, is kept here from one search to the next.
Results are those of Milvus Lite's own function (tests/unit/test_milvus_lite_search.py compares them), which still answers what
this does not cover: rows that are not flushed yet, other metrics and indexes, partitions, fields besides the key.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

logger = logging.getLogger(__name__)
Search = Callable[..., list[list[dict[str, Any]]]]

COLLECTIONS = 8
FILTERS = 64
"""Filters whose rows are kept for a collection: people with the same groups share one."""


def install() -> None:
    """Make the Milvus Lite of this process search through `ExactSearch`."""
    from milvus_lite.engine import collection

    own = getattr(collection, "execute_search_with_index", None)
    if own is None:
        logger.warning("This Milvus Lite searches in another way than 3.2 does: vectors are found, but more slowly.")
    elif not isinstance(own, ExactSearch):
        collection.execute_search_with_index = ExactSearch(own)  # pyright: ignore[reportAttributeAccessIssue]


class ExactSearch:
    """Takes the place of Milvus Lite's `execute_search_with_index`; `own` is that function."""

    def __init__(self, own: Search) -> None:
        self._own = own
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], _Rows] = OrderedDict()

    def __call__(self, **asked: Any) -> list[list[dict[str, Any]]]:
        segments = tuple(segment for segment in asked["segments"] if segment.num_rows)
        if not _covered(segments, asked):
            return self._own(**asked)
        deleted = {**asked["delta_index"].snapshot}
        for key, (seq, _) in asked["memtable"].delete_index_snapshot().items():
            deleted[key] = max(seq, deleted.get(key, -1))
        rows = self._rows(segments, asked["vector_field"], deleted)
        with self._lock:
            masks = rows.masks(asked["compiled_filter"], asked["indexed_filter_plan"])
        return rows.best(asked["query_vectors"], masks, asked["top_k"], asked["pk_field"], asked["project_record_fn"])

    def _rows(self, segments: tuple[Any, ...], field: str, deleted: Mapping[Any, int]) -> "_Rows":
        """Return what is known of a collection's rows, found out anew when its segments or deletions have changed."""
        key = os.path.dirname(segments[0].file_path), field
        with self._lock:
            rows = self._known.get(key)
            if rows is None or rows.segments != segments or rows.deleted != deleted:
                rows = self._known[key] = _Rows(segments, field, deleted)
            self._known.move_to_end(key)
            while len(self._known) > COLLECTIONS:
                self._known.popitem(last=False)
            return rows


def _covered(segments: Sequence[Any], asked: Mapping[str, Any]) -> bool:
    from milvus_lite.index.brute_force import BruteForceIndex

    field, fields = asked["vector_field"], asked["output_fields"]
    return (
        bool(segments)
        and asked["metric_type"] == "COSINE"
        and asked["top_k"] > 0
        and not asked["partition_names"]
        and fields is not None
        and set(fields) <= {asked["pk_field"]}
        and not asked["memtable"].pk_index_snapshot()
        and all(isinstance(segment.indexes.get(field), BruteForceIndex | None) for segment in segments)
        and all(segment.vector_data(field)[1] is None for segment in segments)
    )


class _Rows:
    """Rows of the segments of one collection: keys, vectors, which are live, which of them filters let through."""

    def __init__(self, segments: tuple[Any, ...], field: str, deleted: Mapping[Any, int]) -> None:
        self.deleted = deleted
        self.segments = segments
        self._vectors = [segment.vector_data(field)[0] for segment in segments]
        self._scales = [_inverse_norms(vectors) for vectors in self._vectors]
        self._live = _live(segments, deleted)
        self._filtered: OrderedDict[int, tuple[Any, list[np.ndarray]]] = OrderedDict()

    def masks(self, compiled: Any, plan: Any) -> list[np.ndarray]:
        """Return the rows of each segment that are live and that the filter lets through."""
        if compiled is None:
            return self._live
        known = self._filtered.get(id(compiled))
        if known is None:
            from milvus_lite.search.indexed_filter import evaluate_segment_filter

            found = [evaluate_segment_filter(segment, compiled, plan).astype(bool) for segment in self.segments]
            known = compiled, [mask & live for mask, live in zip(found, self._live, strict=True)]
            self._filtered[id(compiled)] = known  # the filter itself is kept, so that its id stays its own
        self._filtered.move_to_end(id(compiled))
        while len(self._filtered) > FILTERS:
            self._filtered.popitem(last=False)
        return known[1]

    def best(
        self, queries: np.ndarray, masks: Sequence[np.ndarray], top: int, pk_field: str, project: Callable[[dict], dict] | None
    ) -> list[list[dict[str, Any]]]:
        """Return the nearest rows of each query in Milvus Lite's form: distance 1 - cosine, ties by segment and row."""
        queries = np.atleast_2d(np.asarray(queries, dtype=np.float32))
        norms = np.linalg.norm(queries, axis=1, keepdims=True)
        units = queries / np.where(norms == 0, 1.0, norms)
        found: list[list[tuple[float, int, int]]] = [[] for _ in queries]
        for number, (vectors, scales, mask) in enumerate(zip(self._vectors, self._scales, masks, strict=True)):
            allowed = int(mask.sum())
            if not allowed:
                continue
            cosines = (units @ vectors.T) * scales if len(units) > 1 else ((vectors @ units[0]) * scales)[None]
            if allowed < len(mask):
                cosines[:, ~mask] = -np.inf
            for candidates, row in zip(found, cosines, strict=True):
                nearest = np.argpartition(row, -top)[-top:] if top < len(row) else np.arange(len(row))
                distances = np.maximum(1.0 - row[nearest], 0.0)
                candidates += [
                    (distance, number, place)
                    for distance, place in zip(distances.tolist(), nearest.tolist(), strict=True)
                    if distance != np.inf
                ]
        return [[self._hit(*item, pk_field, project) for item in sorted(candidates)[:top]] for candidates in found]

    def _hit(
        self, distance: float, number: int, place: int, pk_field: str, project: Callable[[dict], dict] | None
    ) -> dict[str, Any]:
        key = self.segments[number].pks[place]
        return {"id": key, "distance": distance, "entity": project({pk_field: key}) if project else {}}


def _inverse_norms(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1)
    return (1.0 / np.where(norms == 0, 1.0, norms)).astype(np.float32)


def _live(segments: Sequence[Any], deleted: Mapping[Any, int]) -> list[np.ndarray]:
    """Return the rows that are the newest of their key and were not deleted after they were written."""
    newest: dict[Any, int] = {}
    sequences = [segment.seqs.tolist() for segment in segments]
    for segment, seqs in zip(segments, sequences, strict=True):
        for key, seq in zip(segment.pks, seqs, strict=True):
            if seq > newest.get(key, -1):
                newest[key] = seq
    return [
        np.fromiter(
            (newest[key] == seq and deleted.get(key, -1) <= seq for key, seq in zip(segment.pks, seqs, strict=True)),
            dtype=bool,
            count=len(seqs),
        )
        for segment, seqs in zip(segments, sequences, strict=True)
    ]
