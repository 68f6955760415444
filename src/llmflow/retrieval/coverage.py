"""The first hits chosen as a set: each next one for its score and for what it adds to those before it.

A question over several documents needs passages that complete each other. A ranking by single scores fills its top with
neighbours from one document that all say the same. The best hit always stays first.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from pydantic import Field

from llmflow.config import Settings


class CoverageSettings(Settings):
    top: int = Field(default=10, ge=0)
    """Places that are chosen this way; the rest keeps its order. 0 turns it off."""
    pool: int = Field(default=40, ge=1)
    """Best passages that may be chosen."""
    linked: float = Field(default=3.0, ge=0)
    """Worth of the question's words that a passage adds when the graph leads to it from a chosen one."""
    step: float = Field(default=0.15, ge=0)
    """Worth of the graph's own judgement of that step."""
    full_strength: float = Field(default=0.6, gt=0, le=1)
    """Strength of the graph from which its steps count in full; a question that names no title gets less of them."""
    repeated: float = Field(default=0.1, ge=0)
    """Price of each passage of the same document already chosen."""


def choose_set(
    ranked: Sequence[str],
    scores: Mapping[str, float],
    document_of: Mapping[str, str],
    words_of: Callable[[str], Collection[str]],
    weights: Mapping[str, float],
    links: Mapping[str, Mapping[str, float]],
    settings: CoverageSettings,
    strength: float = 1.0,
) -> list[str]:
    """Return `ranked` with its first places chosen anew; ties keep their order.

    `words_of` gives a passage's question words, `weights` their worth, `links` the passages from which the graph leads to
    one and how good each step is, `strength` how far the graph trusts itself for this question, 0 to 1.
    """
    pool = list(ranked[: settings.pool])
    total = sum(weights.values()) or 1.0
    left = {key: set(words_of(key)) for key in pool if key in links}  # words that no chosen passage holds
    step = dict.fromkeys(left, 0.0)  # the best way on from a chosen passage
    trust = min(1.0, strength / settings.full_strength)
    chosen: list[str] = []
    documents: dict[str, int] = {}

    def worth(key: str) -> float:
        price = settings.repeated * documents.get(document_of[key], 0)
        if not step.get(key):
            return scores[key] - price
        added = sum(weight for word, weight in weights.items() if word in left[key]) / total  # not in the order of a set
        return scores[key] + trust * (settings.linked * added + settings.step * step[key]) - price

    worths = {key: scores[key] for key in pool}  # of those that are left; a choice changes few of them
    while worths and len(chosen) < settings.top:
        best = max(worths, key=worths.__getitem__)
        del worths[best]
        chosen.append(best)
        document = document_of[best]
        documents[document] = documents.get(document, 0) + 1
        for key in left:
            left[key].difference_update(words_of(best))
            step[key] = max(step[key], links[key].get(best, 0.0))
        for key in worths:
            if step.get(key) or document_of[key] == document:
                worths[key] = worth(key)
    taken = set(chosen)
    return [*chosen, *(key for key in ranked if key not in taken)]
