"""A retriever and a chat that go on while models fail, come back and are exchanged, over the embedded stores."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset

from llmflow.adapters.http_reranker import HttpRerankerSettings, TeiReranker
from llmflow.answering.answerer import SEARCH_AWAY
from llmflow.answering.settings import AnsweringSettings
from llmflow.datasets.models import ChatModelDataset, ExtractorDataset, RerankerDataset
from llmflow.errors import DatasetError, ModelUnavailable, SettingsError
from llmflow.evaluation.fusion_fit import FusionFitSettings
from llmflow.evaluation.judged_sets import BENCHMARK_TENANT, JudgedQuestion, JudgedSet, Passage
from llmflow.ingestion.indexing import ACTIVE_SPACE, PREVIOUS_SPACE, IndexingSettings, index_staged
from llmflow.ingestion.passages import PassageText, stage_passages
from llmflow.ingestion.prepare import PreparationSettings
from llmflow.ingestion.preparing import WorkerSettings
from llmflow.ports import Stores
from llmflow.retrieval.fusion import FusionSettings
from llmflow.retrieval.rerank import RerankSettings, merge
from llmflow.retrieval.retriever import RetrievalSettings, Retriever
from llmflow.serving.catalog import STORE_ENTRIES, Workspace, build_answerer, build_retriever
from llmflow.serving.evaluation.benchmarks import embedded_stores
from llmflow.serving.evaluation.evaluate import evaluate_judged_set
from llmflow.serving.evaluation.fusion_fit import describe_fit, fit_fusion, write_fit
from llmflow.serving.operating.health import Part, look_at, workspace_checks
from llmflow.types import Answer, Hit, Principal

ASKER = Principal(BENCHMARK_TENANT)
QUESTION = "How is annual leave requested?"
PASSAGES = {
    "leave": ("Annual leave", "Annual leave is requested in the portal three days ahead."),
    "sick": ("Sick leave", "Sick leave is reported by telephone on the first day."),
    "vpn": ("VPN", "The gateway client is installed before travelling."),
    "flights": ("Flights", "Flights are requested at the travel desk."),
}


@dataclass
class WordEmbedder:
    """Counts words into a few dimensions; `down` makes it fail as a server that is away."""

    name: str = "words"
    dimension: int = 16
    languages: frozenset[str] = frozenset({"en"})
    down: bool = False

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        if self.down:
            raise ModelUnavailable(f"The embedder {self.name} is away.")
        vectors = np.full((len(texts), self.dimension), 0.01, dtype=np.float32)
        for number, text in enumerate(texts):
            for word in text.lower().split():
                vectors[number, hashlib.sha256(f"{self.name}{word}".encode()).digest()[0] % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    embed_queries = embed_passages


@dataclass
class WordReranker:
    """Likes passages that hold a word; `down` makes it fail as a server that is away."""

    liked: str
    name: str = "liked"
    down: bool = False
    read: tuple[str, ...] = ()

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        if self.down:
            raise ModelUnavailable("The reranker is away.")
        self.read = tuple(passages)
        return [9.0 if self.liked in passage else -9.0 for passage in passages]


def index(stores: Stores) -> None:
    passages = [PassageText(key, title, text) for key, (title, text) in PASSAGES.items()]
    stage_passages(passages, BENCHMARK_TENANT, stores, PreparationSettings(), WorkerSettings(), lambda *_: None)
    index_staged(stores, IndexingSettings(), lambda *_: None)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """The passages, indexed once; tests exchange models, not documents."""
    stores = embedded_stores(tmp_path_factory.mktemp("running"), WordEmbedder())
    index(stores)
    yield stores
    stores.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Stores]:
    stores = embedded_stores(tmp_path, WordEmbedder())
    index(stores)
    yield stores
    stores.close()


def workspace_over(stores: Stores) -> Workspace:
    entries = {entry: MemoryDataset(getattr(stores, name), copy_mode="assign") for name, entry in STORE_ENTRIES.items()}
    entries |= {"prompt_ko": MemoryDataset("{evidence}"), "prompt_en": MemoryDataset("{evidence}")}
    entries |= {"reranker": RerankerDataset(), "extractor": ExtractorDataset()}
    entries |= {"chat_model": ChatModelDataset(backend="extractive")}
    settings = {"sources": {"paths": []}, "workers": {"processes": 1}}
    return Workspace("base", DataCatalog(entries), {"ingestion": settings})


def retriever_over(stores: Stores, **rerank) -> Retriever:
    settings = RetrievalSettings(rerank=RerankSettings(**rerank))
    return build_retriever(stores, PreparationSettings(), settings)


def sources(hits: Sequence[Hit]) -> list[str]:
    return [hit.document.source for hit in hits]


def test_chosen_documents_are_looked_through_alone_in_every_channel(indexed: Stores):
    ids = {document.source: document.id for document in indexed.state.documents()}
    retriever = retriever_over(indexed)
    everything = retriever.search(QUESTION, ASKER)
    assert sources(everything)[0] == "leave"
    (narrowed,) = retriever.search_many([QUESTION], ASKER, 10, documents=[ids["sick"], ids["flights"], "unknown"])
    assert sorted(sources(narrowed.hits)) == ["flights", "sick"]
    known = {hit.chunk.id for hit in narrowed.hits}
    assert {one.id for ranking in narrowed.rankings.values() for one in ranking} == known
    assert {"text", "dense"} <= set(narrowed.rankings)
    for documents, principal in ((["unknown"], ASKER), (list(ids.values()), Principal("rival"))):
        (nothing,) = retriever.search_many([QUESTION], principal, 10, documents=documents)
        assert (nothing.hits, nothing.rankings) == ((), {})


def test_a_reranker_orders_what_was_found_and_says_so(indexed: Stores):
    reranker = WordReranker("telephone")
    plain = retriever_over(indexed).search(QUESTION, ASKER)
    hits = retriever_over(replace(indexed, reranker=reranker), enabled=True).search(QUESTION, ASKER)
    assert sources(plain)[0] == "leave"
    assert sources(hits)[0] == "sick"
    assert sorted(sources(hits)) == sorted(sources(plain))
    assert hits[0].channels["rerank"] == 9.0
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)
    assert "Sick leave is reported by telephone on the first day." in reranker.read[sources(plain).index("sick")]


def test_a_reranker_that_is_not_switched_on_is_not_asked(indexed: Stores):
    reranker = WordReranker("telephone")
    hits = retriever_over(replace(indexed, reranker=reranker)).search(QUESTION, ASKER)
    assert reranker.read == ()
    assert sources(hits) == sources(retriever_over(indexed).search(QUESTION, ASKER))
    assert "rerank" not in hits[0].channels


def test_a_reranker_that_is_switched_on_and_not_there_is_refused(indexed: Stores):
    with pytest.raises(SettingsError, match="catalog entry `reranker` has no model"):
        retriever_over(indexed, enabled=True)


def test_a_reranker_that_is_away_leaves_the_fused_order_until_it_is_back(indexed: Stores, caplog: pytest.LogCaptureFixture):
    reranker = WordReranker("telephone", down=True)
    retriever = retriever_over(replace(indexed, reranker=reranker), enabled=True)
    away = retriever.search_many([QUESTION], ASKER, 10)[0]
    assert sources(away.hits) == sources(retriever_over(indexed).search(QUESTION, ASKER))
    assert away.problems == ("The reranker is away.",)
    assert "Passages keep their fused order: The reranker is away." in caplog.text
    reranker.down = False
    back = retriever.search_many([QUESTION], ASKER, 10)[0]
    assert (sources(back.hits)[0], back.problems) == ("sick", ())


def test_an_embedder_that_is_away_leaves_the_other_channels_until_it_is_back(indexed: Stores):
    embedder = WordEmbedder(down=True)
    retriever = retriever_over(replace(indexed, embedder=embedder))
    away = retriever.search_many([QUESTION], ASKER, 10)[0]
    assert sources(away.hits)[0] == "leave"
    assert not away.rankings["dense"]
    assert away.problems == ("The embedder words is away.",)
    embedder.down = False
    back = retriever.search_many([QUESTION], ASKER, 10)[0]
    assert back.rankings["dense"]
    assert back.problems == ()


def test_an_evaluation_does_not_go_on_without_a_model(indexed: Stores):
    passages = tuple(Passage(key, title, text) for key, (title, text) in PASSAGES.items())
    judged = JudgedSet("leave", passages, (JudgedQuestion("1", QUESTION, "en", relevant={"leave": 1}),))
    for stores in (
        replace(indexed, reranker=WordReranker("telephone", down=True)),
        replace(indexed, embedder=WordEmbedder(down=True), reranker=WordReranker("telephone")),
    ):
        with pytest.raises(ModelUnavailable, match=r"evaluation was stopped: .* is away"):
            evaluate_judged_set(judged, retriever_over(stores, enabled=True), 10, latency=False)


def test_only_the_first_are_read_and_the_rest_keeps_its_order():
    merged = merge(["a", "b", "c", "d"], {"a": 0.0, "b": 3.0}, 1.0)
    assert merged.order == ("b", "a", "c", "d")
    assert [merged.scores[key] for key in merged.order] == pytest.approx([1.0, 0.5, 1 / 3, 1 / 6])


def test_equal_judgements_keep_the_fused_order_and_weight_shares_the_say():
    assert merge(["b", "a", "c"], {"a": 1.0, "b": 1.0, "c": 1.0}, 1.0).order == ("b", "a", "c")
    judged = {"a": 0.0, "b": 0.4, "c": 1.0}
    assert merge(["a", "b", "c"], judged, 1.0).order == ("c", "b", "a")
    assert merge(["a", "b", "c"], judged, 0.1).order == ("a", "b", "c")


def test_a_running_retriever_outlives_a_change_of_the_embedder(fresh: Stores):
    """Before, while and after the new space is filled; when its own space is dropped it goes on without vectors."""
    running = retriever_over(fresh)
    before = running.search_many([QUESTION], ASKER, 10)[0]
    assert before.rankings["dense"]

    class Watched(WordEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
            seen.append(running.search_many([QUESTION], ASKER, 10)[0])
            return super().embed_passages(texts)

    seen: list = []
    newer = replace(fresh, embedder=Watched("newer", 24))
    index(newer)
    after = running.search_many([QUESTION], ASKER, 10)[0]
    assert len(seen) >= 1
    assert all(result == before for result in [*seen, after])
    assert fresh.state.setting(ACTIVE_SPACE) == "newer"
    assert fresh.state.setting(PREVIOUS_SPACE) == "words"

    index(replace(fresh, embedder=WordEmbedder("newest")))
    assert fresh.vectors.spaces() == ["newer", "newest"]
    last = running.search_many([QUESTION], ASKER, 10)[0]
    assert not last.rankings["dense"]
    assert sources(last.hits)[0] == "leave"
    assert retriever_over(newer).search_many([QUESTION], ASKER, 10)[0].rankings["dense"]


def test_a_running_chat_answers_through_a_change_of_the_embedder(fresh: Stores):
    chat = workspace_over(fresh)

    def ask() -> Answer:
        *_, answer = chat.traced_answerer.stream(QUESTION, ASKER)
        assert isinstance(answer, Answer)
        return answer

    assert ask().found
    begun = chat.traced_answerer.stream(QUESTION, ASKER)
    first = next(begun)
    for name in ("newer", "newest"):
        index(replace(fresh, embedder=WordEmbedder(name, 24)))
        assert ask().text.startswith("Annual leave is requested in the portal three days ahead. [1]")
    *_, answer = begun
    assert isinstance(answer, Answer)
    assert answer.text.startswith(str(first))


def test_an_answer_says_that_a_search_model_is_away(fresh: Stores):
    embedder = WordEmbedder(down=True)
    prompts = {"ko": "{evidence}", "en": "{evidence}"}
    settings = RetrievalSettings()
    answerer = build_answerer(
        replace(fresh, embedder=embedder), PreparationSettings(), settings, AnsweringSettings(), prompts, None
    )
    away = answerer.answer(QUESTION, ASKER)
    assert (away.found, away.notice) == (True, SEARCH_AWAY["en"])
    assert answerer.answer("zzz qqq?", ASKER, language="ko").notice == SEARCH_AWAY["ko"]
    embedder.down = False
    assert answerer.answer(QUESTION, ASKER).notice == ""


def test_health_names_the_models_and_is_no_failure_without_them(fresh: Stores):
    def models(workspace: Workspace) -> tuple[str, dict[str, Part]]:
        health = look_at(
            [check for check in workspace_checks(workspace, min_free_gb=0) if check.name in ("embedder", "reranker")]
        )
        return health.status, {part.name: part for part in health.parts}

    status, parts = models(workspace_over(fresh))
    assert (status, parts["embedder"].detail, parts["reranker"].detail) == ("ok", "words, in this process", "none")
    away = TeiReranker(HttpRerankerSettings(url="http://127.0.0.1:9", model="m", retries=0))
    workspace = workspace_over(fresh)
    workspace.__dict__["stores"] = replace(fresh, reranker=away)
    status, parts = models(workspace)
    assert status == "degraded" and parts["reranker"].detail.startswith("The reranker m at http://127.0.0.1:9/rerank")
    assert "hits keep their order" in parts["reranker"].remedy


def test_the_learned_fusion_is_fitted_on_the_retriever_that_serves(
    fresh: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path / "home"))
    workspace = workspace_over(fresh)
    questions = [("How is leave requested?", "leave"), ("Who reports sick leave?", "sick"), ("What gateway is installed?", "vpn")]
    judged = JudgedSet(
        "own",
        tuple(Passage(key, title, text) for key, (title, text) in PASSAGES.items()),
        tuple(JudgedQuestion(str(n), text, "en", relevant={key: 1}) for n, (text, key) in enumerate(questions)),
    )
    fit = fit_fusion([judged], workspace, FusionFitSettings(folds=3), lambda *_: None)
    write_fit(tmp_path / "fit.json", fit)
    written = json.loads((tmp_path / "fit.json").read_text())
    assert FusionSettings(**written["fusion"]).learned == fit.weights
    assert [gain["measure"] for gain in written["fit"]["gains"]] == ["R@2", "R@5", "R@10", "nDCG@10"]
    assert (fit.questions, fit.gains[0].questions, fit.baseline) == (3, 3, "minmax")
    assert "method: learned" in describe_fit(fit)
    with pytest.raises(DatasetError, match="same name"):
        fit_fusion([judged, judged], workspace, FusionFitSettings(), lambda *_: None)
