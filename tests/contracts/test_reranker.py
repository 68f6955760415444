"""The contract of `Reranker`, and what single adapters promise beyond it."""

import math
from pathlib import Path

import numpy as np
import pytest
from model_servers import MODEL, ModelServerAddress
from tiny_models import flag_reranker

from llmflow.adapters.flag_models import load_bge_m3
from llmflow.adapters.flag_reranker import FlagReranker, FlagRerankerSettings
from llmflow.adapters.http_reranker import HttpRerankerSettings, TeiReranker, VllmReranker
from llmflow.adapters.m3_scorer import M3Scorer, M3ScorerSettings
from llmflow.errors import ModelUnavailable
from llmflow.ports import Reranker

QUESTION = "How do I apply for annual leave?"
PASSAGES = (
    "Replacing the toner of a printer.",
    "How to apply for annual leave.",
    "",
    "휴가 신청은 사흘 전에 한다.",
    "Expense reports are due. " * 80,
    "How to apply for annual leave.",
)


class RerankerContract:
    """What every Reranker must do. Subclasses give `reranker`."""

    @pytest.fixture
    def reranker(self) -> Reranker:
        raise NotImplementedError

    @pytest.fixture
    def scores(self, reranker: Reranker) -> list[float]:
        return reranker.score(QUESTION, PASSAGES)

    def test_no_passages_have_no_scores(self, reranker: Reranker):
        assert reranker.score(QUESTION, []) == []

    def test_one_finite_score_a_passage(self, scores: list[float]):
        assert len(scores) == len(PASSAGES)
        assert all(isinstance(score, float) and math.isfinite(score) for score in scores)

    def test_order_is_kept(self, reranker: Reranker, scores: list[float]):
        assert reranker.score(QUESTION, PASSAGES[::-1])[::-1] == pytest.approx(scores, abs=1e-3)

    def test_a_passage_has_one_score_whoever_stands_beside_it(self, reranker: Reranker, scores: list[float]):
        for passage, score in zip(PASSAGES, scores, strict=True):
            assert reranker.score(QUESTION, [passage]) == pytest.approx([score], abs=1e-3)

    def test_the_question_decides(self, reranker: Reranker, scores: list[float]):
        assert reranker.score("법인 카드 한도는?", PASSAGES) != pytest.approx(scores, abs=1e-3)

    def test_more_passages_than_a_batch(self, reranker: Reranker):
        many = [f"Room {number} is booked." for number in range(70)]
        alone = reranker.score(QUESTION, many[64:66])
        assert reranker.score(QUESTION, many)[64:66] == pytest.approx(alone, abs=1e-3)


class TestFlagReranker(RerankerContract):
    @pytest.fixture
    def reranker(self, tiny_reranker: Path) -> Reranker:
        return flag_reranker(tiny_reranker)

    def test_scores_are_the_models_own_output(self, scores: list[float], tiny_reranker: Path):
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(tiny_reranker)
        model = AutoModelForSequenceClassification.from_pretrained(tiny_reranker).eval()
        for passage, score in zip(PASSAGES, scores, strict=True):
            pair = tokenizer(QUESTION, passage, truncation="only_second", max_length=256, return_tensors="pt")
            with torch.inference_mode():
                assert float(model(**pair).logits) == pytest.approx(score, abs=1e-4)

    def test_a_missing_folder_names_the_remedy(self, tmp_path: Path):
        with pytest.raises(ModelUnavailable, match="Copy the reranker folder there"):
            FlagReranker(FlagRerankerSettings(model=str(tmp_path))).score(QUESTION, ["text"])


class TestM3Scorer(RerankerContract):
    @pytest.fixture
    def settings(self, tiny_m3: Path) -> M3ScorerSettings:
        return M3ScorerSettings(model=str(tiny_m3), max_tokens=256)

    @pytest.fixture
    def reranker(self, settings: M3ScorerSettings) -> Reranker:
        return M3Scorer(settings)

    def test_shared_words_are_nearer(self, scores: list[float]):
        assert scores[1] > scores[0]

    @pytest.mark.parametrize(
        ("weights", "key"),
        [
            ({"dense": 1, "sparse": 0, "multi_vector": 0}, "dense"),
            ({"dense": 0, "sparse": 1, "multi_vector": 0}, "sparse"),
            ({"dense": 0, "sparse": 0, "multi_vector": 1}, "colbert"),
            ({"dense": 1, "sparse": 0.3, "multi_vector": 1}, "colbert+sparse+dense"),
        ],
    )
    def test_each_output_scores_as_the_library_says(self, settings: M3ScorerSettings, weights: dict[str, float], key: str):
        ours = M3Scorer(settings.model_copy(update=weights)).score(QUESTION, PASSAGES)
        library = load_bge_m3(settings).model.compute_score(
            [(QUESTION, passage) for passage in PASSAGES],
            max_query_length=256,
            max_passage_length=256,
            weights_for_different_modes=[weights["dense"], weights["sparse"], weights["multi_vector"]],
        )
        np.testing.assert_allclose(ours, library[key], atol=2e-3)

    def test_known_passages_are_not_encoded_again(self, settings: M3ScorerSettings):
        scorer = M3Scorer(settings.model_copy(update={"remembered": 2}))
        first = scorer.score(QUESTION, PASSAGES[:2])
        loaded = load_bge_m3(settings)
        encoded: list[list[str]] = []
        encode = loaded.model.encode
        loaded.model.encode = lambda texts, **options: encoded.append(texts) or encode(texts, **options)
        try:
            assert scorer.score(QUESTION, PASSAGES[:2]) == pytest.approx(first, abs=1e-3)
            scorer.score(QUESTION, [PASSAGES[3]])
            scorer.score(QUESTION, PASSAGES[:2])
        finally:
            loaded.model.encode = encode
        assert encoded == [[QUESTION], [QUESTION, PASSAGES[3]], [QUESTION, PASSAGES[0]]]

    def test_a_folder_without_its_heads_is_refused(self, tiny_m3: Path, tmp_path: Path):
        for file in tiny_m3.iterdir():
            if file.name != "sparse_linear.pt":
                (tmp_path / file.name).symlink_to(file)
        with pytest.raises(ModelUnavailable, match=r"lacks sparse_linear.pt"):
            M3Scorer(M3ScorerSettings(model=str(tmp_path))).score(QUESTION, ["text"])


class TestTeiReranker(RerankerContract):
    @pytest.fixture
    def reranker(self, model_server: ModelServerAddress) -> Reranker:
        return TeiReranker(HttpRerankerSettings(url=model_server.url, model=MODEL))


class TestVllmReranker(RerankerContract):
    @pytest.fixture(params=["", "/v1"])
    def reranker(self, model_server: ModelServerAddress, request: pytest.FixtureRequest) -> Reranker:
        return VllmReranker(HttpRerankerSettings(url=model_server.url + request.param, model=MODEL))


@pytest.mark.parametrize("change", [{"model": "other"}, {"revision": "2"}, {"truncate_tokens": 9}])
def test_a_servers_name_changes_with_what_changes_scores(change: dict[str, object]):
    settings = HttpRerankerSettings(url="http://tei", model="BAAI/bge-reranker-v2-m3")
    assert TeiReranker(settings.model_copy(update=change)).name != TeiReranker(settings).name
    assert TeiReranker(settings.model_copy(update={"url": "http://b"})).name == TeiReranker(settings).name
