"""The served corpus as a BEIR set and BEIR sets as questions of our own: passages by quote on one side, by id on the other.

BEIR knows no permissions. An export holds what one principal may read, or everything; whoever gets it reads all of it. The
passages are the masked ones that are served.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmflow.errors import DatasetError
from llmflow.evaluation.judged_questions import BENCHMARK_TENANT, Evidence, JudgedQuestion, JudgedSet, Passage
from llmflow.evaluation.metrics import normalise_quote
from llmflow.ingestion.sentences import split_sentences
from llmflow.ports import PreparedDocument
from llmflow.types import Document, Principal

MAX_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Export:
    judged_set: JudgedSet
    left_out: Mapping[str, int]
    """Questions that are not in the set, by reason."""


def corpus_as_set(
    name: str,
    questions: Sequence[JudgedQuestion],
    served: Iterable[tuple[Document, PreparedDocument]],
    principal: Principal | None,
) -> Export:
    """Return the passages that `principal` may read (None: all of every tenant) and the questions that they answer.

    A passage is relevant with grade 1 when it is of the evidence's source and tenant and holds its quote. Questions whose
    evidence is not all there are left out, and those without an answer that somebody else asks.
    """
    wanted: dict[tuple[str, str], list[tuple[str, int, str]]] = defaultdict(list)
    for question in questions:
        for number, item in enumerate(question.evidence):
            wanted[question.principal.tenant, item.source].append((question.id, number, normalise_quote(item.quote)))
    passages: list[Passage] = []
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    proved: dict[str, set[int]] = defaultdict(set)
    for document, prepared in served:
        if principal is not None and not principal.may_read(document.tenant, document.groups):
            continue
        for item in prepared.chunks:
            passages.append(Passage(item.chunk.id, prepared.title, item.chunk.text))
            quotes = wanted.get((document.tenant, document.source))
            text = normalise_quote("\n".join([*item.chunk.heading_path, item.chunk.text])) if quotes else ""
            for question_id, number, quote in quotes or ():
                if quote in text:
                    relevant[question_id][item.chunk.id] = 1
                    proved[question_id].add(number)
    if not passages:
        raise DatasetError(
            "There is no passage to export. Ingest documents first, or name a tenant and groups that may read some."
        )
    kept, left_out = [], Counter[str]()
    for question in questions:
        if len(proved[question.id]) < len(question.evidence):
            left_out["evidence not among the passages"] += 1
        elif not question.evidence and principal is not None and not _same_reader(question.principal, principal):
            left_out["asked by somebody else"] += 1
        else:
            kept.append(replace(question, relevant=relevant.get(question.id, {})))
    return Export(JudgedSet(name, tuple(passages), tuple(kept)), dict(left_out))


def _same_reader(one: Principal, other: Principal) -> bool:
    return (one.tenant, one.readable_groups) == (other.tenant, other.readable_groups)


def set_as_questions(judged_set: JudgedSet, asker: Principal) -> tuple[list[JudgedQuestion], dict[str, str]]:
    """Return a BEIR set's questions in our own form, and the documents (source to Markdown) that they need.

    What `corpus_as_set` wrote comes back as it was, and needs no documents. A foreign question is asked by `asker`; its evidence
    is the first sentence of each relevant passage, whose document is called after the passage.
    """
    passages = {passage.id: passage for passage in judged_set.passages}
    sources = {passage.id: _source(passage.id) for passage in judged_set.passages}
    questions: list[JudgedQuestion] = []
    foreign = False
    for question in judged_set.questions:
        if question.evidence or not question.answerable:
            questions.append(replace(question, relevant={}, kind=question.kind or _kind(question.evidence)))
            continue
        right = [passages[key] for key, grade in question.relevant.items() if grade > 0 and passages[key].text.strip()]
        evidence = tuple(Evidence(sources[passage.id], _first_sentence(passage.text)) for passage in right)
        if evidence:
            foreign = True
            owner = asker if question.principal.tenant == BENCHMARK_TENANT else question.principal
            questions.append(replace(question, principal=owner, relevant={}, evidence=evidence, kind=_kind(evidence)))
    documents = {sources[p.id]: f"# {p.title or p.id}\n\n{p.text}\n" for p in judged_set.passages} if foreign else {}
    return questions, documents


def _kind(evidence: Sequence[Evidence]) -> str:
    return "multi" if len(evidence) > 1 else "single" if evidence else "unanswerable"


def _first_sentence(text: str) -> str:
    start, end = split_sentences(text)[0]
    return text[start : min(end, start + MAX_QUOTE)].strip()


def _source(passage_id: str) -> str:
    """Return a file name that no other passage id gives."""
    plain = re.sub(r"[^\w.-]+", "_", passage_id).strip("._")[:60]
    return (
        f"{plain}.md" if plain == passage_id else f"{plain or 'passage'}-{hashlib.sha256(passage_id.encode()).hexdigest()[:8]}.md"
    )
