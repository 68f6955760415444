"""Personalised PageRank over the passages and entities around one question."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count

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
    nodes: defaultdict[str, int] = defaultdict(count(len(pool)).__next__)  # entities are numbered as they come
    chunk_ids, keys, roles, _, confidences = zip(*edges, strict=True) if edges else ((),) * 5
    total = len(edges) + len(lone)
    rows = np.fromiter(map(index.__getitem__, chain(chunk_ids, lone)), np.int64, total)
    columns = np.fromiter(chain(map(nodes.__getitem__, keys), count()), np.int64, total)
    columns[len(edges) :] += len(pool) + len(nodes)
    weights = [title_edge if role == "title" else weight for role, weight in zip(roles, confidences, strict=True)]
    values = np.fromiter(chain(weights, lone.values()), np.float64, total)
    size = len(pool) + len(nodes) + len(lone)
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
    values *= (damping / np.where(out > 0, out, 1))[sources]
    rank, again = start, (1 - damping) * start
    for _ in range(iterations):
        rank = np.bincount(targets, values * rank[sources], size) + again
    best = rank[: len(pool)].max(initial=0.0) or 1.0
    ranks = np.round(rank[: len(pool)] / best, 12)  # the same whether lone edges were given or weighed: ties stay ties
    return dict(zip(pool, ranks.tolist(), strict=True))
