"""The whole sample corpus and its questions with the graph in a real Neo4j: the same passages in the same order as with SQL."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from running import ROOT, copy_project

from llmflow.adapters.sql_graph import SqlGraphStore
from llmflow.answering.answerer import Answerer
from llmflow.evaluation.judged_sets import load_sample_questions
from llmflow.ingestion.run import IngestionReport, run_ingestion
from llmflow.ports import GraphStore, Stores
from llmflow.serving.catalog import Workspace, build_answerer, open_catalog
from llmflow.serving.corpus.doctor import diagnose, repair
from llmflow.serving.evaluation.evaluate import evaluate_corpus

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("neo4j")]

CATALOG = """graph_store:
  type: llmflow.datasets.stores.GraphStoreDataset
  backend: neo4j
  credentials: neo4j
"""
CREDENTIALS = """neo4j:
  uri: ${oc.env:LLMFLOW_NEO4J_URI}
  user: ${oc.env:LLMFLOW_NEO4J_USER}
  password: ${oc.env:LLMFLOW_NEO4J_PASSWORD}
"""


@dataclass(frozen=True)
class Corpus:
    workspace: Workspace
    report: IngestionReport
    sql: GraphStore
    """The same documents in the embedded graph."""

    def answerer(self, graph: GraphStore) -> Answerer:
        space = self.workspace
        stores = replace(space.stores, graph=graph)
        prompts = {"ko": space.load("prompt_ko"), "en": space.load("prompt_en")}
        return build_answerer(stores, space.ingestion.preparation, space.retrieval, space.answering, prompts, None)


@pytest.fixture(scope="module")
def corpus(neo4j_server, tmp_path_factory) -> Iterator[Corpus]:
    folder = tmp_path_factory.mktemp("neo4j corpus")
    project = copy_project(folder)
    (project / "conf" / "graph").mkdir()
    (project / "conf" / "graph" / "catalog.yml").write_text(CATALOG)
    (project / "conf" / "graph" / "credentials.yml").write_text(CREDENTIALS)
    variables = {
        "LLMFLOW_PROJECT": str(project),
        "LLMFLOW_HOME": str(folder / "home"),
        "LLMFLOW_NEO4J_URI": neo4j_server.uri,
        "LLMFLOW_NEO4J_USER": neo4j_server.user,
        "LLMFLOW_NEO4J_PASSWORD": neo4j_server.password,
        "OMP_NUM_THREADS": "1",
    }
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as opened:
        for key, value in variables.items():
            patch.setenv(key, value)
        workspace = open_catalog("graph")
        opened.callback(workspace.close)
        empty(workspace.stores.graph)
        settings = workspace.ingestion
        sources = settings.sources.model_copy(update={"paths": (str(ROOT / "data/sample/corpus"),)})
        settings = settings.model_copy(update={"sources": sources})
        report = run_ingestion(settings, workspace.stores, workspace.notifier, lambda stage, done, total: None)
        sql = SqlGraphStore(f"sqlite:///{folder}/graph.db")
        opened.callback(sql.close)
        repair(replace(workspace.stores, graph=sql), settings.indexing)
        yield Corpus(workspace, report, sql)


def empty(graph: GraphStore) -> None:
    """Take what another test left in the shared server out of it."""
    graph.delete_chunks(sorted(graph.chunk_ids()))


def with_sql(corpus: Corpus) -> Stores:
    return replace(corpus.workspace.stores, graph=corpus.sql)


def test_every_document_is_served_and_both_graphs_agree_with_the_truth(corpus):
    assert corpus.report.failures == ()
    assert corpus.report.indexed == corpus.report.files > 40
    in_neo4j, in_sql = diagnose(corpus.workspace.stores), diagnose(with_sql(corpus))
    assert in_neo4j.ok and in_sql.ok
    assert in_neo4j.digests == in_sql.digests
    assert corpus.workspace.stores.graph.statistics() == corpus.sql.statistics()


def test_every_question_finds_the_same_passages_in_the_same_order(corpus):
    questions = load_sample_questions(ROOT / "data/sample/questions.jsonl")
    by_neo4j = corpus.answerer(corpus.workspace.stores.graph).retriever
    by_sql = corpus.answerer(corpus.sql).retriever
    found_by_graph = 0
    for question in questions:
        (mine,) = by_neo4j.search_many([question.text], question.principal, 20)
        (theirs,) = by_sql.search_many([question.text], question.principal, 20)
        assert [hit.chunk.id for hit in mine.hits] == [hit.chunk.id for hit in theirs.hits], question.id
        assert [hit.id for hit in mine.rankings["graph"]] == [hit.id for hit in theirs.rankings["graph"]], question.id
        assert [hit.score for hit in mine.hits] == pytest.approx([hit.score for hit in theirs.hits]), question.id
        found_by_graph += bool(mine.rankings["graph"])
    assert found_by_graph > len(questions) / 2


def test_the_corpus_evaluation_runs_on_neo4j(corpus):
    questions = load_sample_questions(ROOT / "data/sample/questions.jsonl")[::6]
    mine = evaluate_corpus(questions, corpus.answerer(corpus.workspace.stores.graph))
    theirs = evaluate_corpus(questions, corpus.answerer(corpus.sql))
    assert mine.leaks == mine.answers.overall.leaks == 0
    assert mine.rows["graph"]["R@10"] > 0.5
    assert (mine.rows, mine.kinds, mine.answers) == (theirs.rows, theirs.kinds, theirs.answers)
