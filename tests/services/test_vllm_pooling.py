"""Embedder and reranker against a real vLLM (`--runner pooling`) that serves the tiny models on this machine's processor."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from contracts.test_embedder import TEXTS, EmbedderContract
from contracts.test_reranker import PASSAGES, QUESTION, RerankerContract
from running import free_port
from serving_process import wait_until
from tiny_models import HIDDEN, flag_embedder, flag_reranker

from llmflow.adapters.http_embedder import HttpEmbedderSettings, OpenAIEmbedder
from llmflow.adapters.http_reranker import HttpRerankerSettings, VllmReranker
from llmflow.adapters.vllm_process import ModelServerSettings, VllmProcess, serving_python
from llmflow.adapters.vllm_server import VllmServer
from llmflow.errors import MissingDependency, ModelUnavailable
from llmflow.ports import Embedder, Reranker

pytestmark = [pytest.mark.services, pytest.mark.slow]
READY_SECONDS = 400
MAX_TOKENS = 256


@dataclass(frozen=True)
class Addresses:
    embedder: str
    reranker: str


@pytest.fixture(scope="module")
def servers(tiny_m3: Path, tiny_reranker: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Two servers, started side by side; skips where there is no serving environment."""
    try:
        serving_python()
    except MissingDependency as exc:
        pytest.skip(str(exc))
    logs = tmp_path_factory.mktemp("vllm")
    started = []
    try:
        for name, folder in (("tiny-m3", tiny_m3), ("tiny-reranker", tiny_reranker)):
            settings = ModelServerSettings(
                name=name, model=str(folder), port=free_port(), task="pooling", max_model_len=MAX_TOKENS, dtype="float32",
                kv_cache="64M", threads=1,
            )  # fmt: skip
            started.append(VllmProcess(settings, logs / f"{name}.log"))
            started[-1].start()
        yield Addresses(*(wait_for(process) for process in started))
    finally:
        for process in started:
            process.stop()


def wait_for(process: VllmProcess) -> str:
    """Return the address of a server that answers."""
    server = VllmServer(process.settings.address)

    def answers() -> bool:
        assert process.alive(), f"vLLM did not start:\n{process.last_words()}"
        return server.healthy()

    wait_until(answers, "vLLM to answer", READY_SECONDS)
    return process.settings.address


class TestVllmEmbedder(EmbedderContract):
    @pytest.fixture
    def address(self, servers: Addresses) -> str:
        return servers.embedder

    @pytest.fixture
    def embedder(self, address: str) -> Embedder:
        settings = HttpEmbedderSettings(url=f"{address}/v1", model="tiny-m3", dimension=HIDDEN, truncate_tokens=MAX_TOKENS)
        return OpenAIEmbedder(settings)

    def test_its_vectors_are_those_of_the_library(self, vectors: np.ndarray, tiny_m3: Path):
        texts = [text for text in TEXTS if text]
        mine = flag_embedder(tiny_m3).embed_passages(texts)
        theirs = vectors[[number for number, text in enumerate(TEXTS) if text]]
        assert (mine * theirs).sum(axis=1).min() > 0.999

    def test_a_longer_text_without_truncation_is_refused_with_its_reason(self, address: str):
        whole = OpenAIEmbedder(HttpEmbedderSettings(url=f"{address}/v1", model="tiny-m3", dimension=HIDDEN))
        with pytest.raises(ModelUnavailable, match=r"status 400: .*256"):
            whole.embed_passages(["annual leave " * 2000])

    def test_another_name_is_refused_with_its_reason(self, address: str):
        with pytest.raises(ModelUnavailable, match=r"status 404: .*does not exist"):
            OpenAIEmbedder(HttpEmbedderSettings(url=f"{address}/v1", model="other")).embed_queries(["text"])


class TestVllmReranker(RerankerContract):
    @pytest.fixture(params=["", "/v1"])
    def reranker(self, servers: Addresses, request: pytest.FixtureRequest) -> Reranker:
        settings = HttpRerankerSettings(url=servers.reranker + request.param, model="tiny-reranker", truncate_tokens=MAX_TOKENS)
        return VllmReranker(settings)

    def test_its_scores_are_those_of_the_library(self, reranker: Reranker, tiny_reranker: Path):
        passages = [passage for passage in PASSAGES if 0 < len(passage) < 100]
        raw = flag_reranker(tiny_reranker).score(QUESTION, passages)
        assert reranker.score(QUESTION, passages) == pytest.approx([1 / (1 + math.exp(-x)) for x in raw], abs=2e-3)
