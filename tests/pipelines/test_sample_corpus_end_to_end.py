"""The sample corpus from files to answers: every file served, nothing personal in any store, nobody sees what is not theirs."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from running import ROOT, run_llmflow

from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.evaluation.metrics import normalise_quote
from llmflow.retrieval.retriever import CHANNELS
from llmflow.retrieval.tokens import morphemes, tokens_of
from llmflow.serving.catalog import Workspace, open_catalog
from llmflow.serving.corpus.doctor import diagnose
from llmflow.serving.evaluation.evaluate import CorpusEvaluation, evaluate_corpus
from llmflow.types import Document, Principal

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("sample")]

SAMPLE = ROOT / "data" / "sample"
EXPECTED = json.loads((SAMPLE / "pii_expected.json").read_text(encoding="utf-8"))
SECRETS: list[str] = EXPECTED["secrets"]
QUESTIONS = load_sample_questions(SAMPLE / "questions.jsonl")
SCRIPT = "SCRIPT-TEXT-MUST-NOT-BE-INDEXED"


@dataclass(frozen=True)
class Corpus:
    workspace: Workspace
    home: Path
    said: str
    """Everything that the command wrote to the terminal."""

    def documents(self) -> dict[str, Document]:
        return {document.source: document for document in self.workspace.stores.state.documents()}

    def texts(self) -> dict[str, str]:
        """Return by source everything that is kept of its served chunks: text, tables, headings, tokens, entities, topics."""
        found = {}
        for document, prepared in self.workspace.stores.state.served():
            parts = [document.title, prepared.title, *prepared.topics]
            parts += [name for relation in prepared.relations for name in (relation.source, relation.target)]
            for item in prepared.chunks:
                mentions = [name for mention in item.mentions for name in (mention.key, mention.name)]
                parts += [item.chunk.text, item.chunk.html or "", *item.chunk.heading_path, item.tokens, *mentions]
            found[document.source] = "\n".join(parts)
        return found


@pytest.fixture(scope="module")
def corpus(ingested_sample) -> Iterator[Corpus]:
    home = ingested_sample.home
    shown = run_llmflow(home, "demo", "--json")
    assert shown.returncode == 0, shown.stderr[-4000:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMFLOW_HOME", str(home))
        patch.setenv("LLMFLOW_PROJECT", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        workspace = open_catalog("base")
        yield Corpus(workspace, home, ingested_sample.said + shown.stdout + shown.stderr)
        workspace.close()


@pytest.fixture(scope="module")
def evaluation(corpus) -> CorpusEvaluation:
    return evaluate_corpus(QUESTIONS, corpus.workspace.answerer, corpus.workspace.evaluation.limit)


def spellings(secret: str) -> Iterator[bytes]:
    """Yield the bytes under which a store may hold a string: as it is, decomposed, and escaped as in JSON."""
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, secret)
        yield text.encode()
        yield text.encode("utf-16-le")
        yield json.dumps(text)[1:-1].encode()


def test_every_file_is_served(corpus):
    files = {
        path.relative_to(SAMPLE / "corpus").as_posix(): path
        for path in (SAMPLE / "corpus").rglob("*")
        if path.is_file() and path.name != "access.yml"
    }
    documents = corpus.documents()
    assert set(documents) == set(files)
    assert {d.source: d.reason for d in documents.values() if d.status != "ready"} == {}
    assert all(document.chunks > 0 for document in documents.values())
    assert {source: document.tenant for source, document in documents.items()} == {name: name.split("/")[0] for name in files}
    assert all(d.groups == (("*",) if "/shared/" in s else (s.split("/")[1],)) for s, d in documents.items())


def test_personal_data_are_counted_by_file(corpus):
    documents = corpus.documents()
    short = {
        source: (dict(wanted), dict(documents[source].pii))
        for source, wanted in EXPECTED["files"].items()
        if Counter(wanted) - Counter(documents[source].pii)
    }
    assert short == {}


def test_nothing_personal_is_in_any_file_of_the_workspace_but_the_originals(corpus):
    files = [path for path in corpus.home.rglob("*") if path.is_file() and not path.is_relative_to(corpus.home / "raw")]
    assert {"state.db", "graph.db", "text", "vectors.db"} <= {path.relative_to(corpus.home).parts[0] for path in files}
    held = [(path.relative_to(corpus.home).as_posix(), path.read_bytes()) for path in files]
    held.append(("the terminal", corpus.said.encode()))
    found = [(name, secret) for name, content in held for secret in SECRETS for form in spellings(secret) if form in content]
    assert found == []
    assert [name for name, content in held if SCRIPT.encode() in content] == []


def test_the_search_for_secrets_would_find_them(corpus):
    originals = [path.read_bytes() for path in (corpus.home / "raw").rglob("*") if path.is_file()]
    assert any(SCRIPT.encode() in content for content in originals)
    seen = [secret for secret in SECRETS if any(form in content for content in originals for form in spellings(secret))]
    assert len(seen) > 15  # those of plain text files; the others lie compressed in office files and PDF


def test_nothing_personal_is_in_chunks_tokens_or_entities(corpus):
    """Full text and graph are written from these rows; tokens are compared without the signs that the analyser drops."""
    found = []
    for source, text in corpus.texts().items():
        plain, squeezed = unicodedata.normalize("NFC", text), re.sub(r"[\s\-+.]", "", text)
        for secret in SECRETS:
            bare = re.sub(r"[\s\-+.]", "", secret)
            if secret in plain or (bare.isdigit() and bare in squeezed):
                found.append((source, secret))
    assert found == []
    assert not any(SCRIPT.lower() in text.lower() for text in corpus.texts().values())


@pytest.mark.parametrize("secret", SECRETS[:: max(1, len(SECRETS) // 12)])
def test_asking_for_a_secret_shows_none(secret, corpus):
    departments = frozenset({"hr", "finance", "it", "security", "logistics"})
    for tenant in ("hanbit", "nuri"):
        hits = corpus.workspace.retriever.search(secret, Principal(tenant, departments), 20)
        assert all(secret not in f"{hit.chunk.text}{hit.chunk.html}{hit.document.title}" for hit in hits)


def test_numbers_that_only_look_personal_survive(corpus):
    texts = {source: normalise_quote(text) for source, text in corpus.texts().items()}
    lost = [(source, kept) for source, strings in EXPECTED["keep"].items() for kept in strings if kept not in texts[source]]
    assert lost == []


def test_every_evidence_is_in_a_chunk(corpus):
    """A question whose quote no chunk holds could never be answered, and would hide in the averages."""
    held: dict[str, list[str]] = {}
    for document, prepared in corpus.workspace.stores.state.served():
        whole = ["\n".join([*item.chunk.heading_path, item.chunk.text]) for item in prepared.chunks]
        held[document.source] = [normalise_quote(text) for text in whole]
    missing = [
        (question.id, item.quote)
        for question in QUESTIONS
        for item in question.evidence
        if not any(normalise_quote(item.quote) in text for text in held[item.source])
    ]
    assert missing == []


def test_no_channel_shows_what_the_asker_may_not_read(corpus):
    retriever, state = corpus.workspace.retriever, corpus.workspace.stores.state
    owners = {chunk.chunk.id: document for document, prepared in state.served() for chunk in prepared.chunks}
    asked = [question for question in QUESTIONS if question.forbidden]
    assert len(asked) >= 16
    shown: Counter[str] = Counter()
    leaks = []
    for question in QUESTIONS:
        (result,) = retriever.search_many([question.text], question.principal, 100)
        rankings = {name: [hit.id for hit in ranking] for name, ranking in result.rankings.items()}
        rankings["fused"] = [hit.chunk.id for hit in result.hits]
        for name, ids in rankings.items():
            shown[name] += len(ids)
            for document in (owners[key] for key in ids):
                readable = question.principal.may_read(document.tenant, document.groups)
                if not readable or document.source in question.forbidden:
                    leaks.append((question.id, name, document.source))
    assert leaks == []
    assert all(shown[name] for name in (*CHANNELS, "fused"))


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_stores_themselves_keep_tenants_and_groups_apart(channel, corpus):
    """The filter is part of each store's query, not only of the check against the state database that follows."""
    stores, analyser = corpus.workspace.stores, corpus.workspace.ingestion.preparation.analyser
    owners = {chunk.chunk.id: document for document, prepared in stores.state.served() for chunk in prepared.chunks}
    keys = sorted({m.key for _, prepared in stores.state.served() for chunk in prepared.chunks for m in chunk.mentions})
    seen = 0
    for question in [question for question in QUESTIONS if question.forbidden]:
        if channel == "text":
            tokens = tokens_of(question.text, morphemes([question.text], analyser)[0], analyser, question=True)
            ids = {hit.id for hit in stores.text.search([tokens], question.principal, 200)[0]}
        elif channel == "dense":
            vectors = stores.embedder.embed_queries([question.text])
            ids = {hit.id for hit in stores.vectors.search(vectors, stores.embedder.name, question.principal, 200)[0]}
        else:
            ids = {edge.chunk_id for edge in stores.graph.edges_of_entities(keys, question.principal, 1000)}
            ids |= {edge.chunk_id for edge in stores.graph.edges_of_chunks(sorted(owners), question.principal)}
        found = {owners[key].source: owners[key] for key in ids}
        shown = {s for s, owner in found.items() if not question.principal.may_read(owner.tenant, owner.groups)}
        assert shown == set(), question.id
        seen += len(ids)
    assert seen > 100


