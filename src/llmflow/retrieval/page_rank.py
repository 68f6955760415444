"""Personalised PageRank over the passages and entities around one question."""

from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np

from llmflow.ports import GraphEdge


def page_rank(
    pool: Sequence[str],
    edges: Sequence[GraphEdge],
    lone: Mapping[str, float],
    reset: Mapping[str, float],
    title_edge: float,
    damping: float,
    iterations: int,
) -> dict[str, float]:
    """Return the rank of the passages of `pool`, scaled so that the best is 1; ties keep equal scores.

    Edges join passages and entities both ways: a title weighs `title_edge`, a mention its confidence. `lone` is what the edges of
    a passage weigh that end in entities with no other edge: these give back what they get, as one entity would. `reset` names
    nodes: passages by id, entities as `e:key`; names that stand outside count nothing, and without any that counts nothing is
    ranked.
    """
    index = dict(zip(pool, count(), strict=False))
    chunk_ids, keys, roles, _, confidences = zip(*edges, strict=True) if edges else ((),) * 5
    rows = np.fromiter(map(index.__getitem__, chunk_ids), np.int64, len(edges))
    nodes: dict[str, int] = dict(zip(dict.fromkeys(keys), count(len(pool)), strict=False))
    columns = np.fromiter(map(nodes.__getitem__, keys), np.int64, len(edges))
    values = np.array(confidences, np.float64)
    values[[number for number, role in enumerate(roles) if role == "title"]] = title_edge
    size = len(index) + len(nodes)
    if lone:
        rows = np.concatenate([rows, np.fromiter(map(index.__getitem__, lone), np.int64, len(lone))])
        columns = np.concatenate([columns, np.arange(size, size + len(lone))])
        values = np.concatenate([values, np.fromiter(lone.values(), np.float64, len(lone))])
        size += len(lone)
    start = np.zeros(size)
    for name, value in reset.items():
        number = nodes.get(name[2:]) if name.startswith("e:") else index.get(name)
        if number is not None:
            start[number] = value
    if not start.sum():
        return {}
    start /= start.sum()
    # The graph has some hundred edges: two weighted counts a step cost less than building a sparse matrix once.
    sources, targets = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    values = np.concatenate([values, values])
    out = np.bincount(sources, values, size)
    values = damping * values / np.where(out > 0, out, 1)[sources]
    rank = start
    for _ in range(iterations):
        rank = np.bincount(targets, values * rank[sources], size) + (1 - damping) * start
    best = rank[: len(pool)].max(initial=0.0) or 1.0
    ranks = np.round(rank[: len(pool)] / best, 12)  # the same whether lone edges were given or weighed: ties stay ties
    return dict(zip(pool, ranks.tolist(), strict=True))