def test_answers_leak_nothing_and_cite_what_they_say(evaluation):
    assert evaluation.leaks == evaluation.answers.overall.leaks == 0
    assert evaluation.answers.leaked == ()
    assert evaluation.answers.overall.uncited == 0.0
    for item in evaluation.answered:
        texts = {hit.chunk.id: hit.chunk.text for hit in item.answer.hits}
        assert all(citation.quote in texts[citation.chunk_id] for citation in item.answer.citations), item.question.id


def test_multi_hop_recall_reaches_its_goal(evaluation):
    assert evaluation.kinds["multi"]["R@5"] >= 0.9


def test_every_document_of_a_question_over_several_is_among_the_first_five_hits(corpus):
    missing = {}
    for question in (question for question in QUESTIONS if question.kind == "multi"):
        hits = corpus.workspace.retriever.search(question.text, question.principal, 5)
        if short := {item.source for item in question.evidence} - {hit.document.source for hit in hits}:
            missing[question.id] = short
    assert missing == {}


def test_unanswerable_questions_are_refused(evaluation):
    assert (evaluation.answers.by_kind["unanswerable"].refused_unanswerable or 0.0) >= 0.8


def test_answerable_questions_are_answered(evaluation):
    refused = evaluation.answers.overall.wrongly_refused
    assert refused is not None and refused <= 0.05


def test_doctor_finds_nothing(corpus):
    assert diagnose(corpus.workspace.stores).ok
